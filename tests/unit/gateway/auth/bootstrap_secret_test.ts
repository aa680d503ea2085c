import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BootstrapSecret } from "../../../../src/gateway/auth/bootstrap_secret.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { seed } from "../../../support/seed.ts";

const SECRET = "canary-4711-canary-4711-canary-4711";

describe("BootstrapSecret", () => {
  it("matches its secret alone, until it is used", () => {
    const secret = new BootstrapSecret(SECRET, new FakeClock());
    assert.equal(secret.matches(SECRET, "acme"), true);
    assert.equal(secret.matches(SECRET, "acme"), true);
    secret.isUsed = true;
    assert.equal(secret.matches(SECRET, "acme"), false);
  });

  it("matches no other text, independent of its length", () => {
    const other = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.constantFrom("", SECRET.slice(1), `${SECRET}c`, SECRET + SECRET, SECRET.toUpperCase()),
      fc.nat(SECRET.length - 1).map((at) => `${SECRET.slice(0, at)}X${SECRET.slice(at + 1)}`),
    ).filter((text) => text !== SECRET);
    fc.assert(
      fc.property(other, (guess) => {
        assert.equal(new BootstrapSecret(SECRET, new FakeClock()).matches(guess, "acme"), false);
      }),
      { seed },
    );
  });

  it("without a secret matches nothing, not even what guesses are compared with then", () => {
    const secret = new BootstrapSecret(undefined, new FakeClock());
    for (const guess of ["", " ".repeat(32), "undefined"]) {
      assert.equal(secret.matches(guess, "acme"), false);
    }
  });

  it("locks a tenant for a minute from its fifth wrong guess, and no other tenant", async () => {
    const clock = new FakeClock();
    const secret = new BootstrapSecret(SECRET, clock);
    for (let i = 0; i < 4; i++) secret.matches("wrong", "acme");
    assert.equal(secret.matches(SECRET, "acme"), true, "four are not enough");
    for (let i = 0; i < 5; i++) secret.matches("wrong", "acme");
    assert.equal(secret.matches(SECRET, "acme"), false);
    assert.equal(secret.matches(SECRET, "globex"), true);
    await clock.advance(59_999);
    assert.equal(secret.matches(SECRET, "acme"), false);
    await clock.advance(1);
    assert.equal(secret.matches(SECRET, "acme"), true);
  });

  it("counts from none again after a lock, and after a right guess", async () => {
    const clock = new FakeClock();
    const secret = new BootstrapSecret(SECRET, clock);
    const wrong = (times: number): void => {
      for (let i = 0; i < times; i++) secret.matches("wrong", "acme");
    };
    wrong(5);
    await clock.advance(60_000);
    wrong(4);
    assert.equal(secret.matches(SECRET, "acme"), true);
    wrong(4);
    assert.equal(secret.matches(SECRET, "acme"), true);
  });

  it("forgets the oldest of 10,000 tenants for one more, but none that is locked", () => {
    const secret = new BootstrapSecret(SECRET, new FakeClock());
    for (let i = 0; i < 5; i++) secret.matches("wrong", "locked");
    for (let i = 0; i < 4; i++) secret.matches("wrong", "oldest");
    for (let i = 0; i < 4; i++) secret.matches("wrong", "second");
    for (let i = 0; i < 9_996; i++) secret.matches("wrong", `tenant-${i}`);
    // 9,999 tenants: nothing is forgotten yet.
    secret.matches("wrong", "oldest");
    assert.equal(secret.matches(SECRET, "oldest"), false);
    secret.matches("wrong", "10,000th");
    // One too many: `second` is the oldest that is not locked now.
    secret.matches("wrong", "10,001st");
    secret.matches("wrong", "second");
    assert.equal(secret.matches(SECRET, "second"), true);
    assert.equal(secret.matches(SECRET, "locked"), false);
  });
});

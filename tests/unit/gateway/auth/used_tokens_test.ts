import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsedTokens } from "../../../../src/gateway/auth/used_tokens.ts";
import { resolveLimits } from "../../../../src/gateway/limits.ts";
import type { StateChange } from "../../../../src/gateway/storage/state.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

// The longest life of a token with a jti, the longest tolerance, and a signer's clock that is ahead.
const LONGEST_LIFE_MS = 390_000;

function open(usedTokens = 100) {
  const clock = new FakeClock();
  const saved: StateChange[] = [];
  const disk = { isFull: false };
  const tokens = new UsedTokens({
    clock,
    limits: resolveLimits({ usedTokens }),
    save: (changes) => {
      if (disk.isFull) return Promise.reject(new Error("The disk is full"));
      saved.push(...changes);
      return Promise.resolve();
    },
  });
  const claim = (id: string, inMs = 60_000, tenant = "acme") =>
    tokens.of(tenant).claim(id, clock.now() + inMs, clock.now());
  return { claim, clock, disk, saved, tokens };
}

describe("UsedTokens", () => {
  it("gives an id once to each tenant, and writes it", async () => {
    const { claim, clock, saved } = open();
    const untilMs = clock.now() + 60_000;
    assert.equal(await claim("a"), true);
    assert.equal(await claim("a"), false);
    assert.equal(await claim("a", 90_000), false);
    assert.equal(await claim("b"), true);
    assert.equal(await claim("a", 60_000, "globex"), true);
    assert.deepEqual(saved, [
      { used: { tenantId: "acme", id: "a", untilMs } },
      { used: { tenantId: "acme", id: "b", untilMs } },
      { used: { tenantId: "globex", id: "a", untilMs } },
    ]);
  });

  it("gives an id again that could not be written, and no other of the same second", async () => {
    const { claim, disk, tokens } = open();
    await claim("kept");
    disk.isFull = true;
    await assert.rejects(async () => await claim("a"), /The disk is full/);
    assert.deepEqual(tokens.stored().map(({ id }) => id), ["kept"]);
    disk.isFull = false;
    assert.equal(await claim("a"), true);
    assert.equal(await claim("kept"), false);
  });

  it("has room for so many of one tenant, independent of other tenants", async () => {
    const { claim, tokens } = open(2);
    assert.deepEqual([await claim("a"), await claim("b"), await claim("c")], [true, true, false]);
    assert.equal(await claim("a", 60_000, "globex"), true);
    assert.deepEqual(tokens.stored().map(({ tenantId, id }) => `${tenantId} ${id}`), [
      "acme a",
      "acme b",
      "globex a",
    ]);
  });

  it("forgets an id when both clocks say so: expired, and remembered for the longest life", async () => {
    const { claim, clock, tokens } = open(1);
    await claim("a", 60_000);
    await clock.advance(LONGEST_LIFE_MS - 1_000);
    assert.equal(await claim("b"), false);
    await clock.advance(1_000);
    assert.equal(await claim("a"), true, "forgotten");
    assert.deepEqual(tokens.stored().map(({ id }) => id), ["a"]);
  });

  it("keeps an id whose token lives longer until that ends", async () => {
    const { claim, clock } = open(1);
    await claim("a", 500_000);
    await clock.advance(499_000);
    assert.equal(await claim("b"), false);
    await clock.advance(1_000);
    assert.equal(await claim("b"), true);
  });

  it("keeps an id while the wall clock is set forward or back", async () => {
    const { claim, clock } = open(1);
    const untilMs = clock.now() + 60_000;
    await claim("a");
    clock.jump(3_600_000);
    assert.equal(await claim("b"), false, "remembered for too short a time");
    clock.jump(-3_600_000 - 10 * LONGEST_LIFE_MS);
    await clock.advance(2 * LONGEST_LIFE_MS);
    assert.ok(clock.now() < untilMs);
    assert.equal(await claim("b"), false, "not expired");
  });

  it("keeps what was put back, in whole seconds rounded up", async () => {
    const { claim, clock, saved, tokens } = open();
    const untilMs = Math.ceil(clock.now() / 1_000) * 1_000 + 60_000;
    tokens.restore([
      { tenantId: "acme", id: "a", untilMs },
      { tenantId: "acme", id: "b", untilMs: untilMs + 1 },
      { tenantId: "globex", id: "a", untilMs },
    ]);
    assert.equal(await claim("a"), false);
    assert.deepEqual(saved, []);
    assert.deepEqual(tokens.stored(), [
      { tenantId: "acme", id: "a", untilMs },
      { tenantId: "acme", id: "b", untilMs: untilMs + 1_000 },
      { tenantId: "globex", id: "a", untilMs },
    ]);
  });
});

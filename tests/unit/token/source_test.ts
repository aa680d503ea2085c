import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Signer } from "../../../src/credentials/mod.ts";
import { decodeToken } from "../../../src/token/decode.ts";
import { createTokenSource } from "../../../src/token/source.ts";
import { assertHidden } from "../../support/canary.ts";
import { FakeClock } from "../../../src/testing/mod.ts";
import { acme, evil, NOW } from "../../support/tokens.ts";

const issuedAt = (token: string): unknown => decodeToken(token).claims["iat"];

/** A signer that can be waited for and counts how often it was asked. */
function gate(): {
  asked: number;
  signer: () => Promise<Signer>;
  open: (signer?: Signer) => void;
  fail: (error: Error) => void;
} {
  let settle: { resolve: (signer: Signer) => void; reject: (error: Error) => void };
  const made = {
    asked: 0,
    signer: () => {
      made.asked++;
      return new Promise<Signer>((resolve, reject) => settle = { resolve, reject });
    },
    open: (signer = acme.signer) => settle.resolve(signer),
    fail: (error: Error) => settle.reject(error),
  };
  return made;
}

describe("createTokenSource()", () => {
  it("TokenSource.get() gives one token until a fifth of its life is left", async () => {
    const clock = new FakeClock(NOW * 1000);
    const source = createTokenSource(acme.signer, { clock });
    const first = await source.get();
    assert.equal(issuedAt(first), NOW);
    await clock.advance(2_879_999);
    assert.equal(await source.get(), first);
    await clock.advance(1);
    const second = await source.get();
    assert.equal(issuedAt(second), NOW + 2880);
    assert.equal(await source.get(), second);
  });

  it("TokenSource.get() takes lifetime, renewal and claims from the options", async () => {
    const clock = new FakeClock(NOW * 1000);
    const source = createTokenSource(acme.signer, {
      clock,
      lifetimeSeconds: 60,
      renewBeforeSeconds: 50,
      claims: { role: "agent" },
    });
    const { claims } = decodeToken(await source.get());
    assert.equal(claims["exp"], NOW + 60);
    assert.equal(claims["role"], "agent");
    await clock.advance(9_999);
    assert.equal(issuedAt(await source.get()), NOW);
    await clock.advance(1);
    assert.equal(issuedAt(await source.get()), NOW + 10);
  });

  it("TokenSource.get() counts a token's life from its whole second, and never hands out one that is over", async () => {
    // Signed at 0.9 s past the second: of a life of one second a tenth is left, of an hour all but 0.9 s.
    const clock = new FakeClock(NOW * 1000 + 900);
    const short = createTokenSource(acme.signer, { clock, lifetimeSeconds: 1 });
    const long = createTokenSource(acme.signer, { clock, renewBeforeSeconds: 60 });
    await short.get();
    await long.get();
    await clock.advance(500);
    assert.equal(issuedAt(await short.get()), NOW + 1);
    await clock.advance(3_538_599);
    assert.equal(issuedAt(await long.get()), NOW);
    await clock.advance(1);
    assert.equal(issuedAt(await long.get()), NOW + 3540);
  });

  it("TokenSource.get() gives tokens with browser claims the life of a browser token", async () => {
    const clock = new FakeClock(NOW * 1000);
    const source = createTokenSource(acme.signer, { clock, claims: { scope: "call.dial" } });
    assert.equal(decodeToken(await source.get()).claims["exp"], NOW + 300);
    await clock.advance(239_999);
    assert.equal(issuedAt(await source.get()), NOW);
    await clock.advance(1);
    assert.equal(issuedAt(await source.get()), NOW + 240);
  });

  it("createTokenSource() refuses to renew tokens after their end", () => {
    for (const renewBeforeSeconds of [-1, NaN]) {
      assert.throws(() => createTokenSource(acme.signer, { renewBeforeSeconds }), {
        code: "ERR_VALUE_INVALID",
        message:
          `Cannot create token source: renewBeforeSeconds is ${renewBeforeSeconds}, expected a number of seconds, 0 or more`,
      });
    }
    for (const timeoutMs of [0, -1, NaN]) {
      assert.throws(() => createTokenSource(acme.signer, { timeoutMs }), {
        code: "ERR_VALUE_INVALID",
        message:
          `Cannot create token source: timeoutMs is ${timeoutMs}, expected a number of milliseconds, 1 or more`,
      });
    }
  });

  it("TokenSource.get() signs once for all that wait, and asks for the signer every time it signs", async () => {
    const clock = new FakeClock(NOW * 1000);
    const made = gate();
    const source = createTokenSource(made.signer, { clock });
    const waiting = Promise.all(Array.from({ length: 20 }, () => source.get()));
    made.open();
    assert.equal(new Set(await waiting).size, 1);
    assert.equal(made.asked, 1);
    await clock.advance(3_600_000);
    const next = source.get();
    made.open();
    await next;
    assert.equal(made.asked, 2);
  });

  it("TokenSource.get() picks up a rotated key", async () => {
    const clock = new FakeClock(NOW * 1000);
    let current = acme.signer;
    const source = createTokenSource(() => current, { clock });
    assert.equal(decodeToken(await source.get()).header["kid"], acme.keyId);
    current = evil.signer;
    assert.equal(decodeToken(await source.get()).header["kid"], acme.keyId);
    source.invalidate();
    assert.equal(decodeToken(await source.get()).header["kid"], evil.keyId);
  });

  it("TokenSource.get() caches no failure and hands it to all that wait", async () => {
    const made = gate();
    const source = createTokenSource(made.signer, { clock: new FakeClock() });
    const waiting = [source.get(), source.get()];
    const failure = new Error("no key today");
    made.fail(failure);
    for (const each of waiting) await assert.rejects(each, failure);
    const again = source.get();
    made.open();
    await again;
    assert.equal(made.asked, 2);
  });

  it("TokenSource.invalidate() during a signing makes the next get() sign anew, and the old result is not kept", async () => {
    const gates = [gate(), gate()];
    let turn = 0;
    const clock = new FakeClock(NOW * 1000);
    const source = createTokenSource(() => gates[turn++]!.signer(), { clock });
    const old = source.get();
    source.invalidate();
    const fresh = source.get();
    await clock.advance(999);
    gates[1]!.open();
    const kept = await fresh;
    gates[0]!.open(evil.signer);
    assert.notEqual(await old, kept);
    assert.equal(await source.get(), kept);
    assert.equal(turn, 2);
  });

  it("TokenSource.get() stops one wait on its signal and lets the others have the token", async () => {
    const made = gate();
    const source = createTokenSource(made.signer, { clock: new FakeClock() });
    const controller = new AbortController();
    const stopped = source.get({ signal: controller.signal });
    const other = source.get();
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(stopped, reason);
    made.open();
    const token = await other;
    assert.equal(made.asked, 1);
    await assert.rejects(source.get({ signal: controller.signal }), reason);
    assert.equal(await source.get(), token);
  });

  it("TokenSource.get() starts a second mint beside one that has taken a second, and no third", async () => {
    const clock = new FakeClock(NOW * 1000);
    let asked = 0;
    const source = createTokenSource(() => (asked++, new Promise<Signer>(() => {})), { clock });
    const waits = [source.get()];
    for (let seconds = 1; seconds < 10; seconds++) {
      await clock.advance(999);
      waits.push(source.get());
      await clock.advance(1);
      assert.equal(asked, 2);
    }
    for (const wait of waits) wait.catch(() => {});
    await clock.advance(1_000);
    await assert.rejects(waits[0]!, { code: "ERR_TIMEOUT", retryable: true });
  });

  it("TokenSource.get() gives the token of the second mint when the first never settles, to all that wait", async () => {
    const clock = new FakeClock(NOW * 1000);
    let asked = 0;
    const source = createTokenSource(
      () => ++asked === 1 ? new Promise<Signer>(() => {}) : acme.signer,
      { clock },
    );
    const first = source.get();
    await clock.advance(500);
    const second = source.get();
    await clock.advance(499);
    assert.equal(asked, 1);
    await clock.advance(1);
    assert.equal(await first, await second);
    assert.equal(await source.get(), await first);
    assert.equal(asked, 2);
    assert.equal(clock.pending, 0);
  });

  it("TokenSource.get() gives up each mint after timeoutMs, so that one is asked for again", async () => {
    const clock = new FakeClock(NOW * 1000);
    let asked = 0;
    let isBroken = true;
    const source = createTokenSource(
      () => (asked++, isBroken ? new Promise<Signer>(() => {}) : acme.signer),
      { clock, timeoutMs: 3_000 },
    );
    for (let round = 1; round <= 3; round++) {
      const wait = source.get();
      const rejected = assert.rejects(wait, {
        code: "ERR_TIMEOUT",
        message: /^Cannot get a token: minting did not end within 3000 ms/,
      });
      await clock.advance(3_000);
      await rejected;
    }
    assert.ok(asked <= 6, `asked ${asked} times in 9 s`);
    isBroken = false;
    const wait = source.get();
    await clock.advance(1_000);
    assert.equal(issuedAt(await wait), NOW + 9);
    assert.equal(clock.pending, 0);
  });

  it("TokenSource.get() waits for the other mint when one fails, and rejects when both have failed", async () => {
    const clock = new FakeClock(NOW * 1000);
    const gates = [gate(), gate(), gate(), gate()];
    let turn = 0;
    const source = createTokenSource(() => gates[turn++]!.signer(), { clock });
    const saved = source.get();
    await clock.advance(1_000);
    gates[0]!.fail(new Error("first"));
    gates[1]!.open();
    assert.equal(issuedAt(await saved), NOW + 1);
    source.invalidate();
    const lost = source.get();
    await clock.advance(1_000);
    gates[3]!.fail(new Error("fourth"));
    const rejected = assert.rejects(lost, { message: "third" });
    gates[2]!.fail(new Error("third"));
    await rejected;
    assert.equal(turn, 4);
    assert.equal(clock.pending, 0);
  });

  it("TokenSource.get() starts one mint a second at most while one hangs and the others fail", async () => {
    const clock = new FakeClock(NOW * 1000);
    let asked = 0;
    const source = createTokenSource(() => {
      if (++asked === 1) return new Promise<Signer>(() => {});
      throw new Error("no key today");
    }, { clock });
    const wait = source.get();
    const rejected = assert.rejects(wait, { code: "ERR_TIMEOUT" });
    await clock.advance(10_000);
    await rejected;
    assert.ok(asked <= 11, `asked ${asked} times in 10 s`);
  });

  it("TokenSource.get() that is aborted leaves no timer behind", async () => {
    const clock = new FakeClock(NOW * 1000);
    const source = createTokenSource(() => new Promise<Signer>(() => {}), { clock });
    const controller = new AbortController();
    const wait = source.get({ signal: controller.signal });
    assert.equal(clock.pending, 1);
    controller.abort(new Error("enough"));
    await assert.rejects(wait, { message: "enough" });
    assert.equal(clock.pending, 0);
  });

  it("F-09 TokenSource.get() signs at most one token when the clock is set, and never hands out one from the future", async () => {
    const clock = new FakeClock(NOW * 1000);
    let signed = 0;
    const source = createTokenSource(() => (signed++, acme.signer), { clock });
    for (const hours of [0, 2, -4, 2]) {
      clock.jump(hours * 3_600_000);
      signed = 0;
      for (let i = 0; i < 5; i++) {
        const { iat, exp } = decodeToken(await source.get()).claims;
        assert.ok(Number(iat) * 1000 <= clock.now() && clock.now() < Number(exp) * 1000);
      }
      assert.equal(signed, 1);
    }
  });

  it("TokenSource holds no timer and shows no token", async () => {
    const clock = new FakeClock();
    const source = createTokenSource(acme.signer, { clock });
    const token = await source.get();
    assert.equal(clock.pending, 0);
    assertHidden(source, token.split("."), "a token source");
  });
});

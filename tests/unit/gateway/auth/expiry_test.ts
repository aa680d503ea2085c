import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Expiring, ExpiryWatch } from "../../../../src/gateway/auth/expiry.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

function session(clock: FakeClock, inMs: number) {
  const log: string[] = [];
  const start = clock.now();
  const expiring: Expiring & { endsAtMs: number } = {
    endsAtMs: start + inMs,
    warn: () => log.push(`warned at ${clock.now() - start}`),
    expire: () => log.push(`expired at ${clock.now() - start}`),
  };
  return { expiring, log };
}

describe("ExpiryWatch", () => {
  it("ends each session at its time, on one timer for all", async () => {
    const clock = new FakeClock();
    const watch = new ExpiryWatch(clock);
    const sessions = [500, 100, 9_000, 100].map((ms) => session(clock, ms));
    for (const { expiring } of sessions) watch.watch(expiring);
    assert.equal(clock.pending, 1);
    await clock.advance(10_000);
    assert.deepEqual(sessions.map(({ log }) => log.at(-1)), [
      ...["expired at 500", "expired at 100", "expired at 9000", "expired at 100"],
    ]);
    assert.equal(clock.pending, 0);
  });

  it("warns once in the last minute", async () => {
    const clock = new FakeClock();
    const watch = new ExpiryWatch(clock);
    const { expiring, log } = session(clock, 100_000);
    watch.watch(expiring);
    await clock.advance(200_000);
    assert.deepEqual(log, ["warned at 40000", "expired at 100000"]);
  });

  it("follows an end that moves, nearer or away", async () => {
    const clock = new FakeClock();
    const watch = new ExpiryWatch(clock);
    const { expiring, log } = session(clock, 3_000);
    watch.watch(expiring);
    expiring.endsAtMs += 60_000;
    watch.watch(expiring);
    await clock.advance(10_000);
    expiring.endsAtMs = clock.now() + 50;
    watch.watch(expiring);
    await clock.advance(1_000);
    assert.equal(log.at(-1), "expired at 10050");
  });

  it("notices a wall clock that jumped, within four seconds, and never ends a session early", async () => {
    const clock = new FakeClock();
    const watch = new ExpiryWatch(clock);
    const { expiring, log } = session(clock, 3_600_000);
    watch.watch(expiring);
    clock.jump(-3_600_000);
    await clock.advance(3_700_000);
    assert.deepEqual(log, []);
    clock.jump(3_600_000);
    await clock.advance(4_000);
    assert.equal(log.length, 1);
    assert.match(log[0]!, /^expired/);
  });

  it("watches what never ends, and forgets what is gone", async () => {
    const clock = new FakeClock();
    const watch = new ExpiryWatch(clock);
    const { expiring, log } = session(clock, Infinity);
    watch.watch(expiring);
    await clock.advance(100_000);
    watch.forget(expiring);
    assert.deepEqual([log, clock.pending], [[], 0]);
    watch.forget(expiring);
  });
});

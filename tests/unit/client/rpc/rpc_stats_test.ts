import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Histogram, RpcCounter } from "../../../../src/client/rpc/rpc_stats.ts";
import { TeleQuickError } from "../../../../src/base/errors.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { seed } from "../../../support/seed.ts";

const durations = fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
});

describe("Histogram", () => {
  it("is all zero before the first duration", () => {
    const { buckets, ...figures } = new Histogram().snapshot();
    assert.deepEqual(Object.values(figures), Object.values(figures).map(() => 0));
    assert.equal(buckets.at(-1)?.upToMs, Infinity);
    assert.ok(buckets.every(({ count }) => count === 0));
  });

  it("counts a duration at a bound below it, and one above the last bound in the last range", () => {
    const histogram = new Histogram();
    for (const ms of [1, 1.01, 99_999]) histogram.add(ms);
    const filled = histogram.snapshot().buckets.filter(({ count }) => count > 0);
    assert.deepEqual(filled, [
      { upToMs: 1, count: 1 },
      { upToMs: 2, count: 1 },
      { upToMs: Infinity, count: 1 },
    ]);
  });

  it("gives percentiles by even spread within a range, and the mean", () => {
    const histogram = new Histogram();
    for (const ms of [11, 12, 18, 19]) histogram.add(ms);
    const { minMs, maxMs, meanMs, p50Ms, p95Ms } = histogram.snapshot();
    assert.deepEqual([minMs, maxMs, meanMs, p50Ms, p95Ms], [11, 19, 15, 15, 18.6]);
    const spread = new Histogram();
    for (const ms of [3, 30, 30, 300]) spread.add(ms);
    const { p50Ms: half, p99Ms: most } = spread.snapshot();
    assert.deepEqual([half, most], [35, 296]);
  });

  it("keeps every duration, and its percentiles in order and within the range of the exact ones", () => {
    fc.assert(
      fc.property(durations, (all) => {
        const histogram = new Histogram();
        for (const ms of all) histogram.add(ms);
        const { count, minMs, maxMs, meanMs, p50Ms, p95Ms, p99Ms, buckets } = histogram.snapshot();
        assert.equal(count, all.length);
        assert.equal(buckets.reduce((sum, each) => sum + each.count, 0), all.length);
        assert.equal(minMs, Math.min(...all));
        assert.equal(maxMs, Math.max(...all));
        assert.ok(meanMs >= minMs * 0.999 && meanMs <= maxMs * 1.001);
        assert.ok(minMs <= p50Ms && p50Ms <= p95Ms && p95Ms <= p99Ms && p99Ms <= maxMs);
        const sorted = [...all].sort((a, b) => a - b);
        for (const [share, found] of [[0.5, p50Ms], [0.95, p95Ms], [0.99, p99Ms]] as const) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
          const range = buckets.findIndex(({ upToMs }) => exact <= upToMs);
          assert.ok(found <= buckets[range]!.upToMs && found >= (buckets[range - 1]?.upToMs ?? 0));
        }
      }),
      { seed },
    );
  });
});

describe("RpcCounter", () => {
  it("counts answered, timed out and failed RPCs apart, and passes on what became of them", async () => {
    const clock = new FakeClock();
    await clock.advance(1_000);
    const rpcs = new RpcCounter();
    const timeout = new TeleQuickError("ERR_TIMEOUT", "Cannot complete Barge: no reply");
    const answered = rpcs.measure(clock, async () => {
      await clock.advance(7);
      return "reply";
    });
    assert.equal(rpcs.stats().inFlight, 1);
    assert.equal(await answered, "reply");
    await assert.rejects(rpcs.measure(clock, () => Promise.reject(timeout)), timeout);
    await assert.rejects(rpcs.measure(clock, () => Promise.reject(new Error("lost"))), /lost/);
    const { latency, ...counts } = rpcs.stats();
    assert.deepEqual(counts, { sent: 3, inFlight: 0, answered: 1, timedOut: 1, failed: 1 });
    assert.equal(latency.maxMs, 7);
  });
});

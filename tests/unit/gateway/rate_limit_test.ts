import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RateLimit } from "../../../src/gateway/rate_limit.ts";
import { FakeClock } from "../../../src/testing/mod.ts";

function taken(bucket: RateLimit, tries: number): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (bucket.take()) count++;
  return count;
}

describe("RateLimit", () => {
  it("gives the burst at once and then the rate", async () => {
    const clock = new FakeClock();
    const bucket = new RateLimit({ perSecond: 10, burst: 25, clock });
    assert.equal(taken(bucket, 100), 25);
    assert.equal(taken(bucket, 100), 0);
    await clock.advance(99);
    assert.equal(taken(bucket, 100), 0);
    await clock.advance(1);
    assert.equal(taken(bucket, 100), 1);
    await clock.advance(1_000);
    assert.equal(taken(bucket, 100), 10);
  });

  it("never holds more than the burst", async () => {
    const clock = new FakeClock();
    const bucket = new RateLimit({ perSecond: 10, burst: 5, clock });
    await clock.advance(3_600_000);
    assert.equal(taken(bucket, 100), 5);
  });

  it("says whether it has a token, and keeps it", async () => {
    const clock = new FakeClock();
    const bucket = new RateLimit({ perSecond: 10, burst: 1, clock });
    for (let i = 0; i < 5; i++) assert.equal(bucket.hasToken, true);
    assert.equal(taken(bucket, 2), 1);
    assert.equal(bucket.hasToken, false);
    await clock.advance(100);
    assert.equal(bucket.hasToken, true);
  });

  it("does not look at the wall clock", () => {
    const clock = new FakeClock();
    const bucket = new RateLimit({ perSecond: 10, burst: 1, clock });
    assert.equal(taken(bucket, 2), 1);
    clock.jump(3_600_000);
    assert.equal(taken(bucket, 2), 0);
  });

  it("takes an infinite rate for no limit", () => {
    const bucket = new RateLimit({ perSecond: Infinity, burst: Infinity, clock: new FakeClock() });
    assert.equal(taken(bucket, 10_000), 10_000);
  });
});

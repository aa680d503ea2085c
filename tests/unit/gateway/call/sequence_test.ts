import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SequenceTrack } from "../../../../src/gateway/call/sequence.ts";
import { seed } from "../../../support/seed.ts";

function missing(track: SequenceTrack, numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + (track.take(number) ?? 0), 0);
}

describe("SequenceTrack", () => {
  it("counts a gap as lost, and takes it back when it is filled late", () => {
    const track = new SequenceTrack();
    assert.equal(missing(track, [0, 1, 4]), 2);
    assert.equal(track.take(3), -1);
    assert.equal(track.take(2), -1);
    assert.equal(track.take(5), 0);
  });

  it("knows what came before", () => {
    const track = new SequenceTrack();
    assert.equal(track.take(10), 0);
    assert.equal(track.take(10), undefined);
    assert.equal(track.take(11), 0);
    assert.equal(track.take(10), undefined);
  });

  it("takes what is older than its window for a repetition", () => {
    const track = new SequenceTrack();
    for (const number of [0, 100]) track.take(number);
    assert.equal(track.take(36), undefined);
    assert.equal(track.take(37), -1);
  });

  it("takes a leap of more than a minute for a new start", () => {
    const track = new SequenceTrack();
    assert.equal(missing(track, [0, 1, 1_000_000, 1_000_001]), 0);
    assert.equal(track.take(2 ** 53), 0);
  });

  it("takes numbers that are too large to be counted one by one", () => {
    for (const start of [2 ** 53 + 2, 2 ** 60, 2 ** 64]) {
      const track = new SequenceTrack();
      assert.equal(track.take(start), 0);
      assert.equal(track.take(start + 2 ** 20), 0);
    }
  });

  it("agrees with a set of everything seen, for any order within the window", () => {
    const jitter = fc.array(fc.nat(30), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(jitter, fc.nat(2 ** 40), (delays, start) => {
        // Number i leaves at time i and arrives `delays[i]` later.
        const order = delays.map((delay, i) => ({ at: i + delay, number: start + i }))
          .sort((a, b) => a.at - b.at || a.number - b.number).map(({ number }) => number);
        const track = new SequenceTrack();
        const lost = missing(track, order);
        // Everything arrived: only what stood before the first arrival was never waited for.
        const early = order.filter((number) => number < order[0]!).length;
        assert.equal(lost + early, 0);
        for (const number of order.slice(-16)) assert.equal(track.take(number), undefined);
      }),
      { seed, numRuns: 500 },
    );
  });
});

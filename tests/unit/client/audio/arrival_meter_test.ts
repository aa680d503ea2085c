import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { JitterBuffer } from "../../../../src/audio/mod.ts";
import { ArrivalMeter } from "../../../../src/client/audio/arrival_meter.ts";
import { seed } from "../../../support/seed.ts";

interface Arrival {
  readonly sequenceNumber: number;
  readonly afterMs: number;
  readonly codec: string;
  readonly bytes: number;
}

/** Streams with losses, repetitions, latecomers, senders that start again, and numbers that are not integers. */
const arrivals: fc.Arbitrary<readonly Arrival[]> = fc.array(
  fc.record({
    step: fc.oneof(
      { weight: 8, arbitrary: fc.constant(1) },
      { weight: 3, arbitrary: fc.integer({ min: -4, max: 6 }) },
      { weight: 1, arbitrary: fc.integer({ min: -200, max: 5_000 }) },
    ),
    afterMs: fc.integer({ min: 0, max: 300 }),
    codec: fc.constantFrom("PCMU", "PCM16", "OPUS"),
    bytes: fc.constantFrom(0, 80, 160, 640),
    isWhole: fc.integer({ min: 0, max: 40 }).map((n) => n > 0),
  }),
  { maxLength: 300 },
).map((steps) => {
  let at = 50;
  return steps.map(({ step, isWhole, ...rest }) => {
    at += step;
    return { ...rest, sequenceNumber: isWhole ? at : at + 0.5 };
  });
});

describe("ArrivalMeter", () => {
  it("counts what a jitter buffer without a window counts, and gives every frame but the repeated ones", () => {
    fc.assert(
      fc.property(arrivals, (stream) => {
        const meter = new ArrivalMeter();
        const buffer = new JitterBuffer({ jitterBufferMs: 0 });
        let now = 0;
        for (const { sequenceNumber, afterMs, codec, bytes } of stream) {
          now += afterMs;
          const frame = { sequenceNumber, codec, payload: new Uint8Array(bytes) };
          const { duplicated } = buffer.statistics;
          buffer.push(frame, now);
          while (buffer.size > 0) buffer.pop(Infinity);
          const isNew = buffer.statistics.duplicated === duplicated;
          assert.equal(meter.take(frame, now), isNew, `frame ${sequenceNumber}`);
        }
        const { statistics: expected } = buffer;
        assert.deepEqual(meter.statistics, {
          ...expected,
          lost: Math.max(0, expected.lost - expected.late),
          concealed: 0,
        });
      }),
      { numRuns: 300, seed },
    );
  });

  it("takes two numbers in sequence far from the others for a sender that has started again", () => {
    const meter = new ArrivalMeter();
    const take = (sequenceNumber: number) =>
      meter.take({ sequenceNumber, codec: "PCMU", payload: new Uint8Array(160) }, 0);
    assert.deepEqual([10_000, 10_001, 0, 1, 2, 2].map(take), [true, true, true, true, true, false]);
    const { received, lost, late, duplicated, dropped } = meter.statistics;
    assert.deepEqual([received, lost, late, duplicated, dropped], [6, 0, 0, 1, 1]);
  });
});

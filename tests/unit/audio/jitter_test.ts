import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { silenceFrame } from "../../../src/audio/codec.ts";
import { concealLoss } from "../../../src/audio/conceal.ts";
import { type ArrivedFrame, JitterBuffer, type PlayoutFrame } from "../../../src/audio/jitter.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { seed } from "../../support/seed.ts";

/** A frame that differs from every other by its payload. */
function frame(sequenceNumber: number, more: Partial<ArrivedFrame> = {}): ArrivedFrame {
  const payload = new Uint8Array(160).fill(sequenceNumber % 251);
  return { sequenceNumber, payload, codec: "PCMU", ...more };
}

function popAll(buffer: JitterBuffer, nowMs: number): PlayoutFrame[] {
  const frames: PlayoutFrame[] = [];
  for (let next = buffer.pop(nowMs); next !== undefined; next = buffer.pop(nowMs)) {
    frames.push(next);
  }
  return frames;
}

const numbers = (frames: readonly PlayoutFrame[]): string[] =>
  frames.map(({ sequenceNumber, concealed }) => `${sequenceNumber}${concealed ? "*" : ""}`);

interface Arrival {
  readonly sequenceNumber: number;
  readonly atMs: number;
}

/** Plays arrivals, in order of time, asking at every arrival and every time that `dueMs` names; then empties the buffer. */
function play(buffer: JitterBuffer, arrivals: readonly Arrival[]): PlayoutFrame[] {
  const given: PlayoutFrame[] = [];
  for (const { sequenceNumber, atMs } of [...arrivals].sort((a, b) => a.atMs - b.atMs)) {
    for (let due = buffer.dueMs; due !== undefined && due < atMs; due = buffer.dueMs) {
      const next = buffer.pop(due);
      assert.ok(next !== undefined, "dueMs named a time at which nothing was due");
      given.push(next);
    }
    buffer.push(frame(sequenceNumber), atMs);
    given.push(...popAll(buffer, atMs));
    const due = buffer.dueMs;
    assert.ok(due === undefined || due > atMs);
  }
  given.push(...popAll(buffer, Infinity));
  return given;
}

describe("JitterBuffer", () => {
  it("JitterBuffer gives frames that arrive in order at once and unchanged", () => {
    const buffer = new JitterBuffer();
    for (let i = 0; i < 100; i++) {
      const arrived = frame(i, { endOfStream: i === 99 });
      assert.equal(buffer.push(arrived, i * 20), true);
      assert.equal(buffer.dueMs, i * 20);
      assert.deepEqual(buffer.pop(i * 20), {
        ...arrived,
        endOfStream: i === 99,
        concealed: false,
      });
      assert.equal(buffer.pop(i * 20), undefined);
      assert.equal(buffer.dueMs, undefined);
    }
    assert.deepEqual(buffer.statistics, {
      received: 100,
      lost: 0,
      late: 0,
      duplicated: 0,
      dropped: 0,
      concealed: 0,
      jitterMs: 0,
    });
  });

  it("JitterBuffer loses nothing when no frame is held up by more than jitterBufferMs", () => {
    const delays = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 200, size: "max" });
    fc.assert(
      fc.property(delays, (delaysMs) => {
        const buffer = new JitterBuffer({ jitterBufferMs: 100 });
        const given = play(
          buffer,
          delaysMs.map((delayMs, i) => ({ sequenceNumber: i, atMs: i * 20 + delayMs })),
        );
        assert.deepEqual(numbers(given), delaysMs.map((_, i) => `${i}`));
        given.forEach(({ payload }, i) => assert.deepEqual(payload, frame(i).payload));
        assert.equal(buffer.statistics.lost, 0);
      }),
      { seed },
    );
  });

  it("JitterBuffer gives every number once, in order, and accounts for every frame under loss, repetition and delay", () => {
    const arrival = fc.record({
      copies: fc.constantFrom(0, 1, 1, 1, 1, 1, 1, 2, 3),
      delaysMs: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 3, maxLength: 3 }),
    });
    const arrivals = fc.array(arrival, { minLength: 1, maxLength: 150, size: "max" });
    const options = fc.record({
      jitterBufferMs: fc.integer({ min: 0, max: 200 }),
      capacity: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(arrivals, options, (sent, jitterOptions) => {
        const buffer = new JitterBuffer({ ...jitterOptions, concealMs: 10_000 });
        const copies = sent.flatMap(({ copies, delaysMs }, i) =>
          delaysMs.slice(0, copies).map((delay) => ({ sequenceNumber: i, atMs: i * 20 + delay }))
        );
        const given = play(buffer, copies);
        const first = given[0]?.sequenceNumber ?? 0;
        given.forEach((next, i) => {
          assert.equal(next.sequenceNumber, first + i);
          if (!next.concealed) assert.deepEqual(next.payload, frame(first + i).payload);
        });
        const { received, lost, late, duplicated, dropped, concealed } = buffer.statistics;
        const heard = given.filter((next) => !next.concealed).length;
        assert.equal(received, copies.length);
        assert.equal(received, heard + late + duplicated + dropped);
        assert.equal(dropped, 0, "a caller that asks after every push makes room in time");
        assert.equal(lost, given.length - heard);
        assert.equal(concealed, lost);
        assert.equal(buffer.size, 0);
      }),
      { seed, numRuns: 200 },
    );
  });

  it("JitterBuffer waits jitterBufferMs for a missing frame, from the arrival of the first that came after it", () => {
    const buffer = new JitterBuffer({ jitterBufferMs: 50 });
    buffer.push(frame(0), 0);
    buffer.push(frame(3), 100);
    buffer.push(frame(2), 130);
    assert.deepEqual(numbers(popAll(buffer, 149)), ["0"]);
    assert.equal(buffer.dueMs, 150);
    assert.deepEqual(numbers(popAll(buffer, 150)), ["1*", "2", "3"]);
  });

  it("JitterBuffer still takes a missing frame between two stand-ins", () => {
    const buffer = new JitterBuffer({ jitterBufferMs: 50 });
    buffer.push(frame(0), 0);
    buffer.push(frame(3), 60);
    assert.deepEqual(numbers(popAll(buffer, 60)), ["0"]);
    assert.deepEqual(numbers([buffer.pop(110)!]), ["1*"]);
    assert.equal(buffer.push(frame(2), 111), true);
    assert.deepEqual(numbers(popAll(buffer, 111)), ["2", "3"]);
    assert.equal(buffer.statistics.lost, 1);
  });

  it("JitterBuffer replaces a lost frame by what was heard before it, fading out as concealLoss() does", () => {
    const buffer = new JitterBuffer({ jitterBufferMs: 0, concealMs: 80 });
    buffer.push(frame(0), 0);
    buffer.push(frame(5), 100);
    const given = popAll(buffer, 100);
    assert.deepEqual(numbers(given), ["0", "1*", "2*", "3*", "4*", "5"]);
    for (const i of [1, 2, 3, 4]) {
      assert.deepEqual(given[i]!.payload, concealLoss(frame(0), i - 1));
      assert.equal(given[i]!.codec, "PCMU");
    }
    assert.deepEqual(given[4]!.payload, silenceFrame("PCMU"));
    buffer.push(frame(7), 140);
    assert.deepEqual(popAll(buffer, 140)[0]!.payload, concealLoss(frame(5), 0));
  });

  it("JitterBuffer distinguishes a latecomer from a duplicate, also after its turn", () => {
    const buffer = new JitterBuffer({ jitterBufferMs: 0 });
    buffer.push(frame(0), 0);
    buffer.push(frame(2), 40);
    popAll(buffer, 40);
    assert.equal(buffer.push(frame(1), 50), false);
    assert.equal(buffer.statistics.late, 1);
    assert.equal(buffer.push(frame(1), 51), false);
    assert.equal(buffer.push(frame(2), 52), false);
    assert.equal(buffer.push(frame(0), 53), false);
    buffer.push(frame(4), 80);
    assert.equal(buffer.push(frame(4), 81), false);
    const { received, lost, late, duplicated } = buffer.statistics;
    assert.deepEqual({ received, lost, late, duplicated }, {
      received: 8,
      lost: 1,
      late: 1,
      duplicated: 4,
    });
  });

  it("JitterBuffer joining a stream that has long begun waits for earlier frames, and counts none as lost", () => {
    const buffer = new JitterBuffer({ jitterBufferMs: 50 });
    buffer.push(frame(501), 0);
    buffer.push(frame(500), 10);
    assert.equal(buffer.pop(49), undefined);
    assert.deepEqual(numbers(popAll(buffer, 50)), ["500", "501"]);
    assert.equal(buffer.statistics.lost, 0);
    assert.equal(new JitterBuffer().push(frame(0), 0), true);
  });

  it("JitterBuffer holds capacity frames, drops the oldest for one more, and gives up waiting when it is full", () => {
    const buffer = new JitterBuffer({ jitterBufferMs: 10_000, capacity: 4 });
    buffer.push(frame(0), 0);
    popAll(buffer, 0);
    for (const number of [2, 3, 4]) buffer.push(frame(number), 20);
    assert.equal(buffer.pop(20), undefined);
    for (const number of [5, 6]) buffer.push(frame(number), 20);
    assert.equal(buffer.size, 4);
    assert.equal(buffer.statistics.dropped, 1);
    assert.equal(buffer.statistics.lost, 1);
    assert.equal(buffer.push(frame(2), 21), false);
    assert.equal(buffer.statistics.duplicated, 1);
    assert.deepEqual(numbers(popAll(buffer, 21)), ["3", "4", "5", "6"]);
    for (const number of [8, 9, 10, 11]) buffer.push(frame(number), 40);
    assert.deepEqual(numbers(popAll(buffer, 40)), ["7*", "8", "9", "10", "11"]);
  });

  it("JitterBuffer fills 60 ms of a long loss, or as much as its option says, and counts the rest", () => {
    for (const [concealMs, concealed] of [[undefined, 3], [0, 0], [1_000, 50]] as const) {
      const buffer = new JitterBuffer({
        jitterBufferMs: 0,
        ...(concealMs === undefined ? {} : { concealMs }),
      });
      buffer.push(frame(0), 0);
      buffer.push(frame(2999), 20);
      const given = popAll(buffer, 20);
      assert.equal(given.length, concealed + 2);
      assert.equal(given.at(-1)!.sequenceNumber, 2999);
      assert.equal(buffer.statistics.lost, 2998);
      assert.equal(buffer.statistics.concealed, concealed);
    }
  });

  it("JitterBuffer ignores a number that is out of all proportion, and follows a sender that starts again", () => {
    const buffer = new JitterBuffer({ jitterBufferMs: 0 });
    for (let i = 0; i < 5000; i++) {
      buffer.push(frame(i), i * 20);
      buffer.pop(i * 20);
    }
    for (const stray of [1e9, 3, 2 ** 60, 2 ** 60, -1, 0.5, NaN, Infinity, 9000, 9000]) {
      assert.equal(buffer.push(frame(stray), 100_000), false, `${stray}`);
    }
    assert.equal(buffer.pop(Infinity), undefined);
    assert.equal(buffer.push(frame(5000), 100_000), true);
    assert.deepEqual(numbers(popAll(buffer, 100_000)), ["5000"]);
    assert.equal(buffer.push(frame(0), 100_020), false);
    assert.equal(buffer.push(frame(1), 100_040), true);
    assert.equal(buffer.push(frame(2), 100_060), true);
    assert.deepEqual(numbers(popAll(buffer, 100_060)), ["1", "2"]);
    const { lost, late, dropped } = buffer.statistics;
    assert.deepEqual({ lost, late, dropped }, { lost: 0, late: 0, dropped: 11 });
  });

  it("JitterBuffer takes numbers from 128 behind to 2999 ahead for numbers of the stream", () => {
    const start = () => {
      const buffer = new JitterBuffer({ jitterBufferMs: 0 });
      for (let i = 0; i < 500; i++) {
        buffer.push(frame(i), i * 20);
        buffer.pop(i * 20);
      }
      return buffer;
    };
    const outcomes = [500 - 129, 500 - 128, 500 + 2999, 500 + 3000].map((number) => {
      const buffer = start();
      buffer.push(frame(number), 10_000);
      const { duplicated, dropped } = buffer.statistics;
      return { duplicated, dropped, waiting: buffer.size };
    });
    assert.deepEqual(outcomes, [
      { duplicated: 0, dropped: 1, waiting: 0 },
      { duplicated: 1, dropped: 0, waiting: 0 },
      { duplicated: 0, dropped: 0, waiting: 1 },
      { duplicated: 0, dropped: 1, waiting: 0 },
    ]);
  });

  it("JitterBuffer forgets, when the sender starts again, what arrived before and what waits, and measures no jump", () => {
    const buffer = new JitterBuffer({ jitterBufferMs: 100 });
    for (let i = 0; i < 10; i++) {
      buffer.push(frame(i), i * 20);
      buffer.pop(i * 20);
    }
    buffer.push(frame(11), 220);
    buffer.push(frame(12_805), 240);
    buffer.push(frame(12_806), 260);
    buffer.push(frame(12_807), 280);
    assert.equal(buffer.statistics.dropped, 2);
    assert.equal(buffer.statistics.jitterMs, 0);
    assert.deepEqual(numbers(popAll(buffer, 280)), ["12806", "12807"]);
    // 12,804 shares its place in the memory of arrivals with 4, which had arrived.
    buffer.push(frame(12_804), 290);
    assert.equal(buffer.statistics.late, 1);
    assert.equal(buffer.statistics.duplicated, 0);
  });

  it("JitterBuffer passes an unknown codec on and leaves its losses out", () => {
    const buffer = new JitterBuffer({ jitterBufferMs: 0 });
    buffer.push(frame(0, { codec: "OPUS" }), 0);
    buffer.push(frame(4, { codec: "OPUS" }), 80);
    assert.deepEqual(numbers(popAll(buffer, 80)), ["0", "4"]);
    assert.equal(buffer.statistics.lost, 3);
    assert.equal(buffer.statistics.concealed, 0);
  });

  it("JitterBuffer gives the interarrival jitter of RFC 3550, in the order of arrival", () => {
    const arrivals = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 90 })), {
      minLength: 1,
      maxLength: 100,
      size: "max",
    });
    fc.assert(
      fc.property(arrivals, (sent) => {
        const buffer = new JitterBuffer({ jitterBufferMs: 20 });
        const order = sent.map(([lost, delay], i) => ({ lost, i, atMs: i * 20 + delay }))
          .filter(({ lost }) => !lost)
          .sort((a, b) => a.atMs - b.atMs);
        // As RFC 3550 appendix A.8: in integers, sixteenths of a microsecond.
        let transit: number | undefined;
        let expected = 0;
        for (const { i, atMs } of order) {
          buffer.push(frame(i), atMs);
          const next = atMs - i * 20;
          if (transit !== undefined) {
            expected += Math.abs(next - transit) * 1_000 - ((expected + 8) >> 4);
          }
          transit = next;
        }
        assert.equal(buffer.statistics.jitterMs, expected / 16_000);
      }),
      { seed },
    );
  });

  it("JitterBuffer takes a speaker's pause for no jitter, and counts a stall of up to 200 ms", () => {
    const buffer = new JitterBuffer();
    buffer.push(frame(0), 0);
    buffer.push(frame(1), 10_020);
    buffer.push(frame(2), 10_040);
    assert.equal(buffer.statistics.jitterMs, 0);
    buffer.push(frame(3), 10_260);
    assert.equal(buffer.statistics.jitterMs, 200 / 16);
  });

  it("JitterBuffer knows no jitter in a steady stream of frames of another length, or of stand-alone copies", () => {
    const buffer = new JitterBuffer();
    for (let i = 0; i < 50; i++) {
      buffer.push(frame(i, { payload: new Uint8Array(320) }), i * 40);
      buffer.push(frame(i, { payload: new Uint8Array(320) }), i * 40 + 13);
      popAll(buffer, i * 40);
    }
    assert.equal(buffer.statistics.jitterMs, 0);
    assert.equal(buffer.statistics.duplicated, 50);
  });

  it("JitterBuffer refuses options out of range and arguments of another type", () => {
    for (
      const options of [
        { jitterBufferMs: -1 },
        { jitterBufferMs: 10_001 },
        { jitterBufferMs: NaN },
        { capacity: 0 },
        { capacity: 1.5 },
        { capacity: 5000 },
      ]
    ) {
      assert.throws(
        () => new JitterBuffer(options),
        (error: unknown) =>
          error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID" &&
          error.message.startsWith("Cannot make a jitter buffer: "),
      );
    }
    const buffer = new JitterBuffer();
    const wrong = (more: object) => () => buffer.push({ ...frame(0), ...more }, 0);
    assert.throws(wrong({ payload: "ab" }), TypeError);
    assert.throws(wrong({ sequenceNumber: "0" }), TypeError);
    assert.throws(wrong({ sequenceNumber: 0n }), TypeError);
    assert.throws(wrong({ codec: undefined }), TypeError);
    assert.throws(() => buffer.push(frame(0), "0" as unknown as number), TypeError);
    assert.throws(
      () => buffer.push(frame(0), NaN),
      (error: unknown) => error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID",
    );
    assert.throws(
      () => buffer.pop(NaN),
      (error: unknown) => error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID",
    );
    assert.throws(() => buffer.pop("0" as unknown as number), TypeError);
    assert.equal(buffer.statistics.received, 0);
  });
});

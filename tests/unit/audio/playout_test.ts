import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { PlayoutFrame } from "../../../src/audio/jitter.ts";
import { PlayoutBuffer } from "../../../src/audio/playout.ts";
import { seed } from "../../support/seed.ts";

interface Arrival {
  readonly number: number;
  readonly atMs: number;
}

interface Slot {
  readonly atMs: number;
  readonly frame: PlayoutFrame | undefined;
  /** How long after it was spoken the frame is heard. */
  readonly delayMs: number;
}

/** Plays what arrives, one slot each 20 ms, until a second after the last arrival. Frame n was spoken at n times 20 ms. */
function play(buffer: PlayoutBuffer, arrivals: readonly Arrival[], phaseMs = 7): Slot[] {
  const left = [...arrivals].sort((a, b) => a.atMs - b.atMs);
  const endMs = left.at(-1)!.atMs + 1_000;
  const slots: Slot[] = [];
  for (let atMs = phaseMs; atMs < endMs; atMs += 20) {
    while (left.length > 0 && left[0]!.atMs <= atMs) {
      const { number, atMs: arrivedMs } = left.shift()!;
      const payload = new Uint8Array(160).fill(0x80 + number % 100);
      buffer.push({ sequenceNumber: number, payload, codec: "PCMU" }, arrivedMs);
    }
    const frame = buffer.pull(atMs);
    slots.push({
      atMs,
      frame,
      delayMs: frame === undefined ? NaN : atMs - frame.sequenceNumber * 20,
    });
  }
  return slots;
}

function steady(count: number, from = 0): Arrival[] {
  return Array.from({ length: count }, (_, i) => ({ number: from + i, atMs: (from + i) * 20 }));
}

const heardIn = (slots: readonly Slot[]) => slots.filter(({ frame }) => frame !== undefined);

describe("PlayoutBuffer", () => {
  it("plays one frame a slot, targetMs after it came, and nothing is lost or made up", () => {
    for (const targetMs of [0, 40, 60, 200]) {
      const buffer = new PlayoutBuffer({ targetMs });
      const heard = heardIn(play(buffer, steady(100)));
      assert.deepEqual(
        heard.map(({ frame }) => frame!.sequenceNumber),
        steady(100).map((a) => a.number),
      );
      for (const { delayMs } of heard) assert.ok(delayMs >= targetMs && delayMs < targetMs + 20);
      assert.ok(heard.every(({ frame }) => !frame!.concealed));
    }
  });

  it("plays through jitter up to its delay without a gap", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 55 }), { minLength: 50, maxLength: 200 }),
        (late) => {
          const buffer = new PlayoutBuffer({ targetMs: 60 });
          const arrivals = late.map((ms, number) => ({
            number,
            atMs: number * 20 + (number === 0 ? 0 : ms),
          }));
          const slots = play(buffer, arrivals);
          const first = slots.findIndex(({ frame }) => frame !== undefined);
          const heard = slots.slice(first, first + late.length - 2);
          assert.ok(heard.every(({ frame }) => frame !== undefined && !frame.concealed));
        },
      ),
      { seed, numRuns: 50 },
    );
  });

  it("conceals a lost frame in its own slot", () => {
    const buffer = new PlayoutBuffer({ targetMs: 60 });
    const heard = heardIn(play(buffer, steady(50).filter(({ number }) => number % 10 !== 5)));
    assert.deepEqual(
      heard.map(({ frame }) => frame!.sequenceNumber),
      steady(50).map((a) => a.number),
    );
    assert.deepEqual(heard.filter(({ frame }) => frame!.concealed).length, 5);
  });

  for (
    const [what, stalledMs] of [["a gap of 219 ms", 219], ["a stall of 1 s", 1_000], [
      "of 5 s",
      5_000,
    ]] as const
  ) {
    it(`returns to its delay within 3 s of ${what} and the burst after it, one frame a slot, and plays no burst of stand-ins`, () => {
      const buffer = new PlayoutBuffer({ targetMs: 60 });
      const stallAtMs = 2_000;
      const endMs = stallAtMs + stalledMs;
      const arrivals = steady(600).map(({ number, atMs }) => ({
        number,
        atMs: atMs >= stallAtMs && atMs < endMs ? endMs : atMs,
      }));
      const slots = play(buffer, arrivals);
      assert.ok(heardIn(slots).length > 300);
      assert.ok(heardIn(slots).filter(({ frame }) => frame!.concealed).length <= 3);
      const after = heardIn(slots).filter(({ atMs }) => atMs > endMs + 3_000 && atMs < 11_900);
      assert.ok(after.length > 50);
      for (const { delayMs } of after) assert.ok(delayMs < 100, `${delayMs} ms late after 3 s`);
    });
  }

  it("goes on at its delay after a gap in the numbers, without a burst of stand-ins", () => {
    const buffer = new PlayoutBuffer({ targetMs: 60 });
    // 50 frames were never sent: the numbers go on, and so does the time.
    const arrivals = [
      ...steady(50),
      ...steady(50, 100).map((a) => ({ ...a, atMs: a.atMs - 1_000 })),
    ];
    const slots = play(buffer, arrivals);
    const concealed = heardIn(slots).filter(({ frame }) => frame!.concealed).length;
    assert.ok(concealed <= 4, `${concealed} stand-ins`);
    assert.equal(buffer.statistics.lost, 50);
    assert.equal(heardIn(slots).at(-1)!.frame!.sequenceNumber, 149);
  });

  it("skips to what is due now", () => {
    const buffer = new PlayoutBuffer({ targetMs: 60 });
    for (const { number } of steady(40)) {
      buffer.push({ sequenceNumber: number, payload: new Uint8Array(160), codec: "PCMU" }, 0);
    }
    assert.equal(buffer.skip(), 37);
    assert.equal(buffer.pull(100)?.sequenceNumber, 37);
    assert.equal(buffer.statistics.dropped, 37);
    assert.deepEqual(buffer.drain().map(({ sequenceNumber }) => sequenceNumber), [38, 39]);
  });

  it("names the range of its delay when it refuses one", () => {
    assert.throws(() => new PlayoutBuffer({ targetMs: 1_001 }), {
      message: "Cannot make a playout buffer: targetMs is 1001, expected 0 to 1000",
    });
  });
});

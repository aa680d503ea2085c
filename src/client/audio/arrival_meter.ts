/**
 * Counts the frames of one call that are given as they arrive.
 *
 * @module
 */

import {
  audioCodecs,
  frameMilliseconds,
  isAudioCodec,
  JitterEstimate,
  type JitterStatistics,
} from "../../audio/mod.ts";
import { noteMissing } from "../../base/missing_numbers.ts";

// A number this far ahead, or this far back, is not taken for a loss or a latecomer (RFC 3550 appendix A.1).
const MAX_DROPOUT = 3_000;
const MAX_MISORDER = 128;

/** A frame, as far as it is counted. */
export interface CountedFrame {
  readonly sequenceNumber: number;
  readonly payload: Uint8Array;
  readonly codec: string;
}

/**
 * Counts what a jitter buffer without a window would count, and keeps no frame. A buffer in its place makes "audio path, receive a
 * tick of 200 calls" in tests/bench/audio_path_bench.ts take 1.4 times as long.
 */
export class ArrivalMeter {
  // The number after the highest so far; `undefined` before the first.
  #next: number | undefined;
  // Of the last MAX_MISORDER numbers those that have not arrived, in order; `undefined` while all have.
  #missing: Set<number> | undefined;
  // The number that would confirm that the sender has started again.
  #restart: number | undefined;
  readonly #jitter = new JitterEstimate();
  // The last frame's number, when it was due, and how long it lasts.
  #lastNumber = 0;
  #lastDueMs = 0;
  #lastDurationMs = 0;
  #received = 0;
  #lost = 0;
  #late = 0;
  #duplicated = 0;
  #dropped = 0;

  /** What was counted so far. Every frame is given, also a late one: it is not lost. */
  get statistics(): JitterStatistics {
    return {
      received: this.#received,
      lost: Math.max(0, this.#lost - this.#late),
      late: this.#late,
      duplicated: this.#duplicated,
      dropped: this.#dropped,
      concealed: 0,
      jitterMs: this.#jitter.jitterMs,
    };
  }

  /** Counts a frame that arrived at `arrivalMs`. Returns `false` when it has arrived before. */
  take(frame: CountedFrame, arrivalMs: number): boolean {
    const { sequenceNumber } = frame;
    this.#received++;
    if (!this.#belongs(sequenceNumber)) {
      this.#dropped++;
      return true;
    }
    if (this.#next === undefined) this.#begin(sequenceNumber);
    const next = this.#next!;
    const isLate = sequenceNumber < next;
    if (isLate && this.#missing?.delete(sequenceNumber) !== true) {
      this.#duplicated++;
      return false;
    }
    this.#measure(frame, arrivalMs);
    if (isLate) this.#late++;
    else {
      this.#lost += sequenceNumber - next;
      this.#next = sequenceNumber + 1;
      if (sequenceNumber > next || this.#missing !== undefined) this.#miss(next, sequenceNumber);
    }
    return true;
  }

  /** Nothing has arrived before this number. */
  #begin(sequenceNumber: number): void {
    this.#next = sequenceNumber;
    this.#missing = undefined;
    this.#miss(0, sequenceNumber);
  }

  /** The numbers from `from` to `before` are missing. */
  #miss(from: number, before: number): void {
    this.#missing = noteMissing(this.#missing, { from, before, window: MAX_MISORDER });
  }

  /** Whether a number can be of the stream, and follows a sender that has started again. */
  #belongs(sequenceNumber: number): boolean {
    if (!Number.isSafeInteger(sequenceNumber) || sequenceNumber < 0) return false;
    const ahead = sequenceNumber - (this.#next ?? sequenceNumber);
    if (ahead < MAX_DROPOUT && ahead >= -MAX_MISORDER) {
      this.#restart = undefined;
      return true;
    }
    const hasRestarted = sequenceNumber === this.#restart;
    this.#restart = hasRestarted ? undefined : sequenceNumber + 1;
    if (!hasRestarted) return false;
    this.#begin(sequenceNumber);
    this.#jitter.restart();
    return true;
  }

  /** A frame's number times its duration stands for the timestamp that frames do not carry. */
  #measure({ sequenceNumber, payload, codec }: CountedFrame, arrivalMs: number): void {
    this.#lastDueMs += (sequenceNumber - this.#lastNumber) * this.#lastDurationMs;
    this.#lastNumber = sequenceNumber;
    this.#lastDurationMs = isAudioCodec(codec) && payload.length > 0
      ? payload.length / audioCodecs[codec].frameBytes * frameMilliseconds
      : frameMilliseconds;
    this.#jitter.arrived(arrivalMs, this.#lastDueMs);
  }
}

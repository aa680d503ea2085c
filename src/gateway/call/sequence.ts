/**
 * Sequence numbers of one packet stream: what was lost, what comes twice.
 *
 * @module
 */

import { noteMissing } from "../../base/missing_numbers.ts";

const WINDOW = 64;
// RFC 3550 appendix A.1: a longer gap is a new start, not a loss. One minute of audio.
const LONGEST_GAP = 3_000;

/** Follows the sequence numbers of one call on one stream. */
export class SequenceTrack {
  /** Whether the last frame has come: nothing after it counts. */
  isEnded = false;
  #highest = -1;
  // Of the last WINDOW numbers those that have not come, in order; `undefined` while all have.
  #missing: Set<number> | undefined;

  /**
   * Takes a packet's number.
   *
   * @returns How many packets more are missing than before: 0 in order, above after a gap, -1 when it fills one; `undefined` when it came before, or too late to tell.
   */
  take(sequenceNumber: number): number | undefined {
    const before = this.#highest;
    const gap = sequenceNumber - before - 1;
    const isFirst = before < 0;
    if (!isFirst && gap < 0) return this.#missing?.delete(sequenceNumber) ? -1 : undefined;
    this.#highest = sequenceNumber;
    // What came before a start was never waited for.
    const isStart = isFirst || gap > LONGEST_GAP;
    if (gap > 0 || this.#missing !== undefined) {
      const from = isStart ? 0 : before + 1;
      const missing = { from, before: sequenceNumber, window: WINDOW };
      this.#missing = noteMissing(this.#missing, missing);
    }
    return isStart ? 0 : gap;
  }
}

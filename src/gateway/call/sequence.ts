/**
 * Sequence numbers of one packet stream: what was lost, what comes twice.
 *
 * @module
 */

const WINDOW = 64;
// RFC 3550 appendix A.1: a longer gap is a new start, not a loss. One minute of audio.
const LONGEST_GAP = 3_000;

/** Follows the sequence numbers of one call on one stream. */
export class SequenceTrack {
  /** Whether the last frame has come: nothing after it counts. */
  isEnded = false;
  readonly #recent: number[] = [];
  #highest = -1;

  /**
   * Takes a packet's number.
   *
   * @returns How many packets more are missing than before: 0 in order, above after a gap, -1 when it fills one; `undefined` when it came before, or too late to tell.
   */
  take(sequenceNumber: number): number | undefined {
    const slot = sequenceNumber % WINDOW;
    const isFirst = this.#highest < 0;
    const gap = sequenceNumber - this.#highest - 1;
    if (!isFirst && gap < 0) {
      const isKnown = sequenceNumber <= this.#highest - WINDOW ||
        this.#recent[slot] === sequenceNumber;
      if (isKnown) return undefined;
      this.#recent[slot] = sequenceNumber;
      return -1;
    }
    this.#highest = sequenceNumber;
    this.#recent[slot] = sequenceNumber;
    return isFirst || gap > LONGEST_GAP ? 0 : gap;
  }
}

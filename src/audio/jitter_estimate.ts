/**
 * The interarrival jitter of one packet stream.
 *
 * @module
 */

// Frame numbers, unlike timestamps, do not show a speaker's pauses: a frame that is this late, or as early, comes after one.
const PAUSE_MS = 200;

/** Estimates interarrival jitter as RFC 3550 section 6.4.1 does. */
export class JitterEstimate {
  #transitMs = NaN;
  #jitterMs = 0;

  /** The estimate so far, in milliseconds. */
  get jitterMs(): number {
    return this.#jitterMs;
  }

  /**
   * Takes one packet.
   *
   * @param arrivalMs When it arrived, in milliseconds.
   * @param dueMs When it was due by its place in the stream, in milliseconds from any fixed moment.
   */
  arrived(arrivalMs: number, dueMs: number): void {
    const transitMs = arrivalMs - dueMs;
    const difference = Math.abs(transitMs - this.#transitMs);
    this.#transitMs = transitMs;
    // There is nothing to compare the first one with.
    if (difference <= PAUSE_MS) this.#jitterMs += (difference - this.#jitterMs) / 16;
  }

  /** The next packet is the first of a stream that begins anew; the estimate stays. */
  restart(): void {
    this.#transitMs = NaN;
  }
}

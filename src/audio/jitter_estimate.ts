/**
 * The interarrival jitter of one packet stream.
 *
 * @module
 */

// Frame numbers, unlike timestamps, do not show a speaker's pauses: a frame that is this late, or as early, comes after one.
const PAUSE_US = 200_000;

/**
 * Estimates interarrival jitter as RFC 3550 section 6.4.1 does, in integers as its appendix A.8: an engine keeps each fraction in memory
 * of its own, which 200 calls come to 10,000 times a second.
 */
export class JitterEstimate {
  // Arrival less due time in microseconds, modulo 2^32 (72 minutes); `undefined` before the first packet.
  #transitUs: number | undefined;
  // In sixteenths of a microsecond.
  #jitter = 0;

  /** The estimate so far, in milliseconds. */
  get jitterMs(): number {
    return this.#jitter / 16_000;
  }

  /**
   * Takes one packet. Times that are not finite are left out.
   *
   * @param arrivalMs When it arrived, in milliseconds.
   * @param dueMs When it was due by its place in the stream, in milliseconds from any fixed moment.
   */
  arrived(arrivalMs: number, dueMs: number): void {
    const transitMs = arrivalMs - dueMs;
    if (!Number.isFinite(transitMs)) return;
    const transitUs = Math.round(transitMs * 1_000) | 0;
    const before = this.#transitUs;
    this.#transitUs = transitUs;
    // There is nothing to compare the first one with.
    if (before === undefined) return;
    const difference = Math.abs(transitUs - before | 0);
    if (difference <= PAUSE_US) this.#jitter += difference - (this.#jitter + 8 >> 4);
  }

  /** The next packet is the first of a stream that begins anew; the estimate stays. */
  restart(): void {
    this.#transitUs = undefined;
  }
}

/**
 * What arrived of a stream of numbered frames: loss, duplicates, lateness and jitter.
 *
 * @module
 */

import { FRAME_MS } from "./pacer.ts";

/** What was received of a call's audio. */
export interface ReceiveStats {
  /** Frames received, duplicates left out. */
  readonly received: number;
  /** Frames missing between the first and the newest sequence number. */
  readonly lost: number;
  /** Frames that came after one with a higher number. */
  readonly late: number;
  /** Frames that came a second time, dropped. */
  readonly duplicated: number;
  /** Interarrival jitter in milliseconds (RFC 3550 section 6.4.1). */
  readonly jitterMs: number;
}

// How far back a number is remembered; an older one is taken for new once, then forgotten again.
const WINDOW = 512;

/** Counts frames by their sequence numbers. */
export class ReceiveCounter {
  readonly #seen = new Set<number>();
  #first: number | undefined;
  #highest = 0;
  #received = 0;
  #late = 0;
  #duplicated = 0;
  #jitterMs = 0;
  #transit: number | undefined;

  /** Counts one frame. Returns `false` for a duplicate. */
  accept(sequenceNumber: number, arrivalMs: number): boolean {
    if (this.#seen.has(sequenceNumber)) {
      this.#duplicated++;
      return false;
    }
    this.#seen.add(sequenceNumber);
    this.#seen.delete(sequenceNumber - WINDOW);
    this.#received++;
    if (this.#first === undefined) {
      this.#first = this.#highest = sequenceNumber;
    } else if (sequenceNumber < this.#highest) {
      this.#late++;
      this.#first = Math.min(this.#first, sequenceNumber);
    } else {
      this.#highest = sequenceNumber;
    }
    const transit = arrivalMs - sequenceNumber * FRAME_MS;
    if (this.#transit !== undefined) {
      this.#jitterMs += (Math.abs(transit - this.#transit) - this.#jitterMs) / 16;
    }
    this.#transit = transit;
    return true;
  }

  /** The counts so far. */
  stats(): ReceiveStats {
    const span = this.#first === undefined ? 0 : this.#highest - this.#first + 1;
    return {
      received: this.#received,
      lost: Math.max(0, span - this.#received),
      late: this.#late,
      duplicated: this.#duplicated,
      jitterMs: this.#jitterMs,
    };
  }
}

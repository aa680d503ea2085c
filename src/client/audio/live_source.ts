/**
 * When a live source's frames are made, and how late they may be heard.
 *
 * @module
 */

import { frameMilliseconds } from "../../audio/mod.ts";

/** What would be heard later than this is dropped, the oldest first, in milliseconds. */
export const LATE_MS = 60;
// Where a process is held up again and again, a live source may be later, step by step up to this.
const LATEST_MS = 120;
const STEP_MS = 20;
// What was added goes again when nothing needs it, by 1 ms a second.
const DECAY = 1 / 1_000;
// Frames that come closer than this were held up together.
const LEAST_SPACING_MS = frameMilliseconds / 4;

/**
 * The frames of one live source. A source that was held up once loses what is too old, and the far end hears it at once again. One that is
 * held up each second for longer than its sound may be late by would lose a piece each time: it may be later, until nothing is lost.
 */
export class LiveSource {
  #madeAt = -Infinity;
  // How many frames came together.
  #together = 0;
  #addedMs = 0;
  // When what was added was last needed.
  #neededAt = 0;

  /** So many frames are whole. Returns whether they were not held up with those before them. Times are the monotonic clock's. */
  made(now: number, frames: number): boolean {
    const isAlone = now - this.#madeAt >= LEAST_SPACING_MS;
    if (isAlone) this.#judge(now);
    this.#together = frames + (isAlone ? 0 : this.#together);
    this.#madeAt = now;
    return isAlone;
  }

  /** How late its frames may be heard, in milliseconds. */
  latestMs(now: number): number {
    return LATE_MS + Math.max(0, this.#addedMs - DECAY * (now - this.#neededAt));
  }

  /** Looks at how many frames came together, when all of them have come. */
  #judge(now: number): void {
    const neededMs = this.#together * frameMilliseconds;
    if (neededMs <= LATE_MS) return;
    const latestMs = this.latestMs(now);
    const stepMs = neededMs > latestMs ? STEP_MS : 0;
    this.#addedMs = Math.min(LATEST_MS, latestMs + stepMs) - LATE_MS;
    this.#neededAt = now;
  }
}

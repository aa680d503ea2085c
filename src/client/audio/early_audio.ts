/**
 * Audio that comes in before its call's link is opened: the newest second of each call is kept.
 *
 * @module
 */

import type { AudioFrame } from "../../wire/mod.ts";

/** A frame as it arrived; its payload is a copy. */
export interface EarlyFrame {
  readonly frame: AudioFrame;
  /** When it arrived, on the monotonic clock. */
  readonly now: number;
  readonly session: unknown;
}

interface Kept {
  frames: EarlyFrame[];
  bytes: number;
  lastAt: number;
}

const MOST_CALLS = 64;
const MOST_FRAMES = 50;
// A second of PCM16 at 16 kHz.
const MOST_BYTES = 32_000;
// A call that has sent nothing for so long makes room for another one.
const STALE_MS = 10_000;

/** Keeps what is not read yet, within bounds. */
export class EarlyAudio {
  readonly #calls = new Map<string, Kept>();
  // Calls whose link was closed while they go on: what they send is not wanted. Bounded as the calls are.
  readonly #refused = new Set<string>();
  #dropped = 0;

  /** How many frames were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Keeps a frame, or drops it where its call or too many others have no link. The payload is copied. */
  keep(frame: AudioFrame, now: number, session: unknown): void {
    const kept = this.#refused.has(frame.callSid) ? undefined : this.#roomFor(frame.callSid, now);
    if (kept === undefined) {
      this.#dropped++;
      return;
    }
    kept.lastAt = now;
    kept.bytes += frame.payload.length;
    const { callSid, codec, sequenceNumber, endOfStream } = frame;
    const payload = frame.payload.slice();
    kept.frames.push({
      frame: { callSid, payload, codec, sequenceNumber, endOfStream },
      now,
      session,
    });
    while (kept.frames.length > MOST_FRAMES || kept.bytes > MOST_BYTES) {
      const oldest = kept.frames.shift();
      if (oldest === undefined) break;
      kept.bytes -= oldest.frame.payload.length;
      this.#dropped++;
    }
  }

  /** What was kept of a call, whose link is there now. */
  take(callSid: string): readonly EarlyFrame[] {
    const { frames = [] } = this.#calls.get(callSid) ?? {};
    this.forget(callSid);
    return frames;
  }

  /** The link of a call was closed: nothing more is kept for it. */
  refuse(callSid: string): void {
    if (this.#refused.size >= MOST_CALLS) {
      for (const oldest of this.#refused) {
        this.#refused.delete(oldest);
        break;
      }
    }
    this.#refused.add(callSid);
  }

  /** The call is over, or has a link. */
  forget(callSid: string): void {
    this.#calls.delete(callSid);
    this.#refused.delete(callSid);
  }

  #roomFor(callSid: string, now: number): Kept | undefined {
    let kept = this.#calls.get(callSid);
    if (kept !== undefined) return kept;
    if (this.#calls.size >= MOST_CALLS && !this.#makeRoom(now)) return undefined;
    kept = { frames: [], bytes: 0, lastAt: now };
    this.#calls.set(callSid, kept);
    return kept;
  }

  #makeRoom(now: number): boolean {
    for (const [callSid, { frames, lastAt }] of this.#calls) {
      if (now - lastAt < STALE_MS) continue;
      this.#dropped += frames.length;
      this.#calls.delete(callSid);
      return true;
    }
    return false;
  }
}

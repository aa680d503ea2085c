/**
 * How much of what was handed over together has been played: of a playback, or of chunks that were written one after another.
 *
 * @module
 */

import { frameMilliseconds } from "../../audio/mod.ts";

/** What was heard of something that was said. Milliseconds. */
export interface PlaybackEnd {
  /**
   * How much was played: the 20 ms slots that have passed of what was handed to the transport. What the gateway itself holds back is
   * not known on this side.
   */
  readonly playedMs: number;
  /** How long all of it would have lasted, as far as it was known. */
  readonly durationMs: number;
  /** Whether it was cut before its end. */
  readonly interrupted: boolean;
}

/** Frames on their way, and when the last of them will have been played. */
export class SpeechTrack {
  /** How long what was handed over lasts, padding not counted. */
  durationMs = 0;
  /** Whether nothing more will be handed over. */
  isComplete = false;
  #queued = 0;
  #handed = 0;
  #dropped = 0;
  #endsAt = 0;

  /** Takes a frame that waits for its slot. */
  queue(): void {
    this.#queued++;
  }

  /** A frame was handed to the transport; its slot ends at `endsAt`, on the monotonic clock. */
  hand(endsAt: number): void {
    this.#handed++;
    this.#endsAt = endsAt;
  }

  /** A frame will never be handed over. */
  drop(): void {
    this.#dropped++;
  }

  /** How long the frames are that were handed over and have been played, in milliseconds. */
  playedMs(now: number): number {
    const slotsLeft = Math.max(0, Math.ceil((this.#endsAt - now) / frameMilliseconds));
    const played = Math.max(0, this.#handed - slotsLeft) * frameMilliseconds;
    return Math.min(played, this.durationMs);
  }

  /** How long it is still to be heard for. */
  queuedMs(now: number): number {
    return Math.max(0, this.durationMs - this.playedMs(now));
  }

  /** Whether every frame so far was handed over or dropped. */
  get isHanded(): boolean {
    return this.#handed + this.#dropped >= this.#queued;
  }

  /** Whether every frame so far was handed over or dropped, and the last slot has passed. */
  hasPlayed(now: number): boolean {
    return this.isHanded && now >= this.#endsAt;
  }

  /** What was heard of it, if it ends now. */
  end(now: number): PlaybackEnd {
    const playedMs = this.playedMs(now);
    const isWhole = this.isComplete && this.#dropped === 0 && this.hasPlayed(now);
    return { playedMs, durationMs: this.durationMs, interrupted: !isWhole };
  }
}

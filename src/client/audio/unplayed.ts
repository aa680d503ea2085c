/**
 * What a call has said and its far end has not played to the end: playbacks, and what was handed over without a track of its own.
 *
 * @module
 */

import { frameMilliseconds } from "../../audio/mod.ts";
import { type PlaybackEnd, SpeechTrack } from "./speech_track.ts";

// Shared by all calls that play nothing, which are most at any time.
const NONE: readonly SpeechTrack[] = [];

/** The tracks of one call that are not played yet, and how far ahead of the far end they are. Times are the monotonic clock's. */
export class Unplayed {
  #playbacks = NONE;
  #written: SpeechTrack | undefined;
  // When the last frame that was handed to the transport will have been played; in whole milliseconds, which an engine keeps
  // in place.
  #playedUntil = 0;

  /** Whether everything has been played. */
  get isEmpty(): boolean {
    return this.#written === undefined && this.#playbacks.length === 0;
  }

  /** Whether a playback is not played yet. */
  get hasPlaybacks(): boolean {
    return this.#playbacks.length > 0;
  }

  /** Whether a playback is being handed over, or frames of one wait. */
  get isPlaying(): boolean {
    return this.#playbacks.some((track) => !track.isComplete || !track.isHanded);
  }

  /** The track of what is handed over without one. */
  written(): SpeechTrack {
    return this.#written ??= new SpeechTrack();
  }

  /** Adds the track of a playback that begins. */
  add(track: SpeechTrack): void {
    this.#playbacks = [...this.#playbacks, track];
  }

  /** A playback was cut. */
  remove(track: SpeechTrack): void {
    this.#keep((other) => other !== track);
  }

  /** A frame's bytes are with the transport: from now on it plays, after the one before it. */
  hand(track: SpeechTrack, now: number): void {
    this.#playedUntil = Math.max(Math.floor(now), this.#playedUntil) + frameMilliseconds;
    track.hand(this.#playedUntil);
  }

  /** How much the far end has that it has not played, in milliseconds. */
  aheadMs(now: number): number {
    return Math.max(0, this.#playedUntil - now);
  }

  /** Whether all that was handed over is with the transport. */
  get isHanded(): boolean {
    return this.#all().every((track) => track.isHanded);
  }

  /** Whether all that was handed over has been played. */
  hasPlayed(now: number): boolean {
    return this.#all().every((track) => track.hasPlayed(now));
  }

  /** Ends all tracks; gives what was heard of them together. */
  end(now: number): PlaybackEnd {
    const ends = this.#all().map((track) => track.end(now));
    this.#playbacks = NONE;
    this.#written = undefined;
    return {
      playedMs: ends.reduce((sum, { playedMs }) => sum + playedMs, 0),
      durationMs: ends.reduce((sum, { durationMs }) => sum + durationMs, 0),
      interrupted: ends.some(({ interrupted, playedMs, durationMs }) =>
        interrupted && playedMs < durationMs
      ),
    };
  }

  /** Forgets what has been played to its end. What is written goes on while something of it waits. */
  settle(now: number, isWaiting: boolean): void {
    if (!isWaiting && this.#written?.hasPlayed(now)) this.#written = undefined;
    if (this.#playbacks.length === 0) return;
    this.#keep((track) => !track.isComplete || !track.hasPlayed(now));
  }

  #keep(isKept: (playback: SpeechTrack) => boolean): void {
    const kept = this.#playbacks.filter(isKept);
    this.#playbacks = kept.length === 0 ? NONE : kept;
  }

  #all(): readonly SpeechTrack[] {
    return this.#written === undefined ? this.#playbacks : [...this.#playbacks, this.#written];
  }
}

/**
 * Plays frames at the pace at which they were spoken: a jitter buffer with a clock's slots in place of a burst.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";
import { audioCodecs, decodeAudio, encodeAudio, frameMilliseconds, isAudioCodec } from "./codec.ts";
import {
  type ArrivedFrame,
  JitterBuffer,
  type JitterStatistics,
  type PlayoutFrame,
} from "./jitter.ts";

/** Options of a {@linkcode PlayoutBuffer}. */
export interface PlayoutBufferOptions {
  /** How long after its arrival a frame is played, in milliseconds, 0 to 1,000. Default: 60. */
  readonly targetMs?: number;
}

// More than a second waits at the most; one more frame drops the oldest.
const CAPACITY_FRAMES = 64;
// A delay of more than this many frames is skipped at once. A shorter one is made up for by fading: one frame in every SHORTEN_EVERY.
const GENTLE_FRAMES = 10;
const SHORTEN_EVERY = 5;
// Frames come in bursts: only what waits throughout this many slots is a delay.
const WINDOW_SLOTS = 10;

/**
 * Gives one frame for each slot of 20 ms. The first is held back for `targetMs`, so that those after it can be that late. A missing
 * frame is concealed in its slot. When nothing has come in time, the slot stays empty, and playing goes on `targetMs` after the next
 * frame came. What comes in a burst after a stall is made shorter, two frames faded into one, until the delay is `targetMs` again:
 * within 3 seconds.
 *
 * It has no clock: the caller asks once a slot, and says what time it is, in milliseconds that never go back.
 */
export class PlayoutBuffer {
  readonly #targetMs: number;
  readonly #targetFrames: number;
  readonly #jitter: JitterBuffer;
  // When playing begins; `undefined` while nothing waits.
  #startsAt: number | undefined;
  #isPlaying = false;
  // How many frames waited after each of the last slots, the newest last.
  readonly #levels: number[] = [];
  #sinceShortened = 0;
  #shortened = 0;

  /**
   * Makes an empty buffer.
   *
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` when the delay is out of its range.
   */
  constructor(options: PlayoutBufferOptions = {}) {
    const { targetMs = 60 } = options;
    if (!(targetMs >= 0 && targetMs <= 1_000)) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        `Cannot make a playout buffer: targetMs is ${targetMs}, expected 0 to 1000`,
      );
    }
    this.#targetMs = targetMs;
    this.#targetFrames = Math.round(targetMs / frameMilliseconds);
    this.#jitter = new JitterBuffer({
      jitterBufferMs: 0,
      capacity: CAPACITY_FRAMES,
      concealMs: Math.max(60, targetMs),
    });
  }

  /** How many frames wait. */
  get size(): number {
    return this.#jitter.size;
  }

  /** What has been seen so far. Frames that were skipped or faded into another count as `dropped`. */
  get statistics(): JitterStatistics {
    const { statistics } = this.#jitter;
    return { ...statistics, dropped: statistics.dropped + this.#shortened };
  }

  /** Takes a frame in, which arrived at `arrivalMs`. Returns `false` when it came too late or twice, or does not belong. */
  push(frame: ArrivedFrame, arrivalMs: number): boolean {
    const isTaken = this.#jitter.push(frame, arrivalMs);
    if (isTaken && !this.#isPlaying) this.#startsAt ??= arrivalMs + this.#targetMs;
    return isTaken;
  }

  /** The frame of the slot that begins at `nowMs`; `undefined` for one in which nothing is heard. */
  pull(nowMs: number): PlayoutFrame | undefined {
    if (!this.#isPlaying) {
      if (this.#startsAt === undefined || nowMs < this.#startsAt) return undefined;
      this.#begin();
    }
    const frame = this.#jitter.pop(nowMs);
    if (frame === undefined) {
      this.#isPlaying = false;
      this.#startsAt = undefined;
      return undefined;
    }
    return this.#shorten(frame, nowMs);
  }

  /** Everything that waits, at once: the stream is over, or its reader wants to be at its end. */
  drain(): PlayoutFrame[] {
    const frames: PlayoutFrame[] = [];
    let frame: PlayoutFrame | undefined;
    while ((frame = this.#jitter.pop(Infinity)) !== undefined) frames.push(frame);
    this.#isPlaying = false;
    this.#startsAt = undefined;
    return frames;
  }

  /** Skips to what is due now: `targetMs` of what waits stays. Returns how many frames it dropped. */
  skip(): number {
    let skipped = 0;
    for (; this.#jitter.size > this.#targetFrames; skipped++) this.#jitter.pop(Infinity);
    this.#shortened += skipped;
    return skipped;
  }

  /** Playing begins, or goes on after a slot in which nothing had come: what is missing since then has had its time. */
  #begin(): void {
    this.#isPlaying = true;
    this.#jitter.skipMissing();
    this.#levels.length = 0;
    this.#sinceShortened = 0;
  }

  #shorten(frame: PlayoutFrame, nowMs: number): PlayoutFrame {
    if (this.#levels.push(this.#jitter.size) > WINDOW_SLOTS) this.#levels.shift();
    this.#sinceShortened++;
    const excess = Math.min(...this.#levels) - this.#targetFrames;
    if (this.#jitter.size - this.#targetFrames > GENTLE_FRAMES) {
      for (let left = excess - GENTLE_FRAMES; left > 0; left--) this.#dropNext(nowMs);
    }
    const isTime = this.#levels.length === WINDOW_SLOTS && this.#sinceShortened >= SHORTEN_EVERY;
    if (excess < 1 || !isTime || frame.endOfStream || frame.concealed) return frame;
    const next = this.#dropNext(nowMs);
    if (next === undefined) return frame;
    this.#sinceShortened = 0;
    return next.endOfStream ? next : fade(frame, next);
  }

  #dropNext(nowMs: number): PlayoutFrame | undefined {
    const next = this.#jitter.pop(nowMs);
    if (next === undefined) return undefined;
    if (!next.concealed) this.#shortened++;
    // As if they had not waited.
    for (let i = 0; i < this.#levels.length; i++) this.#levels[i] = this.#levels[i]! - 1;
    return next;
  }
}

/** One frame of two: it begins as the first and ends as the second. */
function fade(first: PlayoutFrame, second: PlayoutFrame): PlayoutFrame {
  const { codec } = first;
  const isLike = isAudioCodec(codec) && second.codec === codec &&
    first.payload.length === second.payload.length &&
    first.payload.length % audioCodecs[codec].bytesPerSample === 0;
  if (!isLike) return second;
  const from = decodeAudio(codec, first.payload);
  const to = decodeAudio(codec, second.payload);
  const faded = new Int16Array(from.length);
  for (let i = 0; i < faded.length; i++) {
    const share = i / faded.length;
    faded[i] = Math.round(from[i]! * (1 - share) + to[i]! * share);
  }
  return { ...second, payload: encodeAudio(codec, faded) };
}

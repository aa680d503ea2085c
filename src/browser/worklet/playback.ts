/**
 * Playback: samples that arrive in bursts become an even stream, without clicks where something is missing or skipped.
 *
 * @module
 */

import { PlaybackController } from "./controller.ts";
import { Ring } from "./ring.ts";

/** Options of a {@linkcode Playback}. */
export interface PlaybackOptions {
  /** Samples a second, in and out. */
  readonly sampleRate: number;
  /** How much audio waits at the worst moment, in milliseconds. */
  readonly slackMs: number;
}

/** What a {@linkcode Playback} has counted so far. */
export interface PlaybackStats {
  /** What was played, in milliseconds; what was skipped is not. */
  readonly playedMs: number;
  /** Times when a sample was due and missing, pauses of the far end excluded. */
  readonly underruns: number;
  /** How long samples were missing, in milliseconds, until they came. */
  readonly underrunMs: number;
  /** Audio that was skipped because too much of it waited, in milliseconds. */
  readonly skippedMs: number;
  /** Audio that waits, in milliseconds. */
  readonly bufferedMs: number;
  /** The least level that is aimed at, in milliseconds. */
  readonly slackMs: number;
}

// Long enough that no seam clicks, short enough that no syllable is missed.
const FADE_MS = 5;
// Dropped audio ends within one call of `process` (W3C Web Audio section 1.1: 128 samples).
const DROP_SAMPLES = 128;
// Sounds that fade out at a time: each lasts 5 ms at the most, so that more are rare, and the oldest is hardly heard.
const MOST_FADES = 4;
// A longer gap is a pause of the far end, for which no slack is kept.
const PAUSE_MS = 500;
// More than this never waits: it is what was held back while the device slept or the page was stopped.
const MAX_LEVEL_MS = 1_000;

/** Where playback stands: `idle` until something arrives, `held` while the slack fills, then `playing`. */
type PlaybackState = "idle" | "held" | "playing";

/** A sound that fades out: read from this position, in this direction, for as many more output samples. */
interface FadeOut {
  from: number;
  readonly step: number;
  readonly length: number;
  left: number;
  /** How loud the sound was when it began to fade out: 1 unless it was still fading in. */
  readonly gain: number;
}

/** Mono playback of one stream at a time. */
export class Playback {
  readonly #ring: Ring;
  readonly #controller: PlaybackController;
  readonly #perMs: number;
  readonly #fade: number;
  #state: PlaybackState = "idle";
  #position = 0;
  // Output samples until playback begins, while it is held.
  #hold = 0;
  // Output samples since samples were missing; infinity when there was nothing to miss.
  #gap = Infinity;
  #fadeIn = 0;
  // What fades out, the oldest first: a fade that has begun goes on when another begins.
  readonly #fades: FadeOut[] = [];
  #played = 0;
  #underruns = 0;
  #underrunSamples = 0;
  #skipped = 0;

  constructor({ sampleRate, slackMs }: PlaybackOptions) {
    this.#perMs = sampleRate / 1_000;
    this.#fade = Math.round(FADE_MS * this.#perMs);
    this.#ring = new Ring(2 * MAX_LEVEL_MS * this.#perMs);
    this.#controller = new PlaybackController({ sampleRate, slackMs });
  }

  /** What was counted so far. */
  stats(): PlaybackStats {
    return {
      playedMs: this.#played / this.#perMs,
      underruns: this.#underruns,
      underrunMs: this.#underrunSamples / this.#perMs,
      skippedMs: this.#skipped / this.#perMs,
      bufferedMs: this.#level / this.#perMs,
      slackMs: this.#controller.slack / this.#perMs,
    };
  }

  /** Takes samples that arrived. Returns how long they were missed, in milliseconds: 0 unless this ends an underrun. */
  push(samples: Int16Array): number {
    if (samples.length === 0) return 0;
    this.#ring.write(samples);
    if (this.#level > MAX_LEVEL_MS * this.#perMs) this.#skip(this.#level - this.#controller.slack);
    return this.#state === "idle" ? this.#start() : 0;
  }

  /** Drops what waits, with a fade. */
  clear(): void {
    if (this.#state === "playing") {
      this.#fadeAway(this.#position, this.#controller.rate, DROP_SAMPLES);
    }
    this.#stop(Infinity);
  }

  /** Fills `output` with the next samples, -1 to 1. */
  render(output: Float32Array): void {
    for (let i = 0; i < output.length; i++) output[i] = this.#next();
    if (this.#state === "playing") {
      this.#skip(this.#controller.observe(this.#level, output.length));
    }
  }

  get #level(): number {
    return this.#ring.readableFrom(this.#position);
  }

  #start(): number {
    const missed = this.#gap;
    this.#state = "held";
    let missedMs = 0;
    if (missed < PAUSE_MS * this.#perMs) {
      this.#underruns++;
      this.#underrunSamples += missed;
      this.#controller.underrun();
      missedMs = missed / this.#perMs;
    }
    this.#controller.restart();
    this.#hold = Math.round(this.#controller.slack);
    return missedMs;
  }

  /** From now on nothing is played; `gap` is 0 when more was expected. */
  #stop(gap: number): void {
    this.#state = "idle";
    this.#position = this.#ring.end;
    this.#gap = gap;
  }

  #next(): number {
    let sound = 0;
    if (this.#state === "playing") {
      if (this.#level > 0) {
        sound = this.#ring.at(this.#position);
        this.#position += this.#controller.rate;
        this.#played++;
      } else {
        // What was heard last, backwards: it goes on where the sound stopped, and fades.
        this.#fadeAway(this.#position - 1, -1);
        this.#stop(0);
      }
    } else if (this.#state === "held" && --this.#hold <= 0) {
      this.#state = "playing";
      this.#fadeIn = this.#fade;
    } else {
      this.#gap++;
    }
    if (this.#fadeIn > 0) sound *= 1 - this.#fadeIn-- / this.#fade;
    // A sound that takes the place of one that fades out is fading in by as much.
    return this.#fades.length === 0 ? sound : sound + this.#fading();
  }

  #fading(): number {
    let sound = 0;
    let isOver = true;
    for (const fade of this.#fades) {
      if (fade.left === 0) continue;
      isOver = false;
      sound += this.#ring.at(fade.from) * fade.gain * fade.left-- / fade.length;
      fade.from += fade.step;
    }
    if (isOver) this.#fades.length = 0;
    return sound;
  }

  #fadeAway(from: number, step: number, length: number = this.#fade): void {
    // What is still fading in goes on from the loudness that it has reached.
    const gain = 1 - this.#fadeIn / this.#fade;
    this.#fadeIn = 0;
    if (this.#fades.length === MOST_FADES) this.#fades.shift();
    this.#fades.push({ from, step, length, left: length, gain });
  }

  #skip(samples: number): void {
    const skipped = Math.floor(samples);
    if (skipped <= 0) return;
    if (this.#state === "playing") {
      this.#fadeAway(this.#position, this.#controller.rate);
      this.#fadeIn = this.#fade;
    }
    this.#position += skipped;
    this.#skipped += skipped;
    this.#controller.restart();
  }
}

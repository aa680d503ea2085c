/**
 * How fast to play what has arrived, so that little of it waits and none is missing when it is due.
 *
 * @module
 */

/** Options of a {@linkcode PlaybackController}. */
export interface PlaybackControllerOptions {
  /** Samples a second. */
  readonly sampleRate: number;
  /** How much audio is meant to be left over at the worst moment of each second, in milliseconds. */
  readonly slackMs: number;
}

// The level is judged once a second, by its least value: what was left over when arrivals were latest.
const WINDOW_MS = 1_000;
// An error is made good over this time.
const CORRECTION_MS = 2_000;
// Speech that is played 1 % faster or slower sounds the same.
const MAX_CORRECTION = 0.01;
// More than this is skipped, not played faster: at 1 % it would take 6 s.
const SKIP_ABOVE_MS = 60;
// Each underrun adds slack, which decays in the seconds after it.
const SLACK_STEP_MS = 20;
const MAX_SLACK_MS = 120;
const SLACK_DECAY_MS = 1;

/**
 * Steers the level of a buffer that one clock fills and another empties. Least levels are compared with the slack: it does not matter
 * how unevenly samples arrive, only what is left when they arrive latest.
 */
export class PlaybackController {
  readonly #perMs: number;
  readonly #baseMs: number;
  #slackMs: number;
  #rate = 1;
  #elapsed = 0;
  #least = Infinity;
  // The least level of the window before this one. A skip needs two: arrivals that are held up once a second are not a backlog.
  #before = -Infinity;

  constructor({ sampleRate, slackMs }: PlaybackControllerOptions) {
    this.#perMs = sampleRate / 1_000;
    this.#baseMs = slackMs;
    this.#slackMs = slackMs;
  }

  /** Input samples for each output sample, 0.99 to 1.01. */
  get rate(): number {
    return this.#rate;
  }

  /** The least level that is aimed at, in samples. */
  get slack(): number {
    return this.#slackMs * this.#perMs;
  }

  /** Playback starts, or starts again: earlier levels do not count. */
  restart(): void {
    this.#rate = 1;
    this.#elapsed = 0;
    this.#least = Infinity;
    this.#before = -Infinity;
  }

  /** Samples were missing when they were due: more is kept from now on. */
  underrun(): void {
    this.#slackMs = Math.min(Math.max(MAX_SLACK_MS, this.#baseMs), this.#slackMs + SLACK_STEP_MS);
  }

  /**
   * Takes note that `played` samples were played and `level` are left.
   *
   * @returns How many samples to skip now, 0 almost always.
   */
  observe(level: number, played: number): number {
    this.#least = Math.min(this.#least, level);
    this.#elapsed += played;
    if (this.#elapsed < WINDOW_MS * this.#perMs) return 0;
    const least = this.#least;
    const excess = Math.min(least, this.#before) - this.slack;
    this.#elapsed = 0;
    this.#least = Infinity;
    this.#before = least;
    this.#slackMs = Math.max(this.#baseMs, this.#slackMs - SLACK_DECAY_MS);
    if (excess > SKIP_ABOVE_MS * this.#perMs) {
      this.restart();
      return Math.round(excess);
    }
    const wanted = (least - this.slack) / (CORRECTION_MS * this.#perMs);
    this.#rate = 1 + Math.max(-MAX_CORRECTION, Math.min(MAX_CORRECTION, wanted));
    return 0;
  }
}

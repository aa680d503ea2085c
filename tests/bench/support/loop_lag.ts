import { now, percentile } from "./scenario.ts";

const EVERY_MS = 10;

/** How late timers of this process are: what else the loop did when they were due. */
export class LoopLag {
  readonly #lags: number[] = [];
  #timer: ReturnType<typeof setTimeout>;
  #dueAt = now() + EVERY_MS;

  constructor() {
    this.#timer = setTimeout(() => this.#look(), EVERY_MS);
  }

  /** Ends it. Returns the 99th percentile, in milliseconds. */
  stop(): number {
    clearTimeout(this.#timer);
    return percentile(this.#lags, 0.99);
  }

  #look(): void {
    const at = now();
    this.#lags.push(at - this.#dueAt);
    this.#dueAt = at + EVERY_MS;
    this.#timer = setTimeout(() => this.#look(), EVERY_MS);
  }
}

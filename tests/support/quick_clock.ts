import { setImmediate } from "node:timers";
import type { Clock } from "../../src/base/signal.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A fake clock for tests that advance it very often: it gives one turn of the event loop to what a timer started, not several. */
export class QuickClock implements Clock {
  readonly #start: number = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Timer>();
  #elapsed = 0;

  now(): number {
    return this.#start + Math.floor(this.#elapsed);
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#timers.size;
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer = { at: this.#elapsed + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets `ms` milliseconds pass: every timer that is due runs in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await turn();
    while (true) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
      }
      if (next === undefined) break;
      this.#elapsed = next.at;
      this.#timers.delete(next);
      next.callback();
      await turn();
    }
    this.#elapsed = end;
  }
}

/** One turn of the event loop: everything that hangs on promises alone has run by then. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

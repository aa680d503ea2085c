import { setImmediate } from "node:timers";
import type { Clock } from "../../src/base/signal.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that moves only when a test says so. Wall and monotonic time move together unless `jump` sets the wall alone. */
export class FakeClock implements Clock {
  #wall: number;
  #elapsed = 0;
  #order = 0;
  #timers = new Set<Timer>();

  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#wall = now;
  }

  now(): number {
    return Math.floor(this.#wall);
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#timers.size;
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer = { at: this.#elapsed + Math.max(0, ms), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Sets the wall clock alone, forward or back, as an operator or a time server does. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  /** Time passes and nothing runs, as when the process is held up; what was due meanwhile runs at the next `advance`. */
  stall(ms: number): void {
    this.#move(this.#elapsed + ms);
  }

  /** Lets `ms` milliseconds pass: every timer that is due runs in order, and what it started gets its turns before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    while (true) {
      const next = [...this.#timers].filter((timer) => timer.at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#move(Math.max(next.at, this.#elapsed));
      this.#timers.delete(next);
      next.callback();
      await settle();
    }
    this.#move(end);
  }

  #move(to: number): void {
    this.#wall += to - this.#elapsed;
    this.#elapsed = to;
  }
}

/** WebCrypto's operations that are under way in this program. They take real time, in which no fake clock may move. */
let cryptoPending = 0;

for (
  const name of ["sign", "verify", "digest", "generateKey", "importKey", "exportKey"] as const
) {
  const original = SubtleCrypto.prototype[name] as (...args: unknown[]) => Promise<unknown>;
  Object.defineProperty(SubtleCrypto.prototype, name, {
    configurable: true,
    writable: true,
    value: async function (this: SubtleCrypto, ...args: unknown[]): Promise<unknown> {
      cryptoPending++;
      try {
        return await original.apply(this, args);
      } finally {
        cryptoPending--;
      }
    },
  });
}

/** Lets everything that is ready run: several turns of the event loop, counted from the end of the last signature or check. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (cryptoPending > 0) turn = -1;
  }
}

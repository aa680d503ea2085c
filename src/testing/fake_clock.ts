/**
 * A clock that moves only when a test says so, and never past what the SDK is still doing.
 *
 * @module
 */

import type { Clock } from "../base/signal.ts";
import { settle, track } from "./settle.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Options of {@linkcode FakeClock.runUntil}. */
export interface RunUntilOptions {
  /** How much time may pass on the clock, in milliseconds. Default: 3,600,000, one hour. */
  readonly limitMs?: number;
}

const HOUR_MS = 3_600_000;

/**
 * Time that stands still until `advance()` or `runUntil()`. Give it to the client and the gateway as their `clock`.
 *
 * Signing and checking a token takes the runtime some real time, in which a plain fake clock would run ahead: a token would be
 * refused, or a wait time out. This one first waits until the SDK has nothing under way; name what it cannot know, such as a request
 * of your program's own, with `track()`. No global is replaced.
 *
 * @example Two seconds of a call, at once
 * ```ts
 * import { testGateway } from "@telequick/sdk/testing";
 *
 * const kit = await testGateway({ clock: "fake" });
 * const call = await kit.client.dial({ to: "+15550105", trunkId: kit.trunkId });
 * const { durationSeconds } = await kit.clock.runUntil(call.ended);
 * console.log(durationSeconds); // 2
 * await kit.close();
 * ```
 */
export class FakeClock implements Clock {
  #wall: number;
  #elapsed = 0;
  // In the order in which they were armed.
  readonly #timers = new Set<Timer>();

  /**
   * Makes a clock.
   *
   * @param now What `now()` says at first, in Unix milliseconds. Default: the beginning of 2026.
   */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#wall = now;
  }

  /** The wall clock, in Unix milliseconds. */
  now(): number {
    return Math.floor(this.#wall);
  }

  /** Milliseconds since the clock was made. */
  monotonic(): number {
    return this.#elapsed;
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Calls `callback` after `ms` milliseconds. Returns what cancels it. */
  schedule(ms: number, callback: () => void): () => void {
    const timer = { at: this.#elapsed + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Sets the wall clock alone, forward or back, as an operator or a time server does. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  /** Lets time pass while nothing runs, as when the process is suspended; timers that came due run at the next `advance()`. */
  suspend(ms: number): void {
    this.#move(this.#elapsed + ms);
  }

  /** Makes every `advance()` and `runUntil()` wait for a promise of your program's own. Returns the promise. */
  track<T>(promise: Promise<T>): Promise<T> {
    return track(promise);
  }

  /** Lets `ms` milliseconds pass: timers that come due run in order, each with all that it starts before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await this.settled();
    while (await this.#step(end));
    this.#move(end);
  }

  /**
   * Lets time pass until a promise has settled.
   *
   * @param condition The promise.
   * @param options How much time may pass.
   * @returns What the promise resolved with. Rejects as the promise does.
   * @throws `Error` when nothing is scheduled any more, or the time is over.
   */
  runUntil<T>(condition: Promise<T>, options?: RunUntilOptions): Promise<T>;
  /**
   * Lets time pass until a function returns `true`; it is asked after every timer.
   *
   * @param condition The function.
   * @param options How much time may pass.
   * @throws `Error` when nothing is scheduled any more, or the time is over.
   */
  runUntil(condition: () => boolean, options?: RunUntilOptions): Promise<void>;
  async runUntil(
    condition: Promise<unknown> | (() => boolean),
    options: RunUntilOptions = {},
  ): Promise<unknown> {
    const { limitMs = HOUR_MS } = options;
    let isDone = false;
    let outcome: Promise<unknown> = Promise.resolve();
    if (typeof condition !== "function") {
      const done = (): void => void (isDone = true);
      outcome = condition;
      condition.then(done, done);
    }
    const holds = typeof condition === "function" ? condition : () => isDone;
    const start = this.#elapsed;
    const end = start + limitMs;
    await this.settled();
    while (!holds()) {
      if (await this.#step(end)) continue;
      const passed = this.#elapsed - start;
      throw new Error(
        this.#timers.size === 0
          ? `Cannot run on: after ${passed} ms nothing is scheduled and the condition does not hold`
          : `Cannot run on: the condition does not hold within ${limitMs} ms`,
      );
    }
    return await outcome;
  }

  /** Runs the next timer that is due by `end`. Returns `false` when no timer is due. */
  async #step(end: number): Promise<boolean> {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (next === undefined || timer.at < next.at) next = timer;
    }
    if (next === undefined) return false;
    this.#move(Math.max(next.at, this.#elapsed));
    this.#timers.delete(next);
    next.callback();
    await this.settled();
    return true;
  }

  /** Resolves when the program has nothing left to do by itself. */
  protected settled(): Promise<void> {
    return settle();
  }

  #move(to: number): void {
    this.#wall += to - this.#elapsed;
    this.#elapsed = to;
  }
}

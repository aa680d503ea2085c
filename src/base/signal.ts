/**
 * Time and cancellation: the clock, deadlines and linked abort signals. The only user of timers.
 *
 * @module
 */

/**
 * A source of time. Everything that waits or reads the time takes one, so that tests can drive it.
 */
export interface Clock {
  /** The time in Unix milliseconds; jumps when the machine's clock is set. */
  now(): number;
  /** Milliseconds since an arbitrary instant; never decreases. */
  monotonic(): number;
  /** Calls `callback` once, after `ms` milliseconds (at least 0). Returns a function that cancels it. */
  schedule(ms: number, callback: () => void): () => void;
}

// HTML timers hold a signed 32-bit number of milliseconds; a longer wait would fire at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's wall clock, Unix milliseconds: the default where only the time is needed. */
export const wallClock = (): number => Date.now();

/** The machine's own clock and timers. */
export const systemClock: Clock = {
  now: wallClock,
  monotonic: () => performance.now(),
  schedule(ms, callback) {
    let left = Math.max(0, ms);
    let timer: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      const step = Math.min(left, LONGEST_TIMER_MS);
      left -= step;
      timer = setTimeout(left > 0 ? arm : callback, step);
    };
    arm();
    return () => clearTimeout(timer);
  },
};

interface Wait {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock whose waits share one timer of another clock: for many waits that are nearly always cancelled, such as each request's timeout.
 * The timer stays armed when nothing waits any more, until it is due or `stop()` is called.
 *
 * Kept for speed: `tests/bench/wait_bench.ts` shows what a timer for each request costs instead.
 */
export class SharedClock implements Clock {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();
  #armedFor = Infinity;
  #disarm: (() => void) | undefined;
  #isStopped = false;

  /** Makes a clock that uses the timers of `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  schedule(ms: number, callback: () => void): () => void {
    const wait: Wait = { at: this.#clock.monotonic() + Math.max(0, ms), callback };
    this.#waits.add(wait);
    if (wait.at < this.#armedFor) this.#arm(wait.at);
    return () => {
      this.#waits.delete(wait);
      if (this.#isStopped) this.#disarmUnlessWaiting();
    };
  }

  /** Runs the waits that are due, where something else than the timer says that time has passed: timers may be held back. */
  runDue(): void {
    if (this.#armedFor > this.#clock.monotonic()) return;
    this.#disarm?.();
    this.#fire();
  }

  /** From now on a timer is armed only while something waits. */
  stop(): void {
    this.#isStopped = true;
    this.#disarmUnlessWaiting();
  }

  #disarmUnlessWaiting(): void {
    if (this.#waits.size > 0) return;
    this.#disarm?.();
    this.#disarm = undefined;
    this.#armedFor = Infinity;
  }

  #arm(at: number): void {
    this.#disarm?.();
    this.#armedFor = at;
    this.#disarm = this.#clock.schedule(at - this.#clock.monotonic(), () => this.#fire());
  }

  #fire(): void {
    this.#disarm = undefined;
    this.#armedFor = Infinity;
    const now = this.#clock.monotonic();
    const due = [...this.#waits].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    for (const wait of due) {
      // A callback can cancel another wait that is due.
      if (this.#waits.delete(wait)) wait.callback();
    }
    let next = Infinity;
    for (const { at } of this.#waits) next = Math.min(next, at);
    if (next < this.#armedFor) this.#arm(next);
  }
}

/** The part of an `AbortSignal` that waiting needs. */
export interface Cancellation {
  /** Whether it is cancelled. */
  readonly aborted: boolean;
  /** Why it was cancelled. */
  readonly reason: unknown;
  /** Calls `listener` when it is cancelled. */
  addEventListener(type: "abort", listener: () => void): void;
  /** Stops calling it. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * An abort controller and its signal in one, for what every request needs.
 *
 * Kept for speed: `tests/bench/wait_bench.ts` shows what an `AbortController` for each request costs instead.
 */
export class Canceller implements Cancellation {
  aborted = false;
  reason: unknown;
  #listeners: Set<() => void> | undefined;

  addEventListener(_type: "abort", listener: () => void): void {
    if (!this.aborted) (this.#listeners ??= new Set()).add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  /** Cancels it. Only the first call has an effect. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }
}

/** An abort controller that is made when its signal is first needed: where a Worker's module is loaded, none can be made. */
export class LateAbortController {
  #controller: AbortController | undefined;
  #abortion: { readonly reason: unknown } | undefined;

  /** The signal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortion !== undefined) this.#controller.abort(this.#abortion.reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal. Only the first call has an effect. */
  abort(reason?: unknown): void {
    this.#abortion ??= { reason };
    this.#controller?.abort(reason);
  }
}

/** Options of everything that waits. */
export interface WaitOptions {
  /** Ends the wait: it rejects with the signal's reason. */
  readonly signal?: Cancellation | undefined;
  /** The source of time. Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/** Options of {@linkcode within} and {@linkcode bounded}. */
export interface WithinOptions extends WaitOptions {
  /** Ends the wait as `signal` does. */
  readonly lost?: Cancellation | undefined;
  /** How long the work may take, in milliseconds. `Infinity` sets no limit. */
  readonly timeoutMs: number;
  /** Makes the error that the wait rejects with when the deadline passes. */
  readonly onTimeout: () => Error;
}

/**
 * Runs `work` under a deadline and a signal. Settles as the work does, unless the signal aborts or the deadline passes first; then the
 * work's own signal is aborted with the same reason, and its result is ignored.
 */
export function within<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: WithinOptions,
): Promise<T> {
  return bounded((over) => {
    const controller = new AbortController();
    over.addEventListener("abort", () => controller.abort(over.reason));
    return work(controller.signal);
  }, options);
}

/** Runs `work` as {@linkcode within} does, for work that needs less than an `AbortSignal`. */
export function bounded<T>(
  work: (over: Cancellation) => Promise<T>,
  options: WithinOptions,
): Promise<T> {
  const { signal, lost, timeoutMs, onTimeout, clock = systemClock } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (signal && !signal.addEventListener) {
    return Promise.reject(
      new TypeError(
        "Cannot wait: signal is not an AbortSignal (pass the controller's signal, not the controller)",
      ),
    );
  }
  if (lost?.aborted) return Promise.reject(lost.reason);
  const over = new Canceller();
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      cancel?.();
      signal?.removeEventListener("abort", onAbort);
      lost?.removeEventListener("abort", onLost);
    };
    const give = (reason: unknown): void => {
      stop();
      reject(reason);
      over.abort(reason);
    };
    const onAbort = (): void => give(signal?.reason);
    const onLost = (): void => give(lost?.reason);
    const cancel = timeoutMs === Infinity
      ? undefined
      : clock.schedule(timeoutMs, () => give(onTimeout()));
    signal?.addEventListener("abort", onAbort);
    lost?.addEventListener("abort", onLost);
    work(over).then((value) => {
      stop();
      resolve(value);
    }, (error: unknown) => {
      stop();
      reject(error);
    });
  });
}

/** Settles as `promise` does, unless the signal aborts first: then rejects with its reason. */
export function raceSignal<T>(
  promise: Promise<T>,
  signal: Cancellation | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  return bounded(() => promise, { signal, timeoutMs: Infinity, onTimeout: never });
}

function never(): Error {
  return new Error("unreachable");
}

/** Waits `ms` milliseconds. Rejects with the signal's reason when it aborts first. */
export function sleep(ms: number, options: WaitOptions = {}): Promise<void> {
  const { signal, clock = systemClock } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      signal?.removeEventListener("abort", onAbort);
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.schedule(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort);
  });
}

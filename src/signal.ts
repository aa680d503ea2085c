/**
 * Time and cancellation: the clock, deadlines and linked abort signals. The only user of timers.
 *
 * @module
 */

/**
 * Where time comes from. Everything that waits or looks at the time takes one, so that tests can drive it.
 */
export interface Clock {
  /** Unix time in milliseconds; jumps when the machine's clock is set. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number;
  /** Calls `callback` once, after `ms` milliseconds (at least 0). Returns a function that cancels it. */
  schedule(ms: number, callback: () => void): () => void;
}

// HTML timers hold a signed 32-bit number of milliseconds; a longer wait would fire at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's wall clock alone, Unix milliseconds: the default where a time is all that is needed. */
export function wallClock(): number {
  return Date.now();
}

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

/** Options of everything that waits. */
export interface WaitOptions {
  /** Ends the wait: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/** Options of {@linkcode within}. */
export interface WithinOptions extends WaitOptions {
  /** How long the work may take, in milliseconds. `Infinity` sets no limit. */
  readonly timeoutMs: number;
  /** Makes the error that the wait rejects with when the time is over. */
  readonly onTimeout: () => Error;
}

/**
 * Runs `work` under a deadline and a signal. Settles as the work does, unless the signal aborts or the time is over first;
 * then the work's own signal is aborted with the same reason, and what it still does is ignored.
 */
export function within<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: WithinOptions,
): Promise<T> {
  const { signal, timeoutMs, onTimeout, clock = systemClock } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      cancel?.();
      signal?.removeEventListener("abort", onAbort);
    };
    const give = (reason: unknown): void => {
      stop();
      reject(reason);
      controller.abort(reason);
    };
    const onAbort = (): void => give(signal?.reason);
    const cancel = timeoutMs === Infinity
      ? undefined
      : clock.schedule(timeoutMs, () => give(onTimeout()));
    signal?.addEventListener("abort", onAbort, { once: true });
    work(controller.signal).then((value) => {
      stop();
      resolve(value);
    }, (error: unknown) => {
      stop();
      reject(error);
    });
  });
}

/** Settles as `promise` does, unless the signal aborts first: then rejects with its reason. */
export function raceSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return within(() => promise, { signal, timeoutMs: Infinity, onTimeout: never });
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
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.schedule(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

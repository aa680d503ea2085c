import { ignore } from "../base/ignore.ts";
import type { Cancellation } from "../base/signal.ts";

/** Streams that a peer opens, as a stream that ends when `over` is cancelled, also where `source` never ends. */
export function streamsUntil<T>(over: Cancellation, source: ReadableStream<T>): ReadableStream<T> {
  const reader = source.getReader();
  let onOver: () => void = ignore;
  const end = (controller: ReadableStreamDefaultController<T>): void => {
    over.removeEventListener("abort", onOver);
    try {
      controller.close();
    } catch {
      // Closed or cancelled already.
    }
  };
  return new ReadableStream<T>({
    start: (controller) => {
      onOver = () => end(controller);
      if (over.aborted) onOver();
      else over.addEventListener("abort", onOver);
    },
    pull: async (controller) => {
      try {
        const { value, done } = await reader.read();
        if (done) end(controller);
        else controller.enqueue(value);
      } catch {
        end(controller);
      }
    },
    cancel: (reason) => {
      over.removeEventListener("abort", onOver);
      return reader.cancel(reason).catch(ignore);
    },
  }, { highWaterMark: 0 });
}

/** Calls `take` until `over` is cancelled; from then on nothing more is asked for. */
export function takeUntil<T>(
  over: Cancellation,
  take: (stream: T) => void | Promise<void>,
): (stream: T) => void | Promise<void> {
  return (stream) => over.aborted ? new Promise(ignore) : take(stream);
}

/**
 * Calls `take` with every stream; the next is asked for when what it returned has resolved. Not a loop in an async function: while that
 * waits it holds on to the last stream, and to the 64 KiB that it was last read into.
 */
export function takeAll<T>(
  source: ReadableStream<T>,
  take: (stream: T) => void | Promise<void>,
): void {
  const reader = source.getReader();
  const next = (): void => {
    // A failed read is the session's end, which `closed` says.
    reader.read().then(({ value, done }) => {
      if (done) return;
      return take(value)?.then(next) ?? next();
    }).catch(ignore);
  };
  next();
}

/** The same for streams that `accept` gives one by one, until it rejects. */
export function takeEach<T>(
  accept: () => Promise<T>,
  take: (stream: T) => void | Promise<void>,
): void {
  const next = (): void => {
    accept().then((stream) => take(stream)?.then(next) ?? next()).catch(ignore);
  };
  next();
}

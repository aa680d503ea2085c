/**
 * A bounded queue between what comes in and the one reader of it: a value goes straight to a reader that is ready, with no promise in
 * between. At 10,000 frames a second that is the difference.
 *
 * @module
 */

/** The one reader of a {@linkcode DropOldestQueue}. */
export interface QueueReader<T> {
  /** Whether it takes a value now. */
  readonly isReady: boolean;
  take(value: T): void;
  /** Nothing more comes. */
  end(error: Error | undefined): void;
}

/** Values pushed by one side, taken by one reader at a time; when the reader is late, the oldest are dropped and counted. */
export class DropOldestQueue<T> {
  readonly #capacity: number;
  readonly #capacityBytes: number;
  readonly #bytesOf: (value: T) => number;
  #reader: QueueReader<T> | undefined;
  #waiting: T[] = [];
  #ended = false;
  #error: Error | undefined;
  #dropped = 0;
  #bytes = 0;

  /**
   * Makes a queue.
   *
   * @param capacity How many values wait at most.
   * @param bytes Their bytes, and how many of them wait at most. Default: they are not counted.
   */
  constructor(
    capacity: number,
    bytes: { readonly of: (value: T) => number; readonly capacity: number } = {
      of: () => 0,
      capacity: Infinity,
    },
  ) {
    this.#capacity = capacity;
    this.#bytesOf = bytes.of;
    this.#capacityBytes = bytes.capacity;
  }

  /** Whether no more values are taken. */
  get ended(): boolean {
    return this.#ended;
  }

  /** How many values were dropped because the reader was late. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many values wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Adds a value. */
  push(value: T): void {
    if (this.#ended) return;
    const reader = this.#reader;
    if (reader?.isReady === true && this.#waiting.length === 0) return reader.take(value);
    this.#waiting.push(value);
    this.#bytes += this.#bytesOf(value);
    while (this.#waiting.length > this.#capacity || this.#bytes > this.#capacityBytes) {
      this.#shift();
      this.#dropped++;
    }
  }

  /** Ends it, with an error or without: what waits is still taken. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.give();
  }

  /** Ends it and forgets what waits: the reader wants no more. */
  cancel(): void {
    this.#ended = true;
    this.#waiting = [];
    this.#bytes = 0;
    this.#reader = undefined;
  }

  /** Drops what waits. Returns how many values that were. */
  skip(): number {
    const skipped = this.#waiting.length;
    this.#waiting = [];
    this.#bytes = 0;
    this.#dropped += skipped;
    return skipped;
  }

  /** Makes `reader` the one that takes values. Returns `false` when there is another one. */
  claim(reader: QueueReader<T>): boolean {
    this.#reader ??= reader;
    return this.#reader === reader;
  }

  /** From now on `reader` takes nothing. */
  release(reader: QueueReader<T>): void {
    if (this.#reader === reader) this.#reader = undefined;
  }

  /** Gives what waits to a reader that is ready. */
  give(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    // What it does with a value can release it, or end the queue.
    while (this.#reader === reader && reader.isReady && this.#waiting.length > 0) {
      reader.take(this.#shift());
    }
    if (this.#reader !== reader || !reader.isReady) return;
    if (!this.#ended || this.#waiting.length > 0) return;
    this.#reader = undefined;
    reader.end(this.#error);
  }

  #shift(): T {
    const value = this.#waiting.shift()!;
    this.#bytes -= this.#bytesOf(value);
    return value;
  }
}

/** What a stream gives of a queue's values. */
export interface StreamView<T, U> {
  /** What is read for a value; `undefined` for one that is skipped. */
  convert(value: T): U | undefined;
  /** What is read at the end, if anything. */
  flush?(): U | undefined;
  /** Makes the error of a stream that is read while something else reads the queue. */
  taken(): Error;
}

/** A stream over a queue. It claims the queue when it is read for the first time, not before. */
export function streamOf<T, U>(
  queue: DropOldestQueue<T>,
  view: StreamView<T, U>,
): ReadableStream<U> {
  let controller: ReadableStreamDefaultController<U>;
  const reader = {
    isReady: false,
    take(value: T): void {
      const converted = view.convert(value);
      if (converted === undefined) return;
      this.isReady = false;
      controller.enqueue(converted);
    },
    end(error: Error | undefined): void {
      this.isReady = false;
      if (error !== undefined) return controller.error(error);
      const rest = view.flush?.();
      if (rest !== undefined) controller.enqueue(rest);
      controller.close();
    },
  };
  return new ReadableStream<U>({
    start(started) {
      controller = started;
    },
    pull() {
      if (!queue.claim(reader)) return controller.error(view.taken());
      reader.isReady = true;
      queue.give();
    },
    cancel() {
      if (queue.claim(reader)) queue.cancel();
    },
  }, { highWaterMark: 0 });
}

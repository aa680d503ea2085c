/**
 * A bounded queue that is filled with `push` and read with `for await`.
 *
 * @module
 */

/** What a full queue does when a value is pushed. */
export type OverflowPolicy = "drop-oldest" | "drop-newest";

/** Options of a {@linkcode Queue}. Both are required: no queue of the SDK grows without a bound. */
export interface QueueOptions {
  /** The most values that wait. */
  readonly capacity: number;
  /** What happens when it is full. */
  readonly overflow: OverflowPolicy;
  /** Called once when the reader leaves (`break`, `return()`), or the queue is closed or fails. */
  readonly onEnd?: () => void;
}

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** Values pushed by one side and read by the other. Values that wait can still be read after `close()`. */
export class Queue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #options: QueueOptions;
  #values: T[] = [];
  #head = 0;
  #waiters: Waiter<T>[] = [];
  #ended = false;
  #error: { readonly value: unknown } | undefined;
  #dropped = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** How many values wait to be read. */
  get size(): number {
    return this.#values.length - this.#head;
  }

  /** How many values were dropped because the reader was too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether `close()` or `fail()` was called, or the reader left. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Adds a value. Returns `false` when it or an older value was dropped, or the queue has ended. */
  push(value: T): boolean {
    if (this.#ended) return false;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ value, done: false });
      return true;
    }
    if (this.size < this.#options.capacity) {
      this.#values.push(value);
      return true;
    }
    this.#dropped++;
    if (this.#options.overflow === "drop-oldest" && this.#options.capacity > 0) {
      this.#take();
      this.#values.push(value);
    }
    return false;
  }

  /** Ends the queue: the reader gets the values that wait, then `done`. */
  close(): void {
    this.#end();
  }

  /** Ends the queue with an error: the reader gets the values that wait, then the error, once. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#error = { value: error };
    this.#end();
  }

  /** The next value, waiting for one if need be. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.size > 0) return Promise.resolve({ value: this.#take(), done: false });
    if (this.#error !== undefined) {
      const { value } = this.#error;
      this.#error = undefined;
      return Promise.reject(value);
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Called by `break` in a `for await`: ends the queue and drops the values that wait. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#values = [];
    this.#head = 0;
    this.#error = undefined;
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the queue, as `return()` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #take(): T {
    const value = this.#values[this.#head++]!;
    if (this.#head >= 32 && this.#head * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { resolve, reject } of this.#waiters.splice(0)) this.next().then(resolve, reject);
    this.#options.onEnd?.();
  }
}

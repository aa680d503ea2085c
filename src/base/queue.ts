/**
 * A bounded queue that is filled with `push` and read with `for await`.
 *
 * @module
 */

/** What a full queue does when a value is pushed. */
export type OverflowPolicy = "drop-oldest" | "drop-newest";

/** Options of a {@linkcode Queue}. Capacity and policy are required: no queue of the SDK grows without a bound. */
export interface QueueOptions<T = unknown> {
  /** The most values that wait. */
  readonly capacity: number;
  /** The bytes of a value, where values come from a peer that decides how long they are. Default: they are not counted. */
  readonly bytesOf?: (value: T) => number;
  /** The most bytes that wait, with `bytesOf`. Default: `Infinity`. */
  readonly capacityBytes?: number;
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
export class Queue<T> implements AsyncIterableIterator<T> {
  readonly #options: QueueOptions<T>;
  #values: T[] = [];
  #head = 0;
  #waiters: Waiter<T>[] = [];
  #ended = false;
  #error: { readonly value: unknown } | undefined;
  #dropped = 0;
  #bytes = 0;

  constructor(options: QueueOptions<T>) {
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
    const bytes = this.#bytesOf(value);
    if (this.#hasRoom(bytes)) {
      this.#add(value, bytes);
      return true;
    }
    this.#dropped++;
    if (this.#options.overflow === "drop-newest") return false;
    while (this.size > 0 && !this.#hasRoom(bytes)) {
      this.#take();
      // The first drop is counted already: that of the value itself, should it find no room.
      if (this.size > 0 && !this.#hasRoom(bytes)) this.#dropped++;
    }
    if (this.#hasRoom(bytes)) this.#add(value, bytes);
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
    this.#bytes = 0;
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

  #bytesOf(value: T): number {
    return this.#options.bytesOf?.(value) ?? 0;
  }

  #hasRoom(bytes: number): boolean {
    const { capacity, capacityBytes = Infinity } = this.#options;
    return this.size < capacity && this.#bytes + bytes <= capacityBytes;
  }

  #add(value: T, bytes: number): void {
    this.#values.push(value);
    this.#bytes += bytes;
  }

  #take(): T {
    const value = this.#values[this.#head++]!;
    this.#bytes -= this.#bytesOf(value);
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

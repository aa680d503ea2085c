/**
 * A bounded stream that is filled by `push`: a value goes straight to a reader who waits, with no promise of its own in between.
 * At 10,000 frames a second that is the difference.
 *
 * @module
 */

/** Values pushed by one side, read once through `readable`; when the reader is behind, the oldest are dropped and counted. */
export class DropOldestStream<T> {
  readonly readable: ReadableStream<T>;
  readonly #capacity: number;
  #controller: ReadableStreamDefaultController<T> | undefined;
  #waiting: T[] = [];
  #wanted = false;
  #ended = false;
  #error: Error | undefined;
  #dropped = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.readable = new ReadableStream<T>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        this.#wanted = true;
        this.#give();
      },
      cancel: () => {
        this.#ended = true;
        this.#waiting = [];
        this.#controller = undefined;
      },
    }, { highWaterMark: 0 });
  }

  /** Whether no more values are taken. */
  get ended(): boolean {
    return this.#ended;
  }

  /** How many values were dropped because the reader was behind. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds a value. */
  push(value: T): void {
    if (this.#ended) return;
    if (this.#waiting.length >= this.#capacity) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#waiting.push(value);
    this.#give();
  }

  /** Ends the stream, with an error or without: what waits is still read. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#give();
  }

  #give(): void {
    const controller = this.#controller;
    if (!this.#wanted || controller === undefined) return;
    if (this.#waiting.length > 0) {
      this.#wanted = false;
      controller.enqueue(this.#waiting.shift()!);
    } else if (this.#ended) {
      this.#controller = undefined;
      if (this.#error === undefined) controller.close();
      else controller.error(this.#error);
    }
  }
}

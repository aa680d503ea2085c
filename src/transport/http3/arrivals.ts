import { ignore } from "../../base/ignore.ts";

/** Takes streams that a peer opens. */
export interface Taker<T> {
  /** Takes one. The next is asked for when it has returned, and what it returned has resolved. */
  take(stream: T): void | Promise<void>;
  /** No more come. */
  end(): void;
}

/**
 * The streams of one kind that a peer opens, of those that `sort` returns: given to one taker, or through a stream. All are taken from
 * the source as they come until the first of them is there, for the session begins with others; from then on while one is asked for.
 * The rest stays with the connection, unread, and so does the peer's credit: a flood waits where it costs least.
 */
export class Arrivals<T> {
  readonly #reader: ReadableStreamDefaultReader<T>;
  readonly #sort: (stream: T) => Promise<T | undefined>;
  // Those that are there and not asked for: the headers of several can be read at a time.
  #waiting: T[] = [];
  #taker: Taker<T> | undefined;
  #stream: ReadableStream<T> | undefined;
  #isBusy = false;
  #isWanted = true;
  #isTaking = false;
  #isOver = false;

  constructor(source: ReadableStream<T>, sort: (stream: T) => Promise<T | undefined>) {
    this.#reader = source.getReader();
    this.#sort = sort;
    this.#next();
  }

  /** The streams as a stream, which is the taker. */
  get stream(): ReadableStream<T> {
    let resume = ignore;
    return this.#stream ??= new ReadableStream<T>({
      start: (controller) => {
        this.give({
          take(stream) {
            // Made before: `enqueue` calls `pull` at once where another read waits.
            const taken = new Promise<void>((resolve) => resume = resolve);
            controller.enqueue(stream);
            return taken;
          },
          end: () => controller.close(),
        });
      },
      pull: () => resume(),
      cancel: async () => {
        this.#isOver = true;
        this.#taker = undefined;
        await this.#reader.cancel().catch(ignore);
      },
    }, { highWaterMark: 0 });
  }

  /** Gives them to `taker`, which is the only one; those that came before, first. */
  give(taker: Taker<T>): void {
    this.#taker = taker;
    this.#give();
  }

  #give(): void {
    const taker = this.#taker;
    while (taker !== undefined && !this.#isBusy && this.#waiting.length > 0) {
      const taking = taker.take(this.#waiting.shift()!);
      if (taking === undefined) continue;
      this.#isBusy = true;
      taking.then(() => {
        this.#isBusy = false;
        this.#give();
      }, ignore);
    }
    if (taker === undefined || this.#isBusy) return;
    if (this.#isOver) {
      this.#taker = undefined;
      return taker.end();
    }
    this.#isWanted = true;
    if (!this.#isTaking) this.#next();
  }

  /** Not a loop in an async function: while that waits it holds on to the last stream, and to the 64 KiB that it was last read into. */
  #next(): void {
    this.#isTaking = this.#isWanted && !this.#isOver;
    if (!this.#isTaking) return;
    const end = (): void => this.#end();
    // A failed read means that the connection is gone, which the connection's `closed` says.
    this.#reader.read().then(({ value, done }) => {
      if (done) return end();
      this.#sort(value).then((stream) => {
        if (stream === undefined || this.#isOver) return;
        this.#isWanted = false;
        this.#waiting.push(stream);
        this.#give();
      }, ignore);
      // The header of one that is late holds up no other.
      this.#next();
    }, end);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#give();
  }
}

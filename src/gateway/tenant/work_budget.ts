/**
 * How much of the gateway's one thread a tenant can take: its long work is cut into slices, and between them others have their turn.
 *
 * Rates count requests; a request for a list of 5,000 calls, or with 31,000 rows, costs a thousand times as much as another. So long work is metered in
 * time and in bytes instead: one slice of a tenant at a time, no more than a share of all time, no more than a rate of bytes.
 *
 * @module
 */

import { type Clock, sleep } from "../../base/signal.ts";
import type { FairQueue } from "../fair_queue.ts";
import { RateLimit } from "../rate_limit.ts";

/** Options of a {@linkcode WorkBudget}. */
export interface WorkBudgetOptions {
  readonly clock: Clock;
  /** Whose slice is next, of all tenants. Each has one slice that waits at the most: so they come in turn. */
  readonly turns: FairQueue;
  /** How much of a second its slices can take, in milliseconds. */
  readonly msPerSecond: number;
  /** Bytes of long replies in a second. */
  readonly bytesPerSecond: number;
  /** How many pieces that took more than one slice can be under way. */
  readonly pieces: number;
}

// Short beside a round trip, long beside what switching costs.
const SLICE_MS = 2;
const BURST_SECONDS = 2;
// Short work waits here while a slice of the tenant's long work runs; each entry is one request.
const MAX_WAITING = 256;

/** One piece of long work: it asks again and again whether its slice is over. */
export interface Slices {
  /** Whether this slice is over: then `next()` is due. */
  readonly isOver: boolean;
  /** Ends the slice and resolves when the next one begins. */
  next(): Promise<void>;
  /** Waits for something that is not this thread's work: the slice ends meanwhile. */
  wait<T>(promise: Promise<T>): Promise<T>;
}

/** What one tenant can take. */
export class WorkBudget {
  readonly #options: WorkBudgetOptions;
  readonly #time: RateLimit;
  readonly #bytes: RateLimit;
  /** The waiters for the slice that is under way to end. */
  readonly #queue: (() => void)[] = [];
  #isTaken = false;
  #long = 0;

  constructor(options: WorkBudgetOptions) {
    const { clock, msPerSecond, bytesPerSecond } = options;
    this.#options = options;
    this.#time = new RateLimit({ perSecond: msPerSecond, burst: msPerSecond, clock });
    const burst = bytesPerSecond * BURST_SECONDS;
    this.#bytes = new RateLimit({ perSecond: bytesPerSecond, burst, clock });
  }

  /** Whether there is room for one more piece of long work. */
  get hasRoom(): boolean {
    return this.#long < this.#options.pieces && this.#queue.length < MAX_WAITING &&
      this.#bytes.waitMs === 0;
  }

  /** Counts the bytes of a long reply. More than there are is a debt: until it is paid there is no room. */
  spendBytes(bytes: number): void {
    this.#bytes.spend(bytes);
  }

  /** Does long work in slices. */
  async run<T>(work: (slices: Slices) => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    let begunAt = 0;
    const begin = async (yields: boolean): Promise<void> => {
      await this.#begin(yields);
      begunAt = clock.monotonic();
    };
    const end = (): void => {
      this.#time.spend(clock.monotonic() - begunAt);
      this.#end();
    };
    let isLong = false;
    const lengthen = (): void => {
      if (!isLong) this.#long++;
      isLong = true;
    };
    try {
      await begin(false);
      try {
        return await work({
          get isOver() {
            return clock.monotonic() - begunAt >= SLICE_MS;
          },
          next() {
            lengthen();
            end();
            return begin(true);
          },
          async wait(promise) {
            lengthen();
            end();
            try {
              return await promise;
            } finally {
              await begin(false);
            }
          },
        });
      } finally {
        end();
      }
    } finally {
      if (isLong) this.#long--;
    }
  }

  /** Waits for the tenant's turn: after its own slices before, until its share of time is paid for, and after others' slices. */
  async #begin(yields: boolean): Promise<void> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#isTaken = true;
    const { clock, turns } = this.#options;
    const waitMs = this.#time.waitMs;
    if (yields || waitMs > 0) await sleep(waitMs, { clock });
    await turns.join(turns);
  }

  #end(): void {
    const next = this.#queue.shift();
    // Handed on without a gap, so that no other piece comes in between.
    if (next === undefined) this.#isTaken = false;
    else next();
  }
}

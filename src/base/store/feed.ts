/**
 * Follows a shared store: reads what is new at a steady pace, and knows how old what it has read is.
 *
 * A read that succeeds proves freshness; a hint, or silence, proves nothing.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";
import { report } from "../handled.ts";
import { ignore } from "../ignore.ts";
import { bounded, type Clock } from "../signal.ts";
import type { SharedEntry, SharedStore } from "./shared_store.ts";

/** Options of a {@linkcode StoreFeed}. */
export interface StoreFeedOptions {
  readonly store: SharedStore;
  readonly clock: Clock;
  /** The kinds that are followed, and from where: all entries, or only those that change from now on. */
  readonly kinds: Readonly<Record<string, "all" | "changes">>;
  /** Time between two reads, in milliseconds. */
  readonly pullMs: number;
  /** How long one answer of the store can take, in milliseconds. */
  readonly timeoutMs: number;
  /** Takes entries of a kind, in order. */
  readonly onEntries: (kind: string, entries: readonly SharedEntry[]) => void;
  /**
   * Called for each kind when the store was set back, as by restoring a backup: what is known of it is read again from the start. Not certain
   * is that where the store only no longer knows what was read so long ago.
   */
  readonly onSetBack?: ((kind: string, isCertain: boolean) => void) | undefined;
  /** Called when the store starts to answer, and when it stops: then with why. What it throws is ignored: it can be a user's function. */
  readonly onReachable?: ((failure: unknown) => void) | undefined;
  /** Called at every turn of the timer. */
  readonly onTick?: (() => void) | undefined;
}

/** The largest safe integer: with it as `after` a read returns no entries, and the newest revision. */
const NEWEST = 9_007_199_254_740_991;
const PAGE = 1_000;
// A store that does not answer is asked more rarely, and still often enough to notice at once when it is back.
const SLOWEST_PULL_MS = 1_000;

/** Reads what is new in a store. */
export class StoreFeed {
  readonly #options: StoreFeedOptions;
  readonly #positions = new Map<string, number>();
  /** Of the newest read, of whichever kind: it names the whole store's history. */
  #mark: string | undefined;
  #setBacks = 0;
  #freshAt = -Infinity;
  #isReachable = false;
  #failures = 0;
  #running: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;
  #cancel: (() => void) | undefined;
  #unhint: () => void = ignore;

  constructor(options: StoreFeedOptions) {
    this.#options = options;
  }

  /** How old what was read is: the time since the start of the last read that succeeded, in milliseconds; `Infinity` before the first. */
  get ageMs(): number {
    return this.#options.clock.monotonic() - this.#freshAt;
  }

  /** Whether the store answered the last time. */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** Whether it runs. */
  get isRunning(): boolean {
    return this.#cancel !== undefined;
  }

  /** The revision up to which everything of a kind was read; -1 before the first read. */
  position(kind: string): number {
    return this.#positions.get(kind) ?? -1;
  }

  /** Reads now, and from then on at every turn of the timer. Resolves with whether the first read succeeded; never rejects. */
  start(): Promise<boolean> {
    if (!this.isRunning) {
      // Without hints everything works, a little later.
      report(() => {
        this.#unhint = this.#options.store.onHint?.(() => void this.pull()) ?? ignore;
      });
      this.#arm();
    }
    return this.pull();
  }

  /** Stops reading; no timer is left. It can be started again. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    report(this.#unhint);
    this.#unhint = ignore;
  }

  /** Reads what is new. A read under way can have missed what is sought: another one follows it, for all that ask meanwhile. Never rejects. */
  pull(): Promise<boolean> {
    if (this.#running === undefined) return this.#run();
    return this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#run();
    });
  }

  /**
   * Asks the store something else, within the time that it has.
   *
   * @throws {TeleQuickError} `ERR_UNAVAILABLE`, retryable: at once while the store does not answer.
   */
  async ask<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isReachable) throw unavailable("it does not answer");
    try {
      return await this.#within(work);
    } catch (cause) {
      // One connection can have been lost, or all: the next read says which.
      const isLate = cause instanceof StoreTimeout;
      if (isLate) this.#fail(cause);
      else if (this.isRunning) void this.pull();
      throw isLate
        ? unavailable(`it did not answer within ${this.#options.timeoutMs} ms`)
        : unavailable("a request failed", cause);
    }
  }

  #within<T>(work: () => Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    return bounded(async () => await work(), {
      clock,
      timeoutMs,
      onTimeout: () => new StoreTimeout(),
    });
  }

  #run(): Promise<boolean> {
    const running = this.#readAll().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    return this.#running = running;
  }

  async #readAll(): Promise<boolean> {
    const { clock, kinds } = this.#options;
    const startedAt = clock.monotonic();
    try {
      const setBacks = this.#setBacks;
      for (const kind of Object.keys(kinds)) await this.#readKind(kind);
      // What was read before that was found.
      if (this.#setBacks !== setBacks) {
        for (const kind of Object.keys(kinds)) await this.#readKind(kind);
      }
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#freshAt = startedAt;
    this.#failures = 0;
    if (!this.#isReachable) {
      this.#isReachable = true;
      this.#reportReachable(undefined);
    }
    return true;
  }

  async #readKind(kind: string): Promise<void> {
    const { store, kinds, onEntries } = this.#options;
    let isOver = false;
    while (!isOver) {
      const before = this.#positions.get(kind);
      const after = before ?? (kinds[kind] === "all" ? 0 : NEWEST);
      const mark = this.#mark;
      const page = await this.#within(() => store.read({ kind, after, limit: PAGE, mark }));
      const isOlder = before !== undefined && page.revision < before;
      if (isOlder || (mark !== undefined && page.isSetBack)) {
        this.#setBack(isOlder || page.isMarkForgotten !== true);
        continue;
      }
      // In one turn: where the position stands, all entries before it were taken.
      onEntries(kind, page.entries);
      this.#positions.set(kind, page.revision);
      this.#mark = page.mark;
      isOver = !page.hasMore;
    }
  }

  /** Begins anew with all kinds that were read: revisions count in the whole store. */
  #setBack(isCertain: boolean): void {
    this.#setBacks++;
    this.#mark = undefined;
    for (const kind of this.#positions.keys()) {
      this.#options.onSetBack?.(kind, isCertain);
      this.#positions.set(kind, 0);
    }
  }

  #fail(error: unknown): void {
    this.#failures++;
    if (!this.#isReachable && this.#failures > 1) return;
    this.#isReachable = false;
    this.#reportReachable(error);
  }

  #reportReachable(failure: unknown): void {
    report(() => this.#options.onReachable?.(failure));
  }

  #arm(): void {
    const { clock, pullMs, onTick } = this.#options;
    const slowest = Math.max(pullMs, SLOWEST_PULL_MS);
    const wait = Math.min(slowest, pullMs * 2 ** Math.min(this.#failures, 10));
    this.#cancel = clock.schedule(wait, () => {
      this.#arm();
      if (this.#running === undefined) void this.#run();
      onTick?.();
    });
  }
}

class StoreTimeout extends Error {
  constructor() {
    super("The shared store did not answer in time");
  }
}

/** The error of everything that needs the store while it does not answer. */
export function unavailable(found: string, cause?: unknown): TeleQuickError {
  return new TeleQuickError(
    "ERR_UNAVAILABLE",
    `Cannot ask the shared store: ${found} (try again later)`,
    { cause, retryable: true },
  );
}

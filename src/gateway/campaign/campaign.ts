/**
 * Bulk dialling: rows at a pace, each with one end.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { type Clock, sleep } from "../../base/signal.ts";
import type { Owner } from "../auth/access.ts";
import type { Call } from "../call/call.ts";
import { RpcRefusal } from "../refusal.ts";

type DialOutcome = Call | RpcRefusal | undefined;

/** What a campaign is made from. */
export interface CampaignOptions<Row> {
  readonly campaignId: string;
  /** Whose it is. */
  readonly owner: Owner;
  readonly clock: Clock;
  /** The rows, in the order in which they are dialled. */
  readonly rows: readonly Row[];
  readonly callsPerSecond: number;
  /** Live calls at the most; `Infinity` for no bound of the campaign's own. */
  readonly maxConcurrentCalls: number;
  /** Dials a row; `undefined` for a call that is over already. A refusal that time can lift is tried again. */
  readonly dial: (row: Row) => DialOutcome;
  /** Takes a row for dialling, where several gateways could dial it. Resolves with what refuses it. Default: none. */
  readonly claim?: ((row: Row) => Promise<RpcRefusal | undefined>) | undefined;
  /** Whether a refusal can be lifted by waiting. */
  readonly isTemporary: (refusal: RpcRefusal) => boolean;
  /** Makes the end of a row heard that is not dialled: it was refused, or the campaign was aborted (`undefined`). */
  readonly fail: (row: Row, refusal: RpcRefusal | undefined) => void;
  /** Called once when nothing is pending and no call is live. */
  readonly onDone: (result: CampaignResult) => void;
}

/** How a campaign went. */
export interface CampaignResult {
  readonly dialled: number;
  readonly failed: number;
  /** Rows that were dropped, by an abort or after an error. */
  readonly dropped: number;
  /** What ended it before its last row, unless it was aborted. */
  readonly error?: unknown;
}

// A late timer is made up for; a longer stall is not, or its calls would all go out at once.
const LONGEST_CATCH_UP_MS = 250;
const RETRY_MS = 100;
// A row that is refused for so long because of limits will not be dialled any more.
const LONGEST_RETRY_MS = 600_000;
// Dropped rows end this many at a time, with a pause between, so that no subscriber is flooded.
const DROPS_AT_ONCE = 50;
const DROP_PAUSE_MS = 20;

/** A campaign under way. */
export class Campaign<Row> {
  /** Its live calls, in the order of dialling. */
  readonly live: Set<Call> = new Set();
  readonly #options: CampaignOptions<Row>;
  readonly #abort = new AbortController();
  // How many rows have been dialled or given up.
  #next = 0;
  #dialled = 0;
  #failed = 0;
  #dropped = 0;
  #error: unknown;
  #isDone = false;
  #isDropped = false;
  #onSlot: () => void = ignore;

  constructor(options: CampaignOptions<Row>) {
    this.#options = options;
  }

  /** Its id. */
  get campaignId(): string {
    return this.#options.campaignId;
  }

  /** Whose it is. */
  get owner(): Owner {
    return this.#options.owner;
  }

  /** Rows that are not dialled yet. */
  get pending(): number {
    return this.#options.rows.length - this.#next;
  }

  /** Dials until no row is left or it is aborted. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#abort;
    try {
      await this.#dialAll(signal);
    } catch (error) {
      if (!signal.aborted) this.#error = error;
      await this.#dropRest();
    }
    this.#isDone = true;
    this.#settle();
  }

  /** Drops what is pending; live calls go on. Returns how many rows it dropped. */
  abort(): number {
    const dropped = this.#abort.signal.aborted ? 0 : this.pending;
    this.#abort.abort(new Error("The campaign was aborted"));
    return dropped;
  }

  /** Ends at once: the gateway is going away. */
  drop(): void {
    this.#isDropped = true;
    this.abort();
  }

  async #dialAll(signal: AbortSignal): Promise<void> {
    const { clock, rows, callsPerSecond } = this.#options;
    const interval = 1_000 / callsPerSecond;
    let due = clock.monotonic();
    // A turn for the reply, which is to come before the first event.
    await sleep(0, { clock, signal });
    for (const row of rows) {
      signal.throwIfAborted();
      await this.#until(due, signal);
      await this.#place(row, signal);
      this.#next++;
      due = Math.max(due + interval, clock.monotonic() - LONGEST_CATCH_UP_MS);
    }
  }

  async #dropRest(): Promise<void> {
    const { clock, rows, fail } = this.#options;
    while (this.pending > 0 && !this.#isDropped) {
      for (let left = DROPS_AT_ONCE; left > 0 && this.pending > 0; left--) {
        this.#dropped++;
        fail(rows[this.#next++]!, undefined);
      }
      if (this.pending > 0) await sleep(DROP_PAUSE_MS, { clock });
    }
  }

  /** Dials a row, waiting for as long as there is no room for it. */
  async #place(row: Row, signal: AbortSignal): Promise<void> {
    const { claim, clock, dial, fail, isTemporary, maxConcurrentCalls } = this.#options;
    const giveUpAt = clock.monotonic() + LONGEST_RETRY_MS;
    while (true) {
      signal.throwIfAborted();
      if (this.live.size >= maxConcurrentCalls) {
        await this.#slot(signal);
        // Room and the abort can come in one turn.
        continue;
      }
      const taken = claim && await claim(row);
      if (claim !== undefined) signal.throwIfAborted();
      const outcome = taken ?? dial(row);
      if (!(outcome instanceof RpcRefusal)) {
        this.#dialled++;
        if (outcome === undefined || outcome.state === "ended") return;
        this.live.add(outcome);
        outcome.onEnd(() => {
          this.live.delete(outcome);
          this.#onSlot();
          this.#settle();
        });
        return;
      }
      if (!isTemporary(outcome) || clock.monotonic() >= giveUpAt) {
        this.#failed++;
        return fail(row, outcome);
      }
      await sleep(RETRY_MS, { clock, signal });
    }
  }

  async #until(due: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const wait = due - clock.monotonic();
    if (wait > 0) await sleep(wait, { clock, signal });
  }

  #slot(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#onSlot = () => {
        signal.removeEventListener("abort", onAbort);
        this.#onSlot = ignore;
        resolve();
      };
    });
  }

  #settle(): void {
    if (!this.#isDone || this.live.size > 0) return;
    const { onDone } = this.#options;
    const result = { dialled: this.#dialled, failed: this.#failed, dropped: this.#dropped };
    onDone(this.#error === undefined ? result : { ...result, error: this.#error });
  }
}

/**
 * Bulk dialling: rows of a CSV, paced (protocol.md sections 5.3 and 9).
 *
 * The header row names the columns: `to` (needed), and `trunk_id`, `call_from`, `call_sid`, `default_app_args`, `ai_websocket_url`, `ai_quic_url`,
 * `max_duration_ms`, each in place of the template's where it is not empty. Other columns are ignored.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { type Clock, sleep } from "../../base/signal.ts";
import type { Owner } from "../auth/access.ts";
import type { Call } from "../call/call.ts";
import { RpcRefusal } from "../refusal.ts";

/** What a campaign is made from. */
export interface CampaignOptions<Row> {
  readonly campaignId: string;
  /** Whose it is. */
  readonly owner: Owner;
  readonly clock: Clock;
  /** The rows, read as they are dialled. */
  readonly rows: (signal: AbortSignal) => AsyncIterable<Row>;
  /** How many rows there are. */
  readonly count: number;
  readonly callsPerSecond: number;
  /** Live calls at the most; `Infinity` for no bound of the campaign's own. */
  readonly maxConcurrentCalls: number;
  /** Dials a row. A refusal that time may lift is tried again. */
  readonly dial: (row: Row) => Call | RpcRefusal;
  /** Whether a refusal may be lifted by waiting. */
  readonly isTemporary: (refusal: RpcRefusal) => boolean;
  /** Told once when nothing is pending and no call is live. */
  readonly onDone: (result: CampaignResult) => void;
}

/** How a campaign went. */
export interface CampaignResult {
  readonly dialled: number;
  readonly failed: number;
  /** Rows that were dropped by an abort. */
  readonly dropped: number;
}

// A late timer is made up for; a longer stall is not, or its calls would all go out at once.
const LONGEST_CATCH_UP_MS = 250;
const RETRY_MS = 100;

/** A campaign under way. */
export class Campaign<Row> {
  /** Its live calls, in the order of dialling. */
  readonly live: Set<Call> = new Set();
  readonly #options: CampaignOptions<Row>;
  readonly #abort = new AbortController();
  #pending: number;
  #dialled = 0;
  #failed = 0;
  #dropped = 0;
  #isDone = false;
  #onSlot: () => void = ignore;

  constructor(options: CampaignOptions<Row>) {
    this.#options = options;
    this.#pending = options.count;
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
    return this.#pending;
  }

  /** Dials until no row is left or it is aborted. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#abort;
    try {
      await this.#dialAll(signal);
    } catch {
      // Aborted, or the rows cannot be read any more.
    }
    this.#dropped = this.#pending;
    this.#pending = 0;
    this.#isDone = true;
    this.#settle();
  }

  /** Drops what is pending; live calls go on. Returns how many rows it dropped. */
  abort(): number {
    const dropped = this.#pending;
    this.#abort.abort(new Error("The campaign was aborted"));
    return dropped;
  }

  async #dialAll(signal: AbortSignal): Promise<void> {
    const { clock, rows, callsPerSecond } = this.#options;
    const interval = 1_000 / callsPerSecond;
    let due = clock.monotonic();
    for await (const row of rows(signal)) {
      signal.throwIfAborted();
      await this.#until(due, signal);
      await this.#place(row, signal);
      this.#pending--;
      due = Math.max(due + interval, clock.monotonic() - LONGEST_CATCH_UP_MS);
    }
  }

  /** Dials a row, waiting for as long as there is no room for it. */
  async #place(row: Row, signal: AbortSignal): Promise<void> {
    const { clock, dial, isTemporary, maxConcurrentCalls } = this.#options;
    while (true) {
      signal.throwIfAborted();
      if (this.live.size >= maxConcurrentCalls) {
        await this.#slot(signal);
        // Room and the abort may come in one turn.
        continue;
      }
      const outcome = dial(row);
      if (!(outcome instanceof RpcRefusal)) {
        this.#dialled++;
        // A row that repeats a call_sid is the same call.
        if (this.live.has(outcome)) return;
        this.live.add(outcome);
        outcome.onEnd(() => {
          this.live.delete(outcome);
          this.#onSlot();
          this.#settle();
        });
        return;
      }
      if (!isTemporary(outcome)) return void this.#failed++;
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
    onDone({ dialled: this.#dialled, failed: this.#failed, dropped: this.#dropped });
  }
}

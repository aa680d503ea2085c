/**
 * Claims that are made at a time, in one statement: a commit waits for the disk once for all of them.
 *
 * @module
 */

import type { Clock } from "../base/signal.ts";
import { failed, noAnswer } from "./failed.ts";

/** A name that is claimed. */
export interface Claim {
  readonly kind: string;
  readonly key: string;
  readonly owner: string;
  readonly ttlMs: number;
}

interface WaitingClaim {
  readonly claim: Claim;
  readonly since: number;
  resolve(holder: string): void;
  reject(error: unknown): void;
}

// Statements under way at a time: a claim that meets fewer is sent at once, so a single one is never delayed.
const STATEMENTS = 2;
const CLAIMS_PER_STATEMENT = 64;
// With more the next one fails at once: they come faster than the database answers.
const MOST_WAITING = 4_096;

/** Sends claims, those that came meanwhile together. */
export class ClaimQueue {
  readonly #send: (claims: readonly Claim[]) => Promise<readonly string[]>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #waiting: WaitingClaim[] = [];
  #running = 0;

  /**
   * Makes one.
   *
   * @param send Runs one statement; resolves with the holder of each name, in the same order.
   * @param timeoutMs How long a claim can wait to be sent, in milliseconds.
   */
  constructor(
    send: (claims: readonly Claim[]) => Promise<readonly string[]>,
    clock: Clock,
    timeoutMs: number,
  ) {
    this.#send = send;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Claims a name. Resolves with its holder. */
  claim(claim: Claim): Promise<string> {
    if (this.#waiting.length >= MOST_WAITING) {
      return Promise.reject(failed(`${MOST_WAITING} claims wait for an answer, expected fewer`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ claim, since: this.#clock.monotonic(), resolve, reject });
      this.#sendWaiting();
    });
  }

  #sendWaiting(): void {
    while (this.#running < STATEMENTS && this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, CLAIMS_PER_STATEMENT);
      // A caller does not wait for so long: a claim that is too old takes nothing any more.
      const oldest = this.#clock.monotonic() - this.#timeoutMs;
      const claims = taken.filter(({ since }) => since > oldest);
      for (const late of taken) if (late.since <= oldest) late.reject(noAnswer(this.#timeoutMs));
      if (claims.length === 0) continue;
      this.#running++;
      void this.#settle(claims).finally(() => {
        this.#running--;
        this.#sendWaiting();
      });
    }
  }

  /** Never rejects. */
  async #settle(claims: readonly WaitingClaim[]): Promise<void> {
    try {
      const holders = await this.#send(claims.map(({ claim }) => claim));
      claims.forEach(({ resolve }, i) => resolve(holders[i]!));
    } catch (error) {
      if (claims.length > 1 && isOfData(error)) {
        // One of them is malformed; the others are not its owner's.
        await Promise.all(claims.map((claim) => this.#settle([claim])));
      } else claims.forEach(({ reject }) => reject(error));
    }
  }
}

/** Whether PostgreSQL refused values: a data exception or a violated check. */
function isOfData(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return /^2[23]/.test(String(cause?.code));
}

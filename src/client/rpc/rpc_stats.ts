/**
 * How many RPCs there were, and how long they took.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";

/** How long things took: counts per range, and what follows from them. All 0 before the first. */
export interface LatencyHistogram {
  /** How many were measured. */
  readonly count: number;
  /** The shortest, in milliseconds. */
  readonly minMs: number;
  /** The longest, in milliseconds. */
  readonly maxMs: number;
  /** The mean, in milliseconds. */
  readonly meanMs: number;
  /** Half took at most this many milliseconds; taken as evenly spread within its range. */
  readonly p50Ms: number;
  /** 95 of 100 took at most this many milliseconds. */
  readonly p95Ms: number;
  /** 99 of 100 took at most this many milliseconds. */
  readonly p99Ms: number;
  /** The counts: each range begins above the bound of the one before; the last has no bound (`Infinity`). */
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[];
}

/** The RPCs of a client, as they left and came back. */
export interface RpcStats {
  /** Sent: answered, failed and under way. */
  readonly sent: number;
  /** Under way now. */
  readonly inFlight: number;
  /** Answered, a refusal included. */
  readonly answered: number;
  /** Not answered in time. */
  readonly timedOut: number;
  /** Ended otherwise: session lost, reply not readable, or aborted by the caller. */
  readonly failed: number;
  /** How long the answered ones took, from the first byte to the reply. */
  readonly latency: LatencyHistogram;
}

const BOUNDS: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000],
  Infinity,
];

/** Counts durations in ranges: constant memory, however many. */
export class Histogram {
  readonly #counts: number[] = BOUNDS.map(() => 0);
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  /** Adds one duration. */
  add(ms: number): void {
    this.#counts[BOUNDS.findIndex((bound) => ms <= bound)]!++;
    this.#count++;
    this.#sum += ms;
    this.#min = Math.min(this.#min, ms);
    this.#max = Math.max(this.#max, ms);
  }

  /** The counts so far. */
  snapshot(): LatencyHistogram {
    const count = this.#count;
    return {
      count,
      minMs: count === 0 ? 0 : this.#min,
      maxMs: this.#max,
      meanMs: count === 0 ? 0 : this.#sum / count,
      p50Ms: this.#percentile(0.5),
      p95Ms: this.#percentile(0.95),
      p99Ms: this.#percentile(0.99),
      buckets: BOUNDS.map((upToMs, i) => ({ upToMs, count: this.#counts[i]! })),
    };
  }

  #percentile(share: number): number {
    let left = share * this.#count;
    for (const [i, count] of this.#counts.entries()) {
      if (left <= count && count > 0) {
        const from = Math.max(BOUNDS[i - 1] ?? 0, this.#min);
        const to = Math.min(BOUNDS[i]!, this.#max);
        return from + (to - from) * (left / count);
      }
      left -= count;
    }
    return 0;
  }
}

/** Counts RPCs. */
export class RpcCounter {
  readonly #latency = new Histogram();
  #sent = 0;
  #timedOut = 0;
  #failed = 0;

  /** Counts one RPC from its start to its end, and passes on what becomes of it. */
  async measure<T>(clock: { monotonic(): number }, rpc: () => Promise<T>): Promise<T> {
    this.#sent++;
    const startedAt = clock.monotonic();
    try {
      const reply = await rpc();
      this.#latency.add(clock.monotonic() - startedAt);
      return reply;
    } catch (error) {
      if (error instanceof TeleQuickError && error.code === "ERR_TIMEOUT") this.#timedOut++;
      else this.#failed++;
      throw error;
    }
  }

  /** The counts so far. */
  stats(): RpcStats {
    const latency = this.#latency.snapshot();
    const { count: answered } = latency;
    const [sent, timedOut, failed] = [this.#sent, this.#timedOut, this.#failed];
    return {
      sent,
      inFlight: sent - answered - timedOut - failed,
      answered,
      timedOut,
      failed,
      latency,
    };
  }
}

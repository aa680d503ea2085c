/**
 * Which gateways there are, and up to where each has followed the store: so that a revocation can say who has not confirmed it.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { bounded, type Clock } from "../../base/signal.ts";
import type { SharedEntry, SharedWrite } from "../../base/store/shared_store.ts";

/** The kind of the entries, one for each gateway. */
export const GATEWAY_KIND = "gateway";

/** Options of {@linkcode Presence}. */
export interface PresenceOptions {
  readonly gatewayId: string;
  readonly clock: Clock;
  /** How long a gateway that is gone can have had live sessions, in milliseconds. */
  readonly sessionStaleMs: number;
  /** Writes to the store. */
  readonly commit: (writes: readonly SharedWrite[]) => Promise<unknown>;
  /** Up to which revision this gateway knows the keys. */
  readonly position: () => number;
  /** Called when another process uses this gateway's id. */
  readonly onTaken: () => void;
}

interface Seen {
  readonly revision: number;
  /** When it was heard, on this gateway's monotonic clock: other gateways' clocks can be wrong. */
  readonly heardAt: number;
  readonly isClosed: boolean;
}

const LONGEST_BEAT_MS = 10_000;

/** What the gateways of a group say of themselves. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #process = crypto.randomUUID();
  readonly #others = new Map<string, Seen>();
  readonly #waiting = new Set<() => void>();
  readonly #beatMs: number;
  #beatAt = -Infinity;
  /** The newest revocation that was carried out here, and the newest revision that the others can know of. */
  #confirmed = 0;
  #said = 0;
  #isClosed = false;
  #last: Promise<void> = Promise.resolve();
  /** The write that waits for the last one. */
  #queued: Promise<void> | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#beatMs = Math.min(LONGEST_BEAT_MS, options.sessionStaleMs / 4);
  }

  /** Says from time to time that this gateway is there, and again what could not be said before. */
  beat(): void {
    const isDue = this.#options.clock.monotonic() - this.#beatAt >= this.#beatMs;
    if (isDue || this.#confirmed > this.#said) void this.#write(false);
  }

  /** Confirms that revocations up to a revision have been carried out here. */
  confirm(revision: number): void {
    this.#confirmed = Math.max(this.#confirmed, revision);
    void this.#write(false);
  }

  /** Forgets what revisions were confirmed: the store is older than it was, and counts them anew. */
  forget(): void {
    this.#confirmed = 0;
    this.#said = 0;
    this.#others.clear();
  }

  /** Takes what gateways say. */
  take(entries: readonly SharedEntry[]): void {
    const { clock, gatewayId, onTaken } = this.#options;
    for (const { key, value } of entries) {
      const said = readSaid(value, clock.monotonic());
      if (said === undefined) continue;
      if (key !== gatewayId) this.#others.set(key, said);
      else if (said.process !== this.#process && this.#beatAt > -Infinity && !said.isClosed) {
        onTaken();
      }
    }
    for (const look of [...this.#waiting]) look();
  }

  /** The gateways that have not confirmed a revision, after waiting for them for at most `waitMs`. */
  async unconfirmed(revision: number, waitMs: number): Promise<readonly string[]> {
    const { clock } = this.#options;
    let look = ignore;
    const all = new Promise<void>((resolve) => {
      look = () => this.#missing(revision).length === 0 && resolve();
      this.#waiting.add(look);
      look();
    });
    const over = new Error("The time to confirm is over");
    await bounded(() => all, { clock, timeoutMs: waitMs, onTimeout: () => over }).catch(ignore);
    this.#waiting.delete(look);
    return this.#missing(revision);
  }

  /** Says that this gateway is gone, if that can be said. */
  async close(): Promise<void> {
    const written = this.#write(true);
    this.#isClosed = true;
    await written;
  }

  #missing(revision: number): string[] {
    const { clock, sessionStaleMs } = this.#options;
    const longest = sessionStaleMs + 2 * this.#beatMs;
    return [...this.#others]
      .filter(([, seen]) =>
        seen.revision < revision && !seen.isClosed && clock.monotonic() - seen.heardAt < longest
      )
      .map(([gatewayId]) => gatewayId)
      .sort();
  }

  /** One write at a time, and one more for all that was said meanwhile. */
  #write(isClosed: boolean): Promise<void> {
    const { clock, commit, gatewayId, position } = this.#options;
    // The last word is said: what is read meanwhile says nothing after it.
    if (this.#isClosed) return this.#last;
    this.#beatAt = clock.monotonic();
    if (this.#queued !== undefined && !isClosed) return this.#queued;
    const queued = this.#last.then(async () => {
      if (this.#queued === queued) this.#queued = undefined;
      const seen = Math.max(this.#confirmed, position());
      const said = { process: this.#process, seen, isClosed };
      await commit([{ kind: GATEWAY_KIND, key: gatewayId, value: JSON.stringify(said) }]);
      this.#said = seen;
    }).catch(ignore);
    this.#queued = queued;
    return this.#last = queued;
  }
}

function readSaid(
  value: string,
  heardAt: number,
): Seen & { readonly process: unknown } | undefined {
  try {
    const { process, seen, isClosed } = JSON.parse(value) as Record<string, unknown>;
    if (!Number.isFinite(seen)) return undefined;
    return { process, revision: seen as number, heardAt, isClosed: isClosed === true };
  } catch {
    return undefined;
  }
}

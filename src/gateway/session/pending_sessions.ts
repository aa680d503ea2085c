/**
 * Sessions that have not shown a token yet: few, and the longest waiting one goes first.
 *
 * @module
 */

import type { Limits } from "../limits.ts";
import { isLoopback } from "../validate.ts";

/** A session in the pending. */
export interface Waiting {
  /** The peer's address, where the runtime shows it. */
  readonly address: string | undefined;
  /** Closes it without an answer. */
  evict(): void;
}

/** The pending of one gateway. */
export class PendingSessions {
  readonly #limits: Limits;
  // In the order of arrival.
  readonly #waiting = new Set<Waiting>();
  readonly #byAddress = new Map<string, Set<Waiting>>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Lets a session in. Where it is one too many the longest waiting one goes: an honest client shows its token at once,
   * so a peer that floods mostly evicts itself.
   */
  enter(session: Waiting): void {
    const { handshakes, handshakesPerAddress } = this.#limits;
    if (this.#waiting.size >= handshakes) this.#evictFirst(this.#waiting);
    this.#waiting.add(session);
    const { address } = session;
    if (address === undefined || isLoopback(address)) return;
    const sameAddress = this.#byAddress.get(address) ?? new Set();
    if (sameAddress.size >= handshakesPerAddress) this.#evictFirst(sameAddress);
    this.#byAddress.set(address, sameAddress.add(session));
  }

  /** Lets a session out: it is admitted, refused, or gone. */
  leave(session: Waiting): void {
    this.#waiting.delete(session);
    const { address } = session;
    const sameAddress = address === undefined ? undefined : this.#byAddress.get(address);
    sameAddress?.delete(session);
    if (sameAddress?.size === 0) this.#byAddress.delete(address!);
  }

  #evictFirst(sessions: Set<Waiting>): void {
    const [longest] = sessions;
    if (longest === undefined) return;
    this.leave(longest);
    longest.evict();
  }
}

/**
 * What a client's connection is doing, as a stream of tagged values.
 *
 * @module
 */

import type { RefusalReason, TeleQuickError } from "../../base/errors.ts";
import { Queue } from "../../base/queue.ts";

/** Why a session is being replaced while it still works. */
export type RenewalReason =
  | "token-lifetime"
  | "credentials-changed"
  | "requested"
  | "stream-credit"
  | "session-ending"
  | "stream-failed"
  | "no-answer";

/** No connection yet: the first RPC, or `connect()`, makes one. */
export interface StatusIdle {
  /** The status. */
  readonly type: "idle";
}

/** The first session is being opened. */
export interface StatusConnecting {
  /** The status. */
  readonly type: "connecting";
}

/** A session is open, its token accepted, its events subscribed. */
export interface StatusOpen {
  /** The status. */
  readonly type: "open";
  /** The tenant that the gateway pinned to the session. */
  readonly tenantId: string;
  /** The `kid` of the token that was accepted; empty when the token was not ours to read. */
  readonly keyId: string;
  /** When the token ends, in Unix milliseconds; 0 when the gateway did not say. */
  readonly expiresAtMs: number;
  /** How far this machine's clock is ahead of the gateway's, in milliseconds; `undefined` when the gateway did not say its time. */
  readonly clockSkewMs: number | undefined;
  /** How long it took, from asking for a token to the subscription, in milliseconds. */
  readonly connectMs: number;
}

/** A second session is being opened; the first still carries everything. */
export interface StatusRenewing {
  /** The status. */
  readonly type: "renewing";
  /** Why the session is being replaced. */
  readonly reason: RenewalReason;
}

/** The session was lost; the next attempt starts after `delayMs`. */
export interface StatusReconnecting {
  /** The status. */
  readonly type: "reconnecting";
  /** Counts from 1. */
  readonly attempt: number;
  /** Milliseconds until the attempt. */
  readonly delayMs: number;
  /** What ended the session, or the attempt before. */
  readonly cause: unknown;
  /** Why the gateway refused the token, where that is the cause. */
  readonly refusal: RefusalReason | undefined;
}

/**
 * A session is open after a gap: what happened since `sinceMs` (Unix milliseconds) can be missing. Follows a loss, an
 * end that the gateway announced, and a stream of events that broke off on a session that is alive; `open` comes next. A loss is
 * noticed late, so the gap begins earlier.
 */
export interface StatusEventsMayBeMissing {
  /** The status. */
  readonly type: "events-may-be-missing";
  /**
   * When the gateway was last heard on the session that was lost, or on its stream of events, in Unix milliseconds of this machine's
   * clock. What was under way at that moment may be missing too.
   */
  readonly sinceMs: number;
}

/** The client is at its end and stays there. */
export interface StatusClosed {
  /** The status. */
  readonly type: "closed";
  /** The code of the error that ended it; `undefined` after `close()`. */
  readonly code: TeleQuickError["code"] | undefined;
  /** The same in words. */
  readonly reason: string;
}

/** Every status a client can be in. */
export type ClientStatus =
  | StatusIdle
  | StatusConnecting
  | StatusOpen
  | StatusRenewing
  | StatusReconnecting
  | StatusEventsMayBeMissing
  | StatusClosed;

// A reader this far behind needs the present, not the past.
const LISTENER_CAPACITY = 256;

/** Holds the current status and passes each one to the listeners. */
export class StatusBoard {
  readonly #listeners = new Set<Queue<ClientStatus>>();
  #current: ClientStatus = { type: "idle" };

  /** The current status. */
  get current(): ClientStatus {
    return this.#current;
  }

  /** Statuses from the current one on; ends after `closed`. */
  listen(): Queue<ClientStatus> {
    const listener: Queue<ClientStatus> = new Queue({
      capacity: LISTENER_CAPACITY,
      overflow: "drop-oldest",
      onEnd: () => this.#listeners.delete(listener),
    });
    listener.push(this.#current);
    if (this.#current.type === "closed") listener.close();
    else this.#listeners.add(listener);
    return listener;
  }

  /** Moves on to another status. */
  set(status: ClientStatus): void {
    this.#current = status;
    for (const listener of [...this.#listeners]) {
      listener.push(status);
      if (status.type === "closed") listener.close();
    }
  }
}

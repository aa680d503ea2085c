/**
 * How sessions end: what the gateway announced, and what it means for the client.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";
import type { SessionEnding } from "../../wire/mod.ts";
import type { Connection } from "./connection.ts";
import { endingError, expiredError, lossOf, UNAUTHORIZED } from "./end_errors.ts";
import type { SessionEvent } from "./states.ts";

/** Options of {@linkcode AnnouncedEnds}. */
export interface AnnouncedEndsOptions {
  readonly clock: Clock;
  /** Whether a lost session is replaced. */
  readonly reconnect: boolean;
  /** Whether asking for a token again can give another. */
  readonly renewable: boolean;
}

/** Remembers which sessions the gateway said it would end, and why. */
export class AnnouncedEnds {
  readonly #options: AnnouncedEndsOptions;
  readonly #ends = new WeakMap<
    Connection,
    { readonly ending: SessionEnding; readonly heardAt: number }
  >();

  constructor(options: AnnouncedEndsOptions) {
    this.#options = options;
  }

  /** The gateway announced the end of a session. Returns whether another session can take its place. */
  add(connection: Connection, ending: SessionEnding): boolean {
    this.#ends.set(connection, { ending, heardAt: connection.heard() });
    const { reconnect, renewable } = this.#options;
    return reconnect && canReplace(ending, renewable);
  }

  /** When the announcement came, on the monotonic clock; `undefined` without one. */
  heardAt(connection: Connection): number | undefined {
    return this.#ends.get(connection)?.heardAt;
  }

  /** What it means that a session in use is over. */
  lossOf(connection: Connection): SessionEvent {
    const { clock, reconnect, renewable } = this.#options;
    const { expiresAtMs } = connection;
    if (!renewable && expiresAtMs !== 0 && expiresAtMs <= clock.now()) {
      return { type: "ended", error: expiredError() };
    }
    const ending = this.#ends.get(connection)?.ending;
    const canGoOn = reconnect &&
      (ending === undefined || ending.reconnect || ending.code === UNAUTHORIZED);
    const error = endingError(ending) ?? lossOf(connection);
    return { type: canGoOn ? "lost" : "ended", error };
  }
}

/** Where another token can be had, the end of a token or key does not end the client. */
function canReplace(ending: SessionEnding, renewable: boolean): boolean {
  return ending.reconnect || ending.code === UNAUTHORIZED && renewable;
}

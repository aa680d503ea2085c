/**
 * Sessions that were replaced and finish what is under way on them.
 *
 * @module
 */

import type { Clock, LateAbortController } from "../../base/signal.ts";
import type { Connection } from "./connection.ts";
import { settled } from "./renewal.ts";

/** Keeps replaced sessions until what is under way on them has finished, or took too long; then closes them. */
export class RetiredSessions {
  readonly #sessions = new Set<Connection>();
  readonly #clock: Clock;
  readonly #stop: LateAbortController;

  /** @param stop Aborted when the client ends. */
  constructor(clock: Clock, stop: LateAbortController) {
    this.#clock = clock;
    this.#stop = stop;
  }

  /** The sessions that are not closed yet. */
  get all(): readonly Connection[] {
    return [...this.#sessions];
  }

  /** Takes over a session that was replaced. */
  async retire(connection: Connection): Promise<void> {
    this.#sessions.add(connection);
    await settled(connection, this.#clock, this.#stop.signal);
    this.#sessions.delete(connection);
    connection.session.close();
  }

  /** Forgets a session that ended by itself. Returns whether it was one of these. */
  forget(connection: Connection): boolean {
    return this.#sessions.delete(connection);
  }

  /** Closes all of them. */
  close(): void {
    for (const { session } of this.#sessions) session.close();
  }
}

/**
 * Keeps a session open: the first connect, renewal, reconnect with back-off, the end. The one owner of retries.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { messageOf } from "../../base/text/message.ts";
import type { Queue } from "../../base/queue.ts";
import { raceSignal, within } from "../../base/signal.ts";
import type { SessionEnding } from "../../wire/mod.ts";
import { LOSS_GRACE_MS } from "../rpc/rpc.ts";
import { AnnouncedEnds } from "./announced_ends.ts";
import type { Connection } from "./connection.ts";
import { closedError } from "./end_errors.ts";
import type { BrokenStream } from "./push_router.ts";
import { SessionEffects, type SessionEffectsOptions } from "./session_effects.ts";
import type { StateMachine } from "./state_machine.ts";
import type { SessionEvent } from "./states.ts";
import type { ClientStatus, RenewalReason } from "./status.ts";

/** Options of a {@linkcode SessionManager}. */
export type SessionManagerOptions = SessionEffectsOptions;

// Streams that are kept for what is under way when a runtime does not give their credit back.
const STREAM_RESERVE = 16;

/** What the rest of the client sees of its sessions: each method is an event of the state machine, or waits for one. */
export class SessionManager {
  readonly #options: SessionManagerOptions;
  readonly #ends: AnnouncedEnds;
  readonly #effects: SessionEffects;
  readonly #machine: StateMachine;

  constructor(options: SessionManagerOptions) {
    this.#options = options;
    this.#ends = new AnnouncedEnds(options);
    this.#effects = new SessionEffects(options, this.#ends);
    this.#machine = this.#effects.machine;
  }

  /** What the client is doing now. */
  get status(): ClientStatus {
    return this.#effects.statuses.current;
  }

  /** The connection in use, if there is one that works. */
  get current(): Connection | undefined {
    const { connection } = this.#machine;
    return connection?.session.isClosed === false ? connection : undefined;
  }

  /** The connection in use, if an RPC can be sent on it at once. */
  get ready(): Connection | undefined {
    const { current } = this;
    const { streamsLeft = Infinity } = current?.session ?? {};
    const isExhausted = streamsLeft <= 1 && "opening" in this.#machine.state;
    return isExhausted ? undefined : current;
  }

  /** The open connection; or the one being opened; or the first, which this opens. */
  connection(signal?: AbortSignal): Promise<Connection> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    // A loss that has not been noticed yet is a loss all the same.
    const { connection } = this.#machine;
    if (connection?.session.isClosed === true) this.#effects.lose(connection);
    const { ready } = this;
    if (ready !== undefined) return Promise.resolve(ready);
    return raceSignal(this.#request({ type: "wanted" }), signal);
  }

  /** Statuses from the current one on; ends after `closed`. */
  statuses(): Queue<ClientStatus> {
    return this.#effects.statuses.listen();
  }

  /**
   * Replaces the session while it works: make before break. Resolves when one has taken over whose token has come since: what is
   * being opened already may have an older one.
   */
  async renew(reason: RenewalReason, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw signal.reason;
    const { tokens } = this.#effects;
    do {
      if (this.current === undefined) await this.connection(signal);
      else await raceSignal(this.#request({ type: "renew", reason }), signal);
    } while (this.#effects.tokenInUse <= tokens);
  }

  /** The gateway announced the end of a session. */
  announce(connection: Connection, ending: SessionEnding): void {
    this.#options.log("info", "session.ending", { code: ending.code, reason: ending.reason });
    const canReplace = this.#ends.add(connection, ending);
    if (canReplace && connection === this.#machine.connection) this.#replace("session-ending");
  }

  /** The peer asked for an orderly end, as WebTransport has it: the session goes on, and a fresh one takes over. */
  drain(connection: Connection): void {
    // The gateway's own announcement says more.
    if (this.#ends.heardAt(connection) !== undefined) return;
    this.#options.log("info", "session.draining");
    if (connection === this.#machine.connection) this.#replace("session-ending");
  }

  /**
   * A stream of events broke off on a session: events may be missing. Unless that session turns out to be over, it hears nothing
   * from now on, and a fresh one takes over.
   */
  async suspect(connection: Connection, end: BrokenStream): Promise<void> {
    const { session } = connection;
    const wasOpen = !session.isClosed;
    const wasInUse = connection === this.#machine.connection;
    if (wasOpen) {
      if (!this.#options.reconnect) return;
      await this.#effects.pause(LOSS_GRACE_MS, connection.lost);
    }
    const isAnnounced = this.#ends.heardAt(connection) !== undefined;
    if (session.isClosed && (!wasOpen || wasInUse || isAnnounced)) {
      // The end of a session is reported as such; an event that was under way had been for longer.
      if (end.isMidFrame) await this.#effects.missSince(end.heardAt);
      return;
    }
    if (this.#machine.state.type === "closed") return;
    this.#options.log("warn", "push.broken");
    void this.#effects.missSince(end.heardAt);
    if (connection === this.#machine.connection) this.#replace("stream-failed");
  }

  /** A session is given up that may have been subscribed: what the gateway has pushed there since it was last heard may be lost. */
  miss(connection: Connection): void {
    void this.#effects.missSince(connection.heardAt);
  }

  /** Looks whether stream credit runs low; then a fresh session takes over. */
  checkCredit(connection: Connection): void {
    const { streamsLeft = Infinity } = connection.session;
    if (streamsLeft > STREAM_RESERVE || connection !== this.#machine.connection) return;
    this.#machine.dispatch({ type: "renew", reason: "stream-credit" });
  }

  /** Ends the client after `drain`, which is given `timeoutMs`. Nothing of the sessions is left afterwards. */
  async close(drain: () => Promise<void>, timeoutMs: number): Promise<void> {
    if (this.#machine.state.type === "closed") return;
    const connections = [...this.#effects.retired.all];
    if (this.current !== undefined) {
      connections.push(this.current);
      await within(drain, {
        timeoutMs,
        clock: this.#options.clock,
        onTimeout: () => new TeleQuickError("ERR_TIMEOUT", "Drain is over"),
      }).catch((error: unknown) => {
        this.#options.log("warn", "close.drain-incomplete", { error: messageOf(error) });
      });
    }
    this.#machine.dispatch({ type: "close" });
    await Promise.all(connections.map((connection) => connection.session.closed));
  }

  /** Resolves with the session that is being opened, or is in use, after an event. */
  #request(event: SessionEvent): Promise<Connection> {
    if (this.#effects.waiting !== undefined) this.#effects.waiting++;
    this.#machine.dispatch(event);
    const { state } = this.#machine;
    if ("opening" in state) return state.opening.promise;
    if ("connection" in state) return Promise.resolve(state.connection);
    return Promise.reject(closedError(state.type === "closed" ? state.error : undefined));
  }

  /** A gateway that ends one fresh session after the other is met with the same back-off as one that does not answer. */
  #replace(reason: RenewalReason): void {
    // Otherwise a replacement is on its way already, or due.
    if (this.#machine.state.type !== "open") return;
    const delayMs = this.#effects.retry.replacementDelay();
    if (delayMs > 0) this.#machine.dispatch({ type: "defer", reason, delayMs });
    else this.#machine.dispatch({ type: "renew", reason });
  }
}

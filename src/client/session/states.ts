/**
 * The states of a client's sessions, what happens to them, and what is done about it, as types.
 *
 * @module
 */

import type { TeleQuickError } from "../../base/errors.ts";
import type { Deferred } from "../../base/deferred.ts";
import type { Connection } from "./connection.ts";
import type { RenewalReason } from "./status.ts";

/** A session that is being opened: everyone who needs it waits on the same promise. */
export type Opening = Deferred<Connection>;

/** The states, each with what it holds. */
export type SessionState =
  /** No session yet, and none was asked for. */
  | { readonly type: "idle" }
  /** The first session is being opened. */
  | { readonly type: "connecting"; readonly opening: Opening }
  /** A session is in use. */
  | { readonly type: "open"; readonly connection: Connection }
  /** A session is in use that is to be replaced after a pause: the gateway ends fresh sessions too often to follow at once. */
  | {
    readonly type: "open-deferred";
    readonly connection: Connection;
    readonly reason: RenewalReason;
  }
  /** A session is in use, and another is being opened that will replace it. */
  | { readonly type: "renewing"; readonly connection: Connection; readonly opening: Opening }
  /** A session is in use; its replacement could not be opened and is tried again after a pause. */
  | {
    readonly type: "renewing-paused";
    readonly connection: Connection;
    readonly opening: Opening;
  }
  /** The session was lost, and another is being opened. */
  | { readonly type: "reconnecting"; readonly opening: Opening }
  /** The session was lost; the next attempt starts after a pause. */
  | {
    readonly type: "reconnecting-paused";
    readonly opening: Opening;
  }
  /** The end: no state follows. */
  | { readonly type: "closed"; readonly error: TeleQuickError | undefined };

/** The name of a state. */
export type StateName = SessionState["type"];

/** What happens to a client's sessions. */
export type SessionEvent =
  /** A session is needed, and none can be used. */
  | { readonly type: "wanted" }
  /** The session in use is to be replaced now. */
  | { readonly type: "renew"; readonly reason: RenewalReason }
  /** The session in use is to be replaced after a pause. */
  | { readonly type: "defer"; readonly reason: RenewalReason; readonly delayMs: number }
  /** The pause is over. */
  | { readonly type: "due" }
  /** The session that was being opened is open. */
  | { readonly type: "opened"; readonly connection: Connection; readonly connectMs: number }
  /** The session that was being opened could not be; another attempt can succeed. */
  | { readonly type: "failed"; readonly error: unknown }
  /** The session that was being opened could not be, and the client gives up. */
  | { readonly type: "gave-up"; readonly error: TeleQuickError }
  /** The session in use is over, and another can take its place. */
  | { readonly type: "lost"; readonly error: TeleQuickError }
  /** The session in use is over, and so is the client. */
  | { readonly type: "ended"; readonly error: TeleQuickError }
  /** The client's user closes it. */
  | { readonly type: "close" };

/** The name of an event. */
export type EventName = SessionEvent["type"];

/** What a transition does, in this order, once the state has changed. */
export type Effect =
  /** Report the status. */
  | "report-connecting"
  | "report-idle"
  | "report-renewing"
  /** Report that the session was lost, and that the attempt under way is the next. */
  | "report-lost"
  /** Remember since when events may be missing, and log the loss. */
  | "note-loss"
  /** Open a session. */
  | "dial"
  /** Wait before the replacement that was deferred. */
  | "pause-deferred"
  /** Wait before the replacement is tried again. */
  | "pause-renewal"
  /** Report when the next attempt is due, and wait until then. */
  | "pause-reconnect"
  /** Put the opened session to use; the one before it finishes what is under way. */
  | "promote"
  /** Close the opened session: it is no longer needed. */
  | "discard"
  /** Reject those who wait for a session. */
  | "reject-waiting"
  /** Close every session, reject those who wait, report the end. */
  | "end";

/** One field of the table: the next state and the effects; or why the pair cannot happen. */
export type Transition =
  | { readonly to: StateName; readonly effects: readonly Effect[] }
  | { readonly unreachable: string };

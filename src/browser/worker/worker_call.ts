/**
 * A call of a client in a Worker, as its user sees it.
 *
 * @module
 */

import type { Call } from "../../client/mod.ts";

/** A call whose client runs in a Worker. Its audio is connected with {@linkcode BrowserAudio.connect} and goes past the page. */
export interface WorkerCall extends
  Pick<
    Call,
    | "sid"
    | "state"
    | "ended"
    | "answered"
    | "events"
    | "hangUp"
    | "barge"
    | "transfer"
    | "mute"
    | "unmute"
    | "hold"
    | "unhold"
    | "sendDtmf"
  >,
  AsyncDisposable {}

/** What is known of a call when it is made. */
export type CallFacts = Pick<Call, "callSid" | "to" | "from" | "trunkId" | "direction">;

/**
 * The calls of a client by their ids, from the first request that may bring one about to its end.
 *
 * @module
 */

import type { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import { type CallHost, LiveCall } from "./live_call.ts";

/** Knows who has which call. */
export class CallRegistry {
  readonly #host: CallHost;
  readonly #calls = new Map<string, LiveCall>();

  constructor(host: CallHost) {
    this.#host = host;
  }

  /** The call of an id, for one more request that may bring it about. */
  claim(callSid: string): LiveCall {
    const call = this.#calls.get(callSid) ?? this.#track(callSid);
    call.claims++;
    return call;
  }

  /** Somebody has this call: no request that fails takes it away. */
  keep(call: LiveCall): LiveCall {
    call.claims = Infinity;
    return call;
  }

  /** A request failed: when it was the last, nobody has the call. Who asks for it again is to know what it was told. */
  disclaim(call: LiveCall): void {
    if (--call.claims > 0) return;
    this.#host.events.unregister(call.sid, call, call.history);
    if (this.#calls.get(call.sid) === call) this.#calls.delete(call.sid);
  }

  /** The client ends: no call is told anything more. */
  abandon(end: TeleQuickError): void {
    for (const call of this.#calls.values()) call.abandon(end);
    this.#calls.clear();
  }

  #track(callSid: string): LiveCall {
    const call = new LiveCall(this.#host, callSid);
    this.#calls.set(callSid, call);
    call.ended.then(() => this.#calls.delete(callSid), ignore);
    return call;
  }
}

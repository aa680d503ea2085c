/**
 * The calls of a client by their ids, from the first request that can make one to its end.
 *
 * @module
 */

import type { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import { type CallFacts, type CallHost, LiveCall } from "./live_call.ts";

// Calls that this client did not dial and has heard nothing of: the oldest is forgotten for a new one.
const MOST_SILENT = 10_000;

/** The calls that requests are under way for, and those that are in use. */
export class CallRegistry {
  readonly #host: CallHost;
  readonly #calls = new Map<string, LiveCall>();
  // Calls that were asked for by their id, until something is heard of them.
  readonly #silent = new Set<LiveCall>();

  constructor(host: CallHost) {
    this.#host = host;
  }

  /** The call of an id, for one more request that can make it. */
  claim(callSid: string, facts: CallFacts): LiveCall {
    const call = this.#calls.get(callSid) ?? this.#track(callSid);
    call.describe(facts);
    call.claims++;
    return call;
  }

  /** The call is in use: no request that fails takes it away. */
  keep(call: LiveCall): LiveCall {
    call.claims = Infinity;
    return call;
  }

  /** Whether a call rings or is up. */
  get hasLive(): boolean {
    for (const { state } of this.#calls.values()) {
      if (state !== "dialing" && state !== "ended") return true;
    }
    return false;
  }

  /** The call of an id, if there is one. */
  get(callSid: string): LiveCall | undefined {
    return this.#calls.get(callSid);
  }

  /** The call of an id that is perhaps a call of the tenant. */
  find(callSid: string): LiveCall {
    const known = this.#calls.get(callSid);
    if (known !== undefined) return this.keep(known);
    const call = this.keep(this.claim(callSid, {}));
    this.#silent.add(call);
    if (this.#silent.size > MOST_SILENT) this.#forgetSilent();
    return call;
  }

  /** A request failed: when it was the last, the call is forgotten. Its events are kept for a request that asks for it again. */
  disclaim(call: LiveCall): void {
    if (--call.claims > 0) return;
    this.#host.events.unregister(call.callSid, call, call.history);
    if (this.#calls.get(call.callSid) === call) this.#calls.delete(call.callSid);
  }

  /** Events may have been missed: what waits for an answer goes on. */
  assumeAnswered(): void {
    for (const call of this.#calls.values()) call.assumeAnswered();
  }

  /** The client ends: no call hears anything more. */
  abandon(end: TeleQuickError): void {
    for (const call of this.#calls.values()) call.abandon(end);
    this.#calls.clear();
    this.#silent.clear();
  }

  #forgetSilent(): void {
    for (const call of this.#silent) {
      this.#silent.delete(call);
      if (call.history.length > 0) continue;
      call.claims = 1;
      return this.disclaim(call);
    }
  }

  #track(callSid: string): LiveCall {
    const call = new LiveCall(this.#host, callSid);
    this.#calls.set(callSid, call);
    call.ended.then(() => this.#calls.delete(callSid), ignore);
    return call;
  }
}

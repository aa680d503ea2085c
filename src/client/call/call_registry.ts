/**
 * The calls of a client by their ids, from the first request that can make one to its end.
 *
 * @module
 */

import { type Deferred, deferred } from "../../base/deferred.ts";
import type { TeleQuickError } from "../../base/errors.ts";
import { type CallFacts, type CallHost, LiveCall } from "./live_call.ts";

// Calls that this client did not dial and has heard nothing of: the oldest is forgotten for a new one.
const MOST_SILENT = 10_000;

/** The calls that requests are under way for, and those that are in use. */
export class CallRegistry {
  readonly #host: CallHost;
  readonly #calls = new Map<string, LiveCall>();
  // Calls that were asked for by their id, until something is heard of them.
  readonly #silent = new Set<LiveCall>();
  // Settled when a call goes.
  #gone: Deferred<void> | undefined;
  #left: readonly string[] | undefined;

  constructor(host: Omit<CallHost, "onEnd">) {
    this.#host = { ...host, onEnd: (callSid) => this.#drop(callSid) };
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

  /** Calls that are not over, those that are being dialled or answered included; not those that were asked for and never heard of. */
  get inHand(): LiveCall[] {
    return [...this.#calls.values()].filter((call) =>
      call.state !== "ended" && !(this.#silent.has(call) && call.history.length === 0)
    );
  }

  /** The ids of the calls in hand; once the client has ended, of those that it had then. */
  get left(): readonly string[] {
    return this.#left ?? this.inHand.map(({ callSid }) => callSid);
  }

  /** Resolves when no call is in hand, or the client has ended. */
  async idle(): Promise<void> {
    while (this.inHand.length > 0) await (this.#gone ??= deferred()).promise;
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
    if (this.#calls.get(call.callSid) === call) this.#drop(call.callSid);
  }

  /** Events may have been missed: what waits for an answer goes on. */
  assumeAnswered(): void {
    for (const call of this.#calls.values()) call.assumeAnswered();
  }

  /** The client ends: no call hears anything more. */
  abandon(end: TeleQuickError): void {
    this.#left = this.left;
    for (const call of this.#calls.values()) call.abandon(end);
    this.#calls.clear();
    this.#silent.clear();
    this.#gone?.resolve();
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
    // Its events can have outrun the reply, the last one too.
    if (call.state !== "ended") this.#calls.set(callSid, call);
    return call;
  }

  #drop(callSid: string): void {
    this.#calls.delete(callSid);
    this.#gone?.resolve();
    this.#gone = undefined;
  }
}

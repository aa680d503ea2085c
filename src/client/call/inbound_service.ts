/**
 * A worker: answers the calls that wait on a trunk, beside others that do the same.
 *
 * @module
 */

import { kindOf } from "../../base/check.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { handled, report } from "../../base/handled.ts";
import { ignore } from "../../base/ignore.ts";
import type { Queue } from "../../base/queue.ts";
import { Canceller, type Clock, sleep, within } from "../../base/signal.ts";
import { messageOf } from "../../base/text/message.ts";
import { type CallEvent, EventType, type IncomingCallInfo } from "../../wire/mod.ts";
import type { Logger } from "../log.ts";
import type { ClientStatus } from "../session/status.ts";
import { retryDelayMs } from "./answer_policy.ts";
import type { Call } from "./call.ts";
import type { CallRegistry } from "./call_registry.ts";
import {
  capacityOf,
  type InboundHandler,
  type InboundService,
  type InboundStats,
  type ServeInboundOptions,
} from "./inbound.ts";
import type { CallFacts } from "./live_call.ts";
import { type WaitingCall, WaitingCalls } from "./waiting_calls.ts";

/** What a service needs of its client. */
export interface InboundHost {
  readonly clock: Clock;
  readonly log: Logger;
  /** Numbers from 0 up to 1. */
  readonly random: () => number;
  readonly calls: CallRegistry;
  readonly own: { readonly clientId: string };
  readonly events: () => Queue<CallEvent>;
  readonly statuses: () => Queue<ClientStatus>;
  readonly list: (trunkId: string) => Promise<readonly IncomingCallInfo[]>;
  readonly answer: (callSid: string, facts: CallFacts) => Promise<Call>;
}

// The reply of an answer is lost: the event that says who has the call comes within this time, or not at all.
const DOUBT_MS = 15_000;

/** The implementation of {@linkcode InboundService}. */
export class LiveInboundService implements InboundService {
  readonly trunkId: string;
  readonly ended: Promise<void>;
  readonly #host: InboundHost;
  readonly #handler: InboundHandler;
  readonly #capacity: number;
  readonly #options: ServeInboundOptions;
  readonly #waiting: WaitingCalls;
  readonly #events: Queue<CallEvent>;
  readonly #statuses: Queue<ClientStatus>;
  readonly #stopped = new Canceller();
  readonly #clientEnded = new Canceller();
  readonly #stop = (): void => this.#end(undefined);
  /** Calls in hand, and answers under way, by id. */
  readonly #active = new Set<string>();
  /** Handlers and doubts under way. */
  readonly #work = new Set<Promise<void>>();
  #resting: Canceller | undefined;
  #answered = 0;
  #missed = 0;
  #failed = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    host: InboundHost,
    trunkId: string,
    handler: InboundHandler,
    options: ServeInboundOptions,
  ) {
    if (typeof handler !== "function") {
      throw new TypeError(
        `Cannot serve calls: the handler is ${kindOf(handler)}, expected a function`,
      );
    }
    this.trunkId = trunkId;
    this.#host = host;
    this.#handler = handler;
    this.#capacity = capacityOf(options.capacity);
    this.#options = options;
    const { clock, random } = host;
    this.#waiting = new WaitingCalls({
      ...{ clock, random },
      list: () => host.list(trunkId),
      load: () => ({ active: this.#active.size, capacity: this.#capacity }),
      isInHand: (callSid) => this.#active.has(callSid),
    });
    this.#events = host.events();
    this.#statuses = host.statuses();
    options.signal?.addEventListener("abort", this.#stop);
    if (options.signal?.aborted === true) this.#stop();
    void this.#hear();
    void this.#watchGaps();
    this.ended = handled(this.#run());
  }

  stats(): InboundStats {
    return {
      active: this.#active.size,
      answered: this.#answered,
      missed: this.#missed,
      failed: this.#failed,
    };
  }

  close(): Promise<void> {
    this.#stop();
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The one loop: rests until a call is due, asks which still wait, answers one. */
  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopped.aborted) {
      const isFull = this.#active.size >= this.#capacity;
      const restMs = isFull ? Infinity : this.#waiting.dueAt - this.#host.clock.monotonic();
      if (restMs > 0) {
        await this.#rest(restMs);
        continue;
      }
      try {
        const call = await this.#waiting.next();
        if (call !== undefined && !this.#stopped.aborted) await this.#answer(call);
        failures = 0;
      } catch (error) {
        await this.#retry(error, failures++);
      }
    }
    this.#options.signal?.removeEventListener("abort", this.#stop);
    void this.#statuses.return();
    while (this.#work.size > 0) await Promise.all(this.#work);
    void this.#events.return();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #answer(waiting: WaitingCall): Promise<void> {
    const { callSid, callFrom } = waiting;
    const facts: CallFacts = { trunkId: this.trunkId, ...(callFrom !== "" && { from: callFrom }) };
    this.#active.add(callSid);
    try {
      this.#serve(await this.#host.answer(callSid, facts));
    } catch (error) {
      if (isUnknownOutcome(error)) {
        this.#track(this.#settleDoubt(callSid, facts));
        throw error;
      }
      this.#active.delete(callSid);
      if (!isRefused(error)) throw error;
      this.#missed++;
      this.#waiting.refused(waiting);
    }
  }

  #serve(call: Call): void {
    this.#answered++;
    this.#track(this.#handle(call));
  }

  async #handle(call: Call): Promise<void> {
    const { callSid } = call;
    try {
      await this.#handler(call);
    } catch (error) {
      if (!isEndOf(call, error)) {
        this.#failed++;
        this.#host.log("warn", "inbound.handler-failed", { callSid, error: messageOf(error) });
        this.#reportError(error, call);
      }
      void call.hangUp();
    }
    await call.ended.catch(ignore);
    this.#release(callSid);
  }

  /** No reply came: the call is this client's if the event of its answer names it. */
  async #settleDoubt(callSid: string, facts: CallFacts): Promise<void> {
    const { calls, clock, own } = this.#host;
    const call = calls.claim(callSid, { direction: "inbound", ...facts });
    const answered = await within((signal) => call.answered({ signal }), {
      clock,
      lost: this.#clientEnded,
      timeoutMs: DOUBT_MS,
      onTimeout: () => new TeleQuickError("ERR_TIMEOUT", "Nothing was heard of the call"),
    }).catch(ignore);
    if (answered?.clientId === own.clientId) return this.#serve(calls.keep(call));
    calls.disclaim(call);
    this.#release(callSid);
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    void work.then(() => this.#work.delete(work));
  }

  #release(callSid: string): void {
    this.#active.delete(callSid);
    this.#stir();
  }

  /** Rings are hints: what waits is in the list. The service ends with the client. */
  async #hear(): Promise<void> {
    try {
      for await (const event of this.#events) {
        if (!isRing(event, this.trunkId)) continue;
        this.#waiting.ring(event.callSid);
        this.#stir();
      }
      this.#end(undefined);
    } catch (error) {
      this.#end({ error });
    }
    this.#clientEnded.abort(new TeleQuickError("ERR_SESSION_CLOSED", "Client has ended"));
  }

  async #watchGaps(): Promise<void> {
    try {
      for await (const { type } of this.#statuses) {
        if (type !== "events-may-be-missing") continue;
        this.#waiting.lookNow();
        this.#stir();
      }
    } catch {
      // The client has ended; its events say why.
    }
  }

  async #rest(ms: number): Promise<void> {
    const resting = this.#resting = new Canceller();
    await sleep(ms, { signal: resting, clock: this.#host.clock }).catch(ignore);
    this.#resting = undefined;
  }

  /** Something has changed: it may be time to look. */
  #stir(): void {
    this.#resting?.abort(undefined);
  }

  /** A request failed: it is tried again, unless it is the first, and the gateway does not let this client list calls. */
  async #retry(error: unknown, failures: number): Promise<void> {
    if (!this.#waiting.isKnown && !isRetryable(error)) this.#end({ error });
    if (this.#stopped.aborted) return;
    this.#waiting.lookNow();
    const delayMs = Math.round(retryDelayMs(failures, this.#host.random));
    this.#host.log("warn", "inbound.retry", { error: messageOf(error), delayMs });
    this.#reportError(error, undefined);
    await sleep(delayMs, { signal: this.#stopped, clock: this.#host.clock }).catch(ignore);
  }

  #end(failure: { readonly error: unknown } | undefined): void {
    if (!this.#stopped.aborted) this.#failure = failure;
    this.#stopped.abort(undefined);
    this.#stir();
  }

  #reportError(error: unknown, call: Call | undefined): void {
    report(() => this.#options.onError?.(error, call));
  }
}

/** Whether an event can be the first of a call that waits on a trunk: one that is answered has a client id. */
function isRing({ eventType, clientId, trunkId }: CallEvent, servedTrunkId: string): boolean {
  return eventType === EventType.CHANNEL_CREATE && clientId === "" &&
    (trunkId === servedTrunkId || trunkId === "");
}

function isRetryable(error: unknown): boolean {
  return error instanceof TeleQuickError && error.retryable;
}

/** Whether the gateway does not let this client have the call: that does not change. */
function isRefused(error: unknown): boolean {
  return error instanceof TeleQuickError && error.code === "ERR_RPC_REJECTED" && !error.retryable;
}

/** Whether the gateway may have carried the request out. */
function isUnknownOutcome(error: unknown): boolean {
  return error instanceof TeleQuickError &&
    (error.code === "ERR_TIMEOUT" || error.code === "ERR_SESSION_CLOSED");
}

/** Whether a handler ended with its call: the normal course of life. */
function isEndOf({ state }: Call, error: unknown): boolean {
  return state === "ended" && error instanceof TeleQuickError && error.code === "ERR_CALL_ENDED";
}

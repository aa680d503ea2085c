/**
 * Requests that make a call: `dial` and `answerIncomingCall`, and what becomes of the call when their signal aborts.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { type Clock, raceSignal } from "../../base/signal.ts";
import { ErrorCode, type Method, methods } from "../../wire/mod.ts";
import {
  accepted,
  type AnswerOptions,
  answerRequest,
  type DialOptions,
  originateRequest,
} from "../rpc/requests.ts";
import type { RequestOptions } from "../rpc/rpc.ts";
import type { RequestSender } from "../session/request_sender.ts";
import type { Call } from "./call.ts";
import type { CallRegistry } from "./call_registry.ts";
import type { CallFacts } from "./live_call.ts";

/** What a {@linkcode CallPlacer} works with. */
export interface CallPlacerOptions {
  readonly clock: Clock;
  readonly calls: CallRegistry;
  readonly requests: RequestSender;
  /** This client, and the trunk that calls leave by where `dial` is not given one. */
  readonly own: { readonly clientId: string; readonly trunkId: string | undefined };
  /** Throws when the client is closing. */
  readonly checkOpen: () => void;
  /** Hangs up a call. */
  readonly terminate: (callSid: string) => Promise<void>;
}

/** Places calls, and answers those that come in. */
export class CallPlacer {
  readonly #options: CallPlacerOptions;

  constructor(options: CallPlacerOptions) {
    this.#options = options;
  }

  /** Places a call; resolves when the gateway has accepted it. */
  async dial(options: DialOptions, request?: RequestOptions): Promise<Call> {
    const { calls, own, terminate } = this.#options;
    const originate = originateRequest(options, own);
    const { callSid } = originate;
    const facts: CallFacts = {
      ...{ to: options.to, from: options.callFrom, trunkId: originate.trunkId },
      direction: "outbound",
      awaitsAnswer: originate.clientId === own.clientId,
    };
    const call = calls.claim(callSid, facts);
    try {
      const reply = await this.#place(methods.Originate, originate, request, (late) => {
        calls.disclaim(call);
        // Without a reply the call may be there all the same. One that something else has is left alone.
        if (late !== undefined && late.errorCode !== ErrorCode.SUCCESS) return;
        if (call.claims === 0) terminate(late?.callSid || callSid).catch(ignore);
      });
      accepted("dial", reply);
      const isAnother = reply.callSid !== "" && reply.callSid !== callSid;
      if (isAnother) calls.disclaim(call);
      return calls.keep(isAnother ? calls.claim(reply.callSid, facts) : call);
    } catch (error) {
      if (!(error instanceof Cancelled)) calls.disclaim(call);
      throw error instanceof Cancelled ? error.reason : error;
    }
  }

  /** Answers a call that waits on a trunk, of which something may be known. */
  async answer(
    incoming: AnswerOptions,
    request?: RequestOptions,
    facts: CallFacts = {},
  ): Promise<Call> {
    const { calls, own, terminate } = this.#options;
    const answer = answerRequest(incoming, own);
    const call = calls.claim(answer.callSid, { direction: "inbound", ...facts });
    try {
      const reply = await this.#place(methods.AnswerIncomingCall, answer, request, (late) => {
        calls.disclaim(call);
        // Only the reply says whether this client won the call: another one's is not to be ended.
        if (late?.errorCode !== ErrorCode.SUCCESS || call.claims > 0) return;
        terminate(answer.callSid).catch(ignore);
      });
      accepted("answer call", reply);
      return calls.keep(call);
    } catch (error) {
      if (!(error instanceof Cancelled)) calls.disclaim(call);
      throw error instanceof Cancelled ? error.reason : error;
    }
  }

  /**
   * Sends a request that makes a call. When the signal aborts after it was sent, rejects with {@linkcode Cancelled}, and `onLate` gets
   * the reply, or `undefined` for none.
   */
  async #place<Q, R>(
    method: Method<Q, R>,
    request: Partial<Q>,
    { signal, timeoutMs }: RequestOptions = {},
    onLate: (reply: R | undefined) => void,
  ): Promise<R> {
    const { clock, requests, checkOpen } = this.#options;
    checkOpen();
    const limitMs = requests.limit(timeoutMs);
    const startedAt = clock.monotonic();
    await requests.connection(limitMs, signal, method.name);
    signal?.throwIfAborted();
    const leftMs = Math.max(1, Math.ceil(limitMs - (clock.monotonic() - startedAt)));
    const sending = requests.send(method, request, { timeoutMs: leftMs });
    try {
      return await raceSignal(sending, signal);
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      void sending.then(onLate, () => onLate(undefined));
      throw new Cancelled(signal.reason);
    }
  }
}

/** The signal of a request aborted while the gateway had the request. */
class Cancelled {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

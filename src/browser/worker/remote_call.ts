/**
 * A call of a client in a Worker: the Worker reports what happens to it, and carries out what is asked of it.
 *
 * @module
 */

import { deferred } from "../../base/deferred.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { Queue } from "../../base/queue.ts";
import { raceSignal } from "../../base/signal.ts";
import type {
  CallEnd,
  CallEvent,
  CallState,
  MuteCallOptions,
  RequestOptions,
  SendDtmfOptions,
} from "../../client/mod.ts";
import { type CarriedAudio, carry, type CarryOptions } from "../call_audio.ts";
import type { ToPage } from "./protocol.ts";
import type { Remote } from "./remote.ts";
import { fromWire } from "./wire_error.ts";
import type { CallFacts, WorkerCall } from "./worker_call.ts";
import type { Port } from "../worklet/messages.ts";

// As many as a call of the page's own keeps.
const HISTORY = 256;

/** Implements {@linkcode WorkerCall}. */
export class RemoteCall implements WorkerCall {
  readonly callSid: string;
  readonly to: string | undefined;
  readonly from: string | undefined;
  readonly trunkId: string | undefined;
  readonly direction: "outbound" | "inbound" | undefined;
  readonly #remote: Remote;
  readonly #history: CallEvent[] = [];
  readonly #listeners = new Set<Queue<CallEvent>>();
  readonly #answered = deferred<CallEvent>();
  readonly #ended = deferred<CallEnd>();
  #state: CallState = "dialing";
  #end: { readonly error: Error | undefined } | undefined;

  constructor(remote: Remote, { callSid, to, from, trunkId, direction }: CallFacts) {
    this.#remote = remote;
    this.callSid = callSid;
    this.to = to;
    this.from = from;
    this.trunkId = trunkId;
    this.direction = direction;
  }

  get sid(): string {
    return this.callSid;
  }

  get state(): CallState {
    return this.#state;
  }

  get ended(): Promise<CallEnd> {
    return this.#ended.promise;
  }

  answered(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<CallEvent> {
    return raceSignal(this.#answered.promise, options.signal);
  }

  events(): AsyncIterableIterator<CallEvent> {
    const queue: Queue<CallEvent> = new Queue({
      capacity: HISTORY * 2,
      overflow: "drop-oldest",
      onEnd: () => this.#listeners.delete(queue),
    });
    for (const event of this.#history) queue.push(event);
    if (this.#end === undefined) this.#listeners.add(queue);
    else finish(queue, this.#end.error);
    return queue;
  }

  hangUp(options?: RequestOptions): Promise<void> {
    return this.#ask("hangUp", [], options);
  }

  barge(options?: RequestOptions): Promise<void> {
    return this.#ask("barge", [], options);
  }

  transfer(target: string, options?: RequestOptions): Promise<void> {
    return this.#ask("transfer", [target], options);
  }

  mute(options?: MuteCallOptions): Promise<void> {
    return this.#ask("mute", [], options);
  }

  unmute(options?: MuteCallOptions): Promise<void> {
    return this.#ask("unmute", [], options);
  }

  hold(options?: RequestOptions): Promise<void> {
    return this.#ask("hold", [], options);
  }

  unhold(options?: RequestOptions): Promise<void> {
    return this.#ask("unhold", [], options);
  }

  sendDtmf(digits: string, options?: SendDtmfOptions): Promise<void> {
    return this.#ask("sendDtmf", [digits], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hangUp();
  }

  /** Sends the port of the call's audio to the Worker. */
  [carry](port: Port, { codec, sampleRate }: CarryOptions): CarriedAudio {
    return this.#remote.carry(this.callSid, port, { codec, sampleRate });
  }

  /** Takes what the Worker says of the call. */
  hear(message: Extract<ToPage, { type: "event" | "answered" | "ended" }>): void {
    switch (message.type) {
      case "event":
        this.#state = message.state;
        this.#history.push(message.event);
        if (this.#history.length > HISTORY) this.#history.shift();
        for (const listener of this.#listeners) listener.push(message.event);
        return;
      case "answered":
        if ("error" in message.reply) this.#answered.reject(fromWire(message.reply.error));
        else this.#answered.resolve(message.reply.value as CallEvent);
        return;
      case "ended":
        this.#state = message.state;
        if ("error" in message.reply) return this.abandon(fromWire(message.reply.error));
        this.#ended.resolve(message.reply.value);
        this.#finish(undefined);
    }
  }

  /** The client ended before the call did. */
  abandon(error: Error): void {
    if (this.#end !== undefined) return;
    this.#answered.reject(error);
    this.#ended.reject(error);
    this.#finish(error);
  }

  async #ask(method: string, values: readonly unknown[], options?: RequestOptions): Promise<void> {
    if (this.#state !== "ended") {
      await this.#remote.ask(method, values, options, { sid: this.callSid });
    } else if (method !== "hangUp" && method !== "barge") {
      throw new TeleQuickError("ERR_CALL_ENDED", `Cannot ${method}: the call has ended`);
    }
  }

  #finish(error: Error | undefined): void {
    this.#end = { error };
    for (const listener of [...this.#listeners]) finish(listener, error);
  }
}

function finish(queue: Queue<CallEvent>, error: Error | undefined): void {
  if (error === undefined) queue.close();
  else queue.fail(error);
}

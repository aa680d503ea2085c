/**
 * A call of a client in a Worker: what happens to it is told by the Worker, what is asked of it is done there.
 *
 * @module
 */

import { deferred } from "../../base/deferred.ts";
import { Queue } from "../../base/queue.ts";
import { raceSignal } from "../../base/signal.ts";
import type {
  CallEnd,
  CallEvent,
  CallState,
  DtmfOptions,
  MuteOptions,
  RequestOptions,
} from "../../client/mod.ts";
import { type CarriedAudio, carry, type CarryOptions } from "../call_audio.ts";
import type { ToPage } from "./protocol.ts";
import type { Remote } from "./remote.ts";
import { fromWire } from "./wire_error.ts";
import type { WorkerCall } from "./worker_call.ts";

// As many as a call of the page's own keeps.
const HISTORY = 256;

/** The call behind {@linkcode WorkerCall}. */
export class RemoteCall implements WorkerCall {
  readonly sid: string;
  readonly #remote: Remote;
  readonly #history: CallEvent[] = [];
  readonly #listeners = new Set<Queue<CallEvent>>();
  readonly #answered = deferred<CallEvent>();
  readonly #ended = deferred<CallEnd>();
  #state: CallState = "dialing";
  #end: { readonly error: Error | undefined } | undefined;

  constructor(remote: Remote, sid: string) {
    this.#remote = remote;
    this.sid = sid;
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

  async hangUp(options?: RequestOptions): Promise<void> {
    if (this.#state !== "ended") await this.#ask("hangUp", [], options);
  }

  barge(options?: RequestOptions): Promise<void> {
    return this.#ask("barge", [], options);
  }

  transfer(target: string, options?: RequestOptions): Promise<void> {
    return this.#ask("transfer", [target], options);
  }

  mute(mute?: MuteOptions, options?: RequestOptions): Promise<void> {
    return this.#ask("mute", [mute], options);
  }

  unmute(mute?: MuteOptions, options?: RequestOptions): Promise<void> {
    return this.#ask("unmute", [mute], options);
  }

  hold(options?: RequestOptions): Promise<void> {
    return this.#ask("hold", [], options);
  }

  unhold(options?: RequestOptions): Promise<void> {
    return this.#ask("unhold", [], options);
  }

  sendDtmf(digit: string, dtmf?: DtmfOptions, options?: RequestOptions): Promise<void> {
    return this.#ask("sendDtmf", [digit, dtmf], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hangUp();
  }

  /** Sends the port of the call's audio to the Worker. */
  [carry](port: MessagePort, { codec, sampleRate }: CarryOptions): CarriedAudio {
    return this.#remote.carry(this.sid, port, { codec, sampleRate });
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
    await this.#remote.ask(method, values, options, { sid: this.sid });
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

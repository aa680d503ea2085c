/**
 * Requests to the Worker and their replies.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { type Deferred, deferred } from "../../base/deferred.ts";
import { ignore } from "../../base/ignore.ts";
import { sleep } from "../../base/signal.ts";
import type { RequestOptions } from "../../client/mod.ts";
import type { CarriedAudio, CarryOptions } from "../call_audio.ts";
import type { Ask, Settled, ToWorker } from "./protocol.ts";
import { fromWire } from "./wire_error.ts";
import type { Port } from "../worklet/messages.ts";

// How much longer than the Worker itself the page waits for it.
const MARGIN_MS = 5_000;

/** What a request is for: a call, or a call's audio. Default: the client. */
export type Target = Pick<Ask, "sid" | "audio">;

/** The page's end of a client's port. */
export class Remote {
  readonly #port: Port;
  readonly #waiting = new Map<number, Deferred<unknown>>();
  readonly #audio = new Map<number, Deferred<void>>();
  readonly #limitMs: number;
  #asked = 0;
  #failure: TeleQuickError | undefined;

  /** Makes the page's end of a client whose requests take `limitMs` milliseconds at the most. */
  constructor(port: Port, limitMs: number) {
    this.#port = port;
    this.#limitMs = limitMs;
  }

  /** Says something that has no reply. */
  say(message: ToWorker, transfer: Port[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  /**
   * Calls a method in the Worker and waits for what it gives. `options` goes last; its signal ends the wait here, and the work there.
   */
  async ask<T>(
    method: string,
    values: readonly unknown[],
    options: RequestOptions = {},
    target: Target = {},
  ): Promise<T> {
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#asked++;
    const reply = deferred<unknown>();
    this.#waiting.set(id, reply);
    const onAbort = (): void => {
      this.say({ type: "abort", id });
      reply.reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort);
    // The Worker keeps the request's own limit; one that was ended, or does not run, keeps none.
    const answered = new AbortController();
    sleep((timeoutMs ?? this.#limitMs) + MARGIN_MS, { signal: answered.signal }).then(() => {
      const text = `Cannot ${method}: the Worker did not answer; it was ended, or is busy`;
      reply.reject(new TeleQuickError("ERR_TIMEOUT", text));
    }, ignore);
    try {
      // A signal cannot be sent: the Worker puts its own in the place of the mark.
      const last = { ...options, ...(signal === undefined ? {} : { signal: true }) };
      this.say({ type: "ask", id, method, arguments: [...values, last], ...target });
      return await reply.promise as T;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      answered.abort();
      this.#waiting.delete(id);
    }
  }

  /** Gives the Worker the port of a call's audio. */
  carry(sid: string, port: Port, { codec, sampleRate }: CarryOptions): CarriedAudio {
    const id = this.#asked++;
    const over = deferred<void>();
    this.#audio.set(id, over);
    this.say({ type: "audio", id, sid, port, codec, sampleRate }, [port]);
    const ask = <T>(method: string): Promise<T> => this.ask(method, [], {}, { audio: id });
    return {
      use: (another) => this.say({ type: "audio-port", id, port: another }, [another]),
      clear: () => ask("clear"),
      close: () => ask("close"),
      ended: over.promise,
    };
  }

  /** The audio of a call has ended. */
  audioEnded(id: number, reply: Settled): void {
    const over = this.#audio.get(id);
    this.#audio.delete(id);
    if ("error" in reply) over?.reject(fromWire(reply.error));
    else over?.resolve();
  }

  /** Takes a reply. */
  settle(id: number, reply: Settled): void {
    const waiting = this.#waiting.get(id);
    if ("error" in reply) waiting?.reject(fromWire(reply.error));
    else waiting?.resolve(reply.value);
  }

  /** The Worker is gone, or its client is: every request rejects, and so do those to come. */
  fail(error: TeleQuickError): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure);
    for (const over of this.#audio.values()) over.resolve();
    this.#port.close();
  }
}

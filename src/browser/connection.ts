/**
 * A call that is connected to the page's audio.
 *
 * @module
 */

import { deferred } from "../base/deferred.ts";
import { ignore } from "../base/ignore.ts";
import { TeleQuickError } from "../base/errors.ts";
import type { AudioCodec, Call, PlaybackEnd } from "../client/mod.ts";
import {
  type CarriedAudio,
  type CarriesItself,
  carry,
  carryAudio,
  type CarryOptions,
} from "./call_audio.ts";
import type { WorkerCall } from "./worker/worker_call.ts";
import type { Port } from "./worklet/messages.ts";

/** A call that is connected to the page's audio. Made by {@linkcode BrowserAudio.connect}. `await using` disconnects it. */
export interface AudioConnection extends AsyncDisposable {
  /**
   * Drops what the far end is about to play, here and at the gateway, and what waits to be played in this page. Resolves when the
   * gateway has answered, with what was heard of what it cut.
   */
  clear(): Promise<PlaybackEnd>;
  /** Drops what waits to be played in this page, with a fade of 3 ms. */
  dropPlayback(): void;
  /**
   * Resolves when the call's audio has ended, another call was connected, or the page's audio was closed. Rejects with the error that
   * ended the call's audio, if one did. It need not be awaited.
   */
  readonly done: Promise<void>;
}

/** A call that can be connected: of a client in the page, or in a Worker. */
export type ConnectableCall = Call | WorkerCall;

/** Options of a {@linkcode LiveConnection}. */
export interface ConnectionOptions extends CarryOptions {
  readonly call: ConnectableCall;
  /** Gives the worklet its end of the audio; `undefined`: the call is disconnected. */
  readonly attach: (port: Port | undefined) => void;
  readonly dropPlayback: () => void;
  /** The connection is over. */
  readonly onEnd: () => void;
}

// Audio of calls that is being closed: a call has one link at a time.
const closing = new WeakMap<ConnectableCall, Promise<void>>();

/** Implements {@linkcode AudioConnection}. */
export class LiveConnection implements AudioConnection {
  readonly call: ConnectableCall;
  readonly codec: AudioCodec;
  readonly #options: ConnectionOptions;
  readonly #done = deferred<void>();
  #audio: CarriedAudio | undefined;
  #isOver = false;

  constructor(options: ConnectionOptions) {
    const { call, codec } = options;
    this.call = call;
    this.codec = codec;
    this.#options = options;
    if (call.state === "ended") {
      throw new TeleQuickError("ERR_CALL_ENDED", "Cannot connect audio: the call has ended");
    }
    const before = closing.get(call);
    if (before === undefined) this.#start();
    else void before.then(() => this.#startLater());
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  async clear(): Promise<PlaybackEnd> {
    if (this.#audio === undefined || this.#isOver) {
      return { playedMs: 0, durationMs: 0, interrupted: false };
    }
    this.dropPlayback();
    return await this.#audio.clear();
  }

  dropPlayback(): void {
    if (!this.#isOver) this.#options.dropPlayback();
  }

  /** Joins the worklet that has taken the old one's place. */
  rejoin(): void {
    if (this.#audio === undefined) return;
    const channel = new MessageChannel();
    this.#audio.use(channel.port2);
    this.#options.attach(channel.port1);
  }

  /** Disconnects the call; it goes on, and can be connected again. */
  async disconnect(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    if (this.#audio === undefined) return;
    const closed = this.#audio.close().catch(ignore).then(() => {
      if (closing.get(this.call) === closed) closing.delete(this.call);
    });
    closing.set(this.call, closed);
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  #start(): void {
    const { call } = this;
    const channel = new MessageChannel();
    const audio = carry in call
      ? (call as CarriesItself)[carry](channel.port2, this.#options)
      : carryAudio(call as Call, channel.port2, this.#options);
    this.#audio = audio;
    this.#options.attach(channel.port1);
    audio.ended.then(() => this.#end(), (error: unknown) => this.#end({ error }));
  }

  #startLater(): void {
    if (this.#isOver) return;
    try {
      this.#start();
    } catch (error) {
      this.#end({ error });
    }
  }

  #end(failure?: { readonly error: unknown }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.attach(undefined);
    if (failure === undefined) this.#done.resolve();
    else this.#done.reject(failure.error);
    this.#options.onEnd();
  }
}

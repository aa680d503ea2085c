/**
 * A call, from its first event to its last.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";
import { Queue } from "../queue.ts";
import { raceSignal } from "../signal.ts";
import { type CallEvent, describeQ850Cause, EventType } from "../wire/mod.ts";
import { AudioLink, type AudioOptions, type SequenceCounter } from "./audio.ts";
import type { AudioHub } from "./audio_hub.ts";
import type { EventHub } from "./events.ts";
import type { RequestOptions } from "./rpc.ts";

/** Where a call stands. `"held"` is an answered call on hold. */
export type CallState = "dialing" | "ringing" | "answered" | "held" | "ended";

/** How a call ended: the facts of its last event (protocol.md section 7). */
export interface CallEnd {
  /** The gateway's coarse word, such as `COMPLETED`, `BUSY`, `NO_ANSWER` or `FAILED`. */
  readonly status: string;
  /** Q.850 cause, 0 when the gateway gave none. */
  readonly q850Cause: number;
  /** The cause in words, such as `"normal call clearing"`. */
  readonly cause: string;
  /** Whole seconds from answer to end, as the gateway counts them. */
  readonly durationSeconds: number;
  /** Audio packets that the gateway sent to the far end. */
  readonly packetsSent: number;
  /** Audio packets that the gateway received from the far end. */
  readonly packetsReceived: number;
  /** Audio packets lost on the far end's side. */
  readonly packetsLost: number;
  /** Interarrival jitter on the far end's side, in milliseconds. */
  readonly jitterMs: number;
  /** Estimated mean opinion score, 1 (bad) to 5; 0 when unknown. */
  readonly estimatedMos: number;
  /** Where the recording is; empty when there is none. */
  readonly recordingUrl: string;
  /** The event itself. */
  readonly event: CallEvent;
}

/** What a call needs of its client. */
export interface CallHost {
  readonly events: EventHub;
  readonly audio: AudioHub;
  terminate(callSid: string, options?: RequestOptions): Promise<void>;
  barge(callSid: string, options?: RequestOptions): Promise<void>;
}

// A call has about five events; one that is held and resumed all day keeps the newest.
const HISTORY = 256;

/**
 * A call. Made by {@linkcode TeleQuickClient.dial}. It belongs to the tenant, not to the connection: it goes on when the
 * client reconnects, and when the client closes. `await using call = ...` hangs up at the end of the block.
 */
export class Call {
  /** The call's id at the gateway. */
  readonly sid: string;
  readonly #host: CallHost;
  readonly #history: CallEvent[] = [];
  readonly #listeners = new Set<Queue<CallEvent>>();
  readonly #answered = deferred<CallEvent>();
  readonly #ended = deferred<CallEnd>();
  readonly #sequence: SequenceCounter = { next: 0 };
  #state: CallState = "dialing";

  /** Called by the client; use {@linkcode TeleQuickClient.dial}. */
  constructor(host: CallHost, sid: string) {
    this.#host = host;
    this.sid = sid;
    host.events.register(sid, this);
  }

  /** Where the call stands, by the events that have arrived. */
  get state(): CallState {
    return this.#state;
  }

  /**
   * Resolves when the call has ended, with the cause in words. Rejects with `ERR_SESSION_CLOSED` when the client closed
   * before that: the call may then go on without it.
   */
  get ended(): Promise<CallEnd> {
    return this.#ended.promise;
  }

  /**
   * Resolves with the answer event when the far end picks up. Rejects with `ERR_CALL_ENDED` when the call ends unanswered
   * (the message names the cause), and with the signal's reason when it aborts first.
   */
  answered(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<CallEvent> {
    return raceSignal(this.#answered.promise, options.signal);
  }

  /**
   * The call's events from its first to its last (`CHANNEL_HANGUP_COMPLETE`), those that have already arrived included.
   * Event types and statuses that this version does not know pass through. Throws `ERR_SESSION_CLOSED` when the client
   * closed before the call ended.
   */
  events(): AsyncIterableIterator<CallEvent> {
    const queue: Queue<CallEvent> = new Queue({
      capacity: HISTORY * 2,
      overflow: "drop-oldest",
      onEnd: () => this.#listeners.delete(queue),
    });
    for (const event of this.#history) queue.push(event);
    if (this.#state === "ended") queue.close();
    else this.#listeners.add(queue);
    return queue;
  }

  /**
   * The call's audio in both directions. A call has one link at a time: the link that is open is returned as it is.
   * Throws `ERR_CALL_ENDED` after the end, `ERR_VALUE_INVALID` for a codec or bound that does not exist.
   */
  audio(options: AudioOptions = {}): AudioLink {
    const open = this.#host.audio.get(this.sid);
    if (open !== undefined) return open;
    if (this.#state === "ended") {
      throw new TeleQuickError("ERR_CALL_ENDED", "Cannot open audio: the call has ended");
    }
    const link = new AudioLink(this.#host.audio, this.sid, this.#sequence, options);
    this.#host.audio.add(link);
    return link;
  }

  /** Hangs up (Q.850 cause 16). Does nothing when the call has ended. */
  async hangUp(options?: RequestOptions): Promise<void> {
    if (this.#state === "ended") return;
    try {
      await this.#host.terminate(this.sid, options);
    } catch (error) {
      // The far end was faster: what was asked for is so.
      if (this.#hasEnded()) return;
      throw error;
    }
  }

  /** Cuts what the gateway is playing to the far end now: barge-in by hand (protocol.md section 5.2). */
  async barge(options?: RequestOptions): Promise<void> {
    await this.#host.barge(this.sid, options);
  }

  /** Hangs up, if the call has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.hangUp();
  }

  /** Takes an event off the wire. Called by the client. */
  deliver(event: CallEvent): void {
    if (this.#state === "ended") return;
    this.#history.push(event);
    if (this.#history.length > HISTORY) this.#history.shift();
    for (const listener of this.#listeners) listener.push(event);
    this.#advance(event);
  }

  /** Ends the waits of a call whose client has closed. Called by the client. */
  abandon(error: TeleQuickError): void {
    this.#answered.reject(error);
    this.#ended.reject(error);
    for (const listener of this.#listeners) listener.fail(error);
  }

  #hasEnded(): boolean {
    return this.#state === "ended";
  }

  #advance(event: CallEvent): void {
    switch (event.eventType) {
      case EventType.CHANNEL_CREATE:
        if (event.status === "RINGING" && this.#state === "dialing") this.#state = "ringing";
        return;
      case EventType.CHANNEL_ANSWER:
        this.#state = "answered";
        return this.#answered.resolve(event);
      case EventType.CHANNEL_HOLD:
        this.#state = "held";
        return;
      case EventType.CHANNEL_RESUME:
        this.#state = "answered";
        return;
      case EventType.CHANNEL_HANGUP_COMPLETE:
        return this.#end(event);
    }
  }

  #end(event: CallEvent): void {
    this.#state = "ended";
    const end = endOf(event);
    this.#ended.resolve(end);
    this.#answered.reject(
      new TeleQuickError(
        "ERR_CALL_ENDED",
        `Call was not answered: ${end.status}, Q.850 cause ${end.q850Cause} (${end.cause})`,
      ),
    );
    for (const listener of this.#listeners) listener.close();
    this.#host.audio.get(this.sid)?.hungUp();
    this.#host.events.unregister(this.sid);
  }
}

function endOf(event: CallEvent): CallEnd {
  return {
    status: event.status,
    q850Cause: event.q850Cause,
    cause: describeQ850Cause(event.q850Cause),
    durationSeconds: event.durationSeconds,
    packetsSent: event.packetsSent,
    packetsReceived: event.packetsReceived,
    packetsLost: event.packetsLost,
    jitterMs: event.jitterMs,
    estimatedMos: event.estimatedMos,
    recordingUrl: event.recordingUrl,
    event,
  };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** A promise that its maker settles; a rejection that nobody waits for is not an error. */
function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

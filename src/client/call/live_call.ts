/**
 * The state of a call, kept by its events.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { Queue } from "../../base/queue.ts";
import { raceSignal, within } from "../../base/signal.ts";
import { type CallEvent, describeQ850Cause, EventType, type MuteOptions } from "../../wire/mod.ts";
import type { AudioLink, AudioOptions } from "../audio/audio_link.ts";
import type { SequenceCounter } from "../audio/outgoing_frame.ts";
import type { AudioHub } from "../audio/audio_hub.ts";
import type { Call, CallEnd, CallState } from "./call.ts";
import { CallAudio } from "../audio/call_audio.ts";
import { deferred } from "../../base/deferred.ts";
import type { EventHub } from "./event_hub.ts";
import { peerText } from "../log.ts";
import type { ClientMethods, DtmfOptions } from "../rpc/methods.ts";
import type { RequestOptions } from "../rpc/rpc.ts";

/** What a call needs of its client. */
export interface CallHost {
  readonly events: EventHub;
  readonly audio: AudioHub;
  readonly methods: ClientMethods;
}

// A call has about five events; one that is held and resumed all day keeps the newest.
const HISTORY = 256;
// As long as the last frames of a call may be behind its last event.
const EVENT_GRACE_MS = 250;

/** The call behind {@linkcode Call}, with what the client needs besides what users see. */
export class LiveCall implements Call {
  readonly sid: string;
  readonly #host: CallHost;
  /** How many requests may bring it about; infinity when one has. Kept by the call book. */
  claims = 0;
  /** What it was told. */
  readonly history: CallEvent[] = [];
  readonly #listeners = new Set<Queue<CallEvent>>();
  readonly #answered = deferred<CallEvent>();
  readonly #ended = deferred<CallEnd>();
  readonly #sequence: SequenceCounter = { next: 0 };
  #state: CallState = "dialing";
  #stateMs = 0;
  #abandoned: TeleQuickError | undefined;

  constructor(host: CallHost, sid: string) {
    this.#host = host;
    this.sid = sid;
    host.events.register(sid, this);
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
    for (const event of this.history) queue.push(event);
    if (this.#state === "ended") queue.close();
    else if (this.#abandoned !== undefined) queue.fail(this.#abandoned);
    else this.#listeners.add(queue);
    return queue;
  }

  audio(options: AudioOptions = {}): AudioLink {
    const open = this.#host.audio.get(this.sid);
    if (open !== undefined) return open;
    if (this.#state === "ended") {
      throw new TeleQuickError("ERR_CALL_ENDED", "Cannot open audio: the call has ended");
    }
    if (this.#abandoned !== undefined) throw this.#abandoned;
    return new CallAudio(this.#host.audio, this.sid, this.#sequence, options);
  }

  async hangUp(options?: RequestOptions): Promise<void> {
    if (this.#state === "ended") return;
    try {
      await this.#host.methods.terminate(this.sid, options);
    } catch (error) {
      // The far end was faster: what was asked for is so.
      if (this.#hasEnded() || isRefusal(error) && await this.#endsSoon(options?.signal)) return;
      throw error;
    }
  }

  async barge(options?: RequestOptions): Promise<void> {
    await this.#host.methods.barge(this.sid, options);
  }

  async transfer(target: string, options?: RequestOptions): Promise<void> {
    await this.#host.methods.transfer(this.sid, target, options);
  }

  async mute(mute?: MuteOptions, options?: RequestOptions): Promise<void> {
    await this.#host.methods.mute(this.sid, mute, options);
  }

  async unmute(mute?: MuteOptions, options?: RequestOptions): Promise<void> {
    await this.#host.methods.unmute(this.sid, mute, options);
  }

  async hold(options?: RequestOptions): Promise<void> {
    await this.#host.methods.hold(this.sid, options);
  }

  async unhold(options?: RequestOptions): Promise<void> {
    await this.#host.methods.unhold(this.sid, options);
  }

  async sendDtmf(digit: string, dtmf?: DtmfOptions, options?: RequestOptions): Promise<void> {
    await this.#host.methods.sendDtmf(this.sid, digit, dtmf, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hangUp();
  }

  /** Takes an event off the wire. Called by the client. */
  deliver(event: CallEvent): void {
    if (this.#state === "ended") return;
    this.history.push(event);
    if (this.history.length > HISTORY) this.history.shift();
    for (const listener of this.#listeners) listener.push(event);
    this.#advance(event);
  }

  /** Ends the waits of a call whose client has closed. Called by the client. */
  abandon(error: TeleQuickError): void {
    this.#abandoned = error;
    this.#answered.reject(error);
    this.#ended.reject(error);
    for (const listener of this.#listeners) listener.fail(error);
  }

  /** Events come on streams of their own: the last one may be behind the reply that says that there is no such call any more. */
  #endsSoon(signal: AbortSignal | undefined): Promise<boolean> {
    return within(() => this.ended, {
      signal,
      timeoutMs: EVENT_GRACE_MS,
      clock: this.#host.audio.clock,
      onTimeout: () => new TeleQuickError("ERR_TIMEOUT", "Call goes on"),
    }).then(() => true, () => false);
  }

  #hasEnded(): boolean {
    return this.#state === "ended";
  }

  /** Events may come on several streams: an older one changes no state. */
  #become(state: CallState, { timestampMs }: CallEvent): void {
    if (timestampMs < this.#stateMs) return;
    this.#state = state;
    this.#stateMs = timestampMs;
  }

  #advance(event: CallEvent): void {
    const { eventType, answerTimestampMs } = event;
    // The answer's own event may be missed, while there is no session.
    if (eventType === EventType.CHANNEL_ANSWER || answerTimestampMs > 0) {
      this.#answered.resolve(event);
    }
    switch (eventType) {
      case EventType.CHANNEL_CREATE:
        if (event.status === "RINGING" && this.#state === "dialing") this.#state = "ringing";
        return;
      case EventType.CHANNEL_ANSWER:
      case EventType.CHANNEL_RESUME:
        return this.#become("answered", event);
      case EventType.CHANNEL_HOLD:
        return this.#become("held", event);
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
        `Call was not answered: ${
          peerText(end.status)
        }, Q.850 cause ${end.q850Cause} (${end.cause})`,
      ),
    );
    for (const listener of this.#listeners) listener.close();
    this.#host.audio.get(this.sid)?.hungUp();
    this.#host.events.unregister(this.sid, this);
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

function isRefusal(error: unknown): boolean {
  return error instanceof TeleQuickError && error.code === "ERR_RPC_REJECTED";
}

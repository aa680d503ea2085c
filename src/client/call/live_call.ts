/**
 * The state of a call, kept by its events.
 *
 * @module
 */

import { LateDeferred } from "../../base/deferred.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { handled } from "../../base/handled.ts";
import { ignore } from "../../base/ignore.ts";
import { Queue } from "../../base/queue.ts";
import { raceSignal, within } from "../../base/signal.ts";
import { type CallEvent, describeQ850Cause, EventType } from "../../wire/mod.ts";
import type { AudioHub } from "../audio/audio_hub.ts";
import type { AudioLink, AudioOptions } from "../audio/audio_link.ts";
import { CallAudio } from "../audio/call_audio.ts";
import type { SequenceCounter } from "../audio/outgoing_frame.ts";
import { peerText } from "../log.ts";
import type { ClientMethods } from "../rpc/methods.ts";
import type { RequestOptions } from "../rpc/rpc.ts";
import type { Call, CallEnd, CallState, MuteCallOptions, SendDtmfOptions } from "./call.ts";
import { dialDtmf } from "./dtmf.ts";
import { eventBytes, type EventHub, LISTENER_BYTES } from "./event_hub.ts";
import type { Warning, Warnings } from "./warnings.ts";

/** What a call needs of its client. */
export interface CallHost {
  readonly events: EventHub;
  readonly audio: AudioHub;
  readonly methods: ClientMethods;
  readonly warnings: Warnings;
  /** Called when a call has ended. */
  readonly onEnd: (callSid: string) => void;
}

/** What is known of a call before its first event. */
export interface CallFacts {
  readonly to?: string | undefined;
  readonly from?: string | undefined;
  readonly trunkId?: string | undefined;
  readonly direction?: "outbound" | "inbound" | undefined;
  /** Whether this client will learn of the answer: then speech waits for it. */
  readonly awaitsAnswer?: boolean;
}

// A call has about five events; one that is held and resumed all day keeps the newest.
const HISTORY = 256;
// The last event of a call can come after the reply that says that the call does not exist, by as much as the last frames.
const EVENT_GRACE_MS = 250;

/** The implementation of {@linkcode Call}, with what the client needs besides what users see. */
export class LiveCall implements Call {
  readonly callSid: string;
  /** How many requests can make it; infinity when one has. Kept by the registry. */
  claims = 0;
  /** The events so far. */
  history: readonly CallEvent[] = [];
  readonly #host: CallHost;
  // Few calls have one, and no call has many: an array takes the least memory.
  #listeners: readonly Queue<CallEvent>[] = [];
  readonly #answered = new LateDeferred<CallEvent>();
  readonly #ended = new LateDeferred<CallEnd>();
  readonly #sequence: SequenceCounter = { next: 0 };
  #facts: CallFacts = {};
  #isAnswered = false;
  #state: CallState = "dialing";
  #stateMs = 0;
  #abandoned: TeleQuickError | undefined;

  constructor(host: CallHost, callSid: string) {
    this.#host = host;
    this.callSid = callSid;
    host.events.register(callSid, this);
  }

  get sid(): string {
    return this.callSid;
  }

  get to(): string | undefined {
    return this.#facts.to;
  }

  get from(): string | undefined {
    return this.#facts.from;
  }

  get trunkId(): string | undefined {
    return this.#facts.trunkId;
  }

  get direction(): "outbound" | "inbound" | undefined {
    return this.#facts.direction;
  }

  get state(): CallState {
    return this.#state;
  }

  get ended(): Promise<CallEnd> {
    return this.#ended.promise;
  }

  answered(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<CallEvent> {
    return handled(raceSignal(this.#answered.promise, options.signal));
  }

  events(): AsyncIterableIterator<CallEvent> {
    const queue: Queue<CallEvent> = new Queue({
      capacity: HISTORY * 2,
      ...{ bytesOf: eventBytes, capacityBytes: LISTENER_BYTES },
      overflow: "drop-oldest",
      onEnd: () => {
        this.#listeners = this.#listeners.filter((other) => other !== queue);
      },
    });
    for (const event of this.history) queue.push(event);
    if (this.#state === "ended") queue.close();
    else if (this.#abandoned !== undefined) queue.fail(this.#abandoned);
    else this.#listeners = [...this.#listeners, queue];
    return queue;
  }

  warnings(): AsyncIterableIterator<Warning> {
    const listener = this.#host.warnings.listen(this.callSid);
    if (this.#hasEnded()) listener.close();
    return listener;
  }

  audio(options: AudioOptions = {}): AudioLink {
    const open = this.#host.audio.get(this.callSid);
    if (open !== undefined) {
      open.checkOptions(options);
      return open;
    }
    if (this.#state === "ended") throw callEnded("open audio");
    if (this.#abandoned !== undefined) throw this.#abandoned;
    const isAnswered = this.#isAnswered || this.#facts.awaitsAnswer !== true;
    return new CallAudio(this.#host.audio, this.callSid, this.#sequence, {
      ...options,
      isAnswered,
    });
  }

  hangUp(options?: RequestOptions): Promise<void> {
    return handled(this.#hangUp(options));
  }

  barge(options?: RequestOptions): Promise<void> {
    const { methods } = this.#host;
    return handled(
      this.#unlessEnded(() => methods.barge(this.callSid, options), options).then(ignore),
    );
  }

  transfer(target: string, options?: RequestOptions): Promise<void> {
    return this.#verb("transfer the call", options, (methods) => {
      return methods.transfer(this.callSid, target, options);
    });
  }

  mute(options?: MuteCallOptions): Promise<void> {
    return this.#verb("mute the call", options, (methods) => {
      return methods.mute(this.callSid, options, options);
    });
  }

  unmute(options?: MuteCallOptions): Promise<void> {
    return this.#verb("unmute the call", options, (methods) => {
      return methods.unmute(this.callSid, options, options);
    });
  }

  hold(options?: RequestOptions): Promise<void> {
    return this.#verb("hold the call", options, (methods) => methods.hold(this.callSid, options));
  }

  unhold(options?: RequestOptions): Promise<void> {
    return this.#verb("take the call off hold", options, (methods) => {
      return methods.unhold(this.callSid, options);
    });
  }

  sendDtmf(digits: string, options: SendDtmfOptions = {}): Promise<void> {
    return this.#verb("send DTMF", options, (methods) => {
      return dialDtmf(digits, options, {
        clock: this.#host.audio.clock,
        send: (digit) => methods.sendDtmf(this.callSid, digit, options, options),
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.hangUp();
  }

  /** What is known of it; what was known before stays. Called by the client. */
  describe(facts: CallFacts): void {
    this.#facts = { ...facts, ...definedOf(this.#facts) };
  }

  /** The answer was perhaps missed: what waits for it is sent. Called by the client. */
  assumeAnswered(): void {
    this.#isAnswered = true;
    this.#host.audio.get(this.callSid)?.answered();
  }

  /** Takes an event off the wire. Called by the client. */
  deliver(event: CallEvent): void {
    if (this.#state === "ended") return;
    // A new array has no room for more, where one that grows has room for seventeen.
    this.history = this.history.slice(1 - HISTORY).concat(event);
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

  /** Events come on streams of their own: the last one can come after the reply that says that the call does not exist. */
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

  async #hangUp(options: RequestOptions | undefined): Promise<void> {
    if (this.#hasEnded()) return;
    // Asked in this very turn where no audio comes first: a client that is closed next still sends it.
    const audio = this.#host.audio.get(this.callSid);
    if (audio !== undefined) await audio.lastWord();
    // The far end was faster: what was asked for is so.
    await this.#unlessEnded(() => this.#host.methods.terminate(this.callSid, options), options);
  }

  #verb(
    action: string,
    options: RequestOptions | undefined,
    work: (methods: ClientMethods) => Promise<void>,
  ): Promise<void> {
    const run = async (): Promise<void> => {
      if (!await this.#unlessEnded(() => work(this.#host.methods), options)) {
        throw callEnded(action);
      }
    };
    return handled(run());
  }

  /** Does something with the gateway. Returns `false` when that came to nothing because the call has ended. */
  async #unlessEnded(
    work: () => Promise<void>,
    options: RequestOptions | undefined,
  ): Promise<boolean> {
    if (this.#hasEnded()) return false;
    try {
      await work();
      return true;
    } catch (error) {
      if (this.#hasEnded() || isUnknownCall(error) && await this.#endsSoon(options?.signal)) {
        return false;
      }
      throw error;
    }
  }

  /** Events can come on several streams: an older one changes no state. */
  #become(state: CallState, { timestampMs }: CallEvent): void {
    if (timestampMs < this.#stateMs) return;
    this.#state = state;
    this.#stateMs = timestampMs;
  }

  #advance(event: CallEvent): void {
    const { eventType, answerTimestampMs } = event;
    // The answer's own event can be missed, while there is no session.
    if (eventType === EventType.CHANNEL_ANSWER || answerTimestampMs > 0) {
      this.#answered.resolve(event);
      this.assumeAnswered();
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
    this.#host.audio.get(this.callSid)?.hungUp();
    this.#host.audio.forget(this.callSid);
    this.#host.warnings.endCall(this.callSid);
    this.#host.events.unregister(this.callSid, this);
    this.#host.onEnd(this.callSid);
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

/** Whether the gateway says that it has no such call: it does not say whether it had one. */
function isUnknownCall(error: unknown): boolean {
  return error instanceof TeleQuickError && error.code === "ERR_RPC_REJECTED";
}

function callEnded(action: string): TeleQuickError {
  return new TeleQuickError("ERR_CALL_ENDED", `Cannot ${action}: the call has ended`);
}

function definedOf(facts: CallFacts): CallFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/**
 * A call: dialled or coming in, ringing, answered, ended. It belongs to its tenant and outlives the session that dialled it.
 *
 * @module
 */

import type { AudioCodec } from "../../audio/mod.ts";
import type { Clock } from "../../base/signal.ts";
import {
  type AudioFrameEncoder,
  type CallEvent,
  DialplanAction,
  EventType,
} from "../../wire/mod.ts";
import { RateLimit } from "../rate_limit.ts";
import { CallMedia } from "./media.ts";
import { type AudioSource, FrameEncoders } from "./audio_source.ts";
import { deriveSeed, type Random } from "../../base/random.ts";
import type { Faults } from "./faults/faults.ts";
import { FaultyLines } from "./faults/faulty_lines.ts";
import type { Recorder, StartRecording } from "./recording.ts";
import type { Speech } from "./far_end.ts";
import { Listening, type Phone } from "./phone/phone.ts";
import type { CallOptions } from "./call_options.ts";
import type { Ticker } from "./ticker.ts";

export type { CallOptions, IncomingPlan } from "./call_options.ts";

/** Where a call lives. */
export interface CallHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly ticker: Ticker;
  /** Audio frames a second that it takes. */
  readonly audioFramesPerSecond: number;
  /** Records calls, where they are recorded. */
  readonly record: StartRecording | undefined;
  /** Seeds what faults draw. */
  readonly seed: () => number;
  /** The faults that are set for a call. */
  faultsOf(call: Call): Faults | undefined;
  /** Takes an event of the call. */
  event(call: Call, event: CallEvent): void;
  /** Takes a packet for the session that holds the call; the last one has no payload and `endOfStream`. */
  speak(call: Call, speech: Speech, endOfStream: boolean): void;
  /** Drops what waits to be heard. */
  hush(call: Call): void;
  /** The far end's talk has stopped what the gateway played. */
  barged(call: Call, talkMs: number): void;
}

/** Where a call stands. */
export type CallState = "dialled" | "ringing" | "answered" | "ended";

// ITU-T Q.850: normal call clearing; no answer from user.
const NORMAL_CLEARING = 16;
const NO_ANSWER = 19;
/** What the last event of a call says that the far end ends before the answer; others have failed. */
const unanswered: Readonly<Record<number, string>> = {
  [NORMAL_CLEARING]: "NO_ANSWER",
  17: "BUSY",
  [NO_ANSWER]: "NO_ANSWER",
};
const AUDIO_BURST_SECONDS = 5;

const unheard = {
  packetsSent: 0,
  packetsReceived: 0,
  packetsLost: 0,
  bytesSent: 0,
  jitterMs: 0,
  estimatedMos: 0,
};

/** One call and the phone at its far end. */
export class Call implements AudioSource {
  readonly options: CallOptions;
  /** When it was dialled or came in, in Unix milliseconds. */
  readonly startMs: number;
  /** The SDK instance that gets its events and audio; answering an incoming call can name another. */
  clientId: string;
  /** Whether it waits to be taken up again. */
  isParked = false;
  readonly #host: CallHost;
  readonly #timers = new Set<() => void>();
  readonly #uplinkRate: RateLimit;
  readonly #encoders: FrameEncoders;
  readonly #onEnd = new Set<() => void>();
  readonly #phone: Phone | undefined;
  readonly #listening: Listening | undefined;
  #state: CallState = "dialled";
  #media: CallMedia | undefined;
  #lines: FaultyLines | undefined;
  #recorder: Recorder | undefined;
  #answerMs = 0;
  #answeredAt = 0;

  constructor(options: CallOptions, host: CallHost) {
    this.options = options;
    this.clientId = options.clientId;
    this.#host = host;
    this.startMs = host.clock.now();
    const { listener, makePhone } = options;
    if (listener !== undefined) this.#listening = new Listening(listener, () => host.clock.now());
    this.#phone = makePhone?.({
      callSid: options.callSid,
      ticker: host.ticker,
      random: host.random,
      direction: options.direction,
      now: () => host.clock.monotonic(),
      later: (ms, action) => this.later(ms, action),
      ring: () => this.#ring(),
      answer: () => this.answer(),
      hangUp: (q850Cause) => this.hangUp(q850Cause),
    });
    this.#encoders = new FrameEncoders(options.callSid);
    const perSecond = host.audioFramesPerSecond;
    const burst = perSecond * AUDIO_BURST_SECONDS;
    this.#uplinkRate = new RateLimit({ perSecond, burst, clock: host.clock });
  }

  /** Where it stands. */
  get state(): CallState {
    return this.#state;
  }

  /** The call's id, unique within its tenant. */
  get callSid(): string {
    return this.options.callSid;
  }

  /** Its sound, between answer and end. */
  get media(): CallMedia | undefined {
    return this.#state === "answered" ? this.#media : undefined;
  }

  /** When it was answered, in Unix milliseconds; 0 before. */
  get answerMs(): number {
    return this.#answerMs;
  }

  /** How it is heard, or was. */
  get quality(): CallMedia["quality"] {
    return this.#media?.quality ?? unheard;
  }

  /** Whether its packets go through faulty lines: it has faults, or had some and keeps the order of its packets. */
  get isFaulty(): boolean {
    return this.#lines !== undefined || this.#host.faultsOf(this) !== undefined;
  }

  /** What its packets go through while it is faulty. */
  get lines(): FaultyLines {
    const { options } = this;
    return this.#lines ??= new FaultyLines({
      clock: this.#host.clock,
      seed: () => deriveSeed(this.#host.seed(), `${options.tenantId} ${options.callSid}`),
      faults: () => this.#host.faultsOf(this),
      onLost: () => this.#media?.miss(1),
    });
  }

  encoder(codec: string): AudioFrameEncoder {
    return this.#encoders.of(codec);
  }

  /** Begins: from here on it has events. */
  start(): void {
    const { direction, incoming } = this.options;
    if (direction === "outbound") this.#emit(EventType.CHANNEL_CREATE, "INITIATED");
    // A call that comes in rings here, also when its caller does something else.
    else this.#ring();
    this.#phone?.start();
    const { answerMs, patienceMs } = incoming ?? {};
    if (answerMs !== undefined) this.later(answerMs, () => this.answer());
    if (patienceMs !== undefined) this.later(patienceMs, () => this.hangUp(NO_ANSWER));
  }

  #ring(): void {
    if (this.#state !== "dialled") return;
    this.#state = "ringing";
    this.#emit(EventType.CHANNEL_CREATE, "RINGING");
  }

  /** Takes a DTMF digit of the client's, for the phone at the far end. */
  digit(digit: string): void {
    this.#listening?.digit(digit);
    this.#phone?.digit?.(digit);
  }

  /** Connects both sides, if it was not answered before. */
  answer(): void {
    if (this.#state === "answered" || this.#state === "ended") return;
    const { clock, random, ticker, record } = this.#host;
    const { incoming, defaultApp, maxDurationMs } = this.options;
    const { autoBargeIn = false, bargeInPatienceMs = 0 } = this.options;
    this.#cancelTimers();
    this.#state = "answered";
    this.#answerMs = clock.now();
    this.#answeredAt = clock.monotonic();
    this.#emit(EventType.CHANNEL_ANSWER, "ANSWERED");
    if (defaultApp === DialplanAction.HANGUP) return this.end();
    this.isParked = defaultApp === DialplanAction.PARK;
    if (incoming?.talkMs !== undefined) this.later(incoming.talkMs, () => this.end());
    if (maxDurationMs > 0) this.later(maxDurationMs, () => this.end());
    this.#recorder = record?.(this.options);
    this.#media = new CallMedia({
      ...{ random, ticker, recorder: this.#recorder },
      phone: defaultApp === DialplanAction.LOOPBACK ? undefined : this.#phone,
      listening: this.#listening,
      bargeIn: autoBargeIn
        ? {
          patienceMs: bargeInPatienceMs,
          onBarge: (talkMs) => this.#host.barged(this, talkMs),
        }
        : undefined,
      say: (speech) => this.#say(speech),
    });
    this.#listening?.answered();
    this.#phone?.answered();
    // The far end hears it from the first frame, unless it has hung up.
    if (defaultApp === DialplanAction.PLAYBACK) this.media?.play();
  }

  /** The far end hangs up, or does not take the call. */
  hangUp(q850Cause: number): void {
    const isAnswered = this.#state === "answered";
    this.end(q850Cause, isAnswered ? "COMPLETED" : unanswered[q850Cause] ?? "FAILED");
  }

  /** Ends it, if it has not ended: hung up by either side, or never answered. */
  end(q850Cause: number = NORMAL_CLEARING, status = "COMPLETED"): void {
    if (this.#state === "ended") return;
    const media = this.#media;
    this.#cancelTimers();
    if (media !== undefined) {
      media.close();
      this.#lines?.end();
      const last = {
        payload: new Uint8Array(0),
        codec: "PCMU",
        sequenceNumber: media.nextSequence,
      };
      this.#host.speak(this, last, true);
    }
    this.#phone?.stop?.();
    this.#state = "ended";
    this.#emit(EventType.CHANNEL_HANGUP_COMPLETE, status, q850Cause);
    this.#phone?.ended?.(q850Cause);
    for (const listener of [...this.#onEnd]) listener();
  }

  /** Calls `listener` when the call has ended. Returns what removes it. */
  onEnd(listener: () => void): () => void {
    this.#onEnd.add(listener);
    return () => void this.#onEnd.delete(listener);
  }

  /** Stops without an event: the gateway is going away. */
  drop(): void {
    this.#state = "ended";
    this.#cancelTimers();
    this.#media?.close();
    this.#phone?.stop?.();
    this.#lines?.clear();
    this.#recorder?.finish();
  }

  #say(speech: Speech): void {
    if (!this.isFaulty) return this.#host.speak(this, speech, false);
    const kept = { ...speech, payload: speech.payload.slice() };
    this.lines.toClient(() => this.#host.speak(this, kept, false));
  }

  /** Takes a packet of its client's audio, at `now` on the clock. Returns `false` when it cannot: not answered, over, or too many. */
  hear(payload: Uint8Array, codec: AudioCodec, now: number): boolean {
    if (this.#state !== "answered" || !this.#uplinkRate.take(now)) return false;
    this.#media!.hear(payload, codec);
    return true;
  }

  /** Stops the playback that is under way. */
  barge(): void {
    this.#media?.hush();
    this.#lines?.hush();
    this.#host.hush(this);
  }

  /** Puts an answered call on hold, or takes it back. Returns `false` when it is so already, or not answered. */
  hold(isHeld: boolean): boolean {
    const { media } = this;
    if (media === undefined || media.isHeld === isHeld) return false;
    media.isHeld = isHeld;
    // The call as a whole stays what it was.
    this.#emit(isHeld ? EventType.CHANNEL_HOLD : EventType.CHANNEL_RESUME, "ANSWERED");
    return true;
  }

  /** Does something after `ms` milliseconds, unless the call is answered or ends before. Does nothing once it has ended. */
  later(ms: number, action: () => void): void {
    if (this.#state === "ended") return;
    const cancel = this.#host.clock.schedule(ms, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
  }

  #cancelTimers(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #emit(eventType: number, status: string, q850Cause = 0): void {
    const { clock } = this.#host;
    const { callSid, trunkId, tenantId } = this.options;
    const isEnd = eventType === EventType.CHANNEL_HANGUP_COMPLETE;
    const isAnswered = this.#answerMs !== 0;
    const talkedMs = isAnswered ? clock.monotonic() - this.#answeredAt : 0;
    this.#host.event(this, {
      ...{ callSid, eventType, status, q850Cause, trunkId, tenantId, clientId: this.clientId },
      startTimestampMs: this.startMs,
      answerTimestampMs: this.#answerMs,
      endTimestampMs: isEnd ? clock.now() : 0,
      timestampMs: clock.now(),
      durationSeconds: isEnd ? Math.floor(talkedMs / 1_000) : 0,
      ...(isEnd ? this.quality : unheard),
      recordingUrl: isEnd ? this.#recorder?.finish() ?? "" : "",
      codec: isAnswered ? "PCMU" : "",
    });
  }
}

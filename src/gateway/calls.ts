/**
 * A call: dialled, ringing, answered, ended. It belongs to its tenant and outlives the session that dialled it.
 *
 * @module
 */

import type { Clock } from "../signal.ts";
import { AudioFrameEncoder, type CallEvent, DialplanAction, EventType } from "../wire/mod.ts";
import { estimateMos, JitterMeter } from "./quality.ts";
import type { Random } from "./random.ts";
import { createFarEnd, type FarEnd, type Script, type Speech } from "./simulate.ts";
import type { Ticker } from "./ticker.ts";
import { RateBucket } from "./bucket.ts";

/** What a call is made from. */
export interface CallOptions {
  readonly callSid: string;
  readonly tenantId: string;
  readonly trunkId: string;
  readonly to: string;
  readonly callFrom: string;
  /** The SDK instance that gets its events and audio; may be empty. */
  readonly clientId: string;
  /** What is done when it is answered. */
  readonly defaultApp: number;
  readonly defaultAppArgs: string;
  /** Ends it so long after the answer, in milliseconds; 0 sets no limit. */
  readonly maxDurationMs: number;
  /** What the far end does. */
  readonly script: Script;
}

/** Where a call lives. */
export interface CallHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly ticker: Ticker;
  /** Audio frames a second that it takes. */
  readonly audioFramesPerSecond: number;
  /** Takes an event of the call. */
  event(call: Call, event: CallEvent): void;
  /** Takes a packet for whoever holds the call; the last one has no payload and `endOfStream`. */
  speak(call: Call, speech: Speech, endOfStream: boolean): void;
  /** Drops what waits to be heard. */
  hush(call: Call): void;
}

/** Where a call stands. */
export type CallState = "dialled" | "ringing" | "answered" | "ended";

// ITU-T Q.850: normal call clearing.
const NORMAL_CLEARING = 16;
const AUDIO_BURST_SECONDS = 5;
const MAX_U32 = 2 ** 32 - 1;

/** One call and the phone at its far end. */
export class Call {
  readonly options: CallOptions;
  /** When it was dialled, in Unix milliseconds. */
  readonly startMs: number;
  readonly #host: CallHost;
  readonly #timers = new Set<() => void>();
  readonly #uplinkRate: RateBucket;
  readonly #encoders = new Map<string, AudioFrameEncoder>();
  readonly #jitter = new JitterMeter();
  #state: CallState = "dialled";
  #farEnd: FarEnd | undefined;
  #answerMs = 0;
  #answeredAt = 0;
  #sent = 0;
  #received = 0;
  #lost = 0;
  #bytesSent = 0;

  constructor(options: CallOptions, host: CallHost) {
    this.options = options;
    this.#host = host;
    this.startMs = host.clock.now();
    const perSecond = host.audioFramesPerSecond;
    const burst = perSecond * AUDIO_BURST_SECONDS;
    this.#uplinkRate = new RateBucket({ perSecond, burst, clock: host.clock });
  }

  /** Where it stands. */
  get state(): CallState {
    return this.#state;
  }

  /** The call's id, unique within its tenant. */
  get callSid(): string {
    return this.options.callSid;
  }

  /** What writes its audio frames in a codec. */
  encoder(codec: string): AudioFrameEncoder {
    let encoder = this.#encoders.get(codec);
    if (encoder === undefined) {
      encoder = new AudioFrameEncoder({ callSid: this.callSid, codec });
      this.#encoders.set(codec, encoder);
    }
    return encoder;
  }

  /** Jitter of the audio that its client sends. */
  get jitter(): JitterMeter {
    return this.#jitter;
  }

  /** Dials: from here on it tells events. */
  start(): void {
    const { script } = this.options;
    this.#emit(EventType.CHANNEL_CREATE, "INITIATED");
    if (script.rings) {
      this.#state = "ringing";
      this.#emit(EventType.CHANNEL_CREATE, "RINGING");
    }
    const { failure } = script;
    this.#later(script.afterMs, () => {
      if (failure === undefined) this.#answer();
      else this.end(failure.q850Cause, failure.status);
    });
  }

  /** Ends it, if it has not ended: hung up by either side, or never answered. */
  end(q850Cause: number = NORMAL_CLEARING, status = "COMPLETED"): void {
    if (this.#state === "ended") return;
    const farEnd = this.#farEnd;
    this.#state = "ended";
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    if (farEnd !== undefined) {
      farEnd.close();
      const last = {
        payload: new Uint8Array(0),
        codec: "PCMU",
        sequenceNumber: farEnd.nextSequence,
      };
      this.#host.speak(this, last, true);
    }
    this.#emit(EventType.CHANNEL_HANGUP_COMPLETE, status, q850Cause);
  }

  /** Stops its timers without a word: the gateway is going away. */
  drop(): void {
    this.#state = "ended";
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#farEnd?.hush();
  }

  /** Takes a packet of its client's audio. Returns `false` when it cannot: not answered, over, or too many. */
  hear(payload: Uint8Array, codec: string): boolean {
    if (this.#state !== "answered" || !this.#uplinkRate.take()) return false;
    this.#sent++;
    this.#bytesSent += payload.length;
    this.#farEnd!.hear(payload, codec);
    return true;
  }

  /** Counts packets of its client's audio that did not arrive; a negative number takes some back that came late. */
  miss(packets: number): void {
    this.#lost = Math.min(MAX_U32, Math.max(0, this.#lost + packets));
  }

  /** Stops the playback that is under way. */
  barge(): void {
    this.#farEnd?.hush();
    this.#host.hush(this);
  }

  #answer(): void {
    const { clock, random, ticker } = this.#host;
    const { script, defaultApp, maxDurationMs } = this.options;
    this.#state = "answered";
    this.#answerMs = clock.now();
    this.#answeredAt = clock.monotonic();
    this.#emit(EventType.CHANNEL_ANSWER, "ANSWERED");
    if (defaultApp === DialplanAction.HANGUP) return this.end();
    if (script.talkMs !== undefined) this.#later(script.talkMs, () => this.end());
    if (maxDurationMs > 0) this.#later(maxDurationMs, () => this.end());
    this.#farEnd = createFarEnd({
      media: defaultApp === DialplanAction.LOOPBACK ? "echo" : script.media,
      random,
      ticker,
      say: (speech) => {
        this.#received++;
        this.#host.speak(this, speech, false);
      },
      lost: () => this.miss(1),
    });
  }

  #later(ms: number, action: () => void): void {
    const cancel = this.#host.clock.schedule(ms, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
  }

  #emit(eventType: number, status: string, q850Cause = 0): void {
    const { clock } = this.#host;
    const { callSid, trunkId, tenantId, clientId } = this.options;
    const ended = eventType === EventType.CHANNEL_HANGUP_COMPLETE;
    const quality = {
      packetsSent: this.#sent,
      packetsReceived: this.#received,
      packetsLost: this.#lost,
      bytesSent: this.#bytesSent,
      jitterMs: this.#jitter.jitterMs,
    };
    const talked = this.#answerMs === 0 ? 0 : clock.monotonic() - this.#answeredAt;
    this.#host.event(this, {
      callSid,
      eventType,
      status,
      startTimestampMs: this.startMs,
      q850Cause,
      recordingUrl: "",
      durationSeconds: ended ? Math.floor(talked / 1_000) : 0,
      answerTimestampMs: this.#answerMs,
      endTimestampMs: ended ? clock.now() : 0,
      ...(ended ? quality : silence),
      estimatedMos: ended ? estimateMos(quality) : 0,
      trunkId,
      tenantId,
      codec: this.#answerMs === 0 ? "" : "PCMU",
      timestampMs: clock.now(),
      clientId,
    });
  }
}

const silence = { packetsSent: 0, packetsReceived: 0, packetsLost: 0, bytesSent: 0, jitterMs: 0 };

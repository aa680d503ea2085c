/**
 * The sound of an answered call: from its client to the phone at the far end and back, and supervisors in between.
 *
 * @module
 */

import { type AudioCodec, JitterEstimate } from "../../audio/mod.ts";
import type { LevelMeter } from "./level_meter.ts";
import { Mixer } from "./mixer.ts";
import { estimateMos, type Quality } from "./mos.ts";
import type { Random } from "../../base/random.ts";
import { createFarEnd, type FarEnd, playTone, type Speech } from "./far_end.ts";
import type { Listening, Phone, PhoneAudio } from "./phone/phone.ts";
import type { Tap } from "./tap.ts";
import { TalkDetector } from "./talk_detector.ts";
import type { Ticker } from "./ticker.ts";

/** Options of {@linkcode CallMedia}. */
export interface CallMediaOptions {
  /** The phone at the far end. Default: an echo. */
  readonly phone?: Phone | undefined;
  /** Takes what the far end hears. */
  readonly listening?: Listening | undefined;
  readonly random: Random;
  readonly ticker: Ticker;
  /** Takes a packet for the call's client. */
  readonly say: (speech: Speech) => void;
  /**
   * Stops what the gateway plays when the far end has talked for `patienceMs`. `undefined`: it does not.
   */
  readonly bargeIn: {
    readonly patienceMs: number;
    /** Called when it has stopped something, with how long the far end has been talking. */
    readonly onBarge: (talkMs: number) => void;
  } | undefined;
  /** Hears everything, to the end. */
  readonly recorder: Tap | undefined;
}

const MAX_U32 = 2 ** 32 - 1;
const PLAYBACK_MS = 3_000;
const TICK_MS = 20;

/** Both directions of one call, and what was counted of them. */
export class CallMedia {
  /** Jitter of what the client sends. */
  readonly jitter: JitterEstimate = new JitterEstimate();
  /** Whether neither side hears the other: the call is on hold. A whisper to the agent is heard. */
  isHeld = false;
  /** Whether the far end does not hear the client. */
  isMuted = false;
  /** Measures how loud both directions are, while the owner watches. */
  meter: LevelMeter | undefined;
  /** The call whose far end this one's talks to, in place of the client. */
  partner: CallMedia | undefined;
  readonly #options: CallMediaOptions;
  #farEnd: FarEnd;
  // Made when they are asked for: most calls have no supervisor.
  #taps: Set<Tap> | undefined;
  #toAgent: Mixer | undefined;
  #toCaller: Mixer | undefined;
  // Stops what the gateway plays, while it plays something.
  #stopPlayback: (() => void) | undefined;
  readonly #talk = new TalkDetector();
  #next = 0;
  #sent = 0;
  #received = 0;
  #lost = 0;
  #bytesSent = 0;

  constructor(options: CallMediaOptions) {
    this.#options = options;
    this.#farEnd = options.phone?.connect(this.#audio()) ?? this.#makeEcho();
  }

  /** Supervisors. */
  get taps(): Set<Tap> {
    return this.#taps ??= new Set();
  }

  /** Speaks to the client besides the far end. */
  get toAgent(): Mixer {
    return this.#toAgent ??= new Mixer({
      ticker: this.#options.ticker,
      say: (payload) => this.#sayToAgent(payload, "PCMU", this.#next++),
    });
  }

  /** Speaks to the far end besides the client. */
  get toCaller(): Mixer {
    return this.#toCaller ??= new Mixer({
      ticker: this.#options.ticker,
      say: (payload) => {
        if (!this.isHeld) this.#sendToCaller(payload, "PCMU");
      },
    });
  }

  /** The place that the next packet to the client has. */
  get nextSequence(): number {
    return this.#next;
  }

  /** What was counted, for the last event. */
  get quality(): Quality & { readonly estimatedMos: number } {
    const quality = {
      packetsSent: this.#sent,
      packetsReceived: this.#received,
      packetsLost: this.#lost,
      bytesSent: this.#bytesSent,
      jitterMs: this.jitter.jitterMs,
    };
    return { ...quality, estimatedMos: estimateMos(quality) };
  }

  /** Takes a packet of the client's. */
  hear(payload: Uint8Array, codec: AudioCodec): void {
    // A recording and supervisors hear what the far end hears: nothing that was said in confidence of a mute or a hold.
    if (this.isMuted || this.isHeld || this.partner !== undefined) return;
    this.#options.recorder?.agent(payload, codec);
    this.meter?.agent(payload, codec);
    this.#taps?.forEach((tap) => tap.agent(payload, codec));
    this.#sendToCaller(this.#toCaller?.mix(payload, codec) ?? payload, codec);
  }

  /** Counts packets of the client's that did not arrive; a negative number takes back some that came late. */
  miss(packets: number): void {
    this.#lost = Math.min(MAX_U32, Math.max(0, this.#lost + packets));
  }

  /** Plays the test tone to the far end for 3 seconds: what a file would be in a gateway that reads files. */
  play(): void {
    this.#stopPlayback?.();
    let left = PLAYBACK_MS / TICK_MS;
    const stop = playTone(this.#options.ticker, (payload) => {
      this.#sendToCaller(payload, "PCMU");
      if (--left <= 0) this.#stopPlayback?.();
    });
    this.#stopPlayback = () => {
      stop();
      this.#stopPlayback = undefined;
    };
  }

  /** Stops everything that plays by itself. */
  hush(): void {
    this.#stopPlayback?.();
    this.#farEnd.hush();
    this.#toAgent?.close();
    this.#toCaller?.close();
  }

  /** Turns the far end into an echo. */
  loopBack(): void {
    this.#farEnd.close();
    this.#farEnd = this.#makeEcho();
  }

  /** Ends it: what the far end holds back is said, and nothing after it. */
  close(): void {
    this.#stopPlayback?.();
    this.#farEnd.close();
    this.#toAgent?.close();
    this.#toCaller?.close();
    if (this.partner !== undefined) this.partner.partner = undefined;
    this.partner = undefined;
    this.#taps?.clear();
  }

  #makeEcho(): FarEnd {
    const { random, ticker } = this.#options;
    return createFarEnd({ ...this.#audio(), media: "echo", random, ticker });
  }

  #audio(): PhoneAudio {
    return {
      allocate: () => this.#allocate(),
      say: (speech) => this.#fromCaller(speech),
      lost: () => this.miss(1),
    };
  }

  /** A packet that the client does not get takes no place, so that a hold does not count as loss. */
  #allocate(): number {
    return this.isHeld || this.partner !== undefined ? this.#next : this.#next++;
  }

  #sendToCaller(payload: Uint8Array, codec: string): void {
    this.#countSent(payload);
    this.#options.listening?.hear(payload, codec);
    this.#farEnd.hear(payload, codec);
  }

  #countSent(payload: Uint8Array): void {
    this.#sent++;
    this.#bytesSent += payload.length;
  }

  #fromCaller({ payload, codec, sequenceNumber }: Speech): void {
    this.#received++;
    this.#options.recorder?.caller(payload, codec);
    this.meter?.caller(payload, codec);
    this.#taps?.forEach((tap) => tap.caller(payload, codec));
    this.#bargeIn(payload, codec);
    if (this.isHeld) return;
    if (this.partner?.isHeld) return;
    // The partner's phone only listens: two echoes would never stop.
    if (this.partner !== undefined) return this.partner.#countSent(payload);
    this.#sayToAgent(this.#toAgent?.mix(payload, codec) ?? payload, codec, sequenceNumber);
  }

  #bargeIn(payload: Uint8Array, codec: string): void {
    const { bargeIn } = this.#options;
    if (bargeIn === undefined) return;
    const talkMs = this.#talk.take(payload, codec);
    if (talkMs === 0 || talkMs < bargeIn.patienceMs || this.#stopPlayback === undefined) return;
    this.#stopPlayback();
    bargeIn.onBarge(talkMs);
  }

  #sayToAgent(payload: Uint8Array, codec: string, sequenceNumber: number): void {
    this.#options.say({ payload, codec, sequenceNumber });
  }
}

/**
 * The link behind {@linkcode AudioLink}: both directions, and the hub that moves them between sessions.
 *
 * @module
 */

import { audioCodecs, frameMilliseconds, isAudioCodec } from "../../audio/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import type { AudioFrame } from "../../wire/mod.ts";
import type { AudioLink, AudioOptions, AudioStats } from "./audio_link.ts";
import type { AudioHub, AudioRoute } from "./audio_hub.ts";
import { IncomingAudio } from "./receive.ts";
import { OutgoingAudio, type SequenceCounter } from "./send.ts";

// Events and audio come on streams of their own: the last frames may be behind the hangup event.
const HANGUP_GRACE_MS = 250;

/** Options of a {@linkcode CallAudio}. */
export interface CallAudioOptions extends AudioOptions {
  /** Whether the frame that ends the far end's stream ends `readable`. Default: `true`; a supervisor's place outlives sessions. */
  readonly endsWithFrame?: boolean;
}

/** Both directions of a call's audio, with what the client needs besides what users see. */
export class CallAudio implements AudioRoute {
  readonly callSid: string;
  readonly codec: AudioLink["codec"];
  readonly #hub: AudioHub;
  readonly #incoming: IncomingAudio;
  readonly #outgoing: OutgoingAudio;
  #cancelHangup: (() => void) | undefined;
  #session: unknown;

  constructor(
    hub: AudioHub,
    callSid: string,
    sequence: SequenceCounter,
    options: CallAudioOptions = {},
  ) {
    const { codec = "PCMU", leadMs = 200, silence = "pause", receiveCapacity = 100 } = options;
    checkOptions(codec, leadMs, receiveCapacity);
    const { sampleRate = audioCodecs[codec].sampleRate } = options;
    this.#hub = hub;
    this.callSid = callSid;
    this.codec = codec;
    this.#incoming = new IncomingAudio({
      callSid,
      clock: hub.clock,
      sampleRate,
      jitterBufferMs: options.jitterBufferMs,
      capacity: receiveCapacity,
      endsWithFrame: options.endsWithFrame ?? true,
    });
    this.#outgoing = new OutgoingAudio({
      callSid,
      codec,
      sampleRate,
      leadMs,
      silence,
      sequence,
      pacer: hub.pacer,
      lane: {
        append: (frame) => hub.send(this, frame),
        flush: () => hub.flush(this),
        finish: () => hub.finish(this),
      },
    });
    hub.add(this, sequence.next > 0);
  }

  get readable(): AudioLink["readable"] {
    return this.#incoming.readable;
  }

  get samples(): AudioLink["samples"] {
    return this.#incoming.samples;
  }

  get writable(): AudioLink["writable"] {
    return this.#outgoing.writable;
  }

  stats(): AudioStats {
    return { ...this.#incoming.stats(), ...this.#outgoing.stats() };
  }

  async clear(): Promise<void> {
    this.#outgoing.forget();
    await this.#hub.barge(this.callSid);
  }

  async close(): Promise<void> {
    await this.#outgoing.playOut();
    this.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Takes the frames of this session only: on each a supervisor's begin anew. */
  follow(session: unknown): void {
    if (this.#session !== undefined) this.#incoming.beginAnew();
    this.#session = session;
  }

  /** Takes a frame off the wire of `session`, which arrived at `now`. */
  deliver(frame: AudioFrame, now: number, session: unknown): void {
    if (session !== (this.#session ?? session)) return;
    this.#incoming.accept(frame, now);
    if (this.#incoming.ended && this.#cancelHangup !== undefined) this.end();
  }

  /** The call has ended: what is still under way from the far end is read for a moment, then both directions end. */
  hungUp(): void {
    if (this.#incoming.ended) this.end();
    else this.#cancelHangup ??= this.#hub.clock.schedule(HANGUP_GRACE_MS, () => this.end());
  }

  /** Ends both directions at once: the call is over, or the client is. */
  end(error?: TeleQuickError): void {
    this.#cancelHangup?.();
    this.#incoming.end(error);
    this.#outgoing.end(
      error ??
        new TeleQuickError("ERR_CALL_ENDED", "Cannot send audio: the call, or its link, has ended"),
    );
    this.#hub.remove(this);
  }
}

function checkOptions(codec: string, leadMs: number, receiveCapacity: number): void {
  if (!isAudioCodec(codec)) {
    const names = Object.keys(audioCodecs).join(", ");
    throw invalid(`codec is ${JSON.stringify(codec)}, expected one of ${names}`);
  }
  if (!(leadMs >= frameMilliseconds && leadMs <= 10_000)) {
    throw invalid(`leadMs is ${leadMs}, expected 20 to 10000`);
  }
  if (!(Number.isSafeInteger(receiveCapacity) && receiveCapacity > 0)) {
    throw invalid(`receiveCapacity is ${receiveCapacity}, expected a positive number of frames`);
  }
}

function invalid(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot open audio: ${found}`);
}

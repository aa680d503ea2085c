/**
 * The implementation of {@linkcode AudioLink}: both directions, and the hub that moves them between sessions.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { type Deferred, deferred } from "../../base/deferred.ts";
import { handled } from "../../base/handled.ts";
import { frameMilliseconds } from "../../audio/mod.ts";
import type { AudioHub, AudioRoute } from "./audio_hub.ts";
import type { AudioLink, AudioOptions, AudioStats, ReceivedFrame } from "./audio_link.ts";
import {
  checkSameOptions,
  resolveAudioOptions,
  type ResolvedAudioOptions,
} from "./audio_options.ts";
import { type AudioPort, type AudioReceiver, port } from "./audio_port.ts";
import type { AudioChunk } from "./chunk.ts";
import { LATE_MS } from "./live_source.ts";
import type { SequenceCounter } from "./outgoing_frame.ts";
import { type AudioSource, type Playback, Playbacks, type PlayOptions } from "./playback.ts";
import { IncomingAudio } from "./receive.ts";
import { OutgoingAudio } from "./send.ts";
import type { PlaybackEnd } from "./speech_track.ts";
import { WritableAudio } from "./writable.ts";

// Events and audio come on streams of their own: the last frames can come after the hangup event.
const HANGUP_GRACE_MS = 250;
// Two frames, one slot that is waited for, and what timers are late by.
const LAST_WORD_MS = 100;
// While its stream cannot be written, this much of a link's audio is kept, the newest.
const PENDING_MS = 200;

/** Options of a {@linkcode CallAudio}. */
export interface CallAudioOptions extends AudioOptions {
  /** Whether the frame that ends the far end's stream ends `readable`. Default: `true`; a supervisor's place outlives sessions. */
  readonly endsWithFrame?: boolean;
  /** Whether the call was answered, as far as is known. Default: `true`. */
  readonly isAnswered?: boolean;
}

/** Both directions of a call's audio, with what the client needs besides what users see. */
export class CallAudio implements AudioRoute {
  readonly callSid: string;
  readonly codec: AudioLink["codec"];
  readonly sampleRate: number;
  readonly pendingFrames: number;
  readonly #options: ResolvedAudioOptions;
  readonly #hub: AudioHub;
  readonly #incoming: IncomingAudio;
  readonly #outgoing: OutgoingAudio;
  // Made when they are asked for: most links are written to in one way.
  #writable: WritableAudio | undefined;
  #playbacks: Playbacks | undefined;
  #port: AudioPort | undefined;
  #over: Deferred<void> | undefined;
  #isClosing = false;
  #isOver = false;
  #end: TeleQuickError | undefined;
  #cancelHangup: (() => void) | undefined;

  constructor(
    hub: AudioHub,
    callSid: string,
    sequence: SequenceCounter,
    options: CallAudioOptions = {},
  ) {
    const resolved = resolveAudioOptions(options);
    const { codec, sampleRate, silence, source, earlyMedia } = resolved;
    const { clock, pacer } = hub;
    const isLive = source === "live";
    this.#options = resolved;
    this.#hub = hub;
    this.callSid = callSid;
    this.codec = codec;
    this.sampleRate = sampleRate;
    this.pendingFrames = (isLive ? LATE_MS : PENDING_MS) / frameMilliseconds;
    this.#incoming = new IncomingAudio({
      ...{ callSid, clock, pacer, sampleRate },
      jitterBufferMs: resolved.jitterBufferMs,
      capacity: resolved.receiveCapacity,
      endsWithFrame: options.endsWithFrame ?? true,
      onEnd: () => {
        if (this.#cancelHangup !== undefined) this.end();
      },
    });
    this.#outgoing = new OutgoingAudio({
      ...{ callSid, codec, sampleRate, silence, isLive, sequence, pacer, clock },
      isOpen: earlyMedia || (options.isAnswered ?? true),
      lane: hub.laneFor(this),
      room: hub.frameRoom,
    });
    hub.add(this, this.#incoming, sequence.next > 0);
  }

  /** The inner side. */
  get [port](): AudioPort {
    return this.#port ??= new LinkPort(this, this.#incoming, this.#outgoing);
  }

  /** Resolves when the link has ended. */
  get over(): Promise<void> {
    this.#over ??= deferred<void>();
    if (this.#isOver) this.#over.resolve();
    return this.#over.promise;
  }

  get readable(): AudioLink["readable"] {
    return this.#incoming.readable;
  }

  get samples(): AudioLink["samples"] {
    return this.#incoming.samples;
  }

  get writable(): AudioLink["writable"] {
    return (this.#writable ??= this.#makeWritable()).stream;
  }

  /** When the last frame arrived, on the monotonic clock; `undefined` before the first. */
  get heardAt(): number | undefined {
    return this.#incoming.heardAt;
  }

  stats(): AudioStats {
    return { ...this.#incoming.stats(), ...this.#outgoing.stats() };
  }

  play(source: AudioSource, options: PlayOptions = {}): Playback {
    return (this.#playbacks ??= this.#makePlaybacks()).play(source, options);
  }

  clear(): Promise<PlaybackEnd> {
    return handled(this.#clear());
  }

  flush(): Promise<void> {
    return handled(this.#flush());
  }

  skipToNow(): number {
    return this.#incoming.skip();
  }

  close(): Promise<void> {
    return handled(this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Throws `ERR_VALUE_INVALID` when options ask for another link than this one. */
  checkOptions(options: AudioOptions): void {
    checkSameOptions(this.#options, options);
  }

  /** Takes the frames of this session only: on each a supervisor's begin anew. */
  follow(session: unknown): void {
    this.#incoming.follow(session);
  }

  answered(): void {
    this.#outgoing.open();
  }

  async leave(): Promise<void> {
    if (!this.#outgoing.isOpen) await this.#outgoing.finish();
    await this.close();
  }

  /** Resolves when the end of what was said has been played, where only that is left; within a tenth of a second. */
  async lastWord(): Promise<void> {
    let cancel = ignore;
    const tooLong = new Promise<void>((resolve) => {
      cancel = this.#hub.clock.schedule(LAST_WORD_MS, resolve);
    });
    await Promise.race([this.#outgoing.lastWord(), tooLong]);
    cancel();
  }

  /** The call has ended: what is still under way from the far end is read for a moment, then both directions end. */
  hungUp(): void {
    if (this.#incoming.ended) this.end();
    else this.#cancelHangup ??= this.#hub.clock.schedule(HANGUP_GRACE_MS, () => this.end());
  }

  /** Ends both directions at once: the call is over, or the client is. */
  end(error?: TeleQuickError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelHangup?.();
    this.#incoming.end(error);
    this.#playbacks?.end();
    // Writers first: what is dropped afterwards would look to them as if it was sent.
    this.#end = error ?? ended("send audio");
    this.#writable?.end(this.#end);
    this.#outgoing.end();
    this.#hub.remove(this);
    this.#over?.resolve();
  }

  async #clear(): Promise<PlaybackEnd> {
    if (this.#isOver) return { playedMs: 0, durationMs: 0, interrupted: false };
    const cut = this.drop();
    await this.#hub.barge(this.callSid);
    return cut;
  }

  /** Drops what waits on this side. Returns what was heard of it. */
  drop(): PlaybackEnd {
    const unwrittenMs = this.#writable?.clear() ?? 0;
    const { playedMs, durationMs, interrupted } = this.#outgoing.clear();
    const unsaidMs = unwrittenMs + (this.#playbacks?.clear() ?? 0);
    return {
      playedMs,
      durationMs: durationMs + unsaidMs,
      interrupted: interrupted || unsaidMs > 0,
    };
  }

  async #flush(): Promise<void> {
    await this.#allWritten();
    await this.#outgoing.allSent();
    if (this.#isOver) throw ended("flush audio");
  }

  /** Resolves when everything that was written or played so far has been handed over, or the link has ended. */
  async #allWritten(): Promise<void> {
    const writable = this.#writable;
    const written = writable?.written ?? 0;
    await this.#outgoing.until(() =>
      (writable?.accepted ?? 0) >= written && (this.#playbacks?.isIdle ?? true)
    );
  }

  async #playOut(): Promise<void> {
    await this.#allWritten();
    this.#isClosing = true;
    this.#writable?.closeToWriters();
    await this.#outgoing.playOut();
  }

  async #close(): Promise<void> {
    await this.#playOut();
    this.end();
  }

  #makeWritable(): WritableAudio {
    const { codec, sampleRate } = this;
    const { leadMs, source } = this.#options;
    const writable = new WritableAudio({
      ...{ codec, sampleRate, outgoing: this.#outgoing, leadMs, isLive: source === "live" },
      mayWrite: (number) => this.#playbacks?.mayWrite(number) ?? true,
      playOut: () => this.#playOut(),
    });
    if (this.#isClosing) writable.closeToWriters();
    if (this.#end !== undefined) writable.end(this.#end);
    this.#watchProgress();
    return writable;
  }

  #makePlaybacks(): Playbacks {
    const { codec, sampleRate } = this;
    const { clock } = this.#hub;
    const { leadMs } = this.#options;
    const playbacks = new Playbacks({
      ...{ codec, sampleRate, outgoing: this.#outgoing, clock, leadMs },
      written: () => this.#writable?.written ?? 0,
      accepted: () => this.#writable?.accepted ?? 0,
    });
    if (this.#isOver) playbacks.end();
    this.#watchProgress();
    return playbacks;
  }

  #watchProgress(): void {
    this.#outgoing.onProgress = () => {
      this.#playbacks?.progress();
      this.#writable?.progress();
    };
  }
}

/** The inner side of a link. */
class LinkPort implements AudioPort {
  readonly #link: CallAudio;
  readonly #incoming: IncomingAudio;
  readonly #outgoing: OutgoingAudio;

  constructor(link: CallAudio, incoming: IncomingAudio, outgoing: OutgoingAudio) {
    this.#link = link;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  get callSid(): string {
    return this.#link.callSid;
  }

  get codec(): AudioLink["codec"] {
    return this.#link.codec;
  }

  get sampleRate(): number {
    return this.#link.sampleRate;
  }

  get queuedMs(): number {
    return this.#outgoing.queuedMs;
  }

  get ended(): Promise<void> {
    return this.#link.over;
  }

  receive(receiver: AudioReceiver<ReceivedFrame>): () => void {
    return this.#incoming.receive(receiver);
  }

  receiveSamples(receiver: AudioReceiver<Int16Array>): () => void {
    return this.#incoming.receiveSamples(receiver);
  }

  send(chunk: AudioChunk): void {
    this.#outgoing.push(chunk);
  }

  queuedBelow(ms: number): Promise<void> {
    return this.#outgoing.until(() => this.#outgoing.queuedMs < ms);
  }

  drop(): PlaybackEnd {
    return this.#link.drop();
  }
}

function ended(action: string): TeleQuickError {
  return new TeleQuickError(
    "ERR_CALL_ENDED",
    `Cannot ${action}: the call, or its link, has ended`,
  );
}

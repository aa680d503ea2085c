/**
 * Outgoing audio of one call: chunks of any size in, one frame each 20 ms out. It knows no stream: `writable`, `play` and the port
 * hand their chunks to it.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import {
  type AudioCodec,
  type AudioCodecInfo,
  audioCodecs,
  encodeAudio,
  frameMilliseconds,
  Resampler,
} from "../../audio/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import type { Clock } from "../../base/signal.ts";
import { AudioFrameEncoder } from "../../wire/mod.ts";
import { type AudioChunk, chunkMs, encodeChunk } from "./chunk.ts";
import { type FrameOwner, OutgoingFrame, type SequenceCounter } from "./outgoing_frame.ts";
import type { Paced, Pacer } from "./pacer.ts";
import type { PendingFrame } from "./send_stream.ts";
import { type PlaybackEnd, SpeechTrack } from "./speech_track.ts";

/** Where a link's frames go: the stream that carries the call. */
export interface SendLane {
  /** Adds a frame to what the next flush writes. */
  append(frame: PendingFrame): void;
  flush(): void;
  /** Takes back the frames of `owner` that are not written yet. */
  recall(owner: FrameOwner): void;
  /** Writes what waits; finishes the stream if it is this call's own. */
  finish(): Promise<void>;
}

/** Options of {@linkcode OutgoingAudio}. */
export interface OutgoingAudioOptions {
  readonly callSid: string;
  readonly codec: AudioCodec;
  readonly sampleRate: number;
  readonly silence: "pause" | "send";
  /** Whether the sound is made at the moment it is handed over: then what waits is bounded by {@linkcode LIVE_MS}. */
  readonly isLive: boolean;
  /** Whether frames leave at once; otherwise they wait until {@linkcode OutgoingAudio.open}. */
  readonly isOpen: boolean;
  readonly sequence: SequenceCounter;
  readonly pacer: Pacer;
  readonly clock: Clock;
  readonly lane: SendLane;
}

/** What was counted of outgoing audio. */
export interface OutgoingStats {
  readonly sent: number;
  readonly sendDropped: number;
  readonly slotsMissed: number;
}

/** A live source is never later than this: older sound is dropped. */
export const LIVE_MS = 60;
// A process that was held up sends at most this many frames at once, then goes on at 50 a second.
const MAX_BURST_FRAMES = 3;
const LIVE_FRAMES = LIVE_MS / frameMilliseconds;
// What is handed over without a stream, and so without back-pressure, is bounded: ten minutes.
const MOST_QUEUED_MS = 600_000;
// Frames that were written are kept to be used again, so many of each call: what a writer has waiting at the default lead.
const SPARE_FRAMES = 10;

/** Encodes, cuts into frames, paces. */
export class OutgoingAudio implements Paced {
  readonly #options: OutgoingAudioOptions;
  readonly #resampler: Resampler;
  readonly #codec: AudioCodecInfo;
  readonly #owner: FrameOwner;
  readonly #spare: OutgoingFrame[] = [];
  // Whole frames that wait for their slots, and the one being filled.
  #frames: OutgoingFrame[] = [];
  #filling: OutgoingFrame | undefined;
  // Whether the resampler holds back the end of what was said.
  #hasTail = false;
  // Ticks since something was handed over: more can follow, and the frame being filled waits for it.
  #quietSlots = 0;
  // Where the last sound came from.
  #last: SpeechTrack | undefined;
  // What is not played yet: playbacks, and what was handed over without a track of its own.
  readonly #tracks = new Set<SpeechTrack>();
  #written: SpeechTrack | undefined;
  #isOpen: boolean;
  #slot: number | undefined;
  // Slots that the process was late for, with nothing to send: the source was perhaps held up with it.
  #owed = 0;
  // When the last frame that was handed to the transport will have been played.
  #playedUntil = 0;
  #sent = 0;
  #dropped = 0;
  #slotsMissed = 0;
  #waiting: (() => void)[] = [];
  #finished: Promise<void> | undefined;
  #ended = false;
  /** Called when frames have left, something was dropped, or it has ended: it can be a writer's turn. */
  onProgress: () => void = ignore;

  constructor(options: OutgoingAudioOptions) {
    const { callSid, codec, sampleRate, sequence } = options;
    this.#options = options;
    this.#codec = audioCodecs[codec];
    this.#isOpen = options.isOpen;
    this.#owner = {
      encoder: new AudioFrameEncoder({ callSid, codec }),
      sequence,
      written: (frame) => this.#handedOver(frame),
      dropped: (frame) => {
        this.#dropped++;
        this.#takeBack(frame);
      },
      recalled: (frame) => this.#takeBack(frame),
    };
    this.#resampler = new Resampler({
      inputRate: sampleRate,
      outputRate: this.#codec.sampleRate,
    });
    this.#activate();
  }

  /** Whether it has ended, or is saying so. */
  get isOver(): boolean {
    return this.#ended;
  }

  /** Whether frames leave. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whole frames that wait for their slots. */
  get waitingFrames(): number {
    return this.#frames.length;
  }

  /** How long what waits for its slot lasts, in milliseconds, the frame being filled counted whole. */
  get queuedMs(): number {
    return (this.#frames.length + (this.#filling === undefined ? 0 : 1)) * frameMilliseconds;
  }

  /** Frames sent, dropped, and slots missed. */
  stats(): OutgoingStats {
    return { sent: this.#sent, sendDropped: this.#dropped, slotsMissed: this.#slotsMissed };
  }

  /** From now on frames leave. */
  open(): void {
    if (this.#isOpen) return;
    if (this.#options.isLive) this.#forgetRest();
    this.#isOpen = true;
    this.#activate();
  }

  /**
   * Takes a chunk. It is refused whole, by a throw, when it is not audio or more than ten minutes wait.
   *
   * @param chunk The audio.
   * @param track What it belongs to. Without one it is a live source's, where the link has one, or what a writer says.
   * @param durationMs How long it lasts, where that is known.
   */
  push(
    chunk: AudioChunk,
    track?: SpeechTrack,
    durationMs: number = chunkMs(chunk, this.#options),
  ): void {
    if (this.queuedMs + durationMs > MOST_QUEUED_MS) {
      throw new TeleQuickError(
        "ERR_LIMIT",
        `Cannot send audio: ${
          Math.round((this.queuedMs + durationMs) / 1_000)
        } s would wait, expected at most 600 s (write to \`writable\`, which asks its writer to wait)`,
      );
    }
    const bytes = encodeChunk(chunk, this.#options, this.#resampler);
    if (this.#ended) return;
    if (!(chunk instanceof Uint8Array)) this.#hasTail = this.#resampler.delaySamples > 0;
    const isLive = this.#options.isLive && track === undefined;
    // A live source that is not heard yet has said nothing.
    const isDiscarded = isLive && !this.#isOpen;
    const owner = track ?? (isDiscarded ? new SpeechTrack() : this.#written ??= new SpeechTrack());
    owner.durationMs += durationMs;
    if (track !== undefined) this.#tracks.add(track);
    this.#last = owner;
    this.#quietSlots = 0;
    this.#packetize(bytes, owner);
    if (isLive) this.#dropStale();
    // A source that was held up together with this process gets these slots.
    if (this.#owed > 0 && this.#frames.length > 0) this.#sendOwed();
    this.#activate();
  }

  /** Ends an utterance: its last frame is completed with silence, and what comes next begins with a frame of its own. */
  seal(track?: SpeechTrack): void {
    this.#complete();
    if (track !== undefined) track.isComplete = true;
    this.#activate();
  }

  /** Drops everything that was handed over and not yet written, also what waits for a stalled transport. */
  clear(): PlaybackEnd {
    const now = this.#options.clock.monotonic();
    this.#drop();
    this.#options.lane.recall(this.#owner);
    const ends = this.#unplayed().map((track) => track.end(now));
    this.#tracks.clear();
    this.#written = undefined;
    this.progress();
    return {
      playedMs: ends.reduce((sum, { playedMs }) => sum + playedMs, 0),
      durationMs: ends.reduce((sum, { durationMs }) => sum + durationMs, 0),
      interrupted: ends.some(({ interrupted, playedMs, durationMs }) =>
        interrupted && playedMs < durationMs
      ),
    };
  }

  /** Drops what waits of one track. */
  cut(track: SpeechTrack): void {
    for (const frame of this.#frames) if (frame.track === track) this.#discard(frame);
    this.#frames = this.#frames.filter((frame) => frame.track !== undefined);
    if (this.#last === track) this.#forgetRest();
    this.#tracks.delete(track);
    this.progress();
  }

  /** Resolves when `isSo`, or at the end. Looked at whenever frames leave, are dropped, or nothing more will come. */
  async until(isSo: () => boolean): Promise<void> {
    while (!this.#ended && !isSo()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when the transport has taken everything that was handed over, the last frame completed with silence; or at the end. */
  allSent(): Promise<void> {
    return this.until(() => this.#isEmpty && this.#unplayed().every((track) => track.isHanded));
  }

  /** Resolves when what little is left of what was said has been played: the last frames. When more waits, or nothing, at once. */
  async lastWord(): Promise<void> {
    const { clock } = this.#options;
    if (!this.#isOpen || this.#frames.length > 0) return;
    await this.until(() =>
      this.#isEmpty && this.#unplayed().every((track) => track.hasPlayed(clock.monotonic()))
    );
  }

  /** Completes what was handed over, waits until it was sent, then says that the stream has ended. */
  async playOut(): Promise<void> {
    if (this.#ended) return this.#finished;
    this.#complete();
    this.#activate();
    await this.until(() => this.#frames.length === 0);
    await this.finish();
  }

  /** Says that the stream has ended. What waits for its slot is dropped. */
  finish(): Promise<void> | undefined {
    if (!this.#ended) this.#finished = this.#sayEnd();
    return this.#finished;
  }

  /** Ends at once, without a word to the gateway: the call is over, or the client is. */
  end(): void {
    this.#ended = true;
    this.#drop();
    this.#options.pacer.remove(this);
    this.progress();
  }

  /** Called by the pacer. */
  tick(slot: number): boolean {
    const passed = slot - (this.#slot ?? slot - 1);
    this.#slot = slot;
    this.#slotsMissed += Math.max(0, passed - MAX_BURST_FRAMES);
    let due = Math.min(MAX_BURST_FRAMES, passed + this.#owed);
    this.#owed = 0;
    for (; due > 0; due--) {
      const frame = this.#frames.shift() ?? this.#rest() ?? this.#silence();
      if (frame === undefined) break;
      this.#send(frame);
    }
    this.#quietSlots++;
    if (passed > 1 && this.#frames.length === 0) this.#owed = Math.min(due, MAX_BURST_FRAMES - 1);
    this.#settle();
    this.progress();
    // One more tick after the last frame, so that a writer that answers at once keeps its place in the schedule.
    if (!this.#isEmpty || this.#hasUnplayed || due === 0 || this.#owed > 0) return true;
    if (this.#options.silence === "send") return true;
    this.#slot = undefined;
    return false;
  }

  /** Called by the pacer after every tick. */
  flush(): void {
    this.#options.lane.flush();
  }

  get #isEmpty(): boolean {
    return this.#frames.length === 0 && this.#filling === undefined && !this.#hasTail;
  }

  #unplayed(): SpeechTrack[] {
    return this.#written === undefined ? [...this.#tracks] : [...this.#tracks, this.#written];
  }

  get #hasUnplayed(): boolean {
    return this.#written !== undefined || this.#tracks.size > 0;
  }

  #activate(): void {
    if (!this.#isOpen || this.#ended) return;
    const hasWork = !this.#isEmpty || this.#hasUnplayed;
    if (hasWork || this.#options.silence === "send") this.#options.pacer.add(this);
  }

  #packetize(bytes: Uint8Array, track: SpeechTrack): void {
    for (let at = 0; at < bytes.length;) {
      let frame = this.#filling;
      if (frame === undefined) {
        frame = this.#filling = this.#makeFrame();
        frame.track = track;
        track.queue();
      }
      at = frame.add(bytes, at);
      if (!frame.isFull) return;
      this.#frames.push(frame);
      this.#filling = undefined;
    }
  }

  /** The frame that is being filled goes the way of the others, with the resampler's tail, padded. */
  #complete(): void {
    if (this.#hasTail && this.#last !== undefined) {
      this.#hasTail = false;
      this.#packetize(encodeAudio(this.#options.codec, this.#resampler.flush()), this.#last);
    }
    const last = this.#filling;
    if (last === undefined) return;
    last.pad(this.#codec.silence);
    this.#filling = undefined;
    this.#frames.push(last);
  }

  /**
   * What is left when no whole frame is: it has its slot when nothing followed in the one before. A live source goes on: what is late
   * by less than is kept of it must follow without a seam.
   */
  #rest(): OutgoingFrame | undefined {
    if (this.#quietSlots < (this.#options.isLive ? LIVE_FRAMES : 1)) return undefined;
    this.#complete();
    return this.#frames.shift();
  }

  /** A live source that is ahead loses what is oldest; before the answer all. */
  #dropStale(): void {
    const most = this.#isOpen ? LIVE_FRAMES : 0;
    while (this.#frames.length > most) {
      this.#dropped++;
      this.#discard(this.#frames.shift()!);
    }
  }

  #sendOwed(): void {
    for (; this.#owed > 0 && this.#frames.length > 0; this.#owed--) {
      this.#send(this.#frames.shift()!);
    }
    this.#options.lane.flush();
    this.progress();
  }

  #drop(): void {
    for (const frame of this.#frames) this.#discard(frame);
    this.#frames = [];
    this.#forgetRest();
  }

  #forgetRest(): void {
    if (this.#filling !== undefined) this.#discard(this.#filling);
    this.#filling = undefined;
    this.#hasTail = false;
    this.#resampler.clear();
  }

  /** A frame that was never sent. */
  #discard(frame: OutgoingFrame): void {
    frame.track?.drop();
    frame.empty();
    this.#keep(frame);
  }

  /** A frame that was sent comes back unwritten. */
  #takeBack(frame: OutgoingFrame): void {
    this.#sent--;
    frame.track?.drop();
    this.#keep(frame);
  }

  /** A frame's bytes are with the transport: from now on it plays, after the one before it. */
  #handedOver(frame: OutgoingFrame): void {
    const { track } = frame;
    if (track !== undefined) {
      // Written in a tick, or at most one after it.
      const { nowMs } = this.#options.pacer;
      this.#playedUntil = Math.max(nowMs, this.#playedUntil) + frameMilliseconds;
      track.hand(this.#playedUntil);
    }
    this.#keep(frame);
  }

  /** A frame to fill: one that was written, where there is one. At 10,000 frames a second it is the allocation that costs. */
  #makeFrame(): OutgoingFrame {
    return this.#spare.pop() ?? new OutgoingFrame(this.#owner, this.#codec.frameBytes);
  }

  #keep(frame: OutgoingFrame): void {
    frame.track = undefined;
    if (this.#spare.length < SPARE_FRAMES) this.#spare.push(frame);
  }

  #silence(): OutgoingFrame | undefined {
    if (this.#options.silence === "pause") return undefined;
    const frame = this.#makeFrame();
    frame.pad(this.#codec.silence);
    return frame;
  }

  #send(frame: OutgoingFrame): void {
    this.#sent++;
    this.#options.lane.append(frame);
  }

  async #sayEnd(): Promise<void> {
    this.#ended = true;
    this.#drop();
    this.#options.pacer.remove(this);
    const last = this.#makeFrame();
    last.endOfStream = true;
    this.#send(last);
    this.progress();
    await this.#options.lane.finish();
  }

  /** Forgets what has been played to its end. */
  #settle(): void {
    const { nowMs } = this.#options.pacer;
    const written = this.#written;
    if (written !== undefined && this.#isEmpty && written.isHanded) {
      if (written.hasPlayed(nowMs)) this.#written = undefined;
    }
    if (this.#tracks.size === 0) return;
    for (const track of this.#tracks) {
      if (track.isComplete && track.hasPlayed(nowMs)) this.#tracks.delete(track);
    }
  }

  /** A chunk was taken from a writer, or dropped: whatever waits for that looks again. */
  taken(): void {
    if (this.#waiting.length > 0) this.progress();
  }

  /** Something has changed that others wait for. */
  progress(): void {
    this.onProgress();
    if (this.#waiting.length === 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

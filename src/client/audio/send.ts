/**
 * Outgoing audio of one call: chunks of any size in, one frame each 20 ms out. It knows no stream: `writable`, `play` and the port
 * hand their chunks to it.
 *
 * @module
 */

import type { ByteRoom } from "../../base/bytes.ts";
import { ignore } from "../../base/ignore.ts";
import { type AudioCodec, frameMilliseconds } from "../../audio/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import type { Clock } from "../../base/signal.ts";
import { AudioFrameEncoder } from "../../wire/mod.ts";
import { type AudioChunk, checkChunk, chunkMs } from "./chunk.ts";
import { FrameQueue } from "./frame_queue.ts";
import { LiveSource } from "./live_source.ts";
import type { FrameOwner, OutgoingFrame, PendingFrame, SequenceCounter } from "./outgoing_frame.ts";
import type { Paced, Pacer } from "./pacer.ts";
import { type PlaybackEnd, SpeechTrack } from "./speech_track.ts";
import { Unplayed } from "./unplayed.ts";

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
  /** Whether the sound is made at the moment it is handed over: then it is dropped when it is late ({@linkcode LiveSource}). */
  readonly isLive: boolean;
  /** Whether frames leave at once; otherwise they wait until {@linkcode OutgoingAudio.open}. */
  readonly isOpen: boolean;
  readonly sequence: SequenceCounter;
  readonly pacer: Pacer;
  readonly clock: Clock;
  readonly lane: SendLane;
  /** Where the bytes of frames are put. */
  readonly room: ByteRoom;
}

/** What was counted of outgoing audio. */
export interface OutgoingStats {
  readonly sent: number;
  readonly sendDropped: number;
  readonly slotsMissed: number;
}

// A process that was held up sends at most this many frames at once, then goes on at 50 a second.
const MAX_BURST_FRAMES = 3;
// What is handed over without a stream, and so without back-pressure, is bounded: ten minutes.
const MOST_QUEUED_MS = 600_000;

/** Paces the frames of one call, and knows what of them was played. */
export class OutgoingAudio implements Paced, FrameOwner {
  // What each frame comes to stands together: between two of them all of it has left the caches.
  isPaced = false;
  readonly codec: AudioCodec;
  readonly sequence: SequenceCounter;
  readonly #queue: FrameQueue;
  readonly #unplayed = new Unplayed();
  readonly #lane: SendLane;
  readonly #pacer: Pacer;
  readonly #live: LiveSource | undefined;
  #isOpen: boolean;
  #ended = false;
  #hasSaidEnd = false;
  #sent = 0;
  #slot: number | undefined;
  // Ticks since something was handed over: more can follow, and the frame being filled waits for it.
  #quietSlots = 0;
  // Slots that the process was late for, with nothing to send: the source was perhaps held up with it.
  #owed = 0;
  #waiting: (() => void)[] | undefined;
  /** Called when frames have left, something was dropped, or it has ended: it can be a writer's turn. */
  onProgress: () => void = ignore;
  readonly encoder: AudioFrameEncoder;
  readonly sampleRate: number;
  readonly room: ByteRoom;
  readonly #sendsSilence: boolean;
  readonly #clock: Clock;
  #dropped = 0;
  #slotsMissed = 0;
  #finished: Promise<void> | undefined;

  constructor(options: OutgoingAudioOptions) {
    const { callSid, codec, sequence, isLive } = options;
    this.codec = codec;
    this.sampleRate = options.sampleRate;
    this.room = options.room;
    this.#sendsSilence = options.silence === "send";
    this.#clock = options.clock;
    this.#pacer = options.pacer;
    this.#lane = options.lane;
    if (isLive) this.#live = new LiveSource();
    this.#isOpen = options.isOpen;
    this.encoder = new AudioFrameEncoder({ callSid, codec });
    this.sequence = sequence;
    this.#queue = new FrameQueue(this);
    this.#activate();
  }

  /** Whether it has ended, or is saying so. */
  get isOver(): boolean {
    return this.#ended;
  }

  /** Whether it has said that the stream has ended: the transport has all that was sent. */
  get hasSaidEnd(): boolean {
    return this.#hasSaidEnd;
  }

  /** Whether frames leave. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whole frames that wait for their slots. */
  get waitingFrames(): number {
    return this.#queue.length;
  }

  /** How long what waits for its slot lasts, in milliseconds, the frame being filled counted whole. */
  get queuedMs(): number {
    return this.#queue.queuedMs;
  }

  /** Frames sent, dropped, and slots missed. */
  stats(): OutgoingStats {
    return { sent: this.#sent, sendDropped: this.#dropped, slotsMissed: this.#slotsMissed };
  }

  /** From now on frames leave. */
  open(): void {
    if (this.#isOpen) return;
    if (this.#live !== undefined && !this.#unplayed.isPlaying) this.#queue.dropRest();
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
    durationMs: number = chunkMs(chunk, this),
  ): void {
    if (this.queuedMs + durationMs > MOST_QUEUED_MS) {
      throw new TeleQuickError(
        "ERR_LIMIT",
        `Cannot send audio: ${
          Math.round((this.queuedMs + durationMs) / 1_000)
        } s would wait, expected at most 600 s (write to \`writable\`, which asks its writer to wait)`,
      );
    }
    const live = track === undefined ? this.#live : undefined;
    // What is live while a playback has its slots is not later: it would come between its frames, and make them stale.
    const isUnheard = live !== undefined && this.#unplayed.isPlaying;
    if (this.#ended || isUnheard) return checkChunk(chunk, this);
    // A live source that is not heard yet has said nothing.
    const isDiscarded = live !== undefined && !this.#isOpen;
    const owner = track ?? (isDiscarded ? new SpeechTrack() : this.#unplayed.written());
    const waiting = this.#queue.length;
    this.#queue.push(chunk, owner);
    const made = this.#queue.length - waiting;
    owner.durationMs += durationMs;
    this.#quietSlots = 0;
    if (live === undefined) this.#sendOwed();
    else if (made > 0) this.#takeMade(live, made);
    this.#activate();
  }

  /** A playback begins, with a frame of its own: what was written before is completed. */
  begin(track: SpeechTrack): void {
    if (this.#live === undefined) this.seal();
    this.#unplayed.add(track);
  }

  /** Ends an utterance: its last frame is completed with silence, and what comes next begins with a frame of its own. */
  seal(track?: SpeechTrack): void {
    this.#queue.complete();
    if (track !== undefined) track.isComplete = true;
    this.#activate();
  }

  /** Drops everything that was handed over and not yet written, also what waits for a stalled transport. */
  clear(): PlaybackEnd {
    const now = this.#clock.monotonic();
    this.#queue.drop();
    this.#lane.recall(this);
    const end = this.#unplayed.end(now);
    this.progress();
    return end;
  }

  /** Drops what waits of one track. */
  cut(track: SpeechTrack): void {
    this.#queue.cut(track);
    this.#unplayed.remove(track);
    this.progress();
  }

  /** Resolves when `isSo`, or at the end. Looked at whenever frames leave, are dropped, or nothing more will come. */
  async until(isSo: () => boolean): Promise<void> {
    while (!this.#ended && !isSo()) {
      await new Promise<void>((resolve) => (this.#waiting ??= []).push(resolve));
    }
  }

  /** Resolves when the transport has taken everything that was handed over, the last frame completed with silence; or at the end. */
  allSent(): Promise<void> {
    return this.until(() => this.#queue.isEmpty && this.#unplayed.isHanded);
  }

  /** Resolves when what little is left of what was said has been played: the last frames. When more waits, or nothing, at once. */
  async lastWord(): Promise<void> {
    if (!this.#isOpen || this.#queue.length > 0) return;
    const hasPlayed = (): boolean => this.#unplayed.hasPlayed(this.#clock.monotonic());
    await this.until(() => this.#queue.isEmpty && hasPlayed());
  }

  /** Completes what was handed over, waits until it was sent, then says that the stream has ended. */
  async playOut(): Promise<void> {
    if (this.#ended) return this.#finished;
    this.#queue.complete();
    this.#activate();
    await this.until(() => this.#queue.length === 0);
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
    this.#queue.drop();
    this.#pacer.remove(this);
    this.progress();
  }

  /** Called by the pacer. */
  tick(slot: number): boolean {
    const passed = slot - (this.#slot ?? slot - 1);
    this.#slot = slot;
    // What a live source makes needs no slot.
    if (!this.#isMade) this.#slotsMissed += Math.max(0, passed - MAX_BURST_FRAMES);
    let due = Math.min(MAX_BURST_FRAMES, passed + this.#owed);
    this.#owed = 0;
    if (this.#isMade) this.#sendMade(this.#pacer.nowMs, Infinity);
    for (; due > 0; due--) {
      const frame = this.#nextPaced() ?? this.#rest() ?? this.#silence();
      if (frame === undefined) break;
      this.#send(frame);
    }
    this.#quietSlots++;
    if (passed > 1 && this.#queue.length === 0) this.#owed = Math.min(due, MAX_BURST_FRAMES - 1);
    this.#unplayed.settle(this.#pacer.nowMs, !this.#queue.isEmpty);
    this.progress();
    // One more tick after the last frame, so that a writer that answers at once keeps its place in the schedule.
    if (!this.#queue.isEmpty || !this.#unplayed.isEmpty || due === 0 || this.#owed > 0) return true;
    if (this.#sendsSilence) return true;
    this.#slot = undefined;
    return false;
  }

  /** A frame's bytes are with the transport. */
  written(frame: OutgoingFrame): void {
    const { track } = frame;
    if (track !== undefined) {
      // What is paced is written in a tick, or at most one after it: one look at the clock for all.
      const now = this.#live === undefined ? this.#pacer.nowMs : this.#clock.monotonic();
      this.#unplayed.hand(track, now);
    }
    this.#queue.keep(frame);
  }

  dropped(frame: OutgoingFrame): void {
    this.#dropped++;
    this.recalled(frame);
  }

  /** A frame that was sent comes back unwritten. */
  recalled(frame: OutgoingFrame): void {
    this.#sent--;
    frame.track?.drop();
    this.#queue.keep(frame);
  }

  #activate(): void {
    if (!this.#isOpen || this.#ended) return;
    const hasWork = !this.#queue.isEmpty || !this.#unplayed.isEmpty;
    if (hasWork || this.#sendsSilence) this.#pacer.add(this);
  }

  /**
   * What is left when no whole frame is: it has its slot when nothing followed in the one before. A live source goes on: what is late
   * by less than is kept of it must follow without a seam.
   */
  #rest(): OutgoingFrame | undefined {
    if (this.#quietSlots < Math.max(1, this.#liveSlots)) return undefined;
    this.#queue.complete();
    return this.#queue.shift();
  }

  /** For how many slots a live source's sound can be late and is still heard; 0 without one. */
  get #liveSlots(): number {
    return Math.ceil(this.#latestMs(this.#pacer.nowMs) / frameMilliseconds);
  }

  #latestMs(now: number): number {
    return this.#live?.latestMs(now) ?? 0;
  }

  /** Whether what waits is a live source's, and no playback's. */
  get #isMade(): boolean {
    return this.#live !== undefined && !this.#unplayed.hasPlaybacks;
  }

  /**
   * A live source's frame leaves when it is made: its slot would be up to 20 ms later. Frames that come at once were held up: the first
   * leaves, and of the others the newest in the next slot.
   */
  #takeMade(live: LiveSource, frames: number): void {
    if (!this.#isOpen) return this.#dropStale(0);
    const now = this.#clock.monotonic();
    const isAlone = live.made(now, frames);
    if (isAlone && this.#isMade) {
      this.#sendMade(now, 1);
      this.#lane.flush();
      this.progress();
    }
    this.#dropStale(this.#room(now));
  }

  /** Sends what a live source has made, as far as the far end has room. */
  #sendMade(now: number, most: number): void {
    for (let due = Math.min(most, this.#room(now), this.#queue.length); due > 0; due--) {
      this.#send(this.#queue.shift()!);
    }
  }

  /** How many frames the far end can be sent so that each is heard within the time that a live source may be late by. */
  #room(now: number): number {
    const leftMs = this.#latestMs(now) - this.#unplayed.aheadMs(now);
    return Math.max(0, Math.ceil(leftMs / frameMilliseconds));
  }

  /** The next whole frame that waits for its slot. */
  #nextPaced(): OutgoingFrame | undefined {
    return this.#isMade ? undefined : this.#queue.shift();
  }

  /** A live source that is ahead loses what is oldest. */
  #dropStale(most: number): void {
    while (this.#queue.length > most) {
      this.#dropped++;
      this.#queue.dropOldest();
    }
  }

  /** A source that was held up together with this process gets the slots that passed meanwhile. */
  #sendOwed(): void {
    if (this.#owed === 0 || this.#queue.length === 0) return;
    for (; this.#owed > 0 && this.#queue.length > 0; this.#owed--) {
      this.#send(this.#queue.shift()!);
    }
    this.#lane.flush();
    this.progress();
  }

  #silence(): OutgoingFrame | undefined {
    // What a live source says next has no slot: silence takes its place when it is late by more than is kept of it.
    if (!this.#sendsSilence || this.#quietSlots < this.#liveSlots) return undefined;
    return this.#queue.makeSilence();
  }

  #send(frame: OutgoingFrame): void {
    this.#sent++;
    this.#lane.append(frame);
  }

  async #sayEnd(): Promise<void> {
    this.#ended = true;
    this.#queue.drop();
    this.#pacer.remove(this);
    const last = this.#queue.make();
    last.endOfStream = true;
    this.#send(last);
    this.progress();
    await this.#lane.finish();
    this.#hasSaidEnd = true;
    this.progress();
  }

  /** A chunk was taken from a writer, or dropped: waits that depend on it look again. */
  taken(): void {
    if (this.#waiting !== undefined) this.progress();
  }

  /** Something has changed that others wait for. */
  progress(): void {
    this.onProgress();
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    for (const resolve of waiting) resolve();
  }
}

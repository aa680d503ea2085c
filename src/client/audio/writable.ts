/**
 * The WHATWG stream in front of outgoing audio: back-pressure in milliseconds, and writes that need not be awaited.
 *
 * @module
 */

import type { TeleQuickError } from "../../base/errors.ts";
import { handled } from "../../base/handled.ts";
import { type AudioChunk, type ChunkFormat, chunkMs } from "./chunk.ts";
import type { OutgoingAudio } from "./send.ts";

/** Options of {@linkcode WritableAudio}. */
export interface WritableAudioOptions extends ChunkFormat {
  readonly outgoing: OutgoingAudio;
  /** How much can wait before a writer is asked to wait, in milliseconds. */
  readonly leadMs: number;
  /** Whether chunks are taken at once, however much waits: the source is live. */
  readonly isLive: boolean;
  /** Whether it is the turn of the chunk that was written as the one of this number: no playback that came before it is handed over. */
  readonly mayWrite: (number: number) => boolean;
  /** Plays out what was written, then ends the link's outgoing side. */
  readonly playOut: () => Promise<void>;
}

// So much is taken from the writer ahead of its slots while more waits, to be there after a short stall.
const AHEAD_FRAMES = 3;
const FRAME_MS = 20;

/** Chunks that are written, handed on one after another. */
export class WritableAudio {
  readonly #options: WritableAudioOptions;
  readonly #aheadFrames: number;
  #stream: SpeechStream | undefined;
  #controller: WritableStreamDefaultController | undefined;
  // The durations of the chunks that wait inside the stream, in order; negative for one that was dropped by `clear()`.
  #waiting: number[] = [];
  // Chunks that were written, and of these the ones that have left the stream.
  #written = 0;
  #accepted = 0;
  // How long the chunk lasts that has left the stream and waits for a playback.
  #inTurnMs = 0;
  #release: (() => void) | undefined;
  #refuse: ((error: TeleQuickError) => void) | undefined;
  #clears = 0;
  #isClosing = false;
  #end: TeleQuickError | undefined;

  constructor(options: WritableAudioOptions) {
    this.#options = options;
    this.#aheadFrames = Math.min(AHEAD_FRAMES, Math.floor(options.leadMs / FRAME_MS));
  }

  /** The stream; a new one after a chunk was refused. */
  get stream(): WritableStream<AudioChunk> {
    return this.#stream ??= this.#makeStream();
  }

  /** How many chunks were written so far. */
  get written(): number {
    return this.#written;
  }

  /** How many of them were handed on, or dropped, or refused. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Drops the chunks that wait. Returns how long they last, in milliseconds. */
  clear(): number {
    let droppedMs = this.#inTurnMs;
    this.#inTurnMs = 0;
    this.#clears++;
    for (const [i, durationMs] of this.#waiting.entries()) {
      if (durationMs < 0) continue;
      droppedMs += durationMs;
      this.#waiting[i] = -1;
    }
    return droppedMs;
  }

  /** Refuses what is written from now on, when the link ends: it is closing under its writer. */
  closeToWriters(): void {
    this.#isClosing = true;
  }

  /** Lets the next chunk come, if it is time. */
  progress(): void {
    if (this.#release === undefined || !this.#mayGoOn()) return;
    const release = this.#release;
    this.#release = undefined;
    release();
  }

  /** Ends the stream: of one that was closed or aborted by its writer this changes nothing. */
  end(error: TeleQuickError): void {
    this.#end = error;
    this.#stream?.forgive();
    this.#controller?.error(error);
    this.#refuse?.(error);
    this.#release?.();
  }

  #makeStream(): SpeechStream {
    this.#waiting = [];
    this.#accepted = this.#written;
    const stream = new SpeechStream({
      start: (controller) => {
        this.#controller = controller;
        if (this.#end !== undefined) controller.error(this.#end);
        // `abort` is called only after the write that is under way, which lasts for as long as its chunk is played.
        controller.signal.addEventListener("abort", () => {
          if (this.#stream === stream) void this.#options.outgoing.finish();
        });
      },
      write: (chunk) => this.#accept(chunk),
      close: () => {
        this.#acceptNoMore();
        return this.#options.playOut();
      },
      abort: () => this.#options.outgoing.finish(),
    }, {
      highWaterMark: this.#options.isLive ? Infinity : this.#options.leadMs,
      // Called in the order of the writes, synchronously: the place to note what waits, and that something follows.
      size: (chunk) => {
        const durationMs = chunkMs(chunk, this.#options);
        // Of a stream that was replaced nothing leaves any more.
        if (this.#stream !== stream) return durationMs;
        this.#waiting.push(durationMs);
        this.#written++;
        if (this.#release !== undefined) this.progress();
        return durationMs;
      },
    });
    return stream;
  }

  #accept(chunk: AudioChunk): Promise<void> | undefined {
    const { mayWrite, outgoing, isLive } = this.#options;
    const durationMs = this.#waiting.shift()!;
    this.#stream?.settled();
    // Not settled before the end, or a writer that goes on would never let anything else have its turn.
    if (outgoing.isOver || this.#isClosing) {
      return new Promise((_, reject) => {
        this.#refuse = reject;
        if (this.#end !== undefined) reject(this.#end);
      });
    }
    if (durationMs < 0) return this.#count();
    if (mayWrite(this.#accepted + 1)) return this.#hand(chunk, durationMs);
    // What is live now is not later.
    return isLive ? this.#count() : this.#handInTurn(chunk, durationMs);
  }

  async #handInTurn(chunk: AudioChunk, durationMs: number): Promise<void> {
    const { mayWrite, outgoing } = this.#options;
    const clears = this.#clears;
    const number = this.#accepted + 1;
    this.#inTurnMs = durationMs;
    await outgoing.until(() => mayWrite(number) || this.#clears !== clears);
    this.#inTurnMs = 0;
    if (this.#end !== undefined) throw this.#end;
    if (this.#clears === clears) await this.#hand(chunk, durationMs);
    else this.#count();
  }

  /** A chunk has left the stream. */
  #count(): undefined {
    this.#accepted++;
    this.#options.outgoing.taken();
  }

  /** Hands a chunk on. Resolves when it was sent, or when another one waits and is needed; rejects when the link ends before. */
  #hand(chunk: AudioChunk, durationMs: number): Promise<void> | undefined {
    const { outgoing, isLive } = this.#options;
    try {
      outgoing.push(chunk, undefined, durationMs);
    } catch (error) {
      // The stream is of no use any more, the link is: it makes another one.
      this.#stream?.forgive();
      this.#stream = undefined;
      this.#controller = undefined;
      this.#acceptNoMore();
      throw error;
    }
    this.#count();
    if (isLive || this.#mayGoOn()) return undefined;
    return new Promise((resolve, reject) => {
      this.#release = resolve;
      this.#refuse = reject;
    });
  }

  #mayGoOn(): boolean {
    const { waitingFrames } = this.#options.outgoing;
    return waitingFrames === 0 || this.#waiting.length > 0 && waitingFrames < this.#aheadFrames;
  }

  /** No chunk will leave the stream any more: those that are refused were counted too. */
  #acceptNoMore(): void {
    this.#accepted = this.#written;
    this.#options.outgoing.progress();
  }
}

/**
 * A stream whose writers need not wait for what they write: a call that ends does not end the process. Writes settle in order, so that
 * only those that are under way are marked as handled, and only when they are about to fail.
 */
class SpeechStream extends WritableStream<AudioChunk> {
  readonly #writes: Promise<void>[] = [];
  #hasBegun = false;
  #isForgiven = false;

  override getWriter(): WritableStreamDefaultWriter<AudioChunk> {
    const writer = super.getWriter();
    const { write, close, abort } = writer;
    return Object.assign(writer, {
      write: (chunk?: AudioChunk) => this.#watch(write.call(writer, chunk)),
      close: () => handled(close.call(writer)),
      abort: (reason?: unknown) => {
        this.forgive();
        return handled(abort.call(writer, reason));
      },
    });
  }

  override close(): Promise<void> {
    return handled(super.close());
  }

  override abort(reason?: unknown): Promise<void> {
    this.forgive();
    return handled(super.abort(reason));
  }

  /** A chunk leaves the stream: the write before it, if there was one, has settled. */
  settled(): void {
    if (this.#hasBegun) this.#writes.shift();
    this.#hasBegun = true;
  }

  /** The writes that are under way, and all later ones, can fail. */
  forgive(): void {
    this.#isForgiven = true;
    for (const write of this.#writes.splice(0)) void handled(write);
  }

  #watch(write: Promise<void>): Promise<void> {
    if (this.#isForgiven) return handled(write);
    this.#writes.push(write);
    return write;
  }
}

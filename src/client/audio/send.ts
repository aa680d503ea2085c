/**
 * Outgoing audio of one call: chunks of any size in, one frame each 20 ms out.
 *
 * @module
 */

import {
  type AudioCodec,
  type AudioCodecInfo,
  audioCodecs,
  encodeAudio,
  frameMilliseconds,
  Resampler,
  type SampleRate,
} from "../../audio/mod.ts";
import type { TeleQuickError } from "../../base/errors.ts";
import { AudioFrameEncoder } from "../../wire/mod.ts";
import type { Paced, Pacer } from "./pacer.ts";
import type { PendingFrame } from "./send_stream.ts";

/** The next sequence number of a call's outgoing audio: it only rises, whatever link or session sends. */
export interface SequenceCounter {
  next: number;
}

/** Options of {@linkcode OutgoingAudio}. */
export interface OutgoingAudioOptions {
  readonly callSid: string;
  readonly codec: AudioCodec;
  readonly sampleRate: SampleRate;
  readonly leadMs: number;
  readonly silence: "pause" | "send";
  readonly sequence: SequenceCounter;
  readonly pacer: Pacer;
  /** The stream that carries this call. */
  readonly lane: {
    /** Adds a frame to what the next flush writes. */
    append(frame: PendingFrame): void;
    flush(): void;
    /** Writes what waits; finishes the stream if it is this call's own. */
    finish(): Promise<void>;
  };
}

// A process that was held up sends at most this many frames at once, then goes on at 50 a second. So many are taken from the writer ahead
// of their slots, if the lead is as long, to be there then: a chunk is usually one frame.
const MAX_BURST_FRAMES = 3;
// Frames that were written are kept to be used again, so many of each call: what a writer has waiting at the default lead.
const SPARE_FRAMES = 10;

/** Packetizes, paces and encodes. */
export class OutgoingAudio implements Paced {
  readonly writable: WritableStream<Uint8Array | Int16Array>;
  readonly #options: OutgoingAudioOptions;
  readonly #encoder: AudioFrameEncoder;
  readonly #resampler: Resampler;
  readonly #codec: AudioCodecInfo;
  readonly #sendsSilence: boolean;
  readonly #ahead: number;
  // Whole frames that wait for their slots, and the one being filled.
  #frames: OutgoingFrame[] = [];
  #filling: OutgoingFrame | undefined;
  readonly #spare: OutgoingFrame[] = [];
  readonly #owner: FrameOwner;
  // The epoch of every chunk that waits inside `writable`, in order: `forget()` starts a new epoch, and older chunks are dropped.
  #epochs: number[] = [];
  // Chunks that were written, and of these the ones that have left `writable`.
  #written = 0;
  #accepted = 0;
  #epoch = 0;
  // Resolves the write that is under way, and those who wait until something was accepted or sent.
  #taken: (() => void) | undefined;
  #waiting: (() => void)[] = [];
  #slot: number | undefined;
  // Slots that the process was late for, with nothing to send: whoever writes may have been held up with it.
  #owed = 0;
  #sent = 0;
  #dropped = 0;
  #slotsMissed = 0;
  #controller: WritableStreamDefaultController | undefined;
  // What is written from now on is refused at the end: the link is closing under its writer.
  #isClosing = false;
  #refuse: ((error: TeleQuickError) => void) | undefined;
  #finished: Promise<void> | undefined;
  #ended = false;

  constructor(options: OutgoingAudioOptions) {
    const { callSid, codec, sampleRate, leadMs, silence, pacer } = options;
    const { sampleRate: outputRate } = audioCodecs[codec];
    this.#options = options;
    this.#encoder = new AudioFrameEncoder({ callSid, codec });
    this.#codec = audioCodecs[codec];
    this.#owner = {
      encoder: this.#encoder,
      written: (frame) => this.#keep(frame),
      dropped: (frame) => {
        this.#sent--;
        this.#dropped++;
        this.#keep(frame);
      },
    };
    this.#resampler = new Resampler({ inputRate: sampleRate, outputRate });
    this.#sendsSilence = silence === "send";
    this.#ahead = Math.min(MAX_BURST_FRAMES, Math.floor(leadMs / frameMilliseconds));
    this.writable = new WritableStream<Uint8Array | Int16Array>({
      start: (controller) => {
        this.#controller = controller;
        // `abort` is called only after the write that is under way, which plays for as long as its chunk is.
        controller.signal.addEventListener("abort", () => void this.#finish());
      },
      write: (chunk) => this.#accept(chunk),
      close: () => {
        this.#acceptNoMore();
        return this.playOut();
      },
      abort: () => this.#finish(),
    }, {
      highWaterMark: leadMs,
      // Called in the order of the writes, synchronously: the place to note which epoch a chunk was written in.
      size: (chunk) => {
        this.#epochs.push(this.#epoch);
        this.#written++;
        return this.#durationMs(chunk);
      },
    });
    if (this.#sendsSilence) pacer.add(this);
  }

  /** Frames sent, dropped, and slots missed. */
  stats(): { readonly sent: number; readonly sendDropped: number; readonly slotsMissed: number } {
    return { sent: this.#sent, sendDropped: this.#dropped, slotsMissed: this.#slotsMissed };
  }

  /** Drops everything that was written and not yet sent. */
  forget(): void {
    this.#epoch++;
    this.#frames = [];
    this.#filling = undefined;
    this.#resampler.clear();
    this.#wake();
  }

  /** Plays what waits, then says that the stream has ended. */
  async playOut(): Promise<void> {
    // A writer that holds the lock has chunks inside `writable` that were not asked for yet.
    const written = this.#written;
    await this.#until(() => this.#accepted >= written);
    if (this.#ended) return this.#finished;
    this.#isClosing = true;
    this.#packetize(encodeAudio(this.#options.codec, this.#resampler.flush()));
    const last = this.#filling;
    if (last !== undefined) {
      last.pad(this.#codec.silence);
      this.#filling = undefined;
      this.#frames.push(last);
    }
    if (this.#frames.length > 0) this.#options.pacer.add(this);
    await this.#until(() => this.#frames.length === 0);
    await this.#finish();
  }

  /** Resolves when `isSo`, or at the end. */
  async #until(isSo: () => boolean): Promise<void> {
    while (!this.#ended && !isSo()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #tell(): void {
    if (this.#waiting.length === 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** No chunk will leave `writable` any more: those that are refused were counted too. */
  #acceptNoMore(): void {
    this.#accepted = Infinity;
    this.#tell();
  }

  /** Ends at once, without a word to the gateway: the call is over, or the client is. */
  end(error: TeleQuickError): void {
    this.#ended = true;
    this.forget();
    this.#options.pacer.remove(this);
    // Of a stream that was closed or aborted by its writer this changes nothing.
    this.#controller?.error(error);
    this.#refuse?.(error);
  }

  /** Called by the pacer. */
  tick(slot: number): boolean {
    const passed = slot - (this.#slot ?? slot - 1);
    this.#slot = slot;
    this.#slotsMissed += Math.max(0, passed - MAX_BURST_FRAMES);
    let due = Math.min(MAX_BURST_FRAMES, passed + this.#owed);
    this.#owed = 0;
    for (; due > 0; due--) {
      const frame = this.#frames.shift() ?? this.#silence();
      if (frame === undefined) break;
      this.#send(frame);
    }
    this.#wake();
    if (this.#frames.length > 0) return true;
    if (passed > 1) this.#owed = Math.min(due, MAX_BURST_FRAMES - 1);
    // One more tick after the last frame, so that a writer who answers `ready` at once keeps its place in the schedule.
    if (this.#sendsSilence || due === 0 || this.#owed > 0) return true;
    this.#slot = undefined;
    return false;
  }

  /** Called by the pacer after every tick. */
  flush(): void {
    this.#options.lane.flush();
  }

  #accept(chunk: Uint8Array | Int16Array): Promise<void> | undefined {
    this.#accepted++;
    this.#tell();
    const epoch = this.#epochs.shift();
    // Not settled before the end, or a writer that goes on would never let anything else have its turn.
    if (this.#ended || this.#isClosing) return new Promise((_, reject) => this.#refuse = reject);
    if (epoch !== this.#epoch) return undefined;
    if (chunk instanceof Int16Array) {
      this.#packetize(encodeAudio(this.#options.codec, this.#resampler.push(chunk)));
    } else if (chunk instanceof Uint8Array) {
      this.#packetize(chunk);
    } else {
      this.#acceptNoMore();
      throw new TypeError(
        "Cannot send audio: expected a Uint8Array of the link's codec, or an Int16Array of samples",
      );
    }
    if (this.#frames.length > 0) this.#options.pacer.add(this);
    if (this.#frames.length < this.#ahead) return undefined;
    return new Promise((resolve) => this.#taken = resolve);
  }

  #packetize(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const frame = this.#filling ??= this.#makeFrame();
      at = frame.add(bytes, at);
      if (!frame.isFull) return;
      this.#frames.push(frame);
      this.#filling = undefined;
    }
  }

  /** A frame to fill: one that was written, where there is one. At 10,000 frames a second it is the allocation that costs. */
  #makeFrame(): OutgoingFrame {
    return this.#spare.pop() ?? new OutgoingFrame(this.#owner, this.#codec.frameBytes);
  }

  #silence(): OutgoingFrame | undefined {
    if (!this.#sendsSilence) return undefined;
    const frame = this.#makeFrame();
    frame.pad(this.#codec.silence);
    return frame;
  }

  #finish(): Promise<void> | undefined {
    if (!this.#ended) this.#finished = this.#sayEnd();
    return this.#finished;
  }

  async #sayEnd(): Promise<void> {
    this.#ended = true;
    this.forget();
    this.#options.pacer.remove(this);
    const last = this.#makeFrame();
    last.endOfStream = true;
    this.#send(last);
    await this.#options.lane.finish();
  }

  #send(frame: OutgoingFrame): void {
    frame.sequenceNumber = this.#options.sequence.next++;
    this.#sent++;
    this.#options.lane.append(frame);
  }

  #keep(frame: OutgoingFrame): void {
    if (this.#spare.length < SPARE_FRAMES) this.#spare.push(frame);
  }

  #durationMs(chunk: unknown): number {
    if (chunk instanceof Int16Array) return chunk.length / this.#options.sampleRate * 1_000;
    if (!(chunk instanceof Uint8Array)) return 0;
    return chunk.length / this.#codec.frameBytes * frameMilliseconds;
  }

  /** Takes the next chunk, and tells who waits, if it is time. */
  #wake(): void {
    if (this.#frames.length < this.#ahead) {
      this.#taken?.();
      this.#taken = undefined;
    }
    this.#tell();
  }
}

/** Who makes frames, and takes each of them back once. */
interface FrameOwner {
  readonly encoder: AudioFrameEncoder;
  /** Its bytes are among those of a write. */
  readonly written: (frame: OutgoingFrame) => void;
  /** The transport did not take it in time. */
  readonly dropped: (frame: OutgoingFrame) => void;
}

/** One frame: filled, numbered, then written or dropped; empty again when its owner gets it back. */
class OutgoingFrame implements PendingFrame {
  sequenceNumber = 0;
  endOfStream = false;
  readonly #owner: FrameOwner;
  readonly #payload: Uint8Array;
  #filled = 0;

  constructor(owner: FrameOwner, bytes: number) {
    this.#owner = owner;
    this.#payload = new Uint8Array(bytes);
  }

  get isFull(): boolean {
    return this.#filled === this.#payload.length;
  }

  get size(): number {
    return this.#owner.encoder.size(this.#filled);
  }

  /** Adds what fits of `chunk`, from `from` on; returns where in the chunk it stopped. */
  add(chunk: Uint8Array, from: number): number {
    const payload = this.#payload;
    const end = Math.min(chunk.length, from + payload.length - this.#filled);
    const isAll = from === 0 && end === chunk.length;
    payload.set(isAll ? chunk : chunk.subarray(from, end), this.#filled);
    this.#filled += end - from;
    return end;
  }

  /** Completes it with silence. */
  pad(silence: number): void {
    this.#payload.fill(silence, this.#filled);
    this.#filled = this.#payload.length;
  }

  encodeInto(target: Uint8Array, offset: number): number {
    const { encoder, written } = this.#owner;
    const payload = this.isFull ? this.#payload : this.#payload.subarray(0, this.#filled);
    const end = encoder.encodeInto(
      target,
      offset,
      payload,
      this.sequenceNumber,
      this.endOfStream,
    );
    this.#filled = 0;
    written(this);
    return end;
  }

  dropped(): void {
    this.#filled = 0;
    this.#owner.dropped(this);
  }
}

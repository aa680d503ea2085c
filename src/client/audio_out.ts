/**
 * Outgoing audio of one call: chunks of any size in, one frame each 20 ms out.
 *
 * @module
 */

import {
  type AudioCodec,
  audioCodecs,
  encodeAudio,
  frameMilliseconds,
  Packetizer,
  Resampler,
  type SampleRate,
  silenceFrame,
} from "../audio/mod.ts";
import type { TeleQuickError } from "../errors.ts";
import { AudioFrameEncoder } from "../wire/mod.ts";
import type { Paced, Pacer } from "./pacer.ts";
import type { PendingFrame } from "./uplink.ts";

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

// A process that was held up sends at most this many frames at once, then goes on at 50 a second.
const MAX_BURST_FRAMES = 3;

/** Packetizes, paces and encodes. */
export class OutgoingAudio implements Paced {
  readonly writable: WritableStream<Uint8Array | Int16Array>;
  readonly #options: OutgoingAudioOptions;
  readonly #encoder: AudioFrameEncoder;
  readonly #packetizer: Packetizer;
  readonly #resampler: Resampler | undefined;
  readonly #silence: Uint8Array | undefined;
  #frames: Uint8Array[] = [];
  // The epoch of every chunk that waits inside `writable`, in order: `forget()` starts a new epoch, and older chunks are dropped.
  #epochs: number[] = [];
  #epoch = 0;
  #waiters: (() => void)[] = [];
  #slot: number | undefined;
  #sent = 0;
  #dropped = 0;
  #slotsMissed = 0;
  #controller: WritableStreamDefaultController | undefined;
  #ended = false;

  constructor(options: OutgoingAudioOptions) {
    const { callSid, codec, sampleRate, leadMs, silence, pacer } = options;
    const { sampleRate: outputRate } = audioCodecs[codec];
    this.#options = options;
    this.#encoder = new AudioFrameEncoder({ callSid, codec });
    this.#packetizer = new Packetizer(audioCodecs[codec]);
    this.#resampler = sampleRate === outputRate
      ? undefined
      : new Resampler({ inputRate: sampleRate, outputRate });
    this.#silence = silence === "send" ? silenceFrame(codec) : undefined;
    this.writable = new WritableStream<Uint8Array | Int16Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      write: (chunk) => this.#accept(chunk),
      close: () => this.playOut(),
      abort: () => this.#finish(),
    }, {
      highWaterMark: leadMs,
      // Called in the order of the writes, synchronously: the place to note which epoch a chunk was written in.
      size: (chunk) => {
        this.#epochs.push(this.#epoch);
        return this.#durationMs(chunk);
      },
    });
    if (this.#silence !== undefined) pacer.add(this);
  }

  /** Frames sent, dropped, and slots missed. */
  stats(): { readonly sent: number; readonly sendDropped: number; readonly slotsMissed: number } {
    return { sent: this.#sent, sendDropped: this.#dropped, slotsMissed: this.#slotsMissed };
  }

  /** Drops everything that was written and not yet sent. */
  forget(): void {
    this.#epoch++;
    this.#frames = [];
    this.#packetizer.clear();
    this.#resampler?.clear();
    this.#wakeWriter();
  }

  /** Plays what waits, then says that the stream has ended. */
  async playOut(): Promise<void> {
    const rest = this.#resampler?.flush();
    if (rest !== undefined) this.#packetize(encodeAudio(this.#options.codec, rest));
    const last = this.#packetizer.flush();
    if (last !== undefined) this.#frames.push(last);
    await this.#whenSent();
    await this.#finish();
  }

  /** Ends at once, without a word to the gateway: the call is over, or the client is. */
  end(error: TeleQuickError): void {
    this.forget();
    this.#ended = true;
    this.#options.pacer.remove(this);
    // Of a stream that was closed or aborted by its writer this changes nothing.
    this.#controller?.error(error);
  }

  /** Called by the pacer. */
  tick(slot: number): boolean {
    let due = slot - (this.#slot ?? slot - 1);
    if (due > MAX_BURST_FRAMES) {
      this.#slotsMissed += due - MAX_BURST_FRAMES;
      due = MAX_BURST_FRAMES;
    }
    this.#slot = slot;
    for (; due > 0; due--) {
      const payload = this.#frames.shift() ?? this.#silence;
      if (payload === undefined) break;
      this.#send(payload, false);
    }
    if (this.#frames.length > 0) return true;
    this.#wakeWriter();
    // One more tick after the last frame, so that a writer who answers `ready` at once keeps its place in the schedule.
    if (this.#silence !== undefined || due === 0) return true;
    this.#slot = undefined;
    return false;
  }

  /** Called by the pacer after every tick. */
  flush(): void {
    this.#options.lane.flush();
  }

  #accept(chunk: Uint8Array | Int16Array): Promise<void> {
    const epoch = this.#epochs.shift();
    if (this.#ended || epoch !== this.#epoch) return Promise.resolve();
    if (chunk instanceof Int16Array) {
      const samples = this.#resampler?.push(chunk) ?? chunk;
      this.#packetize(encodeAudio(this.#options.codec, samples));
    } else if (chunk instanceof Uint8Array) {
      this.#packetize(chunk);
    } else {
      throw new TypeError(
        "Cannot send audio: expected a Uint8Array of the link's codec, or an Int16Array of samples",
      );
    }
    return this.#whenSent();
  }

  #packetize(bytes: Uint8Array): void {
    for (const frame of this.#packetizer.push(bytes)) this.#frames.push(frame);
  }

  /** Resolves when no whole frame waits. */
  #whenSent(): Promise<void> {
    if (this.#frames.length === 0 || this.#ended) return Promise.resolve();
    this.#options.pacer.add(this);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async #finish(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.forget();
    this.#options.pacer.remove(this);
    this.#send(new Uint8Array(0), true);
    await this.#options.lane.finish();
  }

  #send(payload: Uint8Array, endOfStream: boolean): void {
    const encoder = this.#encoder;
    const sequenceNumber = this.#options.sequence.next++;
    this.#sent++;
    this.#options.lane.append({
      size: encoder.size(payload.length),
      encodeInto: (target, offset) =>
        encoder.encodeInto(target, offset, payload, sequenceNumber, endOfStream),
      dropped: this.#onDropped,
    });
  }

  readonly #onDropped = (): void => {
    this.#sent--;
    this.#dropped++;
  };

  #durationMs(chunk: unknown): number {
    const { codec, sampleRate } = this.#options;
    if (chunk instanceof Int16Array) return chunk.length / sampleRate * 1_000;
    if (!(chunk instanceof Uint8Array)) return 0;
    return chunk.length / audioCodecs[codec].frameBytes * frameMilliseconds;
  }

  #wakeWriter(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

/**
 * Incoming audio of one call: counted, played out in its slots if asked, queued for its reader.
 *
 * @module
 */

import {
  frameMilliseconds,
  type JitterStatistics,
  PlayoutBuffer,
  type PlayoutFrame,
} from "../../audio/mod.ts";
import { SampleDecoder } from "../../audio/sample_decoder.ts";
import { DropOldestQueue, type QueueReader, streamOf } from "../../base/drop_oldest.ts";
import { TeleQuickError } from "../../base/errors.ts";
import type { Clock } from "../../base/signal.ts";
import type { AudioFrame } from "../../wire/mod.ts";
import { ArrivalMeter } from "./arrival_meter.ts";
import type { FrameSink } from "./audio_hub.ts";
import type { ReceivedFrame } from "./audio_link.ts";
import type { AudioReceiver } from "./audio_port.ts";
import type { Paced, Pacer } from "./pacer.ts";

// 20 ms of PCM16 at 48 kHz have half as many: the bound in bytes is never met by honest audio.
const FRAME_BYTES = 4_096;

/** Options of {@linkcode IncomingAudio}. */
export interface IncomingAudioOptions {
  readonly callSid: string;
  readonly clock: Clock;
  readonly pacer: Pacer;
  readonly sampleRate: number;
  readonly jitterBufferMs: number | undefined;
  readonly capacity: number;
  /** Whether a frame that says so ends the stream; otherwise only `end()` does. */
  readonly endsWithFrame: boolean;
  /** Called when nothing more comes; again when it is ended once more. */
  readonly onEnd: () => void;
}

// A process that was held up plays at most this many slots at once; the rest are skipped.
const MAX_BURST_SLOTS = 3;

const payloadBytes = ({ payload }: ReceivedFrame): number => payload.length;

/** What a frame is given to. */
type FrameTaker = Pick<AudioReceiver<ReceivedFrame>, "take">;

/** A port's receiver as the reader of a link's frames. */
class FrameReceiver implements QueueReader<ReceivedFrame> {
  readonly isReady = true;
  readonly #receiver: AudioReceiver<ReceivedFrame>;

  constructor(receiver: AudioReceiver<ReceivedFrame>) {
    this.#receiver = receiver;
  }

  take(frame: ReceivedFrame): void {
    this.#receiver.take(frame);
  }

  end(error: Error | undefined): void {
    this.#receiver.end(error as TeleQuickError | undefined);
  }
}

/** Frames off the wire, for one reader. */
export class IncomingAudio implements Paced, FrameSink {
  // The session whose frames it takes; `undefined`: any.
  #session: unknown;
  // One of them: frames are given as they arrive and only measured, or they wait for their slots.
  readonly #meter: ArrivalMeter | undefined;
  readonly #playout: PlayoutBuffer | undefined;
  // A receiver that is called in the turn in which a frame arrives: past the queue, in which nothing of it waits. It takes what it needs
  // of a frame before it returns.
  #direct: FrameTaker | undefined;
  // Made when they are asked for: a link is mostly read in one way.
  #readable: ReadableStream<ReceivedFrame> | undefined;
  #samples: ReadableStream<Int16Array> | undefined;
  // What is added to the stream's numbers, so that they go on rising when another session begins them anew.
  #offset: number | undefined = 0;
  #highest = -1;
  // In whole milliseconds.
  #heardAt: number | undefined;
  readonly #options: IncomingAudioOptions;
  readonly #frames: DropOldestQueue<ReceivedFrame>;
  #slot: number | undefined;
  isPaced = false;

  constructor(options: IncomingAudioOptions) {
    const { capacity, jitterBufferMs } = options;
    this.#options = options;
    this.#frames = new DropOldestQueue(capacity, {
      of: payloadBytes,
      capacity: capacity * FRAME_BYTES,
    });
    if (jitterBufferMs === undefined) this.#meter = new ArrivalMeter();
    else this.#playout = new PlayoutBuffer({ targetMs: jitterBufferMs });
  }

  /** The frames, in the order in which they are given. */
  get readable(): ReadableStream<ReceivedFrame> {
    return this.#readable ??= streamOf(this.#frames, { convert: (frame) => frame, taken });
  }

  /** The same audio as samples. */
  get samples(): ReadableStream<Int16Array> {
    return this.#samples ??= this.#makeSamples();
  }

  /** Whether the last frame has been queued. */
  get ended(): boolean {
    return this.#frames.ended;
  }

  /** When the last frame arrived, on the monotonic clock; `undefined` before the first. */
  get heardAt(): number | undefined {
    return this.#heardAt;
  }

  /** Gives the frames to `receiver` in place of the streams. Returns what stops it. */
  receive(receiver: AudioReceiver<ReceivedFrame>): () => void {
    return this.#claim(new FrameReceiver(receiver), receiver);
  }

  /** The same as samples. */
  receiveSamples(receiver: AudioReceiver<Int16Array>): () => void {
    const decoder = new SampleDecoder(this.#options.sampleRate);
    const give = (samples: Int16Array | undefined): void => {
      if (samples !== undefined) receiver.take(samples);
    };
    const reader: QueueReader<ReceivedFrame> = {
      isReady: true,
      take: (frame) => give(decoder.decode(frame)),
      end: (error) => {
        give(decoder.flush());
        receiver.end(error as TeleQuickError | undefined);
      },
    };
    return this.#claim(reader, reader);
  }

  /** What has arrived so far. */
  stats(): JitterStatistics & { readonly unread: number } {
    const { statistics } = (this.#playout ?? this.#meter)!;
    return { ...statistics, unread: this.#frames.dropped };
  }

  /** Takes the frames of this session only. One after another session has numbers of its own. */
  follow(session: unknown): void {
    if (this.#session !== undefined) this.#offset = undefined;
    this.#session = session;
  }

  /** Drops what waits to be read, all but the jitter buffer's delay. Returns how long it lasted, in milliseconds. */
  skip(): number {
    return (this.#frames.skip() + (this.#playout?.skip() ?? 0)) * frameMilliseconds;
  }

  /**
   * Takes a frame of `session` that arrived at `now`. What waits is copied: the payload is a view of a buffer that is read into again.
   * Frames of a session that it does not follow are dropped.
   */
  accept(frame: AudioFrame, now: number, session: unknown): void {
    if (session !== (this.#session ?? session)) return;
    const direct = this.#direct;
    // While there is a receiver to call the queue has not ended.
    if (direct === undefined && this.#frames.ended) return;
    this.#heardAt = Math.floor(now);
    const { callSid, codec, endOfStream } = frame;
    this.#offset ??= this.#highest + 1 - frame.sequenceNumber;
    const sequenceNumber = frame.sequenceNumber + this.#offset;
    this.#highest = Math.max(this.#highest, sequenceNumber);
    const payload = direct === undefined ? frame.payload.slice() : frame.payload;
    const received = { callSid, payload, codec, sequenceNumber, endOfStream, concealed: false };
    if (this.#playout !== undefined) {
      if (this.#playout.push(received, now)) this.#options.pacer.add(this);
      return;
    }
    if (!this.#meter!.take(received, now)) return;
    if (direct === undefined) this.#frames.push(received);
    else direct.take(received);
    if (endOfStream) this.#endWithFrame();
  }

  /** Ends the stream: what waits is still read. */
  end(error?: TeleQuickError): void {
    this.#options.pacer.remove(this);
    for (const frame of this.#playout?.drain() ?? []) this.#play(frame);
    this.#endQueue(error);
  }

  /** Called by the pacer: what is due in the slots that have passed. */
  tick(slot: number): boolean {
    const passed = slot - (this.#slot ?? slot - 1);
    this.#slot = slot;
    const now = this.#options.clock.monotonic();
    const playout = this.#playout!;
    let isPlaying = false;
    for (let due = Math.min(passed, MAX_BURST_SLOTS); due > 0; due--) {
      const frame = playout.pull(now);
      isPlaying = frame !== undefined;
      if (frame !== undefined) this.#play(frame);
    }
    if ((isPlaying || playout.size > 0) && !this.#frames.ended) return true;
    this.#slot = undefined;
    return false;
  }

  #makeSamples(): ReadableStream<Int16Array> {
    const decoder = new SampleDecoder(this.#options.sampleRate);
    return streamOf(this.#frames, {
      convert: (frame) => decoder.decode(frame),
      flush: () => decoder.flush(),
      taken,
    });
  }

  /** `taker` is called in the place of `reader` when nothing waits any more. */
  #claim(reader: QueueReader<ReceivedFrame>, taker: FrameTaker): () => void {
    if (!this.#frames.claim(reader)) throw invalid("it is being read already");
    this.#frames.give();
    if (this.#meter !== undefined && !this.#frames.ended) this.#direct = taker;
    return () => {
      if (this.#direct === taker) this.#direct = undefined;
      this.#frames.release(reader);
    };
  }

  #play(frame: PlayoutFrame): void {
    this.#frames.push({ ...frame, callSid: this.#options.callSid });
    if (frame.endOfStream) this.#endWithFrame();
  }

  #endWithFrame(): void {
    if (this.#options.endsWithFrame) this.#endQueue();
  }

  #endQueue(error?: TeleQuickError): void {
    this.#direct = undefined;
    this.#frames.end(error);
    this.#options.onEnd();
  }
}

function taken(): TeleQuickError {
  return invalid("it is being read elsewhere: read `readable`, `samples` or neither");
}

function invalid(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot read the audio of the call: ${found}`);
}

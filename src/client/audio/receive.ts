/**
 * Incoming audio of one call: counted, put in order if asked, queued for its reader.
 *
 * @module
 */

import {
  audioCodecs,
  decodeAudio,
  isAudioCodec,
  JitterBuffer,
  type JitterStatistics,
  type PlayoutFrame,
  Resampler,
  type SampleRate,
} from "../../audio/mod.ts";
import type { TeleQuickError } from "../../base/errors.ts";
import type { Clock } from "../../base/signal.ts";
import type { AudioFrame } from "../../wire/mod.ts";
import type { ReceivedFrame } from "./audio_link.ts";
import { DropOldestStream } from "./drop_oldest.ts";

/** Options of {@linkcode IncomingAudio}. */
export interface IncomingAudioOptions {
  readonly callSid: string;
  readonly clock: Clock;
  readonly sampleRate: SampleRate;
  readonly jitterBufferMs: number | undefined;
  readonly capacity: number;
  /** Whether a frame that says so ends the stream; otherwise only `end()` does. */
  readonly endsWithFrame: boolean;
}

/** Frames off the wire, for one reader. */
export class IncomingAudio {
  readonly #options: IncomingAudioOptions;
  readonly #frames: DropOldestStream<ReceivedFrame>;
  // Measures in any case; gives the frames in order only when there is a window to wait in.
  readonly #jitter: JitterBuffer;
  #duplicated = 0;
  // What is added to the stream's numbers, so that they go on rising when another session begins them anew.
  #offset: number | undefined = 0;
  #highest = -1;
  #samples: ReadableStream<Int16Array> | undefined;
  #cancelPlayout: (() => void) | undefined;

  constructor(options: IncomingAudioOptions) {
    const { capacity, jitterBufferMs = 0 } = options;
    this.#options = options;
    this.#frames = new DropOldestStream(capacity);
    this.#jitter = new JitterBuffer({ jitterBufferMs });
  }

  /** The frames, in the order in which they are given. */
  get readable(): ReadableStream<ReceivedFrame> {
    return this.#frames.readable;
  }

  /** The same audio as samples. */
  get samples(): ReadableStream<Int16Array> {
    return this.#samples ??= this.readable.pipeThrough(
      decoder(this.#options.sampleRate),
      { preventAbort: false },
    );
  }

  /** Whether the last frame has been queued. */
  get ended(): boolean {
    return this.#frames.ended;
  }

  /** What has arrived so far. */
  stats(): JitterStatistics & { readonly unread: number } {
    const { statistics } = this.#jitter;
    const unread = this.#frames.dropped;
    if (this.#options.jitterBufferMs !== undefined) return { ...statistics, unread };
    // Without a window every frame is given as it arrives, however late, and nothing in its place.
    return {
      ...statistics,
      lost: Math.max(0, statistics.lost - statistics.late),
      concealed: 0,
      unread,
    };
  }

  /** From now on another session carries the stream, with numbers of its own. */
  beginAnew(): void {
    this.#offset = undefined;
  }

  /** Takes a frame that arrived at `now`. The payload is copied: it is a view of a chunk that holds much else. */
  accept(frame: AudioFrame, now: number): void {
    if (this.#frames.ended) return;
    const { callSid, codec, endOfStream } = frame;
    this.#offset ??= this.#highest + 1 - frame.sequenceNumber;
    const sequenceNumber = frame.sequenceNumber + this.#offset;
    this.#highest = Math.max(this.#highest, sequenceNumber);
    const payload = frame.payload.slice();
    const copy = { callSid, payload, codec, sequenceNumber, endOfStream, concealed: false };
    const isInTime = this.#jitter.push(copy, now);
    if (this.#options.jitterBufferMs !== undefined) return this.#playOut(now);
    while (this.#jitter.size > 0) this.#jitter.pop(Infinity);
    const before = this.#duplicated;
    if (!isInTime) this.#duplicated = this.#jitter.statistics.duplicated;
    if (this.#duplicated === before) this.#deliver(copy);
  }

  /** Ends the stream: what waits is still read. */
  end(error?: TeleQuickError): void {
    this.#cancelPlayout?.();
    if (this.#options.jitterBufferMs !== undefined) this.#popUntil(Infinity);
    this.#frames.end(error);
  }

  #playOut(now: number): void {
    this.#cancelPlayout?.();
    this.#cancelPlayout = undefined;
    this.#popUntil(now);
    const { dueMs } = this.#jitter;
    if (dueMs === undefined || this.#frames.ended) return;
    const { clock } = this.#options;
    this.#cancelPlayout = clock.schedule(
      Math.max(0, Math.ceil(dueMs - now)),
      () => this.#playOut(clock.monotonic()),
    );
  }

  #popUntil(now: number): void {
    let frame: PlayoutFrame | undefined;
    while ((frame = this.#jitter.pop(now)) !== undefined) {
      this.#deliver({ ...frame, callSid: this.#options.callSid });
    }
  }

  #deliver(frame: ReceivedFrame): void {
    this.#frames.push(frame);
    if (frame.endOfStream && this.#options.endsWithFrame) this.#frames.end();
  }
}

/** Decodes frames, each by the codec that it names, to samples at one rate. Frames of unknown codecs, or with half a sample, are skipped. */
function decoder(outputRate: SampleRate): TransformStream<ReceivedFrame, Int16Array> {
  const resamplers = new Map<SampleRate, Resampler>();
  return new TransformStream({
    transform({ codec, payload }, controller) {
      if (!isAudioCodec(codec) || payload.length === 0) return;
      const { sampleRate: inputRate, bytesPerSample } = audioCodecs[codec];
      if (payload.length % bytesPerSample > 0) return;
      let resampler = resamplers.get(inputRate);
      if (resampler === undefined) {
        resamplers.set(inputRate, resampler = new Resampler({ inputRate, outputRate }));
      }
      controller.enqueue(resampler.push(decodeAudio(codec, payload)));
    },
    flush(controller) {
      for (const resampler of resamplers.values()) {
        const rest = resampler.flush();
        if (rest.length > 0) controller.enqueue(rest);
      }
    },
  });
}

/**
 * Cuts the chunks of a stream into frames.
 *
 * @module
 */

import type { TeleQuickError } from "../base/errors.ts";
import { readU32 } from "./bytes.ts";
import { Collector } from "./collector.ts";
import { requireBytes, wireError } from "./fault.ts";
import {
  checkLength,
  FRAME_HEADER_BYTES,
  FRAME_LIMIT_BYTES,
  frameBytes,
  LEAST_FRAME_BYTES,
  type LengthRule,
} from "./frame.ts";

/** A frame as it was read. */
export interface Frame {
  /** The method: see `methodById` and `pushById`. Frames with an unknown id are to be skipped. */
  readonly methodId: number;
  /**
   * The bare envelope. A view of the chunk that was pushed when the frame lay in it whole, else of a buffer of its own; the reader
   * never writes to either again, so it stays valid for as long as the caller leaves the chunk as it is.
   */
  readonly envelope: Uint8Array;
}

/** Options of a {@linkcode FrameReader}. */
export interface FrameReaderOptions {
  /** Which length rule the frames follow. Default: `"push"`. */
  readonly rule?: LengthRule;
  /** Highest length that is accepted, in bytes. Default: 1 MiB. */
  readonly limitBytes?: number;
}

/**
 * Cuts a stream into frames. It holds at most one unfinished frame. Its cost is linear in the bytes for chunks of every size: a frame
 * that lies within one chunk is not copied, one of up to 4 KiB is copied once. For a larger frame 4 KiB are allocated at first, then
 * never more than 64 KiB and twice what has arrived, so that it is copied up to three times.
 *
 * @example Read the frames of a stream
 * ```ts
 * import { AudioFrame, FrameReader, methods } from "@telequick/sdk/wire";
 *
 * async function* audio(stream: ReadableStream<Uint8Array>): AsyncGenerator<AudioFrame> {
 *   const reader = new FrameReader();
 *   for await (const chunk of stream) {
 *     for (const frame of reader.push(chunk)) {
 *       if (frame.methodId === methods.AudioFrame.id) yield AudioFrame.decode(frame.envelope);
 *     }
 *   }
 *   reader.end();
 * }
 * ```
 */
export class FrameReader {
  readonly #rule: LengthRule;
  readonly #limitBytes: number;
  // An unfinished frame: its first 14 bytes, and when they are there, all of it.
  #pending: Collector | undefined;
  #error: TeleQuickError | undefined;

  /**
   * Makes a reader for one stream.
   *
   * @param options The length rule and the limit.
   */
  constructor(options: FrameReaderOptions = {}) {
    this.#rule = options.rule ?? "push";
    this.#limitBytes = options.limitBytes ?? FRAME_LIMIT_BYTES;
  }

  /** How many bytes of an unfinished frame have arrived. */
  get pendingBytes(): number {
    return this.#pending?.filled ?? 0;
  }

  /**
   * Takes the next bytes of the stream and returns the frames that they complete, in order.
   *
   * @param chunk The bytes. What is unfinished at their end is copied.
   * @throws {TypeError} The chunk is not a `Uint8Array`.
   * @throws {TeleQuickError} `ERR_WIRE_INVALID`: a length is out of range or does not fit its envelope. Frames before it in the same
   * chunk are returned first; then every later call throws.
   */
  push(chunk: Uint8Array): Frame[] {
    requireBytes(chunk, "read", "frame", "chunk");
    if (this.#error !== undefined) throw this.#error;
    const frames: Frame[] = [];
    try {
      this.#read(chunk, frames);
    } catch (error) {
      this.#error = error as TeleQuickError;
      if (frames.length === 0) throw error;
    }
    return frames;
  }

  /**
   * Ends the stream.
   *
   * @throws {TeleQuickError} `ERR_WIRE_INVALID`: inside a frame, or after an invalid one.
   */
  end(): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.#pending !== undefined) {
      const { filled } = this.#pending;
      throw wireError("read frame: stream", `closed after ${filled} bytes`, "the whole frame");
    }
  }

  #read(chunk: Uint8Array, frames: Frame[]): void {
    // Each of these is a call into the runtime.
    const { buffer, byteOffset, length: end } = chunk;
    let at = 0;
    if (this.#pending !== undefined) {
      at = this.#fill(this.#pending, chunk, at);
      const { bytes, filled, total } = this.#pending;
      if (filled < total) return;
      frames.push({ methodId: readU32(bytes, 4), envelope: bytes.subarray(FRAME_HEADER_BYTES) });
      this.#pending = undefined;
    }
    while (end - at >= LEAST_FRAME_BYTES) {
      const total = this.#frameBytes(chunk, at);
      if (end - at < total) break;
      frames.push({
        methodId: readU32(chunk, at + 4),
        envelope: new Uint8Array(
          buffer,
          byteOffset + at + FRAME_HEADER_BYTES,
          total - FRAME_HEADER_BYTES,
        ),
      });
      at += total;
    }
    if (at < end) {
      const isSized = end - at >= LEAST_FRAME_BYTES;
      this.#pending = new Collector(isSized ? this.#frameBytes(chunk, at) : LEAST_FRAME_BYTES);
      this.#fill(this.#pending, chunk, at);
    }
  }

  /** Continues the unfinished frame. Returns the offset in the chunk at which it stopped. */
  #fill(pending: Collector, chunk: Uint8Array, from: number): number {
    const at = pending.add(chunk, from);
    // Checked as soon as the length has arrived: nothing is stored for a frame that is too large.
    if (pending.filled >= 4) checkLength(pending.bytes, 0, this.#limitBytes);
    if (pending.filled !== LEAST_FRAME_BYTES) return at;
    pending.total = this.#frameBytes(pending.bytes, 0);
    return pending.add(chunk, at);
  }

  #frameBytes(bytes: Uint8Array, at: number): number {
    return frameBytes(bytes, at, this.#rule, this.#limitBytes);
  }
}

/**
 * Chunks of a stream, cut anywhere, to frames.
 *
 * @module
 */

import type { TeleQuickError } from "../errors.ts";
import { Collector } from "./collector.ts";
import { readI32 } from "./envelope.ts";
import { wireError } from "./fault.ts";
import {
  checkLength,
  envelopeBytes,
  FRAME_HEADER_BYTES,
  FRAME_LIMIT_BYTES,
  LEAST_FRAME_BYTES,
  type LengthRule,
} from "./frame.ts";

/** A frame as it was read. */
export interface Frame {
  /** What it is: see `methodById` and `pushById`. Unknown ids are to be skipped. */
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
 * Cuts a stream into frames (protocol.md sections 3.3 and 3.5). It holds at most one unfinished frame, allocates for it no more
 * than 64 KiB or twice what has arrived, and its cost is linear in the bytes, whatever the size of the chunks.
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
  // The start of a frame whose size is not known yet.
  readonly #head = new Uint8Array(LEAST_FRAME_BYTES);
  #headFilled = 0;
  // The envelope of a frame whose size is known; its header is then whole.
  #body: Collector | undefined;
  #methodId = 0;
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
    return this.#body === undefined ? this.#headFilled : FRAME_HEADER_BYTES + this.#body.filled;
  }

  /**
   * Takes the next bytes of the stream and gives the frames that they complete, in order.
   *
   * @param chunk The bytes. What is unfinished at their end is copied.
   * @throws {TeleQuickError} `ERR_WIRE_INVALID`: a length is out of range or does not fit its envelope. Frames before it in the same
   * chunk are given first; then every later call throws.
   */
  push(chunk: Uint8Array): Frame[] {
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
   * Tells the reader that the stream has ended.
   *
   * @throws {TeleQuickError} `ERR_WIRE_INVALID`: inside a frame, or after an invalid one.
   */
  end(): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.pendingBytes > 0) {
      throw wireError(
        "Cannot read frame",
        `the stream ended ${this.pendingBytes} bytes into it`,
      );
    }
  }

  #read(chunk: Uint8Array, frames: Frame[]): void {
    let at = this.pendingBytes === 0 ? 0 : this.#resume(chunk, frames);
    const end = chunk.length;
    while (end - at >= LEAST_FRAME_BYTES) {
      const size = envelopeBytes(chunk, at, this.#rule, this.#limitBytes);
      const methodId = readI32(chunk, at + 4) >>> 0;
      at += FRAME_HEADER_BYTES;
      if (end - at < size) {
        this.#begin(methodId, size).add(chunk, at);
        return;
      }
      const envelope = new Uint8Array(chunk.buffer, chunk.byteOffset + at, size);
      frames.push({ methodId, envelope });
      at += size;
    }
    if (at < end) this.#fillHead(chunk, at);
  }

  /** Goes on with the unfinished frame; returns where in the chunk it ends. */
  #resume(chunk: Uint8Array, frames: Frame[]): number {
    let at = 0;
    let body = this.#body;
    if (body === undefined) {
      at = this.#fillHead(chunk, 0);
      const head = this.#head;
      if (this.#headFilled < LEAST_FRAME_BYTES) return at;
      const size = envelopeBytes(head, 0, this.#rule, this.#limitBytes);
      body = this.#begin(readI32(head, 4) >>> 0, size);
      body.add(head, FRAME_HEADER_BYTES);
      this.#headFilled = 0;
    }
    at = body.add(chunk, at);
    const envelope = body.take();
    if (envelope !== undefined) {
      frames.push({ methodId: this.#methodId, envelope });
      this.#body = undefined;
    }
    return at;
  }

  #begin(methodId: number, size: number): Collector {
    this.#methodId = methodId;
    return this.#body = new Collector(size);
  }

  #fillHead(chunk: Uint8Array, at: number): number {
    const head = this.#head;
    let filled = this.#headFilled;
    while (filled < LEAST_FRAME_BYTES && at < chunk.length) head[filled++] = chunk[at++]!;
    this.#headFilled = filled;
    if (filled >= 4) checkLength(head, 0, this.#limitBytes);
    return at;
  }
}

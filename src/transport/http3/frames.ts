import { concatBytes } from "../../base/bytes.ts";
import { decodeVarint, encodeVarint } from "./stream_header.ts";

/** Types of HTTP/3 frames (RFC 9114 section 7.2). */
export const frameType = {
  data: 0x00,
  headers: 0x01,
  cancelPush: 0x03,
  settings: 0x04,
  pushPromise: 0x05,
  goaway: 0x07,
} as const;

/** One frame, or one capsule: both are a type, a length and a payload (RFC 9114 section 7.1, RFC 9297 section 3.2). */
export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Options of a {@linkcode FrameSource}. */
export interface FrameSourceOptions {
  /** How many bytes one read takes at most: a read that waits holds its buffer for as long as the stream lasts. */
  readonly bufferBytes: number;
  /** Bytes of the stream that were read before. Default: none. */
  readonly head?: Uint8Array;
}

// A source that waits holds no buffer of what it has given.
const NO_BYTES = new Uint8Array(0);

/** Reads a stream's frames one by one. */
export class FrameSource {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #bufferBytes: number;
  #bytes: Uint8Array;
  #isTooLarge = false;

  /** Locks the stream, which has to be a byte stream. */
  constructor(readable: ReadableStream<Uint8Array>, options: FrameSourceOptions) {
    this.#reader = readable.getReader({ mode: "byob" });
    this.#bufferBytes = options.bufferBytes;
    this.#bytes = options.head ?? NO_BYTES;
  }

  /** Whether the last frame was above the limit. */
  get isTooLarge(): boolean {
    return this.#isTooLarge;
  }

  /** The next frame; `undefined` when the stream ended or failed, and for a frame above `limit` bytes, of which nothing is read. */
  async next(limit: number): Promise<Frame | undefined> {
    while (true) {
      const head = frameHead(this.#bytes);
      if (head !== undefined && head.length > limit) {
        this.#isTooLarge = true;
        return undefined;
      }
      const taken = takeFrame(this.#bytes);
      if (taken !== undefined) {
        this.#bytes = taken.rest.length === 0 ? NO_BYTES : taken.rest;
        return taken;
      }
      try {
        const { value, done } = await this.#reader.read(new Uint8Array(this.#bufferBytes));
        if (done) return undefined;
        this.#bytes = concatBytes([this.#bytes, value]);
      } catch {
        return undefined;
      }
    }
  }

  /** Gives the stream back, for its rest to be read by something else. */
  release(): void {
    this.#reader.releaseLock();
  }
}

/** Encodes a frame or a capsule. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes([encodeVarint(type), encodeVarint(payload.length), payload]);
}

/** The first frame of `bytes` and what follows it; `undefined` when it is not whole. */
export function takeFrame(
  bytes: Uint8Array,
): (Frame & { readonly rest: Uint8Array }) | undefined {
  const head = frameHead(bytes);
  const end = head && head.start + head.length;
  if (head === undefined || end === undefined || bytes.length < end) return undefined;
  return { type: head.type, payload: bytes.subarray(head.start, end), rest: bytes.subarray(end) };
}

function frameHead(
  bytes: Uint8Array,
): { readonly type: number; readonly start: number; readonly length: number } | undefined {
  const type = decodeVarint(bytes);
  const length = type && decodeVarint(bytes, type.end);
  return length && type && { type: type.value, start: length.end, length: length.value };
}

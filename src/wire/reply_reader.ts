/**
 * Chunks of a stream, cut anywhere, to the one reply that it carries (protocol.md section 3.4).
 *
 * @module
 */

import { Collector } from "./collector.ts";
import { ENVELOPE_HEADER_BYTES, readI32 } from "./envelope.ts";
import type { TeleQuickError } from "../errors.ts";
import { wireError } from "./fault.ts";
import { FRAME_HEADER_BYTES, FRAME_LIMIT_BYTES, LEAST_FRAME_BYTES } from "./frame.ts";
import type { Message } from "./message.ts";
import type { Method } from "./method.ts";

// Bytes of another protocol rarely look like versions this low (protocol.md section 3.4).
const HIGHEST_VERSION = 16;

/** Options of a {@linkcode ReplyReader}. */
export interface ReplyReaderOptions {
  /** Largest envelope that is accepted, in bytes. Default: 1 MiB. */
  readonly limitBytes?: number;
}

/** Reads the reply to a request, whether it comes as a bare envelope or as a frame. The end of the stream is not needed. */
export class ReplyReader<R> {
  readonly #method: Method<unknown, R>;
  readonly #message: Message<R>;
  readonly #limitBytes: number;
  readonly #head = new Uint8Array(LEAST_FRAME_BYTES);
  #headFilled = 0;
  #body: Collector | undefined;
  #reply: { readonly value: R } | undefined;

  /**
   * Makes a reader for the reply to one request.
   *
   * @param method The request's method.
   * @param options The limit.
   * @throws {TypeError} The method is a push, which has no reply.
   */
  constructor(method: Method<unknown, R>, options: ReplyReaderOptions = {}) {
    if (method.reply === undefined) {
      throw new TypeError(`Cannot read reply: ${method.name} is a push, expected a request`);
    }
    this.#method = method;
    this.#message = method.reply;
    this.#limitBytes = options.limitBytes ?? FRAME_LIMIT_BYTES;
  }

  /**
   * Takes the next bytes of the stream. Bytes after the reply are ignored.
   *
   * @returns The reply when these bytes complete it, else `undefined`.
   * @throws {TeleQuickError} `ERR_WIRE_INVALID`: the bytes are not a reply to this method.
   */
  push(chunk: Uint8Array): R | undefined {
    if (this.#reply !== undefined) return undefined;
    let at = 0;
    if (this.#body === undefined) {
      const head = this.#head;
      while (this.#headFilled < head.length && at < chunk.length) {
        head[this.#headFilled++] = chunk[at++]!;
      }
      const start = this.#start();
      if (start === undefined) return undefined;
      this.#body = new Collector(ENVELOPE_HEADER_BYTES + readI32(head, start + 2));
      this.#body.add(head.subarray(0, this.#headFilled), start);
    }
    this.#body.add(chunk, at);
    const envelope = this.#body.take();
    if (envelope === undefined) return undefined;
    this.#reply = { value: this.#message.decode(envelope) };
    return this.#reply.value;
  }

  /**
   * Tells the reader that the stream has ended.
   *
   * @returns The reply. A stream without any byte accepts a request whose reply has no fields.
   * @throws {TeleQuickError} `ERR_WIRE_INVALID`: the reply is not whole.
   */
  end(): R {
    if (this.#reply !== undefined) return this.#reply.value;
    if (this.#headFilled === 0 && this.#message.fields.length === 0) {
      return this.#message.decode(this.#message.encode({}));
    }
    const found = this.#body?.filled ?? this.#headFilled;
    throw this.#error(`the stream ended after ${found} bytes, expected a whole envelope`);
  }

  /** Where the envelope starts, as soon as the bytes tell: 8 when a frame's header precedes it, else 0. */
  #start(): number | undefined {
    const head = this.#head;
    const filled = this.#headFilled;
    const id = this.#method.id;
    if (filled < ENVELOPE_HEADER_BYTES) return undefined;
    // Read as a bare header, a frame's would claim 64 KiB times the id's low half: within the limit the two do not collide.
    if ((readI32(head, 4) & 0xffff) === (id & 0xffff)) {
      if (filled < FRAME_HEADER_BYTES) return undefined;
      if ((readI32(head, 4) >>> 0) === id) {
        if (filled < LEAST_FRAME_BYTES) return undefined;
        const payload = readI32(head, FRAME_HEADER_BYTES + 2);
        const extra = (readI32(head, 0) >>> 0) - ENVELOPE_HEADER_BYTES - payload;
        if (this.#fits(payload) && (extra === 4 || extra === 8)) return FRAME_HEADER_BYTES;
      }
    }
    if (head[0]! <= HIGHEST_VERSION && head[1]! <= head[0]! && this.#fits(readI32(head, 2))) {
      return 0;
    }
    throw this.#error("the bytes are neither an envelope nor a frame of this method");
  }

  #fits(payload: number): boolean {
    return payload >= 0 && payload + ENVELOPE_HEADER_BYTES <= this.#limitBytes;
  }

  #error(found: string): TeleQuickError {
    return wireError(`Cannot read reply to ${this.#method.name}`, found);
  }
}

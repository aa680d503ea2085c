/**
 * Reads the reply to a request from the chunks of a stream. See [PROTOCOL.md](./PROTOCOL.md#4-frames).
 *
 * @module
 */

import { readI32, readU32 } from "./bytes.ts";
import { Collector } from "./collector.ts";
import { ENVELOPE_HEADER_BYTES } from "./reader.ts";
import { requireBytes, typeError, wireError } from "./fault.ts";
import { FRAME_HEADER_BYTES, FRAME_LIMIT_BYTES, LEAST_FRAME_BYTES } from "./frame.ts";
import type { Message } from "./message.ts";
import type { Method } from "./method.ts";
import { readRefusal, type RefusalFields } from "./refusal.ts";

// No message has a version near this one: bytes of another protocol, such as text, are above it.
const HIGHEST_VERSION = 16;

/** Options of a {@linkcode ReplyReader}. */
export interface ReplyReaderOptions {
  /** Largest payload that is accepted, in bytes. Default: 1 MiB. */
  readonly limitBytes?: number;
}

/** Reads the reply to a request, whether it comes as a bare envelope or as a frame. The end of the stream is not needed. */
export class ReplyReader<R> {
  readonly #name: string;
  readonly #id: number;
  readonly #message: Message<R>;
  readonly #limitBytes: number;
  readonly #collector = new Collector(ENVELOPE_HEADER_BYTES);
  #reply: { readonly value: R } | undefined;
  #refusal: RefusalFields | undefined;

  /**
   * Makes a reader for the reply to one request.
   *
   * @param method The request's method.
   * @param options The limit.
   * @throws {TypeError} The method is a push, which has no reply.
   */
  constructor(method: Method<unknown, R>, options: ReplyReaderOptions = {}) {
    this.#name = `reply to ${method.name}`;
    this.#id = method.id;
    if (method.reply === undefined) {
      throw typeError(`read ${this.#name}: it`, "a push", "a request");
    }
    this.#message = method.reply;
    this.#limitBytes = options.limitBytes ?? FRAME_LIMIT_BYTES;
  }

  /** Why the request was refused, if the reply carries the reason after its own fields. */
  get refusal(): RefusalFields | undefined {
    return this.#refusal;
  }

  /**
   * Takes the next bytes of the stream. Bytes after the reply are ignored.
   *
   * @returns The reply when these bytes complete it, else `undefined`.
   * @throws {TypeError} The chunk is not a `Uint8Array`.
   * @throws {TeleQuickError} `ERR_WIRE_INVALID`: the bytes are not a reply to this method.
   */
  push(chunk: Uint8Array): R | undefined {
    requireBytes(chunk, "read", this.#name, "chunk");
    if (this.#reply !== undefined) return undefined;
    const collector = this.#collector;
    let at = 0;
    while (true) {
      at = collector.add(chunk, at);
      const { bytes, filled, total } = collector;
      if (filled < total) return undefined;
      const start = this.#start(bytes, filled);
      if (start === undefined) {
        collector.total = LEAST_FRAME_BYTES;
        continue;
      }
      collector.total = start + ENVELOPE_HEADER_BYTES + readI32(bytes, start + 2);
      if (filled < collector.total) continue;
      const envelope = bytes.subarray(start, collector.total);
      const value = this.#message.decode(envelope);
      this.#refusal = readRefusal(this.#message, envelope);
      this.#reply = { value };
      return value;
    }
  }

  /**
   * Ends the stream.
   *
   * @returns The reply. A stream without any byte accepts a request whose reply has no fields.
   * @throws {TeleQuickError} `ERR_WIRE_INVALID`: the reply is not whole.
   */
  end(): R {
    if (this.#reply !== undefined) return this.#reply.value;
    const { filled } = this.#collector;
    if (filled === 0 && this.#message.fields.length === 0) {
      return this.#message.decode(this.#message.encode({}));
    }
    throw wireError(
      `read ${this.#name}: stream`,
      `closed after ${filled} bytes`,
      "the whole reply",
    );
  }

  /** Offset of the envelope: 8 after the header of a frame, otherwise 0; `undefined` if more bytes are needed to decide. */
  #start(bytes: Uint8Array, filled: number): number | undefined {
    // Read as an envelope's header, a frame's would claim a payload of 64 KiB times the low half of the id, which is above the limit.
    if ((readU32(bytes, 4) & 0xffff) === (this.#id & 0xffff)) {
      if (filled < LEAST_FRAME_BYTES) return undefined;
      const payload = readI32(bytes, FRAME_HEADER_BYTES + 2);
      const extra = readU32(bytes, 0) - ENVELOPE_HEADER_BYTES - payload;
      if (readU32(bytes, 4) === this.#id && this.#fits(payload) && (extra === 4 || extra === 8)) {
        return FRAME_HEADER_BYTES;
      }
    }
    if (bytes[0]! <= HIGHEST_VERSION && bytes[1]! <= bytes[0]! && this.#fits(readI32(bytes, 2))) {
      return 0;
    }
    throw wireError(
      `read ${this.#name}: start`,
      "not a header",
      "that of an envelope or of a frame",
    );
  }

  #fits(payload: number): boolean {
    return payload >= 0 && payload <= this.#limitBytes;
  }
}

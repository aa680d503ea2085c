/**
 * Frames: `u32 length | u32 method id | envelope`, and the two rules for what the length counts. See
 * [PROTOCOL.md](./PROTOCOL.md#4-frames).
 *
 * @module
 */

import { readI32, readU32, writeU32 } from "./bytes.ts";
import { ENVELOPE_HEADER_BYTES } from "./reader.ts";
import { typeError, wireError } from "./fault.ts";
import type { Method } from "./method.ts";

/** Bytes before the envelope: length and method id. */
export const FRAME_HEADER_BYTES = 8;
/** Bytes from which a frame's size is known: its own header and the envelope's. No frame is shorter. */
export const LEAST_FRAME_BYTES = 14;
/** The largest length that is accepted unless an option says otherwise: 1 MiB, as in the SDKs of the platform. */
export const FRAME_LIMIT_BYTES = 1048576;

// What the length counts besides the envelope.
const INCLUSIVE = 8;
const EXCLUSIVE = 4;

/** Which length rule a stream's frames follow: `push` is 4 + envelope, `request` is 8 + envelope or 4 + envelope. */
export type LengthRule = "push" | "request";

/** Options of {@linkcode encodeRequest}. */
export interface RequestOptions {
  /**
   * What the length counts: `inclusive` is the whole frame, as every published encoder writes it; `exclusive` leaves out the
   * length itself, as the documentation says. Receivers take both. Default: `"inclusive"`.
   */
  readonly requestLength?: "inclusive" | "exclusive";
}

/** Options of {@linkcode encodeReply}. */
export interface ReplyOptions {
  /** Whether length (4 + envelope) and method id precede the envelope. Default: `false`. */
  readonly framed?: boolean;
}

/**
 * Encodes a request as the one frame of its bidirectional stream.
 *
 * @throws {TypeError} A field has the wrong JavaScript type.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`: a value does not fit its field.
 */
export function encodeRequest<Q>(
  method: Method<Q, unknown>,
  value: Partial<Q>,
  options: RequestOptions = {},
): Uint8Array<ArrayBuffer> {
  const frame = method.request.encode(value, FRAME_HEADER_BYTES);
  return finishFrame(
    frame,
    method.id,
    options.requestLength === "exclusive" ? EXCLUSIVE : INCLUSIVE,
  );
}

/**
 * Encodes a frame of a one-way stream: a push of the gateway's, or audio in either direction.
 *
 * @throws {TypeError} A field has the wrong JavaScript type.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`: a value does not fit its field.
 */
export function encodeFrame<Q>(
  method: Method<Q, unknown>,
  value: Partial<Q>,
): Uint8Array<ArrayBuffer> {
  return finishPush(method.request.encode(value, FRAME_HEADER_BYTES), method.id);
}

/**
 * Encodes the reply to a request, bare unless an option says otherwise.
 *
 * @throws {TypeError} A field has the wrong JavaScript type, or the method is a push.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`: a value does not fit its field.
 */
export function encodeReply<R>(
  method: Method<unknown, R>,
  value: Partial<R>,
  options: ReplyOptions = {},
): Uint8Array<ArrayBuffer> {
  if (method.reply === undefined) {
    throw typeError(`encode reply: ${method.name}`, "a push", "a request");
  }
  if (options.framed !== true) return method.reply.encode(value);
  return finishPush(method.reply.encode(value, FRAME_HEADER_BYTES), method.id);
}

/** Writes the header of a frame of the gateway's, or of audio, before its envelope. */
export function finishPush(
  frame: Uint8Array<ArrayBuffer>,
  methodId: number,
): Uint8Array<ArrayBuffer> {
  return finishFrame(frame, methodId, EXCLUSIVE);
}

function finishFrame(
  frame: Uint8Array<ArrayBuffer>,
  methodId: number,
  counted: number,
): Uint8Array<ArrayBuffer> {
  writeU32(frame, 0, frame.length - FRAME_HEADER_BYTES + counted);
  writeU32(frame, 4, methodId);
  return frame;
}

/** Checks the length of a frame, of which four bytes have arrived: nothing is stored for a frame that is too large. */
export function checkLength(bytes: Uint8Array, at: number, limitBytes: number): number {
  const length = readU32(bytes, at);
  const least = ENVELOPE_HEADER_BYTES + EXCLUSIVE;
  if (length < least || length > limitBytes) {
    throw wireError("read frame: length", length, `${least} to ${limitBytes}`);
  }
  return length;
}

/**
 * The size of the frame at `at`, of which the first 14 bytes are there. The envelope's own header settles which
 * rule the length follows, without waiting for the end of the stream.
 */
export function frameBytes(
  bytes: Uint8Array,
  at: number,
  rule: LengthRule,
  limitBytes: number,
): number {
  const length = checkLength(bytes, at, limitBytes);
  const size = readI32(bytes, at + FRAME_HEADER_BYTES + 2) + ENVELOPE_HEADER_BYTES;
  if (
    size < ENVELOPE_HEADER_BYTES ||
    (length !== size + EXCLUSIVE && (rule === "push" || length !== size + INCLUSIVE))
  ) {
    const expected = `the envelope's ${size} and 4${rule === "push" ? "" : " or 8"}`;
    throw wireError("read frame: length", length, expected);
  }
  return FRAME_HEADER_BYTES + size;
}

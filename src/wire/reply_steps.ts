/**
 * Long replies, encoded in steps: between two of them others can have their turn.
 *
 * @module
 */

import { writeU32 } from "./bytes.ts";
import { ENVELOPE_HEADER_BYTES } from "./reader.ts";
import { Fault } from "./fault.ts";
import { type FieldCodec, text, u32 } from "./field.ts";
import { encodeReply, finishPush, FRAME_HEADER_BYTES, type ReplyOptions } from "./frame.ts";
import { type Field, isEmpty } from "./message.ts";
import type { Method } from "./method.ts";
import { Writer } from "./writer.ts";

type AnyField = Field & FieldCodec<unknown>;

// A step takes some microseconds.
const STEP_UNITS = 8_192;
const HIGH_SURROGATE = { first: 0xd800, last: 0xdbff } as const;

const encoder = /* @__PURE__ */ new TextEncoder();

/**
 * Encodes a reply as {@linkcode encodeReply} does, to the same bytes, but step by step: one for each element of a list and each 8,192 UTF-16 units of a
 * text. The value must not change meanwhile.
 *
 * @returns The steps; the last one returns the bytes.
 * @throws {TypeError} A field has the wrong JavaScript type, or the method is a push.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`: a value does not fit its field.
 */
export function* encodeReplyInSteps<R>(
  method: Method<unknown, R>,
  value: Partial<R>,
  options: ReplyOptions = {},
): Generator<void, Uint8Array<ArrayBuffer>> {
  const { reply } = method;
  if (reply === undefined) return encodeReply(method, value, options);
  const writer = new Writer();
  const header = writer.take(options.framed === true ? FRAME_HEADER_BYTES : 0);
  const envelope = writer.take(ENVELOPE_HEADER_BYTES);
  let tailStart = 0;
  let isTailEmpty = true;
  try {
    for (const field of reply.fields as readonly AnyField[]) {
      let given: unknown = value[field.name as keyof R];
      if (given === undefined) given = field.default;
      if (field.optional && tailStart === 0) tailStart = writer.at;
      if (field.optional && !isEmpty(given)) isTailEmpty = false;
      yield* writeInSteps(writer, field, given);
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // Fails in the same way, and says where.
    return encodeReply(method, value, options);
  }
  if (tailStart > 0 && isTailEmpty) writer.at = tailStart;
  const { bytes, at } = writer;
  bytes[envelope] = reply.version;
  bytes[envelope + 1] = reply.compat;
  writeU32(bytes, envelope + 2, at - envelope - ENVELOPE_HEADER_BYTES);
  const encoded = bytes.subarray(header, at);
  return options.framed === true ? finishPush(encoded, method.id) : encoded;
}

function* writeInSteps(writer: Writer, field: AnyField, value: unknown): Generator<void, void> {
  if (field.kind === "vector" && Array.isArray(value)) {
    u32.write(writer, value.length);
    for (const element of value) {
      (field.element as AnyField).write(writer, element);
      yield;
    }
  } else if (field.write === text.write && typeof value === "string" && value.isWellFormed()) {
    yield* writeText(writer, value);
  } else field.write(writer, value);
}

function* writeText(writer: Writer, value: string): Generator<void, void> {
  const start = writer.take(4);
  for (let at = 0; at < value.length;) {
    let end = Math.min(value.length, at + STEP_UNITS);
    const last = value.charCodeAt(end - 1);
    // Both halves of a pair in one step.
    if (end < value.length && last >= HIGH_SURROGATE.first && last <= HIGH_SURROGATE.last) end--;
    const target = writer.take((end - at) * 3);
    const { written } = encoder.encodeInto(value.slice(at, end), writer.bytes.subarray(target));
    writer.at = target + written;
    at = end;
    yield;
  }
  writeU32(writer.bytes, start, writer.at - start - 4);
}

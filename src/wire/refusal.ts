/**
 * Refusals in replies that have no fields for one: `status`, `errorMessage` and `errorCode` stand after the reply's own fields. See
 * [PROTOCOL.md](./PROTOCOL.md#refusals-in-replies-without-fields-for-one). With them a client can distinguish a barge that found no
 * call from one that was done.
 *
 * @module
 */

import { concatBytes } from "../base/bytes.ts";
import { type FieldCodec, i32, text } from "./field.ts";
import { encodeReply, type ReplyOptions } from "./frame.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import type { Message } from "./message.ts";
import { ExecuteDialplanResponse } from "./messages/dialplan.ts";
import type { ErrorCode } from "./messages/error_code.ts";
import type { Method } from "./method.ts";
import { ENVELOPE_HEADER_BYTES, Reader } from "./reader.ts";

/** Why a request was refused. */
export interface RefusalFields {
  /** An `ErrorCode`. */
  readonly errorCode: ErrorCode;
  /** The reason in words. */
  readonly errorMessage: string;
}

const COUNT_BYTES = 4;

/**
 * Encodes the reply to a request that is refused, for replies with and without fields for the reason.
 *
 * @param method The request's method.
 * @param refusal Why it is refused.
 * @param repeated Fields of the request that the reply repeats, if it has them.
 * @param options Whether a frame's header precedes the reply.
 */
export function encodeRefusal(
  method: Method<unknown, unknown>,
  refusal: RefusalFields,
  repeated: { readonly callSid?: string; readonly timestampMs?: number } = {},
  options: ReplyOptions = {},
): Uint8Array<ArrayBuffer> {
  const { errorCode, errorMessage } = refusal;
  const fault = { status: "ERROR", errorMessage, errorCode };
  const fields = new Set(method.reply?.fields.map(({ name }) => name));
  const value: Record<string, unknown> = {};
  for (const [name, content] of Object.entries({ ...fault, ...repeated })) {
    if (fields.has(name)) value[name] = content;
  }
  const reply = encodeReply(method, value, options);
  if (fields.has("errorMessage")) return reply;
  const start = options.framed === true ? FRAME_HEADER_BYTES : 0;
  const isBare = reply.length === start + ENVELOPE_HEADER_BYTES;
  const own = new Uint8Array(isBare ? COUNT_BYTES * fields.size : 0);
  const tail = ExecuteDialplanResponse.encode(fault).subarray(ENVELOPE_HEADER_BYTES);
  const joined = concatBytes([reply, own, tail]);
  const view = new DataView(joined.buffer);
  const added = own.length + tail.length;
  view.setInt32(start + 2, view.getInt32(start + 2, true) + added, true);
  if (options.framed === true) view.setUint32(0, view.getUint32(0, true) + added, true);
  return joined;
}

/**
 * Reads the refusal after the fields of a reply that has no fields for one.
 *
 * @param message The reply's message.
 * @param envelope The reply as a bare envelope.
 * @returns `undefined` if the reply ends before it, or if the bytes are something else, such as a field of a newer gateway.
 */
export function readRefusal<T>(
  message: Message<T>,
  envelope: Uint8Array,
): RefusalFields | undefined {
  const { fields } = message;
  if (fields.some(({ name }) => name === "errorMessage")) return undefined;
  // The reply's own fields are read once more to find their end. Encoding the decoded reply would not find it: a newer gateway can have
  // added fields to the elements of a list. The refusal is read in place: a field of a newer gateway after it can be large.
  const own = fields as unknown as readonly FieldCodec<unknown>[];
  const reader = new Reader(envelope, [...own, text, text, i32]);
  try {
    for (const _ of own) reader.next();
    const status = reader.next<string>();
    const errorMessage = reader.next<string>();
    const errorCode = reader.next<number>();
    return status === "ERROR" && errorCode !== 0 ? { errorCode, errorMessage } : undefined;
  } catch {
    return undefined;
  }
}

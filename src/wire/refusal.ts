/**
 * Refusals in replies that have no fields for one. Ours, for the protocol publishes none (protocol.md section 3.4): behind the reply's own fields
 * stand `status` s, `error_message` s, `error_code` i32, in the layout of `ExecuteDialplanResponse`; a list that is otherwise left out then stands
 * there with its count of 0. Whoever does not know that skips it by the envelope's size; whoever does can tell a barge that hit nothing from one
 * that was done.
 *
 * @module
 */

import { concatBytes } from "../base/bytes.ts";
import { ENVELOPE_HEADER_BYTES } from "./envelope.ts";
import { type FieldCodec, i32, text } from "./field.ts";
import { encodeReply, type ReplyOptions } from "./frame.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import type { Message } from "./message.ts";
import { ExecuteDialplanResponse } from "./messages/dialplan.ts";
import type { Method } from "./method.ts";
import { Reader } from "./reader.ts";

/** Why a request was refused. */
export interface RefusalFields {
  /** An `ErrorCode` (protocol.md section 5.1). */
  readonly errorCode: number;
  /** The same in words. */
  readonly errorMessage: string;
}

const COUNT_BYTES = 4;

/**
 * Encodes the reply to a request that is refused, whatever fields the method's reply has.
 *
 * @param method The request's method.
 * @param refusal Why it is refused.
 * @param repeated What the reply repeats of the request, where it has the fields.
 * @param options How the reply goes onto its stream.
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
 * Reads the refusal behind the fields of a reply that has none of its own.
 *
 * @param message The reply's message.
 * @param envelope The reply as a bare envelope.
 * @returns `undefined` when there is none, or what stands there is something else (a newer gateway's field).
 */
export function readRefusal<T>(
  message: Message<T>,
  envelope: Uint8Array,
): RefusalFields | undefined {
  const { fields } = message;
  if (fields.some(({ name }) => name === "errorMessage")) return undefined;
  // Its own fields are read once more, for where they end: encoded anew they would lack what a newer gateway adds to an element of a list.
  // What follows is read where it stands: a newer gateway's field behind it can be large.
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

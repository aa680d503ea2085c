/**
 * How a request is refused: an error code and a sentence, in whatever reply the method has.
 *
 * Replies without fields for it (`Empty` and the lists) say it behind their own fields, in the layout of `ExecuteDialplanResponse`:
 * `status` s, `error_message` s, `error_code` i32; a list that is otherwise left out then stands there with its count of 0. Whoever does not know
 * that skips it by the envelope's size (protocol.md section 3.2); whoever does can tell a barge that hit nothing from one that was done.
 *
 * @module
 */

import { concatBytes } from "../bytes.ts";
import { encodeReply, ExecuteDialplanResponse, type Method } from "../wire/mod.ts";

/** A request that is not carried out. The message is for the peer: it names nothing that belongs to somebody else. */
export class Refusal {
  /** One of the wire's error codes (protocol.md section 5.1). */
  readonly code: number;
  /** Why, in words. */
  readonly message: string;

  constructor(code: number, message: string) {
    this.code = code;
    this.message = message;
  }
}

/** What a refusal's reply repeats of the request, where the reply has the fields. */
export interface RefusedRequest {
  readonly callSid?: string;
  readonly timestampMs: number;
}

const FRAME_HEADER = 8;
const ENVELOPE_HEADER = 6;
const COUNT = 4;

/** Encodes the reply of a refused request. */
export function encodeRefusal(
  method: Method<unknown, unknown>,
  refusal: Refusal,
  request: RefusedRequest,
  options: { readonly framed: boolean },
): Uint8Array<ArrayBuffer> {
  const { code: errorCode, message: errorMessage } = refusal;
  const fault = { status: "ERROR", errorMessage, errorCode };
  const fields = new Set(method.reply?.fields.map(({ name }) => name));
  const value: Record<string, unknown> = {};
  for (const [name, content] of Object.entries({ ...fault, ...request })) {
    if (fields.has(name)) value[name] = content;
  }
  const reply = encodeReply(method, value, options);
  if (fields.has("errorMessage")) return reply;
  const start = options.framed ? FRAME_HEADER : 0;
  const isEmpty = reply.length === start + ENVELOPE_HEADER;
  const own = new Uint8Array(isEmpty ? COUNT * fields.size : 0);
  const tail = ExecuteDialplanResponse.encode(fault).subarray(ENVELOPE_HEADER);
  const joined = concatBytes([reply, own, tail]);
  const view = new DataView(joined.buffer);
  const added = own.length + tail.length;
  view.setInt32(start + 2, view.getInt32(start + 2, true) + added, true);
  if (options.framed) view.setUint32(0, view.getUint32(0, true) + added, true);
  return joined;
}

/**
 * How a request is refused: an error code and a sentence, in whatever reply the method has.
 *
 * Replies without fields for it (`Empty` and the lists) say it behind their own fields, in the layout of `ExecuteDialplanResponse`:
 * `status` s, `error_message` s, `error_code` i32. Whoever does not know that skips it by the envelope's size (protocol.md section 3.2);
 * whoever does can tell a barge that hit nothing from one that was done.
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

const ENVELOPE_HEADER = 6;

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
  const tail = ExecuteDialplanResponse.encode(fault).subarray(ENVELOPE_HEADER);
  const joined = concatBytes([reply, tail]);
  const view = new DataView(joined.buffer);
  // Sizes that cover the tail: the envelope's own, and the frame's around it.
  const envelope = options.framed ? 8 : 0;
  view.setInt32(envelope + 2, view.getInt32(envelope + 2, true) + tail.length, true);
  if (options.framed) view.setUint32(0, view.getUint32(0, true) + tail.length, true);
  return joined;
}

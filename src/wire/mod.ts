/**
 * The wire: encodes values to bytes and decodes bytes to values, byte for byte as the gateway of the platform does. It uses neither
 * network nor clock.
 *
 * Each message is exported by itself, and all of them in the namespace `messages`; each method in the namespace `methods`. A bundle
 * contains only those that it uses. [PROTOCOL.md](./PROTOCOL.md) describes the bytes, [README.md](./README.md) the code.
 *
 * @example Write a request, read its reply
 * ```ts
 * import { encodeRequest, methods, ReplyReader } from "@telequick/sdk/wire";
 *
 * const frame = encodeRequest(methods.Terminate, { callSid: "abc" });
 * const reply = new ReplyReader(methods.Terminate);
 * // Write `frame` to a bidirectional stream, and push what comes back until there is a reply.
 * ```
 *
 * @module
 */

export * as messages from "./messages/mod.ts";
export * as methods from "./methods.ts";
export * from "./messages/mod.ts";
export { type Method, methodById, pushById } from "./method.ts";
export {
  encodeFrame,
  encodeReply,
  encodeRequest,
  FRAME_LIMIT_BYTES,
  type LengthRule,
  type ReplyOptions,
  type RequestOptions,
} from "./frame.ts";
export { type Frame, FrameReader, type FrameReaderOptions } from "./frame_reader.ts";
export { encodeReplyInSteps } from "./reply_steps.ts";
export { encodeRefusal, readRefusal, type RefusalFields } from "./refusal.ts";
export { ReplyReader, type ReplyReaderOptions } from "./reply_reader.ts";
export { AudioFrameEncoder, type AudioFrameEncoderOptions } from "./audio_encoder.ts";
export type { Field, Message, ValueOf } from "./message.ts";
export type { FieldInfo, FieldKind, FieldType } from "./field.ts";
export { isCallSid, isDestination, isE164, isSipUri } from "./rules.ts";
export { nameOf, type NumberOf } from "./name_of.ts";
export { describeQ850Cause, q850Causes } from "./q850.ts";

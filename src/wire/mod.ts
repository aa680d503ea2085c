/**
 * The wire: values to bytes and bytes to values, byte-exact with the platform's gateway. No network, no clock.
 *
 * `messages` has every message by the protocol's own name, `methods` says which message goes which way under which id; each message
 * is exported by itself too, so that a bundle holds only those that it uses.
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

export { type Messages, messages } from "./messages.ts";
export { type Method, methodById, type Methods, methods, pushById } from "./method.ts";
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
export { encodeRefusal, readRefusal, type RefusalFields } from "./refusal.ts";
export { ReplyReader, type ReplyReaderOptions } from "./reply_reader.ts";
export { AudioFrameEncoder, type AudioFrameEncoderOptions } from "./audio_encoder.ts";
export type { Field, Message } from "./message.ts";
export type { FieldInfo, FieldKind } from "./field.ts";
export {
  AllocateWtRequest,
  AllocateWtResponse,
  BargeRequest,
  type CallResult,
  Empty,
  ErrorCode,
  OriginateRequest,
  OriginateResponse,
  TerminateRequest,
  TerminateResponse,
} from "./messages/call.ts";
export { AbortBulkRequest, BulkRequest, BulkResponse } from "./messages/bulk.ts";
export {
  AnswerIncomingCallRequest,
  AnswerIncomingCallResponse,
  GetIncomingCallsRequest,
  GetIncomingCallsResponse,
  InboundRule,
  IncomingCallInfo,
  SetInboundRoutingRequest,
} from "./messages/routing.ts";
export {
  DialplanAction,
  type DtmfMode,
  ExecuteDialplanRequest,
  ExecuteDialplanResponse,
  formatMute,
  formatSendDtmf,
  formatTransfer,
  type MuteOptions,
  parseMute,
  parseSendDtmf,
  parseTransfer,
  type SendDtmf,
  type TransferTarget,
} from "./messages/dialplan.ts";
export { CallEvent, EventStreamRequest, EventType } from "./messages/event.ts";
export {
  BucketActionRequest,
  BucketActionResponse,
  BucketCallList,
  BucketInfo,
  BucketRequest,
  ListBucketsResponse,
  parseCallSids,
} from "./messages/bucket.ts";
export { AudioFrame } from "./messages/audio.ts";
export {
  SuperviseSubscribeRequest,
  SuperviseSubscribeResponse,
  SupervisionMode,
} from "./messages/supervise.ts";
export { AuthenticateRequest, AuthenticateResponse, SessionEnding } from "./messages/session.ts";
export {
  BootstrapOrgRequest,
  BootstrapOrgResponse,
  PublishServiceAccountRequest,
  ReloadCertificatesRequest,
  ReloadCertificatesResponse,
  RevokeServiceAccountRequest,
  SessionAuthRequest,
  SessionAuthResponse,
} from "./messages/admin.ts";
export {
  AddTrunkRequest,
  GetTrunkRequest,
  GetTrunkResponse,
  RemoveTrunkRequest,
  type TrunkRecord,
} from "./messages/trunk.ts";
export { nameOf } from "./name_of.ts";
export { describeQ850Cause, q850Causes } from "./q850.ts";

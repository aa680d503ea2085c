/**
 * The client: session, RPCs, events and audio.
 *
 * @module
 */

export { TeleQuickClient } from "./client.ts";
export { ClientMethods, send } from "./methods.ts";
export type { AllocateWtOptions, DtmfOptions } from "./methods.ts";
export type { ClientOptions } from "./options.ts";
export type { Handshake } from "./connect.ts";
export type { TokenProvider, TokenReason, TokenRequest } from "./provider.ts";
export type { AnswerOptions, BulkOptions, DialOptions, InboundRoutingOptions } from "./requests.ts";
export type { RequestOptions } from "./rpc.ts";
export type {
  ClientStatus,
  RenewalReason,
  StatusClosed,
  StatusConnecting,
  StatusEventsMayBeMissing,
  StatusIdle,
  StatusOpen,
  StatusReconnecting,
  StatusRenewing,
} from "./status.ts";
export type { LogRecord } from "./log.ts";
export type { SuperviseOptions, Supervision } from "./supervision.ts";
export type { Call, CallEnd, CallState } from "./call.ts";
export type { AudioLink, AudioOptions, AudioStats, ReceivedFrame } from "./audio.ts";
export type { AudioCodec, JitterStatistics, SampleRate } from "../audio/mod.ts";
export type {
  BidirectionalStream,
  CertificateHash,
  CloseInfo,
  DatagramsLike,
  OpenStreamOptions,
  Session,
  SessionClosed,
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "../transport/mod.ts";
export type { CheckCode, CheckReason, CheckReport } from "./check.ts";
export type {
  AudioTotals,
  ClientStats,
  LatencyHistogram,
  RpcStats,
  SessionStats,
} from "./stats.ts";

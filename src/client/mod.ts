/**
 * The client: session, RPCs, events and audio.
 *
 * @module
 */

export { TeleQuickClient } from "./client.ts";
export type { TeleQuickClientLike } from "./client_like.ts";
export { ClientMethods, send } from "./rpc/methods.ts";
export type { AllocateWtOptions, DtmfOptions } from "./rpc/methods.ts";
export type { ClientOptions } from "./options.ts";
export type { Handshake } from "./session/open_connection.ts";
export type { TokenProvider, TokenReason, TokenRequest } from "./sign_in/token_provider.ts";
export type {
  AnswerOptions,
  BulkOptions,
  DialOptions,
  InboundRoutingOptions,
} from "./rpc/requests.ts";
export type { RequestOptions } from "./rpc/rpc.ts";
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
} from "./session/status.ts";
export type { LogRecord } from "./log.ts";
export type { SuperviseOptions, Supervision } from "./call/supervision.ts";
export type { Warning, WarningKind } from "./call/warnings.ts";
export type {
  InboundHandler,
  InboundService,
  InboundStats,
  ServeInboundOptions,
} from "./call/inbound.ts";
export type { DrainOptions, DrainResult } from "./call/drain.ts";
export { prepareCampaign } from "./call/campaign.ts";
export type {
  CampaignRow,
  PrepareCampaignOptions,
  PreparedCampaign,
  SkippedRow,
} from "./call/campaign.ts";
export type { Call, CallEnd, CallState, MuteCallOptions, SendDtmfOptions } from "./call/call.ts";
export type {
  AudioLink,
  AudioOptions,
  AudioStats,
  AudioTotals,
  ReceivedFrame,
} from "./audio/audio_link.ts";
export type { AudioChunk } from "./audio/chunk.ts";
export type { AudioSource, Playback, PlayOptions } from "./audio/playback.ts";
export type { PlaybackEnd } from "./audio/speech_track.ts";
export { audioPort } from "./audio/audio_port.ts";
export { bridgeAudio, checkBridgeable } from "./audio/bridge.ts";
export type { Bridge, BridgeableCall, BridgeEnd, BridgeOptions } from "./audio/bridge.ts";
export type { AudioPort, AudioReceiver } from "./audio/audio_port.ts";
export type { AudioCodec, JitterStatistics } from "../audio/mod.ts";
export type { CallEvent, IncomingCallInfo, MuteOptions } from "../wire/mod.ts";
export type {
  BidirectionalStream,
  CertificateHash,
  CloseInfo,
  DatagramsLike,
  OpenStreamOptions,
  RequestStream,
  Session,
  SessionClosed,
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "../transport/mod.ts";
export type { CheckCode, CheckReason, CheckReport } from "./check.ts";
export type { LatencyHistogram, RpcStats } from "./rpc/rpc_stats.ts";
export type { ClientStats, SessionStats } from "./stats.ts";

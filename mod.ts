/**
 * TeleQuick for TypeScript: sign in with a service account, place calls, hear and speak on them.
 *
 * A call travels one way: file, key, token, session, RPC, events and audio. The exports stand in that order.
 *
 * @module
 */

export { TeleQuickError } from "./src/base/errors.ts";
export type {
  RefusalReason,
  TeleQuickErrorCode,
  TeleQuickErrorOptions,
} from "./src/base/errors.ts";

export {
  generateServiceAccount,
  importSigner,
  importVerifyingKey,
  loadServiceAccount,
  parseServiceAccount,
} from "./src/credentials/mod.ts";
export type {
  GeneratedServiceAccount,
  GenerateServiceAccountOptions,
  ImportSignerOptions,
  LoadServiceAccountOptions,
  ServiceAccount,
  Signer,
} from "./src/credentials/mod.ts";

export {
  createTokenSource,
  decodeToken,
  mintBrowserToken,
  signToken,
  verifyToken,
} from "./src/token/mod.ts";
export type {
  Clock,
  DecodedToken,
  KeyRecord,
  KeyRole,
  MintBrowserTokenOptions,
  ReplayStore,
  SignTokenOptions,
  TokenKind,
  TokenSource,
  TokenSourceOptions,
  VerifiedToken,
  VerifyTokenOptions,
} from "./src/token/mod.ts";

export { bridgeAudio, prepareCampaign, TeleQuickClient } from "./src/client/mod.ts";
export type {
  AllocateWtOptions,
  AnswerOptions,
  AudioChunk,
  AudioCodec,
  AudioLink,
  AudioOptions,
  AudioSource,
  AudioStats,
  AudioTotals,
  BidirectionalStream,
  Bridge,
  BridgeableCall,
  BridgeEnd,
  BridgeOptions,
  BulkOptions,
  Call,
  CallEnd,
  CallState,
  CampaignRow,
  CertificateHash,
  CheckCode,
  CheckReason,
  CheckReport,
  ClientMethods,
  ClientOptions,
  ClientStats,
  ClientStatus,
  CloseInfo,
  DatagramsLike,
  DialOptions,
  DtmfOptions,
  Handshake,
  InboundRoutingOptions,
  JitterStatistics,
  LatencyHistogram,
  LogRecord,
  MuteCallOptions,
  OpenStreamOptions,
  Playback,
  PlaybackEnd,
  PlayOptions,
  PrepareCampaignOptions,
  PreparedCampaign,
  ReceivedFrame,
  RenewalReason,
  RequestOptions,
  RpcStats,
  SendDtmfOptions,
  Session,
  SessionClosed,
  SessionStats,
  SkippedRow,
  StatusClosed,
  StatusConnecting,
  StatusEventsMayBeMissing,
  StatusIdle,
  StatusOpen,
  StatusReconnecting,
  StatusRenewing,
  SuperviseOptions,
  Supervision,
  TeleQuickClientLike,
  TokenProvider,
  TokenReason,
  TokenRequest,
  Warning,
  WarningKind,
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "./src/client/mod.ts";

export {
  DialplanAction,
  ErrorCode,
  EventType,
  InboundRule,
  SupervisionMode,
} from "./src/wire/mod.ts";
export type {
  AllocateWtResponse,
  AudioFrame,
  BucketInfo,
  BulkResponse,
  CallEvent,
  CallResult,
  DtmfMode,
  Field,
  FieldInfo,
  FieldKind,
  IncomingCallInfo,
  Message,
  Method,
  MuteOptions,
  SendDtmf,
} from "./src/wire/mod.ts";

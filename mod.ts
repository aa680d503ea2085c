/**
 * TeleQuick for TypeScript: sign in with a service account, place calls, hear and speak on them.
 *
 * A call travels one way: file, key, token, session, RPC, events and audio. The exports stand in that order.
 *
 * @module
 */

export { TeleQuickError } from "./src/errors.ts";
export type { RefusalReason, TeleQuickErrorCode, TeleQuickErrorOptions } from "./src/errors.ts";

export {
  generateServiceAccount,
  importSigner,
  importVerifyingKey,
  loadServiceAccount,
  parseServiceAccount,
} from "./src/credentials/mod.ts";
export type { ServiceAccount, Signer } from "./src/credentials/mod.ts";

export {
  createTokenSource,
  decodeToken,
  mintBrowserToken,
  signToken,
  verifyToken,
} from "./src/token/mod.ts";
export type { TokenSource } from "./src/token/mod.ts";

export { AudioLink, Call, TeleQuickClient } from "./src/client/mod.ts";
export type {
  AudioOptions,
  AudioStats,
  CallEnd,
  CallState,
  ClientOptions,
  ClientStatus,
  DialOptions,
  Handshake,
  LogRecord,
  ReceiveStats,
  RequestOptions,
  TokenProvider,
  TokenRequest,
} from "./src/client/mod.ts";

export {
  DialplanAction,
  ErrorCode,
  EventType,
  InboundRule,
  SupervisionMode,
} from "./src/wire/mod.ts";
export type { AudioFrame, CallEvent } from "./src/wire/mod.ts";

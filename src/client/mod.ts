/**
 * The client: session, RPCs, events and audio.
 *
 * @module
 */

export { TeleQuickClient } from "./client.ts";
export type { ClientOptions } from "./options.ts";
export type { Handshake } from "./connect.ts";
export type { TokenProvider, TokenReason, TokenRequest } from "./provider.ts";
export type { DialOptions } from "./requests.ts";
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
export { Call } from "./call.ts";
export type { CallEnd, CallState } from "./call.ts";
export { AudioLink } from "./audio.ts";
export type { AudioOptions, AudioStats } from "./audio.ts";
export type { ReceiveStats } from "./receive.ts";

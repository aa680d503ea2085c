/**
 * Call control (protocol.md section 5.2).
 *
 * @module
 */

import { bool, i32, i64, secret, text, u16, u32 } from "../field.ts";
import { type Fields, type Message, message } from "../message.ts";

/** No fields: the request or the reply of methods that need none. */
export type Empty = Readonly<Record<string, never>>;

/** No fields: the request or the reply of methods that need none. */
export const Empty: Message<Empty> = /* @__PURE__ */ message<Empty>("Empty", () => ({}));

/** Places a call. */
export interface OriginateRequest {
  /** Trunk that the call leaves by; the tenant must own it. Default: `""`. */
  readonly trunkId: string;
  /** Whom to call: an E.164 number or a full SIP URI. Default: `""`. */
  readonly to: string;
  /** Caller id, within the trunk's allow list. Default: `""`, the trunk's own. */
  readonly callFrom: string;
  /** URL of the AI bridge that the gateway dials by WebSocket. Default: `""`, none. */
  readonly aiWebsocketUrl: string;
  /** URL of the AI bridge that the gateway dials by QUIC. Default: `""`, none. */
  readonly aiQuicUrl: string;
  /** The tenant, for information: the session's token decides. Default: `""`. */
  readonly tenantId: string;
  /** Longest duration of the call in milliseconds (int32). Default: 0, no limit of the client's. */
  readonly maxDurationMs: number;
  /** The call's id, a UUID v4 chosen by the client. Default: `""`, the gateway chooses. */
  readonly callSid: string;
  /** What runs on answer, a `DialplanAction` of 0 to 6 (int32). Default: 0. */
  readonly defaultApp: number;
  /** Arguments of `defaultApp`. Default: `""`. */
  readonly defaultAppArgs: string;
  /** Whether the gateway stops playback when the caller speaks. Default: `false`. */
  readonly autoBargeIn: boolean;
  /** How long the caller must speak before that, in milliseconds (int32). Default: 0. */
  readonly bargeInPatienceMs: number;
  /** The SDK instance that gets the call's events and audio. Default: `""`. */
  readonly clientId: string;
  /** Session number (uint32; version 1). Default: 0. */
  readonly sessionId: number;
  /** Key of the agent's configuration (version 1). Default: `""`. */
  readonly agentConfigKey: string;
  /** W3C trace context, `00-<32 hex>-<16 hex>-01` (version 1). Default: `""`, derived from the call's id. */
  readonly traceparent: string;
}

/** Places a call. */
export const OriginateRequest: Message<OriginateRequest> = /* @__PURE__ */ message<
  OriginateRequest
>("OriginateRequest", () => ({
  trunkId: text,
  to: text,
  callFrom: text,
  aiWebsocketUrl: text,
  aiQuicUrl: text,
  tenantId: text,
  maxDurationMs: i32,
  callSid: text,
  defaultApp: i32,
  defaultAppArgs: text,
  autoBargeIn: bool,
  bargeInPatienceMs: i32,
  clientId: text,
  sessionId: u32,
  agentConfigKey: text,
  traceparent: text,
}), { version: 1 });

/** What became of a request about one call. */
export interface CallResult {
  /** The call's id. Default: `""`. */
  readonly callSid: string;
  /** Coarse state, such as `QUEUED`. Default: `""`. */
  readonly status: string;
  /** Why it was refused. Default: `""`, it was not. */
  readonly errorMessage: string;
  /** An `ErrorCode` (int32). Default: 0, success. */
  readonly errorCode: number;
  /** When the gateway said so, in Unix milliseconds (int64). Default: 0. */
  readonly timestampMs: number;
}

/** The five fields of every reply about one call. */
export const callResult: Fields<CallResult> = {
  callSid: text,
  status: text,
  errorMessage: text,
  errorCode: i32,
  timestampMs: i64,
};

/** Whether the call is being placed, and its id. */
export type OriginateResponse = CallResult;

/** Whether the call is being placed, and its id. */
export const OriginateResponse: Message<OriginateResponse> = /* @__PURE__ */ message(
  "OriginateResponse",
  () => callResult,
);

/** Ends a call. */
export interface TerminateRequest {
  /** The call's id. Default: `""`. */
  readonly callSid: string;
}

/** Ends a call. */
export const TerminateRequest: Message<TerminateRequest> = /* @__PURE__ */ message<
  TerminateRequest
>("TerminateRequest", () => ({ callSid: text }));

/** Whether the call is being ended. */
export type TerminateResponse = CallResult;

/** Whether the call is being ended. */
export const TerminateResponse: Message<TerminateResponse> = /* @__PURE__ */ message(
  "TerminateResponse",
  () => callResult,
);

/** Cuts what the call is being played, as a caller's interruption does. */
export interface BargeRequest {
  /** The call's id. Default: `""`. */
  readonly callSid: string;
}

/** Cuts what the call is being played, as a caller's interruption does. */
export const BargeRequest: Message<BargeRequest> = /* @__PURE__ */ message<BargeRequest>(
  "BargeRequest",
  () => ({ callSid: text }),
);

/** Where the media of a call is reached by WebTransport: asked after `Originate` told the call's id (section 5.8). */
export interface AllocateWtRequest {
  /** The call's id. Default: `""`. */
  readonly callSid: string;
  /** The agent that takes part. Default: `""`. */
  readonly agentId: string;
  /** The tenant, for information. Default: `""`. */
  readonly tenantId: string;
  /** The call's trunk. Default: `""`. */
  readonly trunkId: string;
  /** The realm. Default: `""`. */
  readonly realm: string;
}

/** Where the media of a call is reached by WebTransport. */
export const AllocateWtRequest: Message<AllocateWtRequest> = /* @__PURE__ */ message<
  AllocateWtRequest
>("AllocateWtRequest", () => ({
  callSid: text,
  agentId: text,
  tenantId: text,
  trunkId: text,
  realm: text,
}));

/** The media endpoint of a call, and the token it wants. */
export interface AllocateWtResponse {
  /** Host name. Default: `""`. */
  readonly host: string;
  /** UDP port (uint16). Default: 0. */
  readonly port: number;
  /** The media node. Default: `""`. */
  readonly nodeId: string;
  /** The token that the media endpoint wants: a secret. Default: `""`. */
  readonly mediaToken: string;
  /** Coarse state. Default: `""`. */
  readonly status: string;
  /** Why it was refused. Default: `""`, it was not. */
  readonly errorMessage: string;
  /** An `ErrorCode` (int32). Default: 0, success. */
  readonly errorCode: number;
  /** When the gateway said so, in Unix milliseconds (int64). Default: 0. */
  readonly timestampMs: number;
}

/** The media endpoint of a call, and the token it wants. */
export const AllocateWtResponse: Message<AllocateWtResponse> = /* @__PURE__ */ message<
  AllocateWtResponse
>("AllocateWtResponse", () => ({
  host: text,
  port: u16,
  nodeId: text,
  mediaToken: secret,
  status: text,
  errorMessage: text,
  errorCode: i32,
  timestampMs: i64,
}));

/** Why a request was refused: what `errorCode` fields hold (section 5.1). Unknown numbers are kept. */
export const ErrorCode = {
  /** It was not refused. */
  SUCCESS: 0,
  /** The trunk is unknown or another tenant's. */
  ERR_INVALID_TRUNK: 1,
  /** `to` cannot be parsed or routed. */
  ERR_INVALID_DESTINATION: 2,
  /** The tenant's budget of calls per second is used up. */
  ERR_RATE_LIMITED: 3,
  /** The trunk is unhealthy and the gateway sheds load. */
  ERR_CIRCUIT_BREAKER: 4,
  /** The gateway failed. */
  ERR_INTERNAL_ERROR: 5,
  /** A field is not valid. */
  ERR_VALIDATION_FAILED: 6,
  /** The token is missing, expired or another tenant's. */
  ERR_UNAUTHORIZED: 7,
} as const;

/**
 * Call control.
 *
 * @module
 */

import { bool, type FieldCodec, i32, i64, secret, text, u16, u32 } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import type { DialplanAction } from "./dialplan.ts";
import type { ErrorCode } from "./error_code.ts";

/** The request or the reply of methods that have no fields in it. */
export type Empty = Readonly<Record<string, never>>;

/** The request or the reply of methods that have no fields in it. */
export const Empty: Message<Empty> = /* @__PURE__ */ message("Empty", {});

/** Fields of {@linkcode OriginateRequest}. */
export const originateRequest = {
  /** Trunk that the call leaves by; the tenant must own it. Default: `""`. */
  trunkId: text,
  /** The destination: an E.164 number or a full SIP URI. Default: `""`. */
  to: text,
  /** Caller id, within the trunk's allow list. Default: `""`, the trunk's own. */
  callFrom: text,
  /** URL of an AI bridge that the gateway connects to by WebSocket. Default: `""`, no bridge. */
  aiWebsocketUrl: text,
  /** URL of an AI bridge that the gateway connects to by QUIC. Default: `""`, no bridge. */
  aiQuicUrl: text,
  /** The tenant, for information: the session's token decides. Default: `""`. */
  tenantId: text,
  /** Longest duration of the call in milliseconds (int32). Default: 0, no limit by the client. */
  maxDurationMs: i32,
  /** The call's id, a UUID v4 chosen by the client. Default: `""`, the gateway chooses. */
  callSid: text,
  /** What runs on answer, a `DialplanAction` of 0 to 6 (int32). Default: 0. */
  defaultApp: i32 as FieldCodec<DialplanAction>,
  /** Arguments of `defaultApp`. Default: `""`. */
  defaultAppArgs: text,
  /** Whether the gateway stops playback when the caller speaks. Default: `false`. */
  autoBargeIn: bool,
  /** How long the caller must speak before that, in milliseconds (int32). Default: 0. */
  bargeInPatienceMs: i32,
  /** The SDK instance that gets the call's events and audio. Default: `""`. */
  clientId: text,
  /** Session number (uint32; version 1). Default: 0. */
  sessionId: u32,
  /** Key of the agent's configuration (version 1). Default: `""`. */
  agentConfigKey: text,
  /** W3C trace context, `00-<32 hex>-<16 hex>-01` (version 1). Default: `""`, derived from the call's id. */
  traceparent: text,
} as const;

/** Places a call. */
export interface OriginateRequest extends ValueOf<typeof originateRequest> {}

/** Places a call. */
export const OriginateRequest: Message<OriginateRequest> = /* @__PURE__ */ message(
  "OriginateRequest",
  originateRequest,
  { version: 1 },
);

/** Fields of {@linkcode CallResult}. */
export const callResult = {
  /** The call's id. Default: `""`. */
  callSid: text,
  /** Coarse state, such as `QUEUED`. Default: `""`. */
  status: text,
  /** Why it was refused. Default: `""`, it was not. */
  errorMessage: text,
  /** An `ErrorCode` (int32). Default: 0, success. */
  errorCode: i32 as FieldCodec<ErrorCode>,
  /** When the gateway replied, in Unix milliseconds (int64). Default: 0. */
  timestampMs: i64,
} as const;

/** The result of a request about one call. */
export interface CallResult extends ValueOf<typeof callResult> {}

/** Whether the call is being placed, and its id. */
export type OriginateResponse = CallResult;

/** Whether the call is being placed, and its id. */
export const OriginateResponse: Message<OriginateResponse> = /* @__PURE__ */ message(
  "OriginateResponse",
  callResult,
);

/** Fields of {@linkcode TerminateRequest}. */
export const terminateRequest = {
  /** The call's id. Default: `""`. */
  callSid: text,
} as const;

/** Ends a call. */
export interface TerminateRequest extends ValueOf<typeof terminateRequest> {}

/** Ends a call. */
export const TerminateRequest: Message<TerminateRequest> = /* @__PURE__ */ message(
  "TerminateRequest",
  terminateRequest,
);

/** Whether the call is being ended. */
export type TerminateResponse = CallResult;

/** Whether the call is being ended. */
export const TerminateResponse: Message<TerminateResponse> = /* @__PURE__ */ message(
  "TerminateResponse",
  callResult,
);

/** Fields of {@linkcode BargeRequest}. */
export const bargeRequest = {
  /** The call's id. Default: `""`. */
  callSid: text,
} as const;

/** Stops the playback to a call, as an interruption by the caller does. */
export interface BargeRequest extends ValueOf<typeof bargeRequest> {}

/** Stops the playback to a call, as an interruption by the caller does. */
export const BargeRequest: Message<BargeRequest> = /* @__PURE__ */ message(
  "BargeRequest",
  bargeRequest,
);

/** Fields of {@linkcode AllocateWtRequest}. */
export const allocateWtRequest = {
  /** The call's id. Default: `""`. */
  callSid: text,
  /** The agent that takes part. Default: `""`. */
  agentId: text,
  /** The tenant, for information. Default: `""`. */
  tenantId: text,
  /** The call's trunk. Default: `""`. */
  trunkId: text,
  /** The realm. Default: `""`. */
  realm: text,
} as const;

/** Requests the WebTransport endpoint for the media of a call. Sent after the reply to `Originate`, which has the call's id. */
export interface AllocateWtRequest extends ValueOf<typeof allocateWtRequest> {}

/** Requests the WebTransport endpoint for the media of a call. */
export const AllocateWtRequest: Message<AllocateWtRequest> = /* @__PURE__ */ message(
  "AllocateWtRequest",
  allocateWtRequest,
);

/** Fields of {@linkcode AllocateWtResponse}. */
export const allocateWtResponse = {
  /** Host name. Default: `""`. */
  host: text,
  /** UDP port (uint16). Default: 0. */
  port: u16,
  /** The media node. Default: `""`. */
  nodeId: text,
  /** The token for the media endpoint: a secret. Default: `""`. */
  mediaToken: secret,
  /** Coarse state. Default: `""`. */
  status: text,
  /** Why it was refused. Default: `""`, it was not. */
  errorMessage: text,
  /** An `ErrorCode` (int32). Default: 0, success. */
  errorCode: i32 as FieldCodec<ErrorCode>,
  /** When the gateway replied, in Unix milliseconds (int64). Default: 0. */
  timestampMs: i64,
} as const;

/** The media endpoint of a call and its token. */
export interface AllocateWtResponse extends ValueOf<typeof allocateWtResponse> {}

/** The media endpoint of a call and its token. */
export const AllocateWtResponse: Message<AllocateWtResponse> = /* @__PURE__ */ message(
  "AllocateWtResponse",
  allocateWtResponse,
);

/** Places a call. */
export const Originate = {
  name: "Originate",
  id: 1430677891,
  request: OriginateRequest,
  reply: OriginateResponse,
} as const;

/** Ends a call. */
export const Terminate = {
  name: "Terminate",
  id: 3834253405,
  request: TerminateRequest,
  reply: TerminateResponse,
} as const;

/** Stops the playback to a call. */
export const Barge = {
  name: "Barge",
  id: 3854301714,
  request: BargeRequest,
  reply: Empty,
} as const;

/** Requests the media endpoint of a call. */
export const AllocateWt = {
  name: "AllocateWt",
  id: 1763028449,
  request: AllocateWtRequest,
  reply: AllocateWtResponse,
} as const;

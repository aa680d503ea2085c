/**
 * Inbound calls (protocol.md section 5.4).
 *
 * @module
 */

import { i32, i64, nested, optional, text, vector } from "../field.ts";
import { type Message, message } from "../message.ts";
import { type CallResult, callResult } from "./call.ts";

/** What a trunk does with an incoming call: what `rule` fields hold (section 5.1). Unknown numbers are kept. */
export const InboundRule = {
  /** Refuse it. */
  REJECT: 0,
  /** Play an audio file and hang up. */
  PLAY_AND_HANGUP: 1,
  /** Tell a webhook and hang up, unless the call is answered meanwhile. */
  NOTIFY_AND_HANGUP: 2,
  /** Connect it to an AI bridge. */
  HANDLE_AI: 3,
} as const;

/** Sets what a trunk does with incoming calls. */
export interface SetInboundRoutingRequest {
  /** The trunk. Default: `""`. */
  readonly trunkId: string;
  /** An `InboundRule` (int32). Default: 0, reject. */
  readonly rule: number;
  /** The audio of `PLAY_AND_HANGUP`. Default: `""`. */
  readonly audioUrl: string;
  /** The webhook of `NOTIFY_AND_HANGUP`. Default: `""`. */
  readonly webhookUrl: string;
  /** The AI bridge of `HANDLE_AI`, by WebSocket. Default: `""`. */
  readonly aiWebsocketUrl: string;
  /** The AI bridge of `HANDLE_AI`, by QUIC. Default: `""`. */
  readonly aiQuicUrl: string;
}

/** Sets what a trunk does with incoming calls. */
export const SetInboundRoutingRequest: Message<SetInboundRoutingRequest> = /* @__PURE__ */ message<
  SetInboundRoutingRequest
>("SetInboundRoutingRequest", () => ({
  trunkId: text,
  rule: i32,
  audioUrl: text,
  webhookUrl: text,
  aiWebsocketUrl: text,
  aiQuicUrl: text,
}));

/** Asks for the calls that wait at a trunk. */
export interface GetIncomingCallsRequest {
  /** The trunk. Default: `""`. */
  readonly trunkId: string;
}

/** Asks for the calls that wait at a trunk. */
export const GetIncomingCallsRequest: Message<GetIncomingCallsRequest> = /* @__PURE__ */ message<
  GetIncomingCallsRequest
>("GetIncomingCallsRequest", () => ({ trunkId: text }));

/** A call that waits to be answered. */
export interface IncomingCallInfo {
  /** The call's id. Default: `""`. */
  readonly callSid: string;
  /** Who calls. Default: `""`. */
  readonly callFrom: string;
  /** Since when, in Unix milliseconds (int64). Default: 0. */
  readonly startTimestampMs: number;
}

/** A call that waits to be answered. */
export const IncomingCallInfo: Message<IncomingCallInfo> = /* @__PURE__ */ message<
  IncomingCallInfo
>("IncomingCallInfo", () => ({
  callSid: text,
  callFrom: text,
  startTimestampMs: i64,
}));

/** The calls that wait at a trunk. */
export interface GetIncomingCallsResponse {
  /** The calls. Default: none. */
  readonly calls: readonly IncomingCallInfo[];
}

/** The calls that wait at a trunk. Without calls the published encoder writes no fields at all, and so does this one. */
export const GetIncomingCallsResponse: Message<GetIncomingCallsResponse> = /* @__PURE__ */ message<
  GetIncomingCallsResponse
>("GetIncomingCallsResponse", () => ({
  calls: optional(vector(nested(IncomingCallInfo))),
}));

/** Answers a call that waits. */
export interface AnswerIncomingCallRequest {
  /** The call's id. Default: `""`. */
  readonly callSid: string;
  /** The AI bridge that takes it, by WebSocket. Default: `""`, none. */
  readonly aiWebsocketUrl: string;
  /** The AI bridge that takes it, by QUIC. Default: `""`, none. */
  readonly aiQuicUrl: string;
  /** The SDK instance that gets the call's events and audio (optional tail). Default: `""`. */
  readonly clientId: string;
}

/** Answers a call that waits. The last field is written only when it is set. */
export const AnswerIncomingCallRequest: Message<AnswerIncomingCallRequest> =
  /* @__PURE__ */ message<AnswerIncomingCallRequest>("AnswerIncomingCallRequest", () => ({
    callSid: text,
    aiWebsocketUrl: text,
    aiQuicUrl: text,
    clientId: optional(text),
  }));

/** Whether the call is being answered. */
export type AnswerIncomingCallResponse = CallResult;

/** Whether the call is being answered. */
export const AnswerIncomingCallResponse: Message<AnswerIncomingCallResponse> =
  /* @__PURE__ */ message("AnswerIncomingCallResponse", () => callResult);

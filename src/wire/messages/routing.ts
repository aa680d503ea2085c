/**
 * Inbound calls.
 *
 * @module
 */

import { type FieldCodec, i32, i64, nested, text, vector } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import type { NumberOf } from "../name_of.ts";
import { type CallResult, callResult, Empty } from "./call.ts";

/** What a trunk does with an incoming call: the values of `rule` fields. Unknown numbers are kept. */
export const InboundRule = {
  /** Refuse it. */
  REJECT: 0,
  /** Play an audio file and hang up. */
  PLAY_AND_HANGUP: 1,
  /** Notify a webhook and hang up, unless the call is answered meanwhile. */
  NOTIFY_AND_HANGUP: 2,
  /** Connect it to an AI bridge. */
  HANDLE_AI: 3,
} as const;

/** One of the numbers of `InboundRule`, or an unknown one. */
export type InboundRule = NumberOf<typeof InboundRule>;

/** Fields of {@linkcode SetInboundRoutingRequest}. */
export const setInboundRoutingRequest = {
  /** The trunk. Default: `""`. */
  trunkId: text,
  /** An `InboundRule` (int32). Default: 0, reject. */
  rule: i32 as FieldCodec<InboundRule>,
  /** The audio of `PLAY_AND_HANGUP`. Default: `""`. */
  audioUrl: text,
  /** The webhook of `NOTIFY_AND_HANGUP`. Default: `""`. */
  webhookUrl: text,
  /** The AI bridge of `HANDLE_AI`, by WebSocket. Default: `""`. */
  aiWebsocketUrl: text,
  /** The AI bridge of `HANDLE_AI`, by QUIC. Default: `""`. */
  aiQuicUrl: text,
} as const;

/** Sets what a trunk does with incoming calls. */
export interface SetInboundRoutingRequest extends ValueOf<typeof setInboundRoutingRequest> {}

/** Sets what a trunk does with incoming calls. */
export const SetInboundRoutingRequest: Message<SetInboundRoutingRequest> = /* @__PURE__ */ message(
  "SetInboundRoutingRequest",
  setInboundRoutingRequest,
);

/** Fields of {@linkcode GetIncomingCallsRequest}. */
export const getIncomingCallsRequest = {
  /** The trunk. Default: `""`. */
  trunkId: text,
} as const;

/** Lists the calls that wait at a trunk. */
export interface GetIncomingCallsRequest extends ValueOf<typeof getIncomingCallsRequest> {}

/** Lists the calls that wait at a trunk. */
export const GetIncomingCallsRequest: Message<GetIncomingCallsRequest> = /* @__PURE__ */ message(
  "GetIncomingCallsRequest",
  getIncomingCallsRequest,
);

/** Fields of {@linkcode IncomingCallInfo}. */
export const incomingCallInfo = {
  /** The call's id. Default: `""`. */
  callSid: text,
  /** The caller. Default: `""`. */
  callFrom: text,
  /** When the call came in, in Unix milliseconds (int64). Default: 0. */
  startTimestampMs: i64,
} as const;

/** A call that waits to be answered. */
export interface IncomingCallInfo extends ValueOf<typeof incomingCallInfo> {}

/** A call that waits to be answered. */
export const IncomingCallInfo: Message<IncomingCallInfo> = /* @__PURE__ */ message(
  "IncomingCallInfo",
  incomingCallInfo,
);

const incomingCalls: FieldCodec<readonly IncomingCallInfo[]> = /* @__PURE__ */ vector(
  /* @__PURE__ */ nested(IncomingCallInfo),
);

/** Fields of {@linkcode GetIncomingCallsResponse}. */
export const getIncomingCallsResponse = {
  /** The calls. Default: none. */
  calls: incomingCalls,
} as const;

/** The calls that wait at a trunk. */
export interface GetIncomingCallsResponse extends ValueOf<typeof getIncomingCallsResponse> {}

/** The calls that wait at a trunk. As in the published encoder, the field is written only if there are any. */
export const GetIncomingCallsResponse: Message<GetIncomingCallsResponse> = /* @__PURE__ */ message(
  "GetIncomingCallsResponse",
  getIncomingCallsResponse,
  { optionalFrom: "calls" },
);

/** Fields of {@linkcode AnswerIncomingCallRequest}. */
export const answerIncomingCallRequest = {
  /** The call's id. Default: `""`. */
  callSid: text,
  /** WebSocket URL of an AI bridge that takes it. Default: `""`, no bridge. */
  aiWebsocketUrl: text,
  /** QUIC URL of an AI bridge that takes it. Default: `""`, no bridge. */
  aiQuicUrl: text,
  /** The SDK instance that gets the call's events and audio (optional tail). Default: `""`. */
  clientId: text,
} as const;

/** Answers a call that waits. */
export interface AnswerIncomingCallRequest extends ValueOf<typeof answerIncomingCallRequest> {}

/** Answers a call that waits. The last field is written only when it is set. */
export const AnswerIncomingCallRequest: Message<AnswerIncomingCallRequest> =
  /* @__PURE__ */ message("AnswerIncomingCallRequest", answerIncomingCallRequest, {
    optionalFrom: "clientId",
  });

/** Whether the call is being answered. */
export type AnswerIncomingCallResponse = CallResult;

/** Whether the call is being answered. */
export const AnswerIncomingCallResponse: Message<AnswerIncomingCallResponse> =
  /* @__PURE__ */ message("AnswerIncomingCallResponse", callResult);

/** Sets what a trunk does with incoming calls. */
export const SetInboundRouting = {
  name: "SetInboundRouting",
  id: 1933986897,
  request: SetInboundRoutingRequest,
  reply: Empty,
} as const;

/** Lists the calls that wait at a trunk. */
export const GetIncomingCalls = {
  name: "GetIncomingCalls",
  id: 1161946746,
  request: GetIncomingCallsRequest,
  reply: GetIncomingCallsResponse,
} as const;

/** Answers a call that waits. */
export const AnswerIncomingCall = {
  name: "AnswerIncomingCall",
  id: 2990157256,
  request: AnswerIncomingCallRequest,
  reply: AnswerIncomingCallResponse,
} as const;

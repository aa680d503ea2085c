/**
 * Supervision of a live call.
 *
 * @module
 */

import { type FieldCodec, secret, text, u8 } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import type { NumberOf } from "../name_of.ts";

/** How a supervisor takes part: the values of `mode`, one byte. Unknown numbers are kept. */
export const SupervisionMode = {
  /** Hears both sides. */
  MONITOR: 0,
  /** Speaks to the agent only. */
  WHISPER_AGENT: 1,
  /** Speaks to the caller only. */
  WHISPER_CALLER: 2,
  /** Speaks to both. */
  BARGE: 3,
  /** Follows an AI agent. */
  AGENTIC_MONITOR: 4,
} as const;

/** One of the numbers of `SupervisionMode`, or an unknown one. */
export type SupervisionMode = NumberOf<typeof SupervisionMode>;

/** Fields of {@linkcode SuperviseSubscribeRequest}. */
export const superviseSubscribeRequest = {
  /** The call's id. Default: `""`. */
  callSid: text,
  /** The id of the supervisor. Default: `""`. */
  supervisorId: text,
  /** The tenant, for information. Default: `""`. */
  tenantId: text,
  /** A `SupervisionMode` (uint8). Default: 0, monitor. */
  mode: u8 as FieldCodec<SupervisionMode>,
  /** A token with the scope `telephony:supervise`: a secret. No other request of a client carries one. Default: `""`. */
  authToken: secret,
} as const;

/** Joins a live call. The stream that it is sent on stays open for as long as the supervision lasts. */
export interface SuperviseSubscribeRequest extends ValueOf<typeof superviseSubscribeRequest> {}

/** Joins a live call. The stream that it is sent on stays open for as long as the supervision lasts. */
export const SuperviseSubscribeRequest: Message<SuperviseSubscribeRequest> =
  /* @__PURE__ */ message("SuperviseSubscribeRequest", superviseSubscribeRequest);

/** Fields of {@linkcode SuperviseSubscribeResponse}. */
export const superviseSubscribeResponse = {
  /** `OK`, or the refusal. Default: `""`. */
  status: text,
  /** Why it was refused. Default: `""`, it was not. */
  errorMessage: text,
} as const;

/** Whether the supervisor joined. */
export interface SuperviseSubscribeResponse extends ValueOf<typeof superviseSubscribeResponse> {}

/** Whether the supervisor joined. */
export const SuperviseSubscribeResponse: Message<SuperviseSubscribeResponse> =
  /* @__PURE__ */ message("SuperviseSubscribeResponse", superviseSubscribeResponse);

/** Joins a live call as a supervisor. */
export const SuperviseSubscribe = {
  name: "SuperviseSubscribe",
  id: 2856173042,
  request: SuperviseSubscribeRequest,
  reply: SuperviseSubscribeResponse,
} as const;

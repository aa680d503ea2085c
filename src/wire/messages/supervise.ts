/**
 * Supervision of a live call (protocol.md section 5.9).
 *
 * @module
 */

import { secret, text, u8 } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";

/** How a supervisor takes part: what `mode` holds, in one byte (section 5.1). Unknown numbers are kept. */
export const SupervisionMode = {
  /** Hears both sides. */
  MONITOR: 0,
  /** Speaks to the agent alone. */
  WHISPER_AGENT: 1,
  /** Speaks to the caller alone. */
  WHISPER_CALLER: 2,
  /** Speaks to both. */
  BARGE: 3,
  /** Follows an AI agent. */
  AGENTIC_MONITOR: 4,
} as const;

/** Fields of {@linkcode SuperviseSubscribeRequest}. */
export const superviseSubscribeRequest = {
  /** The call's id. Default: `""`. */
  callSid: text,
  /** Who supervises. Default: `""`. */
  supervisorId: text,
  /** The tenant, for information. Default: `""`. */
  tenantId: text,
  /** A `SupervisionMode` (uint8). Default: 0, monitor. */
  mode: u8,
  /** A token with the scope `telephony:supervise`: a secret, and the protocol's one exception to tokens in requests. Default: `""`. */
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

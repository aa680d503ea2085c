/**
 * Supervision of a live call (protocol.md section 5.9).
 *
 * @module
 */

import { secret, text, u8 } from "../field.ts";
import { type Message, message } from "../message.ts";

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

/** Joins a live call. The stream that it is sent on stays open for as long as the supervision lasts. */
export interface SuperviseSubscribeRequest {
  /** The call's id. Default: `""`. */
  readonly callSid: string;
  /** Who supervises. Default: `""`. */
  readonly supervisorId: string;
  /** The tenant, for information. Default: `""`. */
  readonly tenantId: string;
  /** A `SupervisionMode` (uint8). Default: 0, monitor. */
  readonly mode: number;
  /** A token with the scope `telephony:supervise`: a secret, and the protocol's one exception to tokens in requests. Default: `""`. */
  readonly authToken: string;
}

/** Joins a live call. The stream that it is sent on stays open for as long as the supervision lasts. */
export const SuperviseSubscribeRequest: Message<SuperviseSubscribeRequest> =
  /* @__PURE__ */ message<SuperviseSubscribeRequest>("SuperviseSubscribeRequest", () => ({
    callSid: text,
    supervisorId: text,
    tenantId: text,
    mode: u8,
    authToken: secret,
  }));

/** Whether the supervisor joined. */
export interface SuperviseSubscribeResponse {
  /** `OK`, or the refusal. Default: `""`. */
  readonly status: string;
  /** Why it was refused. Default: `""`, it was not. */
  readonly errorMessage: string;
}

/** Whether the supervisor joined. */
export const SuperviseSubscribeResponse: Message<SuperviseSubscribeResponse> =
  /* @__PURE__ */ message<SuperviseSubscribeResponse>(
    "SuperviseSubscribeResponse",
    () => ({
      status: text,
      errorMessage: text,
    }),
  );

/**
 * The dialplan: actions on a live call and the grammars of their arguments. See [the protocol](../PROTOCOL.md#7-constants).
 *
 * @module
 */

import type { TeleQuickError } from "../../base/errors.ts";
import { valueError } from "../fault.ts";
import { type FieldCodec, i32, text } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import type { NumberOf } from "../name_of.ts";
import { isE164, isSipUri } from "../rules.ts";
import type { ErrorCode } from "./error_code.ts";

/**
 * Actions on a call: the values of `action` and `defaultApp` fields. 0 to 6 and 14 can be a default application; 7 to 12 act only on a
 * live call. 13 is reserved for the gateway. Unknown numbers are kept.
 */
export const DialplanAction = {
  /** Hang up. No arguments. */
  HANGUP: 0,
  /** Park the call. No arguments. */
  PARK: 1,
  /** Play music on hold. Arguments: none, or a URL. */
  MUSIC_ON_HOLD: 2,
  /** Play a file. Arguments: a path on the gateway's host, or a URL. */
  PLAYBACK: 3,
  /** Connect a parked call. Arguments: the other call's id, or none. */
  UNPARK_AND_BRIDGE: 4,
  /** Answer, and leave the audio to the client. No arguments. */
  ANSWER: 5,
  /** Connect an AI agent. Arguments: the agent's id. */
  AI_BIDIRECTIONAL_STREAM: 6,
  /** Transfer the call. Arguments: {@linkcode formatTransfer}. */
  TRANSFER: 7,
  /** Stop sending audio. Arguments: {@linkcode formatMute}. */
  MUTE: 8,
  /** Send audio again. Arguments: {@linkcode formatMute}, with the same flag. */
  UNMUTE: 9,
  /** Hold the call. No arguments. */
  HOLD: 10,
  /** End the hold. No arguments. */
  UNHOLD: 11,
  /** Send a DTMF digit. Arguments: {@linkcode formatSendDtmf}. */
  SEND_DTMF: 12,
  /** Echo the far end's audio, for tests. */
  LOOPBACK: 14,
} as const;

/** One of the numbers of `DialplanAction`, or an unknown one. */
export type DialplanAction = NumberOf<typeof DialplanAction>;

/** Fields of {@linkcode ExecuteDialplanRequest}. */
export const executeDialplanRequest = {
  /** The call's id. Default: `""`. */
  callSid: text,
  /** A `DialplanAction` (int32). Default: 0, hang up. */
  action: i32 as FieldCodec<DialplanAction>,
  /** Its arguments. Default: `""`. */
  appArgs: text,
} as const;

/** Acts on a live call. */
export interface ExecuteDialplanRequest extends ValueOf<typeof executeDialplanRequest> {}

/** Acts on a live call. */
export const ExecuteDialplanRequest: Message<ExecuteDialplanRequest> = /* @__PURE__ */ message(
  "ExecuteDialplanRequest",
  executeDialplanRequest,
);

/** Fields of {@linkcode ExecuteDialplanResponse}. */
export const executeDialplanResponse = {
  /** Coarse state. Default: `""`. */
  status: text,
  /** Why it was refused. Default: `""`, it was not. */
  errorMessage: text,
  /** An `ErrorCode` (int32). Default: 0, success. */
  errorCode: i32 as FieldCodec<ErrorCode>,
} as const;

/** The result of the action. */
export interface ExecuteDialplanResponse extends ValueOf<typeof executeDialplanResponse> {}

/** The result of the action. */
export const ExecuteDialplanResponse: Message<ExecuteDialplanResponse> = /* @__PURE__ */ message(
  "ExecuteDialplanResponse",
  executeDialplanResponse,
);

/** How a DTMF digit is sent: as an RFC 4733 event in the RTP stream, or in a SIP INFO request. */
export type DtmfMode = "rfc2833" | "info";

/** The arguments of `SEND_DTMF`. */
export interface SendDtmf {
  /** One of `0` to `9`, `*` and `#`. */
  readonly digit: string;
  /** How it is sent. Default: `"rfc2833"`. */
  readonly mode?: DtmfMode;
  /** Duration in milliseconds, 40 to 4000. Default: 200. */
  readonly durationMs?: number;
}

/**
 * Writes the arguments of `SEND_DTMF`: `5:rfc2833:200`.
 *
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`: not one digit, a mode other than the two (`inband` is not supported), or a duration
 * that is out of range or not whole.
 */
export function formatSendDtmf(dtmf: SendDtmf): string {
  const { digit, mode = "rfc2833", durationMs = 200 } = dtmf;
  if (!/^[0-9*#]$/.test(digit)) throw unfit("DTMF digit", digit, '0 to 9, "*" or "#"');
  if (mode !== "rfc2833" && mode !== "info") {
    throw unfit("DTMF mode", mode, '"rfc2833" or "info" (the gateway does not send in-band tones)');
  }
  if (!Number.isInteger(durationMs) || durationMs < 40 || durationMs > 4000) {
    throw unfit("DTMF duration", durationMs, "40 to 4000 ms");
  }
  return `${digit}:${mode}:${durationMs}`;
}

/**
 * Reads the arguments of `SEND_DTMF`; mode and duration may be missing.
 *
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`, as {@linkcode formatSendDtmf} does.
 */
export function parseSendDtmf(appArgs: string): Required<SendDtmf> {
  const [, digit = "", mode = "rfc2833", duration = "200"] =
    /^([^:]*)(?::([^:]*))?(?::([0-9]+))?$/.exec(appArgs) ?? [];
  const dtmf = { digit, mode: mode as DtmfMode, durationMs: Number(duration) };
  formatSendDtmf(dtmf);
  return dtmf;
}

/** The arguments of `MUTE` and `UNMUTE`. */
export interface MuteOptions {
  /** Whether the gateway also sends the far end a `recvonly` re-INVITE. Default: `false`, it only sends silence. */
  readonly wire?: boolean;
}

/** Writes the arguments of `MUTE` and `UNMUTE`: `""` or `wire`. */
export function formatMute(options: MuteOptions = {}): string {
  return options.wire === true ? "wire" : "";
}

/**
 * Reads the arguments of `MUTE` and `UNMUTE`.
 *
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`: neither `""` nor `wire`.
 */
export function parseMute(appArgs: string): Required<MuteOptions> {
  const wire = appArgs === "wire";
  if (!wire && appArgs !== "") throw unfit("mute flag", appArgs, '"" or "wire"');
  return { wire };
}

/** Where a call is transferred to. */
export interface TransferTarget {
  /** Whether it is an E.164 number or a SIP URI. */
  readonly kind: "e164" | "sip";
  /** The number or the URI as it was given. */
  readonly target: string;
}

/**
 * Writes the arguments of `TRANSFER`.
 *
 * @param target An E.164 number (`+15550100`) or a SIP URI (`sip:user@host`).
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`: neither of the two.
 */
export function formatTransfer(target: string): string {
  return parseTransfer(target).target;
}

/**
 * Reads the arguments of `TRANSFER`.
 *
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`: neither an E.164 number nor a SIP URI.
 */
export function parseTransfer(appArgs: string): TransferTarget {
  if (isE164(appArgs)) return { kind: "e164", target: appArgs };
  if (isSipUri(appArgs)) return { kind: "sip", target: appArgs };
  throw unfit("transfer target", appArgs, 'an E.164 number ("+15550100") or "sip:user@host"');
}

function unfit(subject: string, found: unknown, expected: string): TeleQuickError {
  return valueError(`use ${subject}: it`, JSON.stringify(found), expected);
}

/** Acts on a live call. */
export const ExecuteDialplan = {
  name: "ExecuteDialplan",
  id: 80147304,
  request: ExecuteDialplanRequest,
  reply: ExecuteDialplanResponse,
} as const;

/**
 * What users ask for, checked and turned into the wire's requests before a byte is sent.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";
import { DialplanAction, ErrorCode, type OriginateRequest } from "../wire/mod.ts";

/** Whom to call, how, and what runs when the far end answers (protocol.md section 5.2). */
export interface DialOptions {
  /** Whom to call: an E.164 number such as `"+15550100"`, or a SIP URI. */
  readonly to: string;
  /** The trunk that the call leaves by; the tenant must own it. */
  readonly trunkId: string;
  /** Caller id, within the trunk's allow list. Default: the trunk's own. */
  readonly callFrom?: string | undefined;
  /** Longest duration of the call in milliseconds, up to 2^31-1. Default: 0, no limit of ours. */
  readonly maxDurationMs?: number | undefined;
  /** What runs on answer: a `DialplanAction` of 0 to 6, or 14 (`LOOPBACK`) for tests. Default: `PARK`. */
  readonly defaultApp?: number | undefined;
  /** Arguments of `defaultApp`, in the grammar of protocol.md section 5.1. Default: none. */
  readonly defaultAppArgs?: string | undefined;
  /** Whether the gateway stops playback when the caller speaks. Default: `false`. */
  readonly autoBargeIn?: boolean | undefined;
  /** How long the caller must speak before that, in milliseconds; a real 0 is kept. Default: 250. */
  readonly bargeInPatienceMs?: number | undefined;
  /** `ws:` or `wss:` URL of an AI bridge that the gateway dials. Default: none. */
  readonly aiWebsocketUrl?: string | undefined;
  /** `quic:` or `https:` URL of an AI bridge that the gateway dials. Default: none. */
  readonly aiQuicUrl?: string | undefined;
  /** The call's id. Default: a fresh UUID v4, so that after an unknown outcome the events tell whether the call exists. */
  readonly callSid?: string | undefined;
  /** The instance that gets the call's events and audio. Default: this client's own. */
  readonly clientId?: string | undefined;
  /** Session number of an agent platform (uint32). Default: 0. */
  readonly sessionId?: number | undefined;
  /** Key of an agent's configuration. Default: none. */
  readonly agentConfigKey?: string | undefined;
  /** W3C trace context (`00-<32 hex>-<16 hex>-01`). Default: the gateway derives a trace from the call's id. */
  readonly traceparent?: string | undefined;
}

// ITU-T E.164: a plus sign and up to 15 digits. RFC 3261 section 19.1: sip or sips, something, a host.
const E164 = /^\+[1-9]\d{1,14}$/;
const SIP_URI = /^sips?:[^\s@<>]+(@[^\s@<>]+)?$/i;
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Builds the request of `dial`. Throws `TypeError` for wrong types, `ERR_VALUE_INVALID` for wrong values. */
export function originateRequest(
  options: DialOptions,
  own: { readonly clientId: string },
): Partial<OriginateRequest> & { readonly callSid: string } {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Cannot dial: expected an object with `to` and `trunkId`");
  }
  const { to, trunkId, defaultApp = DialplanAction.PARK } = options;
  required("dial", "to", to);
  required("dial", "trunkId", trunkId);
  if (!isDestination(to)) {
    throw invalid(
      "dial",
      `\`to\` is ${quote(to)}, expected an E.164 number such as "+15550100" or a SIP URI`,
    );
  }
  if (!isDefaultApp(defaultApp)) {
    throw invalid("dial", `\`defaultApp\` is ${defaultApp}, expected a DialplanAction of 0 to 6`);
  }
  if (options.traceparent !== undefined && !TRACEPARENT.test(options.traceparent)) {
    throw invalid(
      "dial",
      `\`traceparent\` is ${quote(options.traceparent)}, expected "00-<32 hex>-<16 hex>-01"`,
    );
  }
  checkUrl("dial", "aiWebsocketUrl", options.aiWebsocketUrl, ["ws:", "wss:"]);
  checkUrl("dial", "aiQuicUrl", options.aiQuicUrl, ["quic:", "https:"]);
  return {
    trunkId,
    to,
    callFrom: options.callFrom ?? "",
    aiWebsocketUrl: options.aiWebsocketUrl ?? "",
    aiQuicUrl: options.aiQuicUrl ?? "",
    maxDurationMs: natural("dial", "maxDurationMs", options.maxDurationMs, 0),
    callSid: options.callSid ?? crypto.randomUUID(),
    defaultApp,
    defaultAppArgs: options.defaultAppArgs ?? "",
    autoBargeIn: options.autoBargeIn ?? false,
    bargeInPatienceMs: natural("dial", "bargeInPatienceMs", options.bargeInPatienceMs, 250),
    clientId: options.clientId ?? own.clientId,
    sessionId: options.sessionId ?? 0,
    agentConfigKey: options.agentConfigKey ?? "",
    traceparent: options.traceparent ?? "",
  };
}

/** Whether text is a number or address that can be called. */
export function isDestination(to: string): boolean {
  return E164.test(to) || SIP_URI.test(to);
}

/** Refuses everything but a non-empty string. */
export function required(action: string, name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") {
    throw new TypeError(`Cannot ${action}: \`${name}\` must be a string`);
  }
  if (value === "") throw invalid(action, `\`${name}\` is empty`);
}

/** An int32 of at least 0; the default for `undefined`. */
export function natural(
  action: string,
  name: string,
  value: number | undefined,
  byDefault: number,
): number {
  if (value === undefined) return byDefault;
  if (typeof value !== "number") {
    throw new TypeError(`Cannot ${action}: \`${name}\` must be a number`);
  }
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw invalid(action, `\`${name}\` is ${value}, expected a whole number from 0 to 2147483647`);
}

/** Refuses a URL that does not parse, has another scheme, or carries credentials. Absent and empty pass. */
export function checkUrl(
  action: string,
  name: string,
  value: string | undefined,
  schemes: readonly string[],
): void {
  if (value === undefined || value === "") return;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && schemes.includes(url.protocol) && url.username === "") return;
  // Not quoted: a URL may carry a signature or a password.
  throw invalid(
    action,
    `\`${name}\` is no ${schemes.join(" or ")} URL without user information`,
  );
}

/** A reply that carries an `error_code` (protocol.md section 5.1). */
export interface CodedReply {
  readonly errorCode: number;
  readonly errorMessage: string;
}

const CODE_NAMES = new Map<number, string>(
  Object.entries(ErrorCode).map(([name, code]) => [code, name]),
);
// Worth another try later: rate limit, circuit breaker, internal error (protocol.md section 9).
const RETRYABLE: readonly number[] = [
  ErrorCode.ERR_RATE_LIMITED,
  ErrorCode.ERR_CIRCUIT_BREAKER,
  ErrorCode.ERR_INTERNAL_ERROR,
];

/** Turns a reply's `error_code` into an `ERR_RPC_REJECTED` with the gateway's own words; returns the reply otherwise. */
export function accepted<R extends CodedReply>(action: string, reply: R): R {
  const { errorCode, errorMessage } = reply;
  if (errorCode === ErrorCode.SUCCESS) return reply;
  const name = CODE_NAMES.get(errorCode) ?? "an unknown error";
  throw new TeleQuickError(
    "ERR_RPC_REJECTED",
    `Cannot ${action}: the gateway answered ${name} (${errorCode})${
      errorMessage === "" ? "" : `: ${errorMessage}`
    }`,
    { rpcCode: errorCode, retryable: RETRYABLE.includes(errorCode) },
  );
}

function isDefaultApp(app: number): boolean {
  return app === DialplanAction.LOOPBACK ||
    Number.isInteger(app) && app >= 0 && app <= DialplanAction.AI_BIDIRECTIONAL_STREAM;
}

function invalid(action: string, found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot ${action}: ${found}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}...` : text);
}

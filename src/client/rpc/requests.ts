/**
 * What users ask for, checked and turned into the wire's requests before a byte is sent.
 *
 * @module
 */

import { kindOf } from "../../base/check.ts";
import { randomUuid } from "../../base/uuid.ts";
import { TeleQuickError } from "../../base/errors.ts";
import {
  type AnswerIncomingCallRequest,
  type BulkRequest,
  DialplanAction,
  ErrorCode,
  InboundRule,
  isCallSid,
  isDestination,
  type OriginateRequest,
  type SetInboundRoutingRequest,
} from "../../wire/mod.ts";
import { peerText } from "../log.ts";

/** Whom to call, how, and what runs when the far end answers. */
export interface DialOptions {
  /** Whom to call: an E.164 number such as `"+15550100"`, or a SIP URI. */
  readonly to: string;
  /** The trunk that the call leaves by; the tenant must own it. Default: the environment variable `TELEQUICK_TRUNK`. */
  readonly trunkId?: string | undefined;
  /** Caller id, within the trunk's allow list. Default: the trunk's own. */
  readonly callFrom?: string | undefined;
  /** Longest duration of the call in milliseconds, up to 2^31-1. Default: 0, no limit of ours. */
  readonly maxDurationMs?: number | undefined;
  /** What runs on answer: a `DialplanAction` of 0 to 6, or 14 (`LOOPBACK`) for tests. Default: `PARK`. */
  readonly defaultApp?: number | undefined;
  /** Arguments of `defaultApp`, in the grammar of that action. Default: none. */
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

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Builds the request of `dial`. Throws `TypeError` for wrong types, `ERR_VALUE_INVALID` for wrong values. */
export function originateRequest(
  options: DialOptions,
  own: { readonly clientId: string; readonly trunkId?: string | undefined },
): Partial<OriginateRequest> & { readonly callSid: string; readonly trunkId: string } {
  checkObject("dial", options, "`to` and `trunkId`");
  const { to, trunkId = own.trunkId, defaultApp = DialplanAction.PARK } = options;
  required("dial", "to", to);
  if (trunkId === undefined) {
    throw new TypeError(
      "Cannot dial: `trunkId` is missing, expected a trunk of the tenant (or set the environment variable TELEQUICK_TRUNK)",
    );
  }
  required("dial", "trunkId", trunkId);
  checkDestination("dial", to);
  checkDefaultApp("dial", defaultApp);
  const { callSid, traceparent } = options;
  if (callSid !== undefined) required("dial", "callSid", callSid);
  if (callSid !== undefined && !isCallSid(callSid)) {
    throw invalid(
      "dial",
      `\`callSid\` is ${
        quote(callSid)
      }, expected 1 to 128 of A-Z, a-z, 0-9 and ._:-, the first a letter or a digit`,
    );
  }
  if (traceparent !== undefined) required("dial", "traceparent", traceparent);
  if (traceparent !== undefined && !TRACEPARENT.test(traceparent)) {
    throw invalid(
      "dial",
      `\`traceparent\` is ${quote(traceparent)}, expected "00-<32 hex>-<16 hex>-01"`,
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
    callSid: callSid ?? randomUuid(),
    defaultApp,
    defaultAppArgs: options.defaultAppArgs ?? "",
    autoBargeIn: options.autoBargeIn ?? false,
    bargeInPatienceMs: natural("dial", "bargeInPatienceMs", options.bargeInPatienceMs, 250),
    clientId: options.clientId ?? own.clientId,
    sessionId: options.sessionId ?? 0,
    agentConfigKey: options.agentConfigKey ?? "",
    traceparent: traceparent ?? "",
  };
}

/** A campaign: a list of numbers, and what every call of it has in common. */
export interface BulkOptions {
  /** Where the gateway fetches the CSV file from. */
  readonly csvUrl: string;
  /** The campaign's id, chosen by the client: the handle for `abortBulk`. */
  readonly campaignId: string;
  /** The trunk that the calls leave by; the tenant must own it. */
  readonly trunkId: string;
  /** Whom to call where a row has no number. Default: such rows fail. */
  readonly to?: string | undefined;
  /** Caller id. Default: the trunk's own. */
  readonly callFrom?: string | undefined;
  /** `ws:` or `wss:` URL of an AI bridge. Default: none. */
  readonly aiWebsocketUrl?: string | undefined;
  /** `quic:` or `https:` URL of an AI bridge. Default: none. */
  readonly aiQuicUrl?: string | undefined;
  /** Longest duration of a call in milliseconds. Default: 0, no limit of ours. */
  readonly maxDurationMs?: number | undefined;
  /** What runs on answer, a `DialplanAction` of 0 to 6 or 14. Default: `PARK`. */
  readonly defaultApp?: number | undefined;
  /** Arguments of `defaultApp`. Default: none. */
  readonly defaultAppArgs?: string | undefined;
  /** How many calls are begun a second. Default: 1. */
  readonly callsPerSecond?: number | undefined;
  /** How many calls are up at the most. Default: 10. */
  readonly maxConcurrentCalls?: number | undefined;
  /** Whether the gateway stops playback when the caller speaks. Default: not sent. */
  readonly autoBargeIn?: boolean | undefined;
  /** How long the caller must speak before that, in milliseconds. Default: not sent. */
  readonly bargeInPatienceMs?: number | undefined;
  /** The instance that gets the calls' events. Default: not sent: every instance of the tenant. */
  readonly clientId?: string | undefined;
}

/** Builds the request of `originateBulk`. */
export function bulkRequest(options: BulkOptions): Partial<BulkRequest> {
  const action = "start campaign";
  checkObject(action, options, "`csvUrl`");
  const { csvUrl, campaignId, trunkId, to, defaultApp = DialplanAction.PARK } = options;
  required(action, "csvUrl", csvUrl);
  required(action, "campaignId", campaignId);
  required(action, "trunkId", trunkId);
  if (to !== undefined) {
    required(action, "to", to);
    checkDestination(action, to);
  }
  checkDefaultApp(action, defaultApp);
  checkUrl(action, "csvUrl", csvUrl, ["http:", "https:", "data:", "file:"]);
  checkUrl(action, "aiWebsocketUrl", options.aiWebsocketUrl, ["ws:", "wss:"]);
  checkUrl(action, "aiQuicUrl", options.aiQuicUrl, ["quic:", "https:"]);
  const { autoBargeIn, bargeInPatienceMs, clientId } = options;
  return {
    csvUrl,
    campaignId,
    templateTrunkId: trunkId,
    templateTo: to ?? "",
    templateCallFrom: options.callFrom ?? "",
    templateAiWebsocketUrl: options.aiWebsocketUrl ?? "",
    templateAiQuicUrl: options.aiQuicUrl ?? "",
    templateMaxDurationMs: natural(action, "maxDurationMs", options.maxDurationMs, 0),
    templateDefaultApp: defaultApp,
    templateDefaultAppArgs: options.defaultAppArgs ?? "",
    callsPerSecond: natural(action, "callsPerSecond", options.callsPerSecond, 1),
    maxConcurrentCalls: natural(action, "maxConcurrentCalls", options.maxConcurrentCalls, 10),
    ...(autoBargeIn !== undefined && { autoBargeIn }),
    ...(bargeInPatienceMs !== undefined &&
      { bargeInPatienceMs: natural(action, "bargeInPatienceMs", bargeInPatienceMs, 0) }),
    ...(clientId !== undefined && { clientId }),
  };
}

/** What becomes of calls that come in on a trunk. */
export interface InboundRoutingOptions {
  /** The trunk; the tenant must own it. */
  readonly trunkId: string;
  /** An `InboundRule`: reject (0), play and hang up (1), notify and wait (2), hand to an AI bridge (3). */
  readonly rule: number;
  /** What is played, with rule 1. */
  readonly audioUrl?: string | undefined;
  /** `http:` or `https:` URL that gets a request before the call is answered, with rule 2. */
  readonly webhookUrl?: string | undefined;
  /** `ws:` or `wss:` URL of the AI bridge, with rule 3. */
  readonly aiWebsocketUrl?: string | undefined;
  /** `quic:` or `https:` URL of the AI bridge, with rule 3. */
  readonly aiQuicUrl?: string | undefined;
}

/** Builds the request of `setInboundRouting`. */
export function inboundRoutingRequest(
  options: InboundRoutingOptions,
): Partial<SetInboundRoutingRequest> {
  const action = "set inbound routing";
  checkObject(action, options, "`trunkId` and `rule`");
  const { trunkId, rule } = options;
  required(action, "trunkId", trunkId);
  checkNumber(action, "rule", rule);
  if (!Object.values<number>(InboundRule).includes(rule)) {
    throw invalid(action, `\`rule\` is ${rule}, expected an InboundRule of 0 to 3`);
  }
  checkUrl(action, "webhookUrl", options.webhookUrl, ["http:", "https:"]);
  checkUrl(action, "aiWebsocketUrl", options.aiWebsocketUrl, ["ws:", "wss:"]);
  checkUrl(action, "aiQuicUrl", options.aiQuicUrl, ["quic:", "https:"]);
  return {
    trunkId,
    rule,
    audioUrl: options.audioUrl ?? "",
    webhookUrl: options.webhookUrl ?? "",
    aiWebsocketUrl: options.aiWebsocketUrl ?? "",
    aiQuicUrl: options.aiQuicUrl ?? "",
  };
}

/** How a waiting call is answered. */
export interface AnswerOptions {
  /** The call's id. */
  readonly callSid: string;
  /** `ws:` or `wss:` URL of an AI bridge that takes the call. Default: none, this instance takes it. */
  readonly aiWebsocketUrl?: string | undefined;
  /** `quic:` or `https:` URL of an AI bridge that takes the call. Default: none. */
  readonly aiQuicUrl?: string | undefined;
  /** The instance that gets the call's events and audio. Default: this client's own. */
  readonly clientId?: string | undefined;
}

/** Builds the request of `answerIncomingCall`. */
export function answerRequest(
  options: AnswerOptions,
  own: { readonly clientId: string },
): AnswerIncomingCallRequest {
  const action = "answer call";
  checkObject(action, options, "`callSid`");
  const { callSid, aiWebsocketUrl = "", aiQuicUrl = "", clientId = own.clientId } = options;
  required(action, "callSid", callSid);
  checkUrl(action, "aiWebsocketUrl", aiWebsocketUrl, ["ws:", "wss:"]);
  checkUrl(action, "aiQuicUrl", aiQuicUrl, ["quic:", "https:"]);
  return { callSid, aiWebsocketUrl, aiQuicUrl, clientId };
}

function checkDestination(action: string, to: string): void {
  if (isDestination(to)) return;
  throw invalid(
    action,
    `\`to\` is ${quote(to)}, expected an E.164 number such as "+15550100" or a SIP URI`,
  );
}

function checkDefaultApp(action: string, app: number): void {
  checkNumber(action, "defaultApp", app);
  if (isDefaultApp(app)) return;
  throw invalid(action, `\`defaultApp\` is ${app}, expected a DialplanAction of 0 to 6`);
}

/** Throws `TypeError` for everything but an object. */
export function checkObject(action: string, value: unknown, members: string): void {
  if (typeof value === "object" && value !== null) return;
  throw new TypeError(`Cannot ${action}: expected an object with ${members}`);
}

/** Refuses everything but a non-empty string. */
export function required(action: string, name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") {
    throw new TypeError(`Cannot ${action}: \`${name}\` is ${kindOf(value)}, expected a string`);
  }
  if (value === "") throw invalid(action, `\`${name}\` is empty`);
}

/** Throws `TypeError` for everything but a number. */
export function checkNumber(action: string, name: string, value: unknown): void {
  if (typeof value === "number") return;
  throw new TypeError(`Cannot ${action}: \`${name}\` is ${kindOf(value)}, expected a number`);
}

/** An int32 of at least 0; the default for `undefined`. */
export function natural(
  action: string,
  name: string,
  value: number | undefined,
  byDefault: number,
): number {
  if (value === undefined) return byDefault;
  checkNumber(action, name, value);
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
  required(action, name, value);
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isKnown = url !== undefined && schemes.includes(url.protocol);
  if (isKnown && url.username === "" && url.password === "") return;
  // Not quoted: a URL may carry a signature or a password.
  throw invalid(
    action,
    `\`${name}\` is not a URL with ${schemes.join(" or ")} and without user information`,
  );
}

/** A reply that carries an `error_code`. */
export interface CodedReply {
  readonly errorCode: number;
  readonly errorMessage: string;
}

const CODE_NAMES = new Map<number, string>(
  Object.entries(ErrorCode).map(([name, code]) => [code, name]),
);
// Worth another try later: rate limit, circuit breaker, internal error.
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
      errorMessage === "" ? "" : `: ${peerText(errorMessage)}`
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

/**
 * What arrives over the wire: error codes, refusals, session endings, Q.850 causes, events.
 *
 * @module
 */

import type { RefusalReason } from "../base/errors.ts";
import { type ErrorCode, type EventType, q850Causes } from "../wire/mod.ts";
import type { CatalogueEntry } from "./errors.ts";

/** The error codes of replies ([`ErrorCode`](../wire/PROTOCOL.md)). */
export const wireCatalogue: Readonly<Record<keyof typeof ErrorCode, CatalogueEntry>> = {
  SUCCESS: {
    meaning: "The request was accepted",
    causes: ["Nothing is wrong"],
    fix: "Nothing to do",
    retryable: "never",
  },
  ERR_INVALID_TRUNK: {
    meaning: "The trunk does not belong to the tenant",
    causes: [
      "The trunk id is mistyped or belongs to another tenant: a gateway does not reveal which",
      "The service account belongs to another tenant",
    ],
    fix: "Use a trunk of the tenant named in the service account",
    retryable: "never",
  },
  ERR_INVALID_DESTINATION: {
    meaning: "The number or address cannot be called",
    causes: ["It is not an E.164 number and not a SIP URI", "The trunk has no route to it"],
    fix: 'Write it as "+15550100" or "sip:user@host"',
    retryable: "never",
  },
  ERR_RATE_LIMITED: {
    meaning: "A limit of the tenant is reached",
    causes: [
      "The tenant dials more calls a second than its budget",
      "The trunk is at its channel limit",
    ],
    fix: "Dial more slowly; retry after one second, then double the wait",
    retryable: "always",
  },
  ERR_CIRCUIT_BREAKER: {
    meaning: "The trunk is unhealthy: the gateway places no calls on it for a while",
    causes: ["The carrier answered several calls in a row with errors"],
    fix: "Use another trunk, or try again later",
    retryable: "always",
  },
  ERR_INTERNAL_ERROR: {
    meaning: "The gateway failed",
    causes: ["An internal error of the gateway"],
    fix: "Try again; if it persists, report the call_sid and the time",
    retryable: "always",
  },
  ERR_VALIDATION_FAILED: {
    meaning: "A field of the request is not valid",
    causes: ["A value is out of range or malformed", "The call_sid was used before"],
    fix: "Correct the field that the gateway names",
    retryable: "never",
  },
  ERR_UNAUTHORIZED: {
    meaning: "The tenant has no permission for this request or this call",
    causes: [
      "The call has ended, does not exist, or belongs to another tenant: a gateway does not reveal which",
      "The token has expired, or its key was revoked",
    ],
    fix: "Check the call_sid; if no request works, run telequick doctor",
    retryable: "never",
  },
};

/** Why a gateway refuses a token (`TeleQuickError.refusal`). */
export const refusalCatalogue: Readonly<Record<RefusalReason, CatalogueEntry>> = {
  "expired": {
    meaning: "The token has expired by the gateway's clock",
    causes: ["It was kept too long", "The clock of the machine that minted it is slow"],
    fix: "Mint a fresh token; compare the clocks with telequick doctor",
    retryable: "sometimes",
  },
  "not yet valid": {
    meaning: "The token is not yet valid by the gateway's clock",
    causes: ["The clock of the machine that minted it is fast"],
    fix: "Synchronise that machine's clock (NTP)",
    retryable: "sometimes",
  },
  "lifetime": {
    meaning: "The lifetime of the token exceeds the gateway's limit",
    causes: ["It is more than 3600 seconds, or for a browser token more than 300"],
    fix: "Mint a token with a shorter lifetime",
    retryable: "never",
  },
  "revoked": {
    meaning: "The key that signed the token was revoked",
    causes: ["A key rotation was finished, and this host still has the old file"],
    fix: "Install the current service-account file",
    retryable: "never",
  },
  "rejected": {
    meaning: "The gateway does not accept the token, and does not reveal why",
    causes: [
      "The public key is not registered at this gateway",
      "tenant_id, private_key and private_key_id do not match",
      "The token is malformed, or is a single-use token that was used before",
    ],
    fix:
      "Register the public key, and compare private_key_id with the id under which it is registered",
    retryable: "never",
  },
};

/** Codes with which a gateway ends sessions: in `SessionEnding`, and as the session's `closeCode` where the transport carries it. */
export const endingCatalogue: Readonly<Record<number, CatalogueEntry>> = {
  401: {
    meaning: "The session's token has expired, or its key was revoked",
    causes: ["The token expired", "The key was revoked", "No valid token was presented in time"],
    fix: "Nothing, if the client can mint a token: it signs in again by itself",
    retryable: "sometimes",
  },
  404: {
    meaning: "The gateway serves nothing at this path",
    causes: ["The endpoint has a path after its port"],
    fix: "Remove the path: https://host:9090",
    retryable: "never",
  },
  429: {
    meaning: "The session exceeded a limit and was closed",
    causes: ["Events were not read as fast as they arrived", "Too many streams were opened"],
    fix: "Read events in a separate loop, and dial more slowly",
    retryable: "always",
  },
  500: {
    meaning: "The gateway failed while setting up the session",
    causes: ["An internal error of the gateway"],
    fix: "Nothing: the client retries by itself; if it persists, report the time",
    retryable: "always",
  },
  503: {
    meaning: "The gateway is shutting down",
    causes: ["It is being restarted or replaced"],
    fix: "Nothing: the client reconnects by itself, and calls continue",
    retryable: "always",
  },
};

/** Event types ([`EventType`](../wire/PROTOCOL.md)). */
export const eventCatalogue: Readonly<
  Record<keyof typeof EventType, Omit<CatalogueEntry, "retryable">>
> = {
  UNKNOWN: {
    meaning: "Reserved: a gateway does not send it",
    causes: ["A newer gateway, or an error"],
    fix: "Log it and continue",
  },
  CHANNEL_CREATE: {
    meaning: "The leg to the far end exists; there is no audio yet",
    causes: ["A call was placed; sent again with status RINGING when the far end rings"],
    fix: "Wait for CHANNEL_ANSWER: await call.answered()",
  },
  CHANNEL_ANSWER: {
    meaning: "The far end answered; audio flows",
    causes: ["A person or a machine answered"],
    fix: "Open the call's audio: call.audio()",
  },
  CHANNEL_HANGUP_COMPLETE: {
    meaning: "The call has ended: the last event, with the call's statistics",
    causes: ["Either side hung up, or the call failed: see q850_cause"],
    fix: "Read call.ended for the cause in words, the duration, loss, jitter and MOS",
  },
  CHANNEL_HOLD: {
    meaning: "The call is on hold",
    causes: ["HOLD or MUSIC_ON_HOLD was requested, or the far end put the call on hold"],
    fix: "Resume it with UNHOLD",
  },
  CHANNEL_RESUME: {
    meaning: "The call is no longer on hold",
    causes: ["UNHOLD was requested, or the far end resumed"],
    fix: "Nothing: audio flows again",
  },
};

// ITU-T Q.850 section 2.2.5 groups causes by their upper three bits; the frequent ones have an entry of their own.
const Q850_GROUPS: readonly [upTo: number, causes: string, fix: string, entry: boolean][] = [
  [31, "The far end or the network ended the call normally", "Nothing to do", false],
  [
    47,
    "The network or the trunk has no free resource",
    "Try again later or on another trunk",
    true,
  ],
  [
    63,
    "A service is not available or not subscribed",
    "Ask the carrier what the trunk permits",
    false,
  ],
  [
    79,
    "A service or codec is not implemented along the route",
    "Use PCMU, or another trunk",
    false,
  ],
  [
    95,
    "A signalling message was not valid",
    "Check the number's form and the trunk's set-up",
    false,
  ],
  [111, "The signalling failed between two switches", "Try again; report it if it persists", true],
  [127, "Interworking between different networks failed", "Try again or on another trunk", true],
];

const Q850_KNOWN: Readonly<Record<number, readonly [cause: string, fix: string, again: boolean]>> =
  {
    1: ["The number is not assigned", "Check the number", false],
    3: ["The trunk has no route to this number", "Use another trunk, or check its prefix", false],
    16: ["One side hung up", "Nothing to do", false],
    17: ["The far end is on another call", "Try again later", true],
    18: ["The far end's phone did not respond", "Try again later", true],
    19: ["It rang and was not answered", "Try again later, or let it ring longer", true],
    20: ["The phone is off or out of coverage", "Try again later", true],
    21: [
      "The far end or its provider declined",
      "Check the caller id and the trunk's rights",
      false,
    ],
    22: ["The number has changed", "Look up the new number", false],
    28: ["The number is incomplete or malformed", "Write it in full, in E.164", false],
  };

/** A Q.850 cause (ITU-T Q.850 section 2.2.7); `undefined` for a number outside the table. */
export function q850Entry(cause: number): CatalogueEntry | undefined {
  const words = q850Causes[cause];
  if (words === undefined) return undefined;
  const [why, fix, again] = Q850_KNOWN[cause] ?? groupOf(cause);
  return {
    meaning: `The call ended: ${words}`,
    causes: [why],
    fix,
    retryable: again ? "sometimes" : "never",
  };
}

function groupOf(cause: number): readonly [string, string, boolean] {
  const [, why, fix, again] = Q850_GROUPS.find(([upTo]) => cause <= upTo)!;
  return [why, fix, again];
}

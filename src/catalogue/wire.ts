/**
 * The registry, second part: what comes over the wire. Error codes, refusals, endings, hangup causes, events.
 *
 * @module
 */

import type { RefusalReason } from "../base/errors.ts";
import { type ErrorCode, type EventType, q850Causes } from "../wire/mod.ts";
import type { CatalogueEntry } from "./errors.ts";

/** The wire's error codes (protocol.md section 5.1). */
export const wireCatalogue: Readonly<Record<keyof typeof ErrorCode, CatalogueEntry>> = {
  SUCCESS: {
    meaning: "The request was accepted",
    causes: ["Nothing is wrong"],
    fix: "Nothing to do",
    retryable: "never",
  },
  ERR_INVALID_TRUNK: {
    meaning: "The trunk is not one of the tenant's",
    causes: [
      "The trunk id is mistyped or belongs to another tenant: a gateway does not tell which",
      "The service account is that of another tenant",
    ],
    fix: "Use a trunk of the tenant that the service account names",
    retryable: "never",
  },
  ERR_INVALID_DESTINATION: {
    meaning: "The number or address cannot be called",
    causes: ["It is no E.164 number or SIP URI", "The trunk has no route to it"],
    fix: 'Write it as "+15550100" or "sip:user@host"',
    retryable: "never",
  },
  ERR_RATE_LIMITED: {
    meaning: "A limit of the tenant is reached",
    causes: [
      "More calls a second than the tenant's budget",
      "The trunk carries as many calls as its channel limit",
    ],
    fix: "Dial more slowly; try again after a second, then after twice as long",
    retryable: "always",
  },
  ERR_CIRCUIT_BREAKER: {
    meaning: "The trunk is unhealthy, and the gateway sends no calls on it for a while",
    causes: ["The carrier answered several calls in a row with errors"],
    fix: "Use another trunk, or try again later",
    retryable: "always",
  },
  ERR_INTERNAL_ERROR: {
    meaning: "The gateway failed",
    causes: ["A fault on the gateway's side"],
    fix: "Try again; if it stays so, report the call's id and the time",
    retryable: "always",
  },
  ERR_VALIDATION_FAILED: {
    meaning: "A field of the request is not valid",
    causes: ["A value is out of range or malformed", "A call id was used before"],
    fix: "Mend the field that the gateway names in its words",
    retryable: "never",
  },
  ERR_UNAUTHORIZED: {
    meaning: "The tenant may not do this, or not to this call",
    causes: [
      "The call has ended, never was, or is another tenant's: a gateway does not tell which",
      "The token is over, or its key was revoked",
    ],
    fix: "Check the call's id; when nothing at all works: telequick doctor",
    retryable: "never",
  },
};

/** Why a gateway refuses a token (`TeleQuickError.refusal`). */
export const refusalCatalogue: Readonly<Record<RefusalReason, CatalogueEntry>> = {
  "expired": {
    meaning: "The token's time is over, by the gateway's clock",
    causes: ["It was kept too long", "The clock of the machine that minted it is behind"],
    fix: "Mint a fresh one; compare the clocks with telequick doctor",
    retryable: "sometimes",
  },
  "not yet valid": {
    meaning: "The token begins in the future, by the gateway's clock",
    causes: ["The clock of the machine that minted it is ahead"],
    fix: "Set that machine's clock by a time server",
    retryable: "sometimes",
  },
  "lifetime": {
    meaning: "The token lives longer than the gateway allows",
    causes: ["More than 3600 seconds, or for a browser token more than 300"],
    fix: "Mint one that lives shorter",
    retryable: "never",
  },
  "revoked": {
    meaning: "The key that signed the token was revoked",
    causes: ["A rotation was finished, and this host still has the old file"],
    fix: "Put the current service-account file in place",
    retryable: "never",
  },
  "rejected": {
    meaning: "The token is not one that this gateway takes; it does not tell more",
    causes: [
      "The public key is not registered there",
      "tenant_id, private_key and private_key_id do not belong together",
      "The token is damaged, or was used before and is for one use",
    ],
    fix:
      "Register the public half of the key, and compare private_key_id with what the console says",
    retryable: "never",
  },
};

/** Codes that a gateway ends sessions with (`SessionEnding`, and the close itself where it gets across). */
export const endingCatalogue: Readonly<Record<number, CatalogueEntry>> = {
  401: {
    meaning: "The session's token is over, or its key was revoked",
    causes: ["The token expired", "The key was revoked", "No valid token was shown in time"],
    fix: "Nothing, where the client can mint again: it signs in anew by itself",
    retryable: "sometimes",
  },
  404: {
    meaning: "Nothing is served at the endpoint's path",
    causes: ["The endpoint has a path behind its port"],
    fix: "Write it without one: https://host:9090",
    retryable: "never",
  },
  429: {
    meaning: "The session was cut because it asked or left too much",
    causes: ["Events were not read as fast as they came", "Too many streams were opened"],
    fix: "Read events in a loop of their own, and dial more slowly",
    retryable: "always",
  },
  500: {
    meaning: "The gateway failed while it set the session up",
    causes: ["A fault on the gateway's side"],
    fix: "Nothing: the client tries again by itself; if it stays so, report the time",
    retryable: "always",
  },
  503: {
    meaning: "The gateway is going down",
    causes: ["It is being restarted or replaced"],
    fix: "Nothing: the client reconnects by itself, and calls go on",
    retryable: "always",
  },
};

/** Event types (protocol.md section 7). */
export const eventCatalogue: Readonly<
  Record<keyof typeof EventType, Omit<CatalogueEntry, "retryable">>
> = {
  UNKNOWN: {
    meaning: "Reserved: a gateway does not send it",
    causes: ["A newer gateway, or a fault"],
    fix: "Log it and go on",
  },
  CHANNEL_CREATE: {
    meaning: "The far end's leg exists; no audio yet",
    causes: ["A call was placed; it comes again with status RINGING when the far end rings"],
    fix: "Wait for CHANNEL_ANSWER: await call.answered()",
  },
  CHANNEL_ANSWER: {
    meaning: "The far end picked up; audio flows",
    causes: ["Somebody, or something, answered"],
    fix: "Open the call's audio: call.audio()",
  },
  CHANNEL_HANGUP_COMPLETE: {
    meaning: "The call is over: the last event, with its accounts",
    causes: ["Either side hung up, or the call failed: q850_cause says which"],
    fix: "Read call.ended for the cause in words, the duration, loss, jitter and MOS",
  },
  CHANNEL_HOLD: {
    meaning: "The call is on hold",
    causes: ["HOLD or MUSIC_ON_HOLD was asked for, or the far end held"],
    fix: "Lift it with UNHOLD",
  },
  CHANNEL_RESUME: {
    meaning: "The hold is lifted",
    causes: ["UNHOLD was asked for, or the far end resumed"],
    fix: "Nothing: audio flows again",
  },
};

// ITU-T Q.850 section 2.2.5 groups causes by their upper three bits; some that callers meet every day say more.
const Q850_GROUPS: readonly [upTo: number, causes: string, fix: string, entry: boolean][] = [
  [31, "The far end or the network ended the call in the normal way", "Nothing to mend", false],
  [
    47,
    "The network or the trunk has no resource free",
    "Try again later or on another trunk",
    true,
  ],
  [
    63,
    "A service is not available or not subscribed",
    "Ask the carrier what the trunk may do",
    false,
  ],
  [79, "A service or codec is not implemented on the way", "Use PCMU, or another trunk", false],
  [
    95,
    "A signalling message was not valid",
    "Check the number's form and the trunk's set-up",
    false,
  ],
  [111, "The signalling failed between two switches", "Try again; report it if it stays so", true],
  [127, "Networks of different kinds could not agree", "Try again or on another trunk", true],
];

const Q850_KNOWN: Readonly<Record<number, readonly [cause: string, fix: string, again: boolean]>> =
  {
    1: ["Nobody has this number", "Check the number", false],
    3: ["The trunk knows no way to this number", "Use another trunk, or check its prefix", false],
    16: ["Somebody hung up", "Nothing to mend", false],
    17: ["The far end is on another call", "Try again later", true],
    18: ["The far end's phone did not react", "Try again later", true],
    19: ["It rang and nobody picked up", "Try again later, or let it ring longer", true],
    20: ["The phone is off or out of reach", "Try again later", true],
    21: [
      "The far end or its provider declined",
      "Check the caller id and the trunk's rights",
      false,
    ],
    22: ["The number was given up for another", "Look the new number up", false],
    28: ["The number is incomplete or malformed", "Write it in full, as E.164", false],
  };

/** A Q.850 cause (ITU-T Q.850 section 2.2.7); `undefined` for a number that is none. */
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

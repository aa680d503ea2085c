/**
 * The registry of errors: every code of the SDK, what it means, where it comes from, what to do. `telequick explain`, the README's
 * error page and the hints of the command line are made from it. It stands apart from the codes, so that no client carries it.
 *
 * @module
 */

import type { TeleQuickErrorCode } from "../base/errors.ts";

/** Whether the same action can succeed when it is tried again, as `TeleQuickError.retryable` says it. */
export type Retryable = "never" | "sometimes" | "always";

/** One code. */
export interface CatalogueEntry {
  /** What happened, as a sentence without a full stop. */
  readonly meaning: string;
  /** What leads to it, the most frequent first. */
  readonly causes: readonly string[];
  /** What to do about it. */
  readonly fix: string;
  /** Whether another try can help. */
  readonly retryable: Retryable;
}

/** Every code that a `TeleQuickError` carries. */
export const errorCatalogue: Readonly<Record<TeleQuickErrorCode, CatalogueEntry>> = {
  ERR_CREDENTIALS_NOT_FOUND: {
    meaning: "There is no service-account file to read",
    causes: [
      "TELEQUICK_CREDENTIALS is not set and no path was given",
      "The path names no file, or this user or program may not read it",
      "The variable holds the file's content instead of its path",
    ],
    fix:
      "Set TELEQUICK_CREDENTIALS to the path of the file, or make one: telequick keygen --tenant ID",
    retryable: "never",
  },
  ERR_CREDENTIALS_INVALID: {
    meaning: "The service account or the key in it is damaged, or is not allowed here",
    causes: [
      "The file is not JSON with tenant_id, private_key and private_key_id",
      "The PEM block is cut off, doubled or not base64",
      "Other users can read the file and requirePrivateMode is set",
      "A private key was about to be used in a browser page",
    ],
    fix: "Take the file again from where it was made; telequick doctor says what is wrong with it",
    retryable: "never",
  },
  ERR_KEY_UNSUPPORTED: {
    meaning: "The key is a sound one, but not of the kind that tokens are signed with",
    causes: [
      "The PEM is encrypted, or holds an EC, Ed25519 or DSA key, a certificate or a public key",
      "The RSA modulus has fewer than 2048 or more than 4096 bits",
    ],
    fix: "Use an RSA key of 2048 bits in PKCS#8; telequick keygen makes one",
    retryable: "never",
  },
  ERR_TOKEN_INVALID: {
    meaning: "A token does not say what it must, or was not signed by the key that it names",
    causes: [
      "It is cut off, or is no RS256 token",
      "Its kid, issuer or tenant is not the expected one",
      "A claim that was asked for is malformed or reserved",
    ],
    fix: "Mint a fresh token; telequick token inspect shows what is wrong with one",
    retryable: "never",
  },
  ERR_TOKEN_EXPIRED: {
    meaning: "The token's time is over",
    causes: [
      "A browser token lives five minutes at most and cannot be renewed by the page itself",
      "The clock of this machine is wrong",
    ],
    fix:
      "Pass a function that fetches a fresh token, so that every session gets its own; compare this machine's clock",
    retryable: "never",
  },
  ERR_TOKEN_LIFETIME: {
    meaning: "The token lives longer than it may, or for no time at all",
    causes: [
      "A browser token was asked to live for more than 300 seconds, another for more than 3600",
      "The lifetime is not a whole number of seconds above 0",
    ],
    fix: "Ask for at most 3600 seconds, for a browser token at most 300",
    retryable: "never",
  },
  ERR_ENDPOINT_INVALID: {
    meaning: "The endpoint is not the address of a gateway",
    causes: [
      "Its scheme is not https: or quic:",
      "It holds a user name, a fragment, a blank or no host",
    ],
    fix: "Write it as https://host:9090 or quic://host:9090",
    retryable: "never",
  },
  ERR_TRANSPORT_UNAVAILABLE: {
    meaning: "This runtime cannot open, or cannot accept, a WebTransport session as it was started",
    causes: [
      "Deno was started without --unstable-net",
      "Node or Bun has no WebTransport package installed, or the system's libc is too old for it",
      "An edge runtime has none: tokens are minted there, calls are made elsewhere",
    ],
    fix: "Do the one thing that the message names; telequick doctor checks it",
    retryable: "never",
  },
  ERR_CONNECT_FAILED: {
    meaning: "No session came about with the gateway",
    causes: [
      "Nothing listens there, or a firewall drops UDP",
      "The gateway's certificate is not trusted, or has another hash than the pinned one",
      "The host name has no address",
    ],
    fix:
      "telequick doctor tells which it is; after a restart of a local gateway take its certificate hash again",
    retryable: "sometimes",
  },
  ERR_UNAUTHORIZED: {
    meaning: "The gateway refused the token; refusal says why, as far as the gateway tells",
    causes: [
      "The public key is not registered at this gateway, or was revoked",
      "tenant_id, private_key and private_key_id do not belong together",
      "The token has expired, lives too long, or begins in the future by the gateway's clock",
    ],
    fix:
      "Register the public half of the key (telequick keygen writes it), or put the current service-account file in place",
    retryable: "sometimes",
  },
  ERR_SESSION_CLOSED: {
    meaning: "The session ended while something was under way on it, or the client was closed",
    causes: [
      "The network or the gateway went away: the client reconnects by itself",
      "close() was called",
      "The gateway ended the session and asked not to come back",
    ],
    fix:
      "When retryable is true, look at the call's events before dialling again: the gateway may have carried the request out",
    retryable: "sometimes",
  },
  ERR_CALL_ENDED: {
    meaning: "The call is over, or ended before it was answered",
    causes: [
      "The far end was busy, did not answer or hung up",
      "Audio was opened or written after the hangup",
    ],
    fix: "Read the Q.850 cause of the call's last event: telequick explain q850:17",
    retryable: "never",
  },
  ERR_TIMEOUT: {
    meaning: "Something took longer than its limit",
    causes: [
      "The gateway is reachable but slow, or packets are lost",
      "A token function did not settle",
    ],
    fix:
      "Raise requestTimeoutMs or connectTimeoutMs; after an RPC the gateway may still have carried the request out",
    retryable: "sometimes",
  },
  ERR_RPC_REJECTED: {
    meaning: "The gateway understood the request and said no; rpcCode is its reason",
    causes: [
      "The trunk, call or number is not one of the tenant's, or is not valid",
      "A limit is reached, or the trunk is unhealthy",
    ],
    fix: "Look the rpcCode up: telequick explain wire:1",
    retryable: "sometimes",
  },
  ERR_WIRE_INVALID: {
    meaning: "Bytes are not what the protocol says, in either direction",
    causes: [
      "The peer speaks another version of the protocol, or none",
      "A value does not fit its field",
    ],
    fix: "Check that the endpoint is a TeleQuick gateway; a value of yours is named in the message",
    retryable: "never",
  },
  ERR_VALUE_INVALID: {
    meaning: "An argument has the right type and a value that means nothing",
    causes: [
      "A number is no E.164 number or SIP URI",
      "A limit, duration, port, URL or name is out of range or malformed",
    ],
    fix: "The message names the argument, what was found and what is expected",
    retryable: "never",
  },
  ERR_LIMIT: {
    meaning: "A bound is reached: of streams, sessions, sizes or stored things",
    causes: [
      "The gateway has no room for one more session or stream",
      "A frame, a list or a file is larger than it may be",
    ],
    fix: "Wait and try again when retryable is true; otherwise send less at a time",
    retryable: "sometimes",
  },
};

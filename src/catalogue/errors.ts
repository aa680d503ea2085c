/**
 * Every error code of the SDK: meaning, causes, fix. `telequick explain`, the tables of the pages and the hints of the command line
 * are made from it. It is separate from the codes, so that no client bundle contains it.
 *
 * @module
 */

import type { TeleQuickErrorCode } from "../base/errors.ts";

/** Whether the same action can succeed when it is tried again, as in `TeleQuickError.retryable`. */
export type Retryable = "never" | "sometimes" | "always";

/** One code. */
export interface CatalogueEntry {
  /** What happened, as a sentence without a full stop. */
  readonly meaning: string;
  /** What causes it, the most frequent first. */
  readonly causes: readonly string[];
  /** What to do about it. */
  readonly fix: string;
  /** Whether trying again can help. */
  readonly retryable: Retryable;
}

/** Every code that a `TeleQuickError` carries. */
export const errorCatalogue: Readonly<Record<TeleQuickErrorCode, CatalogueEntry>> = {
  ERR_CREDENTIALS_NOT_FOUND: {
    meaning: "The service-account file was not found or cannot be read",
    causes: [
      "TELEQUICK_CREDENTIALS is not set and no path was given",
      "The file does not exist, or this user or program has no permission to read it",
      "The variable contains the text of the file instead of its path",
    ],
    fix:
      "Set TELEQUICK_CREDENTIALS to the path of the file, or make one: telequick keygen --tenant ID",
    retryable: "never",
  },
  ERR_CREDENTIALS_INVALID: {
    meaning: "The service account or its private key is malformed, or must not be used here",
    causes: [
      "The file is not JSON with tenant_id, private_key and private_key_id",
      "The PEM block is truncated, appears twice or is not base64",
      "Other users can read the file and requirePrivateMode is set",
      "A private key was passed in a browser page",
    ],
    fix: "Download the service-account file again; telequick doctor reports what is wrong with it",
    retryable: "never",
  },
  ERR_KEY_UNSUPPORTED: {
    meaning: "The key is valid, but its type is not supported: expected RSA 2048 to 4096",
    causes: [
      "The PEM is encrypted, or contains an EC, Ed25519 or DSA key, a certificate or a public key",
      "The RSA modulus has fewer than 2048 or more than 4096 bits",
    ],
    fix: "Use an RSA key of 2048 bits in PKCS#8; telequick keygen creates one",
    retryable: "never",
  },
  ERR_TOKEN_INVALID: {
    meaning:
      "The token is malformed, a claim is wrong, or its signature does not match the key it names",
    causes: [
      "It is truncated, or is not an RS256 token",
      "Its kid, issuer or tenant is not the expected value",
      "A claim passed for signing is malformed or reserved",
      "A token function returned something else, such as an HTML page or a JSON object",
    ],
    fix: "Mint a fresh token; telequick token inspect shows what is wrong with one",
    retryable: "sometimes",
  },
  ERR_TOKEN_EXPIRED: {
    meaning: "The token has expired",
    causes: [
      "A browser token is valid for at most five minutes, and the page itself cannot renew it",
      "The clock of this machine is wrong",
    ],
    fix:
      "Pass a function that fetches a fresh token, so that every session gets its own; check this machine's clock",
    retryable: "sometimes",
  },
  ERR_TOKEN_LIFETIME: {
    meaning: "The lifetime of the token is out of range",
    causes: [
      "A browser token was requested for more than 300 seconds, another token for more than 3600",
      "The lifetime is not a positive whole number of seconds",
    ],
    fix: "Request at most 3600 seconds, for a browser token at most 300",
    retryable: "never",
  },
  ERR_ENDPOINT_INVALID: {
    meaning: "The endpoint is not a valid gateway address",
    causes: [
      "Its scheme is not https: or quic:",
      "It contains a user name, a fragment or a space, or its host is missing",
    ],
    fix: "Write it as https://host:9090 or quic://host:9090",
    retryable: "never",
  },
  ERR_TRANSPORT_UNAVAILABLE: {
    meaning: "This runtime, as it was started, cannot open or accept WebTransport sessions",
    causes: [
      "Deno was started without --unstable-net",
      "Node or Bun has no WebTransport package installed",
      "Linux: @moq/web-transport needs glibc 2.38, @matrixai/quic glibc 2.34 on x64; elsewhere Deno works",
      "A bundle or a copied server left the package behind",
      "Edge runtimes have no WebTransport: mint tokens there, place calls elsewhere",
    ],
    fix: "Follow the advice in the message; telequick doctor checks it",
    retryable: "never",
  },
  ERR_CONNECT_FAILED: {
    meaning: "Could not connect to the gateway",
    causes: [
      "Nothing listens at the address, or a firewall drops UDP",
      "The gateway's certificate is not trusted, or its hash differs from the pinned hash",
      "The host name does not resolve",
    ],
    fix:
      "Run telequick doctor to find the cause; after a restart of a local gateway use its new certificate hash",
    retryable: "sometimes",
  },
  ERR_UNAUTHORIZED: {
    meaning:
      "The gateway refused the token; refusal has the reason, as far as the gateway reports it",
    causes: [
      "The public key is not registered at this gateway, or was revoked",
      "tenant_id, private_key and private_key_id do not match",
      "The token has expired, its lifetime is too long, or it is not yet valid by the gateway's clock",
    ],
    fix:
      "Register the public key (telequick keygen writes it), or install the current service-account file",
    retryable: "sometimes",
  },
  ERR_SESSION_CLOSED: {
    meaning: "The session ended while a request was in flight, or the client was closed",
    causes: [
      "The network or the gateway failed: the client reconnects by itself",
      "close() was called",
      "The gateway ended the session and asked the client not to reconnect",
    ],
    fix:
      "When retryable is true, check the call's events before dialling again: the gateway may have executed the request",
    retryable: "sometimes",
  },
  ERR_CALL_ENDED: {
    meaning: "The call has ended, possibly before it was answered",
    causes: [
      "The far end was busy, did not answer or hung up",
      "Audio was opened or written after the hangup",
    ],
    fix: "Read the Q.850 cause of the call's last event: telequick explain q850:17",
    retryable: "never",
  },
  ERR_TIMEOUT: {
    meaning: "An operation exceeded its time limit",
    causes: [
      "The gateway is reachable but slow, or packets are lost",
      "A token function did not settle",
    ],
    fix:
      "Raise requestTimeoutMs or connectTimeoutMs; after an RPC timeout the gateway may still have executed the request",
    retryable: "sometimes",
  },
  ERR_RPC_REJECTED: {
    meaning: "The gateway rejected the request; rpcCode has its reason",
    causes: [
      "The trunk, call or number does not belong to the tenant, or is not valid",
      "A limit is reached, or the trunk is unhealthy",
    ],
    fix: "Look the rpcCode up: telequick explain wire:1",
    retryable: "sometimes",
  },
  ERR_WIRE_INVALID: {
    meaning: "Bytes or a value do not follow the protocol",
    causes: [
      "The peer uses another version of the protocol, or another protocol",
      "A value does not fit its field",
    ],
    fix: "Check that the endpoint is a TeleQuick gateway; the message names the value at fault",
    retryable: "never",
  },
  ERR_VALUE_INVALID: {
    meaning: "An argument's value is invalid",
    causes: [
      "A number is not E.164 and not a SIP URI",
      "A limit, duration, port, URL or name is out of range or malformed",
    ],
    fix: "The message names the argument, what was found and what is expected",
    retryable: "never",
  },
  ERR_RUNTIME_UNSUPPORTED: {
    meaning: "The environment lacks something that the SDK needs",
    causes: [
      "The page is not a secure context, so it has no crypto.subtle",
      "A test environment (jsdom, happy-dom) hides crypto.subtle, TextEncoder or TextDecoder",
      "The runtime is older than the ones supported",
    ],
    fix:
      "Do the one thing that the message names: https or localhost, or the line for the test's setup",
    retryable: "never",
  },
  ERR_UNAVAILABLE: {
    meaning: "A token cannot be checked now: it is neither accepted nor refused",
    causes: [
      "resolveKey or the replay store failed",
      "The key set could not be read for longer than maxStaleMs",
      "The shared store was restored from a backup (reported to onError)",
    ],
    fix:
      "Try again later; the verifier's own log says what failed. After a restored backup, revoke again what was revoked since",
    retryable: "sometimes",
  },
  ERR_LIMIT: {
    meaning: "A limit is reached: streams, sessions, sizes or stored entries",
    causes: [
      "The gateway accepts no further session or stream",
      "A frame, a list or a file exceeds its size limit",
    ],
    fix: "When retryable is true, wait and try again; otherwise send less at a time",
    retryable: "sometimes",
  },
  ERR_MICROPHONE_DENIED: {
    meaning: "The page is not permitted to use the microphone",
    causes: [
      "The person denied or dismissed the browser's question",
      "The operating system denies the browser the microphone",
      'The page is in a frame without allow="microphone", or its Permissions-Policy forbids it',
    ],
    fix:
      "Allow the microphone in the browser's settings of the site, then call openAudio() in a click; microphone: false listens only",
    retryable: "never",
  },
  ERR_MICROPHONE_UNAVAILABLE: {
    meaning: "There is no microphone, or it cannot be started",
    causes: [
      "No microphone is connected",
      "The id is not one of devices()",
      "Another program holds the device",
    ],
    fix: "Connect a microphone or choose another one; microphone: false listens only",
    retryable: "sometimes",
  },
  ERR_AUDIO_UNAVAILABLE: {
    meaning: "The page cannot play or capture sound",
    causes: [
      "The page is not a secure context: http: on another host than localhost",
      "A Content Security Policy forbids the worklet",
      "The browser has no AudioWorklet, or the code does not run in a page",
      "The sound was not started in a click, or was closed",
    ],
    fix:
      "Do the one thing that the message names; under a strict policy serve @telequick/sdk/browser/worklet.js and pass workletUrl",
    retryable: "never",
  },
  ERR_WEBHOOK_INVALID: {
    meaning: "The webhook's signature, time or body is not valid",
    causes: [
      "The secret is not the one of this webhook",
      "The body was parsed or changed before it was verified",
      "The request is older than the tolerance, or this machine's clock is wrong",
    ],
    fix: "Answer with status 400; pass the raw body, and compare the secret with the console's",
    retryable: "never",
  },
};

/**
 * The handshake of a session. The platform does not publish its bytes: these messages are the choice of this package. See
 * [the protocol](../PROTOCOL.md#1-a-session).
 *
 * @module
 */

import { bool, type FieldCodec, i32, i64, secret, text } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import type { ErrorCode } from "./error_code.ts";

/** Fields of {@linkcode AuthenticateRequest}. */
export const authenticateRequest = {
  /** The JWT: a secret. Default: `""`. */
  token: secret,
  /** This SDK instance: a UUID v4, the same across reconnects. Default: `""`. */
  clientId: text,
  /** Name and version of the SDK. Default: `""`. */
  sdk: text,
} as const;

/** Presents a token: the first request of a session, and the only one before it is accepted. */
export interface AuthenticateRequest extends ValueOf<typeof authenticateRequest> {}

/** Presents a token: the first request of a session, and the only one before it is accepted. */
export const AuthenticateRequest: Message<AuthenticateRequest> = /* @__PURE__ */ message(
  "AuthenticateRequest",
  authenticateRequest,
);

/** Fields of {@linkcode AuthenticateResponse}. */
export const authenticateResponse = {
  /** `OK`, or the refusal. Default: `""`. */
  status: text,
  /** Why it was refused. Default: `""`, it was not. */
  errorMessage: text,
  /** An `ErrorCode` (int32). Default: 0, success. */
  errorCode: i32 as FieldCodec<ErrorCode>,
  /** The tenant of the token. Default: `""`. */
  tenantId: text,
  /** When the session ends with its token, in Unix milliseconds (int64). Default: 0. */
  expiresAtMs: i64,
  /** The gateway's clock when it answered, in Unix milliseconds (int64); in refusals too. Default: 0, it does not say. */
  serverTimeMs: i64,
} as const;

/** Whether the token was accepted, for which tenant and until when. */
export interface AuthenticateResponse extends ValueOf<typeof authenticateResponse> {}

/** Whether the token was accepted, for which tenant and until when. */
export const AuthenticateResponse: Message<AuthenticateResponse> = /* @__PURE__ */ message(
  "AuthenticateResponse",
  authenticateResponse,
);

/** Fields of {@linkcode SessionEnding}. */
export const sessionEnding = {
  /** The close code of the session (int32). Default: 0. */
  code: i32,
  /** The reason in words. Default: `""`. */
  reason: text,
  /** Whether connecting again can help. Default: `false`. */
  reconnect: bool,
} as const;

/** Pushed by the gateway before it ends a live session. */
export interface SessionEnding extends ValueOf<typeof sessionEnding> {}

/** Pushed by the gateway before it ends a live session. */
export const SessionEnding: Message<SessionEnding> = /* @__PURE__ */ message(
  "SessionEnding",
  sessionEnding,
);

/** Presents a token. Defined by this package. */
export const Authenticate = {
  name: "Authenticate",
  id: 809221777,
  request: AuthenticateRequest,
  reply: AuthenticateResponse,
} as const;

/** Push: the gateway is about to end the session. Defined by this package. */
export const SessionEndingPush = {
  name: "SessionEnding",
  id: 3067083299,
  request: SessionEnding,
  reply: undefined,
} as const;

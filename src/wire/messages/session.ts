/**
 * The session's own messages. The protocol publishes no bytes for the handshake: these are this project's, and stand nowhere else
 * (protocol.md section 2.4).
 *
 * @module
 */

import { bool, i32, i64, secret, text } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";

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
  errorCode: i32,
  /** The tenant that the token speaks for. Default: `""`. */
  tenantId: text,
  /** When the session ends with its token, in Unix milliseconds (int64). Default: 0. */
  expiresAtMs: i64,
} as const;

/** Whether the token was accepted, and for whom and how long. */
export interface AuthenticateResponse extends ValueOf<typeof authenticateResponse> {}

/** Whether the token was accepted, and for whom and how long. */
export const AuthenticateResponse: Message<AuthenticateResponse> = /* @__PURE__ */ message(
  "AuthenticateResponse",
  authenticateResponse,
);

/** Fields of {@linkcode SessionEnding}. */
export const sessionEnding = {
  /** Why, as the session's close code (int32). Default: 0. */
  code: i32,
  /** Why, in words. Default: `""`. */
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

/** Presents a token. This project's own. */
export const Authenticate = {
  name: "Authenticate",
  id: 809221777,
  request: AuthenticateRequest,
  reply: AuthenticateResponse,
} as const;

/** Push: the gateway is about to end the session. This project's own. */
export const SessionEndingPush = {
  name: "SessionEnding",
  id: 3067083299,
  request: SessionEnding,
  reply: undefined,
} as const;

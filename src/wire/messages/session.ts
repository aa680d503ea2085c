/**
 * The session's own messages. The protocol publishes no bytes for the handshake: these are this project's, and stand nowhere else
 * (protocol.md section 2.4).
 *
 * @module
 */

import { bool, i32, i64, secret, text } from "../field.ts";
import { type Message, message } from "../message.ts";

/** Presents a token: the first request of a session, and the only one before it is accepted. */
export interface AuthenticateRequest {
  /** The JWT: a secret. Default: `""`. */
  readonly token: string;
  /** This SDK instance: a UUID v4, the same across reconnects. Default: `""`. */
  readonly clientId: string;
  /** Name and version of the SDK. Default: `""`. */
  readonly sdk: string;
}

/** Presents a token: the first request of a session, and the only one before it is accepted. */
export const AuthenticateRequest: Message<AuthenticateRequest> = /* @__PURE__ */ message<
  AuthenticateRequest
>("AuthenticateRequest", () => ({
  token: secret,
  clientId: text,
  sdk: text,
}));

/** Whether the token was accepted, and for whom and how long. */
export interface AuthenticateResponse {
  /** `OK`, or the refusal. Default: `""`. */
  readonly status: string;
  /** Why it was refused. Default: `""`, it was not. */
  readonly errorMessage: string;
  /** An `ErrorCode` (int32). Default: 0, success. */
  readonly errorCode: number;
  /** The tenant that the token speaks for. Default: `""`. */
  readonly tenantId: string;
  /** When the session ends with its token, in Unix milliseconds (int64). Default: 0. */
  readonly expiresAtMs: number;
}

/** Whether the token was accepted, and for whom and how long. */
export const AuthenticateResponse: Message<AuthenticateResponse> = /* @__PURE__ */ message<
  AuthenticateResponse
>("AuthenticateResponse", () => ({
  status: text,
  errorMessage: text,
  errorCode: i32,
  tenantId: text,
  expiresAtMs: i64,
}));

/** Pushed by the gateway before it ends a live session. */
export interface SessionEnding {
  /** Why, as the session's close code (int32). Default: 0. */
  readonly code: number;
  /** Why, in words. Default: `""`. */
  readonly reason: string;
  /** Whether connecting again can help. Default: `false`. */
  readonly reconnect: boolean;
}

/** Pushed by the gateway before it ends a live session. */
export const SessionEnding: Message<SessionEnding> = /* @__PURE__ */ message<SessionEnding>(
  "SessionEnding",
  () => ({
    code: i32,
    reason: text,
    reconnect: bool,
  }),
);

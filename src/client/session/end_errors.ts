/**
 * How sessions and clients end, as errors, and which errors are a verdict on the credentials.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import type { SessionEnding } from "../../wire/mod.ts";
import type { Connection } from "./connection.ts";
import { peerText } from "../log.ts";

/** The code of endings that have to do with the token. */
export const UNAUTHORIZED = 401;

/** What the gateway announced; `undefined` when it announced nothing. */
export function endingError(ending: SessionEnding | undefined): TeleQuickError | undefined {
  if (ending === undefined) return undefined;
  const message = `Gateway ended the session: ${peerText(ending.reason)}`;
  const { reason, reconnect: retryable } = ending;
  if (ending.code !== UNAUTHORIZED) {
    return new TeleQuickError("ERR_SESSION_CLOSED", message, { retryable });
  }
  const refusal = /\bexpired\b/.test(reason)
    ? "expired"
    : /\brevoked\b/.test(reason)
    ? "revoked"
    : "rejected";
  return new TeleQuickError("ERR_UNAUTHORIZED", message, { retryable, refusal });
}

/** The end of a client whose plain token has run out. */
export function expiredError(): TeleQuickError {
  return new TeleQuickError(
    "ERR_TOKEN_EXPIRED",
    "Session ended: its token has expired (pass a function instead of a token, so that the client can fetch a fresh one: new TeleQuickClient(url, () => fetchToken(), true))",
  );
}

/** What a lost connection was lost by. */
export function lossOf(connection: Connection): TeleQuickError {
  const { reason } = connection.lost;
  return reason instanceof TeleQuickError
    ? reason
    : new TeleQuickError("ERR_SESSION_CLOSED", "Session closed", { retryable: true });
}

/** Whether the gateway refused the token. */
export function isRefusal(error: TeleQuickError): boolean {
  return error.code === "ERR_UNAUTHORIZED";
}

/** Whether there is no token to present: file, key or token are not usable. */
export function isCredentialFailure(error: TeleQuickError): boolean {
  return /^ERR_(CREDENTIALS|KEY|TOKEN)_/.test(error.code);
}

/** Whether a token was refused, here or there, because its time is over. */
export function isExpiry(error: TeleQuickError): boolean {
  return error.code === "ERR_TOKEN_EXPIRED" || error.refusal === "expired";
}

/** The error of every request for a session once the client has ended. */
export function closedError(error: TeleQuickError | undefined): TeleQuickError {
  return error ??
    new TeleQuickError("ERR_SESSION_CLOSED", "Client is closed: create a new TeleQuickClient");
}

/**
 * Errors between threads: cloning keeps neither a class nor its fields (HTML section 2.7.3).
 *
 * @module
 */

import { TeleQuickError, type TeleQuickErrorCode } from "../../base/errors.ts";

/** An error as it is sent. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: TeleQuickErrorCode | undefined;
  readonly retryable?: boolean | undefined;
  readonly rpcCode?: number | undefined;
  readonly refusal?: TeleQuickError["refusal"] | undefined;
  readonly cause?: string | undefined;
}

/** Makes an error fit to be sent. Its cause is sent in words. */
export function toWire(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, cause } = error;
  const words = cause === undefined ? {} : { cause: String(cause) };
  if (!(error instanceof TeleQuickError)) return { name, message, ...words };
  const { code, retryable, rpcCode, refusal } = error;
  return { name, message, code, retryable, rpcCode, refusal, ...words };
}

/** The error that was sent: of the same class where it is the SDK's own, a `TypeError` or a DOMException. */
export function fromWire(wire: WireError): Error {
  const { name, message, code, retryable = false, rpcCode, refusal, cause } = wire;
  if (code !== undefined) {
    return new TeleQuickError(code, message, {
      retryable,
      cause,
      ...(rpcCode === undefined ? {} : { rpcCode }),
      ...(refusal === undefined ? {} : { refusal }),
    });
  }
  if (name === "TypeError") return new TypeError(message, { cause });
  if (name === "AbortError" || name === "TimeoutError") return new DOMException(message, name);
  return Object.assign(new Error(message, { cause }), { name });
}

/**
 * The error of everything that PostgreSQL does not do.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";

/** It failed, and can be tried again. */
export function failed(found: string, cause?: unknown, remedy = "try again later"): TeleQuickError {
  return new TeleQuickError(
    "ERR_UNAVAILABLE",
    `Cannot ask PostgreSQL: ${found} (${remedy})`,
    { cause, retryable: true },
  );
}

/** The client or the server reported a failure. */
export function statementFailed(cause: unknown): TeleQuickError {
  switch ((cause as { readonly code?: unknown } | undefined)?.code) {
    // PostgreSQL's own codes for a schema and a function that are not there, and for a right.
    case "3F000":
    case "42883":
      return failed(
        "the schema is missing, or older than this package",
        cause,
        "run migrate() as its owner",
      );
    case "42501":
      return failed("the role lacks a right", cause, "grant the functions of the schema to it");
    default:
      return failed("the statement failed", cause);
  }
}

/** It was not answered in time. */
export function noAnswer(timeoutMs: number): TeleQuickError {
  return failed(`no answer came within ${timeoutMs} ms`);
}

/**
 * Structured log records, and the redactor that every one of them passes through.
 *
 * @module
 */

import { report } from "../base/handled.ts";
import { onOneLine } from "../base/text/control.ts";
import { ignore } from "../base/ignore.ts";
import { redactSecrets } from "../base/text/redact.ts";

/**
 * One thing that happened, as data. The library never prints: what becomes of a record is the caller's choice.
 * Values are ids, codes, durations and counts; a key or a token never is one.
 */
export interface LogRecord {
  /** What happened, dotted and stable, such as `"session.open"` or `"rpc.failed"`. */
  readonly event: string;
  /** How much it matters. */
  readonly level: "debug" | "info" | "warn";
  /** When, in Unix milliseconds on the client's clock. */
  readonly timeMs: number;
  /** The details of this kind of record. */
  readonly [detail: string]: string | number | boolean | undefined;
}

/** What a record says besides its time. */
export type LogDetails = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one record. */
export type Logger = (level: LogRecord["level"], event: string, details?: LogDetails) => void;

// Texts of a peer have no bound of their own.
const MAX_TEXT = 512;

/** Replaces what looks like a token or an armoured key, and cuts what is left to a readable length. */
export function redact(text: string): string {
  const isLong = text.length > MAX_TEXT;
  const shown = redactSecrets(isLong ? text.slice(0, MAX_TEXT) : text);
  return isLong ? `${shown}...` : shown;
}

/** A peer's words, fit for an error message: on one line, of a bounded length, with nothing that looks like a secret. */
export function peerText(text: string): string {
  return onOneLine(redact(text));
}

/**
 * Makes the writer of log records. Every string passes the redactor, which cannot be switched off, and what the
 * caller's function throws or rejects with is ignored: a log never breaks a call.
 */
export function createLogger(
  log: ((record: LogRecord) => void) | undefined,
  now: () => number,
): Logger {
  if (log === undefined) return ignore;
  return (level, event, details = {}) => {
    const clean: Record<string, string | number | boolean | undefined> = {};
    for (const [name, value] of Object.entries(details)) {
      clean[name] = typeof value === "string" ? redact(value) : value;
    }
    report(() => log({ ...clean, event, level, timeMs: now() }));
  };
}

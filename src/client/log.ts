/**
 * Structured log records, and the redactor that every one of them passes through.
 *
 * @module
 */

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

// A compact JWS (RFC 7515 section 7.1) begins with the base64url of `{"`; an armoured key or certificate with its label.
const SECRET = /eyJ[\w-]*\.[\w-]*\.?[\w-]*|-----BEGIN[\s\S]*/g;

/** Replaces whatever looks like a token or an armoured key. */
export function redact(text: string): string {
  return text.replace(SECRET, "[redacted]");
}

/**
 * Makes the writer of log records. Every string passes the redactor, which cannot be switched off, and what the
 * caller's function throws is ignored: a log never breaks a call.
 */
export function createLogger(
  log: ((record: LogRecord) => void) | undefined,
  now: () => number,
): Logger {
  if (log === undefined) return () => {};
  return (level, event, details = {}) => {
    const clean: Record<string, string | number | boolean | undefined> = {};
    for (const [name, value] of Object.entries(details)) {
      clean[name] = typeof value === "string" ? redact(value) : value;
    }
    try {
      log({ ...clean, event, level, timeMs: now() });
    } catch {
      // The caller's own fault, in the caller's own function.
    }
  };
}

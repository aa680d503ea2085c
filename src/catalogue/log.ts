/**
 * The registry, third part: the records that a client's `log` option receives.
 *
 * @module
 */

import type { LogRecord } from "../client/mod.ts";

/** One kind of record. */
export interface LogEntry {
  readonly level: LogRecord["level"];
  /** What happened, as a sentence without a full stop. */
  readonly meaning: string;
  /** What the record holds besides `event`, `level` and `timeMs`. */
  readonly details: Readonly<Record<string, string>>;
}

/** Every kind of record, by its `event`. */
export const logCatalogue: Readonly<Record<string, LogEntry>> = {
  "status": {
    level: "debug",
    meaning: "The connection does something else now, as client.status() tells it",
    details: { status: "the status's type" },
  },
  "session.open-failed": {
    level: "warn",
    meaning: "An attempt to renew or replace the session failed; the next one follows",
    details: { error: "why, in words" },
  },
  "session.ending": {
    level: "info",
    meaning: "The gateway announced that it will end the session",
    details: { code: "401, 429 or 503", reason: "why, in the gateway's words" },
  },
  "session.lost": {
    level: "info",
    meaning: "The session is over without our wish; it is replaced where reconnect is on",
    details: { error: "why, in words" },
  },
  "close.drain-incomplete": {
    level: "warn",
    meaning: "close() gave up waiting for what was under way",
    details: { error: "what it waited for" },
  },
  "push.unknown": {
    level: "debug",
    meaning: "The gateway pushed a frame of a method that this version does not know: skipped",
    details: { methodId: "the method's id" },
  },
  "push.broken": {
    level: "warn",
    meaning:
      "A push stream broke off while its session lives: the session is replaced where reconnect is on",
    details: {},
  },
  "push.malformed": {
    level: "warn",
    meaning: "A pushed stream held bytes that are no frames: cancelled, the session stays",
    details: { error: "what was wrong with it" },
  },
};

/**
 * The records that a client's `log` option receives.
 *
 * @module
 */

import type { LogRecord } from "../client/mod.ts";

/** One kind of record. */
export interface LogEntry {
  readonly level: LogRecord["level"];
  /** What happened, as a sentence without a full stop. */
  readonly meaning: string;
  /** The record's members besides `event`, `level` and `timeMs`. */
  readonly details: Readonly<Record<string, string>>;
}

/** Every kind of record, by its `event`. */
export const logCatalogue: Readonly<Record<string, LogEntry>> = {
  "status": {
    level: "debug",
    meaning: "The client's status changed, as reported by client.status()",
    details: { status: "the type of the new status" },
  },
  "session.open-failed": {
    level: "warn",
    meaning: "An attempt to renew or replace the session failed; the next one follows",
    details: { error: "the reason" },
  },
  "session.draining": {
    level: "info",
    meaning:
      "The peer asked for an orderly end (GOAWAY or WT_DRAIN_SESSION): a fresh session takes over",
    details: {},
  },
  "session.ending": {
    level: "info",
    meaning: "The gateway announced that it will end the session",
    details: { code: "401, 429 or 503", reason: "the reason given by the gateway" },
  },
  "session.silent": {
    level: "warn",
    meaning:
      "The gateway has not answered a probe: a fresh session is opened beside the silent one",
    details: {},
  },
  "session.lost": {
    level: "info",
    meaning: "The session closed unexpectedly; it is replaced when reconnect is on",
    details: { error: "the reason" },
  },
  "close.drain-incomplete": {
    level: "warn",
    meaning: "close() stopped waiting for requests in flight",
    details: { error: "what it waited for" },
  },
  "push.unknown": {
    level: "debug",
    meaning: "The gateway pushed a frame with an unknown method id: skipped",
    details: { methodId: "the method's id" },
  },
  "push.broken": {
    level: "warn",
    meaning:
      "A push stream broke off while its session was alive: the session is replaced when reconnect is on",
    details: {},
  },
  "push.malformed": {
    level: "warn",
    meaning:
      "A push stream contained bytes that are not frames: it is cancelled, the session continues",
    details: { error: "what was wrong" },
  },
  "inbound.retry": {
    level: "warn",
    meaning:
      "serveInbound() could not list the calls that wait, or could not answer one: it tries again",
    details: { error: "the reason", delayMs: "how long it waits first" },
  },
  "inbound.handler-failed": {
    level: "warn",
    meaning: "The handler of serveInbound() has thrown: its call is hung up, the service continues",
    details: { callSid: "the call", error: "the reason" },
  },
  "audio.timers-throttled": {
    level: "warn",
    meaning:
      "Timers fire less than five times a second, as in a hidden tab, and audio is lost: give the client the clock of openAudio(), or run it in a Worker",
    details: {},
  },
};

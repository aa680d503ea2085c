/**
 * What a gateway reports to its owner: structured records and counters. Never a key, never a token.
 *
 * @module
 */

import type { RefusalReason } from "../base/errors.ts";
import { report } from "../base/handled.ts";
import { redactSecrets } from "../base/text/redact.ts";
import { printable } from "./validate.ts";

/** What happened, dotted and stable. */
export type GatewayLogEvent =
  | "gateway.listening"
  | "gateway.closed"
  | "gateway.port-lost"
  | "gateway.storage-failed"
  | "key.published"
  | "key.revoked"
  | "key.unconfirmed"
  | "trunk.added"
  | "store.reached"
  | "store.lost"
  | "store.malformed"
  | "store.id-taken"
  | "store.set-back"
  | "session.accepted"
  | "session.refused"
  | "session.expiring"
  | "session.ending"
  | "session.closed"
  | "session.dropped"
  | "session.failed"
  | "rpc.done"
  | "rpc.malformed"
  | "rpc.unknown"
  | "rpc.failed"
  | "tenant.mismatch"
  | "call.dialled"
  | "call.ended"
  | "call.barged"
  | "call.dtmf"
  | "call.supervised"
  | "faults.set"
  | "phone.absent"
  | "campaign.started"
  | "campaign.skipped"
  | "campaign.ended"
  | "audio.refused"
  | "recording.failed"
  | "webhook.sent"
  | "webhook.failed"
  | "limit.reached";

/** One thing that happened, as data. Texts that came from a peer have their control characters escaped and are cut at 512. */
export interface GatewayLogRecord {
  /** What happened. */
  readonly event: GatewayLogEvent;
  /** When, in Unix milliseconds on the gateway's clock. */
  readonly timeMs: number;
  /** The session's number, counted from 1. */
  readonly session?: number;
  /** The tenant that the session is pinned to. */
  readonly tenantId?: string;
  /** The `kid` that it was admitted by. */
  readonly keyId?: string;
  /** The method's name. */
  readonly method?: string;
  /** An error code of the wire, or a close code. */
  readonly code?: number;
  /** How long it took, in milliseconds. */
  readonly durationMs?: number;
  /** The word with which the peer's token was refused. */
  readonly refusal?: RefusalReason;
  /** Why, precisely; for the gateway's owner, not for the peer. */
  readonly reason?: string;
  /** The call that it is about. */
  readonly callSid?: string;
  /** The DTMF digit that the far end saw; `reason` says in which mode. */
  readonly digit?: string;
  /** How many, where it is a count. */
  readonly count?: number;
}

/** What a record says besides its time. */
export type LogDetails = Omit<GatewayLogRecord, "event" | "timeMs">;

/** Writes a record. */
export type Log = (event: GatewayLogEvent, details?: LogDetails) => void;

/** Takes records while the gateway is watched. */
export interface LogWatcher {
  /** Whether it is watched: otherwise records are not made for it. */
  readonly isWatched: boolean;
  /** Takes a record. */
  log(record: GatewayLogRecord): void;
}

/** Makes the writer of records: texts are made printable and free of secrets, and what the owner's function throws is ignored. */
export function createLog(
  log: ((record: GatewayLogRecord) => void) | undefined,
  now: () => number,
  watcher?: LogWatcher,
): Log {
  if (log === undefined && watcher === undefined) return () => {};
  return (event, details = {}) => {
    const isWatched = watcher?.isWatched ?? false;
    if (log === undefined && !isWatched) return;
    const clean: Record<string, unknown> = { event, timeMs: now() };
    for (const [name, value] of Object.entries(details)) {
      clean[name] = typeof value === "string" ? printable(redactSecrets(value)) : value;
    }
    const record = clean as unknown as GatewayLogRecord;
    if (isWatched) watcher!.log(record);
    report(() => log?.(record));
  };
}

/** What a gateway has counted since it was made, and what it holds now. */
export interface GatewayStats {
  /** Sessions. */
  readonly sessions: {
    /** Have not shown a token yet. */
    readonly pending: number;
    /** Are authenticated. */
    readonly open: number;
    /** Were authenticated, ever. */
    readonly accepted: number;
    /** Were refused, by the reason sent. */
    readonly refused: Readonly<Record<RefusalReason, number>>;
    /** Were closed without an answer because too many waited. */
    readonly evicted: number;
    /** Were ended by the gateway, by the reason sent. */
    readonly ended: Readonly<Record<string, number>>;
  };
  /** RPCs that were answered, by method. */
  readonly rpcs: Readonly<Record<string, number>>;
  /** RPCs that were refused, by the wire's error code. */
  readonly rpcErrors: Readonly<Record<string, number>>;
  /** Streams that did not become an RPC or audio. */
  readonly streams: {
    /** Held bytes that are not a frame, or ended inside one. */
    readonly malformed: number;
    /** Asked for a method that is not known. */
    readonly unknownMethod: number;
    /** Were one too many, or came too fast. */
    readonly limited: number;
    /** Took too long. */
    readonly timedOut: number;
  };
  /** Requests whose `tenant_id` was not the session's: it has no authority, and is only counted. */
  readonly tenantMismatches: number;
  /** Calls. */
  readonly calls: { readonly live: number; readonly total: number };
  /** Events: queued for a session, and sent to no session. */
  readonly events: { readonly sent: number; readonly unheard: number };
  /** Audio frames: taken, written, dropped because a peer was slow or gone, and refused. */
  readonly audio: {
    readonly received: number;
    readonly sent: number;
    readonly dropped: number;
    readonly refused: number;
  };
}

/** The counters behind {@linkcode GatewayStats}. */
export class Counters {
  accepted = 0;
  evicted = 0;
  malformed = 0;
  unknownMethod = 0;
  limited = 0;
  timedOut = 0;
  tenantMismatches = 0;
  calls = 0;
  eventsSent = 0;
  eventsUnheard = 0;
  audioReceived = 0;
  audioSent = 0;
  audioDropped = 0;
  audioRefused = 0;
  readonly refused: Record<RefusalReason, number> = {
    "expired": 0,
    "not yet valid": 0,
    "lifetime": 0,
    "revoked": 0,
    "rejected": 0,
  };
  readonly ended = new Map<string, number>();
  readonly rpcs = new Map<string, number>();
  readonly rpcErrors = new Map<string, number>();

  /** The counters, with what the gateway holds now. */
  snapshot(now: { pending: number; open: number; liveCalls: number }): GatewayStats {
    return {
      sessions: {
        pending: now.pending,
        open: now.open,
        accepted: this.accepted,
        refused: { ...this.refused },
        evicted: this.evicted,
        ended: Object.fromEntries(this.ended),
      },
      rpcs: Object.fromEntries(this.rpcs),
      rpcErrors: Object.fromEntries(this.rpcErrors),
      streams: {
        malformed: this.malformed,
        unknownMethod: this.unknownMethod,
        limited: this.limited,
        timedOut: this.timedOut,
      },
      tenantMismatches: this.tenantMismatches,
      calls: { live: now.liveCalls, total: this.calls },
      events: { sent: this.eventsSent, unheard: this.eventsUnheard },
      audio: {
        received: this.audioReceived,
        sent: this.audioSent,
        dropped: this.audioDropped,
        refused: this.audioRefused,
      },
    };
  }
}

/** Adds one to a named counter. */
export function count(counters: Map<string, number>, name: string): void {
  counters.set(name, (counters.get(name) ?? 0) + 1);
}

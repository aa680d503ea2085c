/**
 * What the gateway's owner sees: the state at a moment, and what happens. Never a key, a token or a client id.
 *
 * @module
 */

import type { KeyRole } from "../../token/mod.ts";
import type { CallState } from "../call/call.ts";
import type { SetFaults } from "../call/faults/faults.ts";
import type { CallLevels } from "../call/level_meter.ts";
import type { GatewayLogRecord, GatewayStats } from "../log.ts";

/** How well a call is heard, as counted since its answer. */
export interface CallQuality {
  /** Packets to the far end. */
  readonly packetsSent: number;
  /** Packets from the far end. */
  readonly packetsReceived: number;
  /** Packets that were lost, in both directions. */
  readonly packetsLost: number;
  /** The same in percent of all packets. */
  readonly lossPercent: number;
  /** Jitter of what the client sends, in milliseconds (RFC 3550 section 6.4.1). */
  readonly jitterMs: number;
  /** The estimated opinion score, 1 to 4.5; 0 while nothing was heard. */
  readonly mos: number;
}

/** A call at a moment. */
export interface CallSnapshot {
  /** Its id, unique within its tenant. */
  readonly callSid: string;
  /** Whose it is. */
  readonly tenantId: string;
  /** Its trunk. */
  readonly trunkId: string;
  /** Whether it was dialled here, or came in. */
  readonly direction: "outbound" | "inbound";
  /** The caller's number or SIP URI; can be empty. */
  readonly from: string;
  /** The called one. */
  readonly to: string;
  /** Where it stands. */
  readonly state: CallState;
  /** Whether it is on hold. */
  readonly isHeld: boolean;
  /** Whether the far end does not hear the client. */
  readonly isMuted: boolean;
  /** When it was dialled or came in, in Unix milliseconds. */
  readonly startMs: number;
  /** When it was answered; 0 before. */
  readonly answerMs: number;
  /** Both levels at the last reading; 0 while levels are not watched. */
  readonly levels: CallLevels;
  /** How well it is heard. */
  readonly quality: CallQuality;
}

/** A tenant at a moment. */
export interface TenantSnapshot {
  /** Its id. */
  readonly tenantId: string;
  /** Its authenticated sessions. */
  readonly sessions: number;
  /** Its live calls. */
  readonly liveCalls: number;
  /** Its campaigns that are under way. */
  readonly campaigns: number;
}

/** A key at a moment: what names it, and nothing of its material. */
export interface KeySnapshot {
  /** Whose it is. */
  readonly tenantId: string;
  /** The `kid` of its tokens. */
  readonly keyId: string;
  /** What its tokens can do. */
  readonly role: KeyRole;
  /** When it ends by itself, in Unix milliseconds; 0 for never. */
  readonly expiresAtMs: number;
  /** Whether it is revoked. */
  readonly isRevoked: boolean;
  /** When that was; 0 when it is not. */
  readonly revokedAtMs: number;
}

/** A trunk at a moment. */
export interface TrunkSnapshot {
  /** Whose it is. */
  readonly tenantId: string;
  /** Its id, unique within its tenant. */
  readonly trunkId: string;
  /** How many calls it carries at once. */
  readonly channelLimit: number;
  /** How many it carries. */
  readonly liveCalls: number;
  /** What it does with an incoming call, an `InboundRule`. */
  readonly inboundRule: number;
}

/** An authenticated session at a moment. */
export interface SessionSnapshot {
  /** Its number, as in log records. */
  readonly session: number;
  /** The tenant that it is pinned to. */
  readonly tenantId: string;
  /** The `kid` that it was admitted by. */
  readonly keyId: string;
  /** Whether its token was minted for a browser. */
  readonly kind: "sdk" | "browser";
  /** The words of its token's scope; `undefined` when it can do everything in its tenant. */
  readonly scope?: readonly string[];
  /** The user whom its token names. */
  readonly endUser?: string;
  /** When it ends by itself, in Unix milliseconds; `undefined` when it does not. */
  readonly endsAtMs?: number;
}

/** The phones that ring for a person, at a moment. */
export interface PhonesSnapshot {
  /** Their tenant. */
  readonly tenantId: string;
  /** The trunk on which they ring. */
  readonly trunkId: string;
  /** Their numbers. */
  readonly numbers: readonly string[];
  /** Whether a program is connected that would hear them ring. */
  readonly isOn: boolean;
}

/** A gateway at a moment: plain data that survives `JSON.stringify`. */
export interface GatewaySnapshot {
  /** When, in Unix milliseconds on the gateway's clock. */
  readonly timeMs: number;
  /** Tenants of which anything is known. */
  readonly tenants: readonly TenantSnapshot[];
  /** Their keys, revoked ones included. */
  readonly keys: readonly KeySnapshot[];
  /** Their trunks. */
  readonly trunks: readonly TrunkSnapshot[];
  /** The authenticated sessions. */
  readonly sessions: readonly SessionSnapshot[];
  /** The live calls, each tenant's oldest first. */
  readonly calls: readonly CallSnapshot[];
  /** The faults that are set. */
  readonly faults: readonly SetFaults[];
  /** The phones that ring for a person. */
  readonly phones: PhonesSnapshot;
  /** What was counted. */
  readonly stats: GatewayStats;
}

/** How a call sounds, and how well it is heard. */
export interface CallReading {
  /** The call. */
  readonly callSid: string;
  /** Whose it is. */
  readonly tenantId: string;
  /** How loud both directions were in the last 200 ms. */
  readonly levels: CallLevels;
  /** How well it is heard. */
  readonly quality: CallQuality;
}

/** Something that happened. */
export type GatewayRecord =
  /** What the gateway's log says. */
  | { readonly type: "log"; readonly record: GatewayLogRecord }
  /** A call has changed: `event` is the name of its `EventType`, such as `CHANNEL_ANSWER`. `q850Cause` counts at its end. */
  | {
    readonly type: "call";
    readonly timeMs: number;
    readonly event: string;
    readonly status: string;
    readonly q850Cause: number;
    readonly call: CallSnapshot;
  }
  /** With `levels`, every 200 ms while calls are answered: how all of them sound. */
  | { readonly type: "levels"; readonly timeMs: number; readonly calls: readonly CallReading[] };

/** What happens, as it happens. */
export interface GatewayWatch extends AsyncIterableIterator<GatewayRecord> {
  /** How many records were dropped, the oldest first, because more than 1,024 waited to be read. */
  readonly dropped: number;
}

/** Options of a gateway's `watch`. */
export interface WatchOptions {
  /** Ends it. Default: only `return()` and the gateway's close do. */
  readonly signal?: AbortSignal;
  /** Whether levels and quality of every call come every 200 ms. Default: `false`. */
  readonly levels?: boolean;
}

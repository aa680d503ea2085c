/**
 * What the panel's server and its page say to each other, as JSON. No key, token or PEM is in any of it.
 *
 * @module
 */

/** A key of a tenant. */
export interface KeyView {
  readonly keyId: string;
  readonly role: string;
  /** Unix milliseconds; 0 for never. */
  readonly expiresAtMs: number;
  readonly isRevoked: boolean;
}

/** A trunk of a tenant. */
export interface TrunkView {
  readonly trunkId: string;
  readonly channelLimit: number;
  /** How many calls it carries now. */
  readonly liveCalls: number;
}

/** A tenant. */
export interface TenantView {
  readonly tenantId: string;
  readonly keys: readonly KeyView[];
  readonly trunks: readonly TrunkView[];
  /** How many sessions are open. */
  readonly sessions: number;
}

/** Something that happened to a call. */
export interface MomentView {
  /** Unix milliseconds. */
  readonly timeMs: number;
  readonly text: string;
}

/** A call: live, or one of the last that ended. */
export interface CallView {
  readonly callSid: string;
  readonly tenantId: string;
  readonly trunkId: string;
  readonly direction: "outbound" | "inbound";
  readonly to: string;
  readonly from: string;
  readonly state: "dialled" | "ringing" | "answered" | "ended";
  /** Unix milliseconds. */
  readonly startMs: number;
  /** Unix milliseconds; 0 before it. */
  readonly answerMs: number;
  /** Unix milliseconds; 0 before it. */
  readonly endMs: number;
  /** Why it ended: the Q.850 cause and its words; empty while it lives. */
  readonly cause: string;
  /** What to do about that; empty where nothing is wrong. */
  readonly fix: string;
  /** Its events, the newest 100. */
  readonly moments: readonly MomentView[];
}

/** Something that the gateway refused. */
export interface RefusalView {
  /** Unix milliseconds. */
  readonly timeMs: number;
  /** The record's name in the gateway's log. */
  readonly event: string;
  readonly tenantId: string;
  readonly keyId: string;
  /** The RPC's name; empty for a session. */
  readonly method: string;
  /** The gateway's own reason, for its owner alone. */
  readonly reason: string;
  /** What the peer received: why a token was refused, or a code. */
  readonly code: string;
  /** The catalogue's meaning of that. */
  readonly meaning: string;
  /** What the catalogue says to do. */
  readonly fix: string;
}

/** Faults that are injected. */
export interface FaultsView {
  readonly lossPercent?: number;
  readonly jitterMs?: number;
  readonly delayMs?: number;
  readonly duplicatePercent?: number;
  /** The wire's error code with which dials are refused. */
  readonly refuseWith?: number;
  readonly dropSessions?: boolean;
}

/** Where faults are injected: everywhere, or only there. */
export interface PlaceView {
  readonly tenantId?: string;
  readonly trunkId?: string;
  readonly callSid?: string;
}

/** What changes with keys, trunks, sessions and faults. */
export interface OverviewView {
  /** How many calls live, without the phone's own: more than there are in the state when there are more than 1,000. */
  readonly liveCalls: number;
  readonly tenants: readonly TenantView[];
  readonly sessions: { readonly open: number; readonly accepted: number; readonly refused: number };
  /** Faults that are set. */
  readonly faults: readonly { readonly faults: FaultsView; readonly at: PlaceView }[];
}

/** All that the page shows. */
export interface PanelState extends OverviewView {
  readonly version: string;
  readonly endpoint: string;
  /** Base64 SHA-256 of the gateway's certificates, the current one first. */
  readonly certificateHashes: readonly string[];
  /** The tenant and the trunk of the credentials file. */
  readonly tenantId: string;
  readonly trunkId: string;
  /** A program that places a call on the phone. */
  readonly program: string;
  /** The phone in the page: the number that rings it, and where it signs in. */
  readonly phone: {
    readonly number: string;
    readonly tenantId: string;
    readonly trunkId: string;
  };
  /** The newest last; of those that live, the newest 1,000. */
  readonly calls: readonly CallView[];
  /** The newest last. */
  readonly refusals: readonly RefusalView[];
}

/** How loud and how good a call is now. */
export interface LevelsView {
  readonly tenantId: string;
  readonly callSid: string;
  /** RMS of what the program says, 0 to 1. */
  readonly toFarEnd: number;
  /** RMS of what the far end says, 0 to 1. */
  readonly toProgram: number;
  /** Per cent of packets lost so far. */
  readonly lossPercent: number;
  readonly jitterMs: number;
  /** Mean opinion score, 1 to 4.5; 0 when unknown. */
  readonly mos: number;
}

/** A line of `GET /api/events`. */
export type Line =
  | { readonly type: "state"; readonly state: PanelState }
  | { readonly type: "overview"; readonly overview: OverviewView }
  | { readonly type: "call"; readonly call: CallView }
  | { readonly type: "refusal"; readonly refusal: RefusalView }
  | { readonly type: "levels"; readonly levels: readonly LevelsView[] };

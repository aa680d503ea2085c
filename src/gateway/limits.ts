/**
 * Every bound of the gateway in one table: its value, why it is there, and what a peer that reaches it sees.
 *
 * @module
 */

import { kindOf } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";

/** One bound of the gateway. */
export interface Limit {
  /** The name under which `createGateway({ limits })` sets it. */
  readonly name: LimitName;
  /** Its default. */
  readonly value: number;
  /** Why it is there, and why it has this size. */
  readonly reason: string;
  /** What a peer that reaches it sees. */
  readonly peerSees: string;
}

/** The names of all bounds. */
export type LimitName =
  | "handshakeMs"
  | "handshakeBytes"
  | "handshakes"
  | "handshakesPerAddress"
  | "sessions"
  | "sessionsPerTenant"
  | "graceMs"
  | "streams"
  | "streamsPerTurn"
  | "rpcFrameBytes"
  | "audioFrameBytes"
  | "audioPayloadBytes"
  | "badAudioFrames"
  | "streamMs"
  | "unfinishedBytes"
  | "unfinishedBytesPerTenant"
  | "drainBytes"
  | "unreadReplyBytes"
  | "rpcsPerSecond"
  | "rpcsPerSecondPerTenant"
  | "workMsPerSecond"
  | "workPieces"
  | "listBytesPerSecond"
  | "limitedReplyMs"
  | "strikes"
  | "subscriptions"
  | "campaignsPerTenant"
  | "bulkLoadMs"
  | "campaignRows"
  | "supervisorsPerCall"
  | "callsPerTenant"
  | "callsPerSecond"
  | "dialWindowMs"
  | "endedCalls"
  | "trunksPerTenant"
  | "keysPerTenant"
  | "revokedKeysPerTenant"
  | "audioFramesPerSecond"
  | "queuedAudioFrames"
  | "queuedAudioBytes"
  | "queuedEvents"
  | "usedTokens";

/** A value for every bound. Each is a positive number; `Infinity` switches one off. */
export type Limits = Readonly<Record<LimitName, number>>;

const REFUSED = "the Authenticate reply with error_code 7, then close code 401";
const RESET = "the stream is reset, the session stays";
const RATE_LIMITED = "error_code 3 in the reply";

const table: Readonly<Record<LimitName, readonly [value: number, reason: string, peer: string]>> = {
  handshakeMs: [
    5_000,
    "a client has its token ready before it dials; a silent session must not hold a place",
    REFUSED,
  ],
  handshakeBytes: [
    4_096 + 4_096,
    "a token of 4,096 characters and 4 KiB for what is around it",
    REFUSED,
  ],
  handshakes: [
    256,
    "sessions that have not shown a token yet, all together: peers without a token hold a bounded share of memory",
    "the longest waiting one is closed with code 429",
  ],
  handshakesPerAddress: [
    16,
    "the same for one IP address; loopback addresses stand for many peers and are exempt",
    "the longest waiting one of that address is closed with code 429",
  ],
  sessions: [20_000, "authenticated sessions, at up to 64 KiB each", REFUSED],
  sessionsPerTenant: [10_000, "one tenant cannot take every place", REFUSED],
  graceMs: [
    250,
    "time for the ending's reason to arrive before the session is closed",
    "close code 401, 429 or 503",
  ],
  streams: [
    256,
    "streams of one session that are open at a time, both kinds together: 200 calls with a stream of audio each, and RPCs",
    "a stream above it waits for another's end; where the runtime grants it all the same, it is reset",
  ],
  streamsPerTurn: [
    2,
    "streams of one tenant that begin in a turn of the event loop: what others wait for does not grow with how many it has opened",
    "a stream above it is looked at in a later turn",
  ],
  rpcFrameBytes: [
    64 * 1024,
    "the largest request that means anything, a trunk with its lists, is under 8 KiB",
    RESET,
  ],
  audioFrameBytes: [
    64 * 1024,
    "two seconds of PCM16; an ordinary frame has 200 to 700 bytes",
    RESET,
  ],
  audioPayloadBytes: [
    8 * 1024,
    "a quarter of a second of PCM16 in one packet",
    "the frame is dropped and counted",
  ],
  badAudioFrames: [
    50,
    "frames in a row for calls that are not there: one second of a client that missed a hang-up",
    RESET,
  ],
  streamMs: [
    10_000,
    "to send a request, to take its reply, and to finish the stream",
    RESET,
  ],
  unfinishedBytes: [
    256 * 1024,
    "frames of one session that have begun and not ended; each has the time of streamMs to end",
    RESET,
  ],
  unfinishedBytesPerTenant: [
    16 * 1024 * 1024,
    "the same for all sessions of a tenant together",
    RESET,
  ],
  drainBytes: [
    64 * 1024,
    "what follows a request before its FIN: it is read only so that stream credit returns",
    "the rest is not read",
  ],
  unreadReplyBytes: [
    8 * 1024 * 1024,
    "long lists that wait for one tenant's slow readers, each up to 650 KB: short replies always have room",
    RATE_LIMITED,
  ],
  rpcsPerSecond: [
    100,
    "RPCs of one session, a burst of four times as many; opening a stream counts as one",
    RATE_LIMITED,
  ],
  rpcsPerSecondPerTenant: [
    1_000,
    "the same for all sessions of a tenant together",
    RATE_LIMITED,
  ],
  workMsPerSecond: [
    250,
    "milliseconds in a second that one tenant's long work (lists, rows of campaigns) takes of the gateway's one thread, in slices of 2",
    "its long work takes longer",
  ],
  workPieces: [
    16,
    "lists and campaigns' files of one tenant that are being read at a time",
    RATE_LIMITED,
  ],
  listBytesPerSecond: [
    1024 * 1024,
    "bytes of replies above 8 KiB for one tenant, a burst of two seconds' worth: 5,000 calls are a list of 645 KB",
    RATE_LIMITED,
  ],
  limitedReplyMs: [
    1_000,
    "how long the answer to a request above the rate waits: a client that asks without a pause is slowed down",
    "the answer comes later",
  ],
  strikes: [
    400,
    "streams above the rate that one session can open in a minute before it is cut",
    "SessionEnding with code 429, then the close",
  ],
  subscriptions: [8, "client ids that one session listens for", "error_code 6 in the reply"],
  campaignsPerTenant: [16, "campaigns of one tenant that are under way", RATE_LIMITED],
  bulkLoadMs: [60_000, "to read a campaign's rows", "error_code 6 in the reply"],
  campaignRows: [100_000, "rows of one campaign", "error_code 6 in the reply"],
  supervisorsPerCall: [8, "each hears every frame of the call", "the refusal in the reply"],
  callsPerTenant: [5_000, "live calls of one tenant", RATE_LIMITED],
  callsPerSecond: [50, "new calls of one tenant, a burst of twice as many", RATE_LIMITED],
  dialWindowMs: [
    30_000,
    "how long a repeated call_sid means the same call, as a client that lost the reply asks again",
    "later: error_code 6 in the reply",
  ],
  endedCalls: [
    4_096,
    "calls of one tenant whose ids are remembered after their end, so that a repeated dial is recognised",
    "a call_sid that was forgotten counts as new",
  ],
  trunksPerTenant: [256, "trunks of one tenant", "error_code 6 in the reply"],
  keysPerTenant: [64, "keys of one tenant, revoked ones not counted", "error_code 6 in the reply"],
  revokedKeysPerTenant: [
    1_024,
    "revoked keys of one tenant that are remembered, at 600 bytes each; beyond, the one revoked first is forgotten when a key is published",
    "error_code 6 in the reply, when all of them were revoked within the last hour",
  ],
  audioFramesPerSecond: [
    200,
    "audio frames that one call takes, a burst of five seconds' worth; real time is 50",
    "the frame is dropped and counted",
  ],
  queuedAudioFrames: [
    250,
    "audio that waits for a slow reader: five seconds of one call",
    "the oldest frame is dropped and counted: a gap in sequence_number",
  ],
  queuedAudioBytes: [
    4 * 1024 * 1024,
    "the same for all calls of a session together",
    "the newest frame is dropped and counted",
  ],
  queuedEvents: [
    1_024,
    "events that wait for a slow reader",
    "SessionEnding with code 429, then the close: events are never dropped in silence",
  ],
  usedTokens: [
    65_536,
    "single-use tokens (those with a jti) of one tenant that are remembered until they expire",
    REFUSED,
  ],
};

/** The table of all bounds, in the order in which a peer meets them. */
export const limits: readonly Limit[] = Object.freeze(
  Object.entries(table).map(([name, [value, reason, peerSees]]) =>
    Object.freeze({ name: name as LimitName, value, reason, peerSees })
  ),
);

/** The defaults, with `overrides` in their place. Throws `TypeError` or `ERR_VALUE_INVALID` for what is not a bound. */
export function resolveLimits(overrides: Partial<Limits> = {}): Limits {
  const resolved: Record<string, number> = {};
  for (const { name, value } of limits) resolved[name] = value;
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(table, name)) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        `Cannot set limits: "${name}" is unknown, expected one of the names in the table of limits`,
      );
    }
    if (typeof value !== "number") {
      throw new TypeError(`Cannot set limits: ${name} is ${kindOf(value)}, expected a number`);
    }
    if (!(value > 0)) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        `Cannot set limits: ${name} is ${value}, expected more than 0`,
      );
    }
    resolved[name] = value;
  }
  return Object.freeze(resolved) as Limits;
}

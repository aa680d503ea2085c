/**
 * A verdict before a call: can this client place calls now, and will they sound well?
 *
 * @module
 */

import { randomUuid } from "../base/uuid.ts";
import { TeleQuickError, type TeleQuickErrorCode } from "../base/errors.ts";
import type { Clock } from "../base/signal.ts";
import { type Method, methods } from "../wire/mod.ts";
import type { Connection } from "./session/connection.ts";
import { clockFinding } from "./sign_in/refusal.ts";
import type { RequestOptions } from "./rpc/rpc.ts";

/** What stands in the way of a call. A blocked one has the code of the error that a call would get. */
export type CheckCode =
  | TeleQuickErrorCode
  | "slow"
  | "unsteady"
  | "clock"
  | "token-life"
  | "error";

/** One reason of a verdict that is not `"ready"`. */
export interface CheckReason {
  /** What it is. */
  readonly code: CheckCode;
  /** The same in words, with figures. */
  readonly message: string;
}

/** What {@linkcode TeleQuickClient.check} found. */
export interface CheckReport {
  /** `"ready"`; `"degraded"`: calls can be placed, and something is not as it should be; `"blocked"`: they cannot. */
  readonly verdict: "ready" | "degraded" | "blocked";
  /** Why it is not `"ready"`; empty when it is. */
  readonly reasons: readonly CheckReason[];
  /** The error that blocks, with `"blocked"`. */
  readonly error?: unknown;
  /** The tenant that the gateway pinned to the session; empty when blocked. */
  readonly tenantId: string;
  /** The `kid` of the session's token. */
  readonly keyId: string;
  /** When the session's token ends, in Unix milliseconds; 0 when unknown. */
  readonly expiresAtMs: number;
  /** Round trips of small requests, in milliseconds; empty when blocked. */
  readonly roundTripsMs: readonly number[];
  /** How far the gateway's clock is ahead of this machine's, in milliseconds; `undefined` when it did not tell. */
  readonly clockOffsetMs: number | undefined;
}

/** What a check needs of its client. */
export interface CheckHost {
  readonly clock: Clock;
  readonly clientId: string;
  connection(signal: AbortSignal | undefined): Promise<Connection>;
  send<Q, R>(method: Method<Q, R>, request: Partial<Q>, options: RequestOptions): Promise<R>;
}

// The first is a warm-up, and of the others one may be an exception.
const PROBES = 7;
// ITU-T G.114: above 150 ms one way people begin to talk into each other.
const SLOW_MS = 300;
// Wider than the usual jitter buffer of three frames.
const UNSTEADY_MS = 60;
const TOKEN_LIFE_MS = 60_000;

/** Connects, if need be, and measures. Rejects only with the signal's reason: everything else is a verdict. */
export async function checkClient(
  host: CheckHost,
  signal: AbortSignal | undefined,
): Promise<CheckReport> {
  const { clock, clientId } = host;
  const roundTripsMs: number[] = [];
  try {
    const { principal, expiresAtMs } = await host.connection(signal);
    for (let probe = 0; probe < PROBES; probe++) {
      const sentAt = clock.monotonic();
      // What every gateway answers and what changes nothing: the subscription that the session has already.
      await host.send(methods.StreamEvents, { clientId }, { signal });
      if (probe > 0) roundTripsMs.push(clock.monotonic() - sentAt);
    }
    const { tenantId, keyId, clockSkewMs } = principal;
    const clockOffsetMs = await readClock(host, signal) ??
      (clockSkewMs === undefined ? undefined : -clockSkewMs);
    const leftMs = expiresAtMs === 0 ? Infinity : expiresAtMs - clock.now();
    const reasons = findReasons(roundTripsMs, clockOffsetMs, leftMs);
    const verdict = reasons.length === 0 ? "ready" : "degraded";
    return {
      ...{ verdict, reasons, tenantId, keyId },
      expiresAtMs: principal.expiresAtMs,
      ...{ roundTripsMs, clockOffsetMs },
    };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const reason: CheckReason = error instanceof TeleQuickError
      ? { code: error.code, message: error.message }
      : { code: "error", message: "The credentials function failed" };
    return {
      verdict: "blocked",
      reasons: [reason],
      error,
      ...{ tenantId: "", keyId: "", expiresAtMs: 0 },
      roundTripsMs: [],
      clockOffsetMs: undefined,
    };
  }
}

/** The gateway's time stands only in replies about a call: it is asked to hang up a call that does not exist. */
async function readClock(
  { clock, send }: CheckHost,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const before = clock.now();
  const { timestampMs } = await send(
    methods.Terminate,
    { callSid: randomUuid() },
    { signal },
  );
  // 2001 to 2286: a time outside was not set by a gateway.
  if (timestampMs < 1e12 || timestampMs >= 1e13) return undefined;
  return Math.round(timestampMs - (before + clock.now()) / 2);
}

function findReasons(
  roundTripsMs: readonly number[],
  clockOffsetMs: number | undefined,
  leftMs: number,
): CheckReason[] {
  const reasons: CheckReason[] = [];
  const sorted = [...roundTripsMs].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  const spread = (sorted.at(-2) ?? 0) - (sorted[0] ?? 0);
  const add = (isSo: boolean, code: CheckCode, message: string): void => {
    if (isSo) reasons.push({ code, message });
  };
  add(
    median > SLOW_MS,
    "slow",
    `The gateway answers after ${Math.round(median)} ms, expected at most ${SLOW_MS}`,
  );
  add(
    spread > UNSTEADY_MS,
    "unsteady",
    `Its answers differ by ${Math.round(spread)} ms, expected at most ${UNSTEADY_MS}`,
  );
  const clock = clockFinding(clockOffsetMs === undefined ? undefined : -clockOffsetMs);
  if (clock !== undefined) reasons.push({ code: "clock", message: clock });
  add(
    leftMs < TOKEN_LIFE_MS,
    "token-life",
    `The session's token ends in ${Math.max(0, Math.round(leftMs / 1_000))} s`,
  );
  return reasons;
}

/**
 * What a refused sign-in means, and what to do about it.
 *
 * @module
 */

import { type RefusalReason, TeleQuickError } from "../../base/errors.ts";
import { ErrorCode } from "../../wire/mod.ts";
import { peerText } from "../log.ts";
import { skewText } from "./clock_skew.ts";
import { CLOCK_TOLERANCE_MS, type PresentedToken } from "./presented_token.ts";

/** A refusal, as the gateway said it. */
export interface SignInRefusal {
  readonly errorCode: number;
  readonly errorMessage: string;
  /** The gateway's time, in Unix milliseconds; 0 when it did not say. */
  readonly serverTimeMs: number;
}

const REASONS: ReadonlySet<string> = new Set<RefusalReason>([
  ...(["expired", "not yet valid", "lifetime", "revoked", "rejected"] as const),
]);

/** What else is known of a refusal. */
export interface RefusalContext {
  /** How far this machine's clock is ahead of the gateway's, in milliseconds; `undefined` when unknown. */
  readonly aheadMs: number | undefined;
  /** The refusal in the words of a gateway in this program, which a client elsewhere does not learn. */
  readonly inWords: string | undefined;
}

/** The error of a refused sign-in. */
export function refusedSignIn(
  { errorCode, errorMessage, serverTimeMs }: SignInRefusal,
  presented: PresentedToken,
  { aheadMs, inWords }: RefusalContext,
): TeleQuickError {
  if (errorCode === ErrorCode.ERR_RATE_LIMITED) {
    const why = errorMessage === "" ? "" : ` (${peerText(errorMessage)})`;
    return new TeleQuickError(
      "ERR_LIMIT",
      `Cannot sign in: the gateway cannot take one more session now${why}`,
      { retryable: true, rpcCode: errorCode },
    );
  }
  const refusal = REASONS.has(errorMessage) ? errorMessage as RefusalReason : "rejected";
  const advice = adviceOn(refusal, presented, serverTimeMs, aheadMs);
  return new TeleQuickError(
    "ERR_UNAUTHORIZED",
    `Cannot sign in: the gateway refused the token as ${refusal} (${advice})`,
    { refusal, rpcCode: errorCode, ...(inWords !== undefined && { cause: new Error(inWords) }) },
  );
}

function adviceOn(
  refusal: RefusalReason,
  presented: PresentedToken,
  serverTimeMs: number,
  aheadMs: number | undefined,
): string {
  const isMinted = presented.origin === "account";
  switch (refusal) {
    case "expired":
      return `${expiredBy(presented, serverTimeMs)}${
        isMinted
          ? clockAdvice(aheadMs)
          : "return a token that was minted for this session, and check the clock of the machine that mints it"
      }`;
    case "not yet valid":
      return `${beginsIn(presented, serverTimeMs)}${
        isMinted ? clockAdvice(aheadMs) : "set the clock of the machine that mints it"
      }`;
    case "lifetime":
      return "it lives longer than the gateway allows: at most 3600 s, a browser token 300 s";
    case "revoked":
      return isMinted
        ? "its key was revoked: use the service-account file of a current key"
        : "its key was revoked: the backend that mints the tokens needs a current service account";
    case "rejected":
      return isMinted
        ? "check that tenant_id, private_key and private_key_id belong together and that the public key is registered at this gateway"
        : "check in the backend that mints it: its service account must be registered at this gateway, a token with a jti is good for one session, and an origin must be that of this page";
  }
}

function clockAdvice(aheadMs: number | undefined): string {
  if (aheadMs === undefined || Math.abs(aheadMs) < 1_000) {
    return "compare this machine's clock with the gateway's";
  }
  const correct = Math.abs(aheadMs) <= 600_000 ? ", or pass correctClock: true" : "";
  return `this machine's clock is ${skewText(aheadMs)}: set it${correct}`;
}

function expiredBy({ expiresAtMs }: PresentedToken, serverTimeMs: number): string {
  const seconds = Math.round((serverTimeMs - expiresAtMs) / 1_000);
  if (expiresAtMs === 0 || serverTimeMs === 0 || seconds <= 0) return "";
  return `it ended ${seconds} s before the gateway's time; `;
}

function beginsIn({ issuedAtMs }: PresentedToken, serverTimeMs: number): string {
  const seconds = Math.round((issuedAtMs - serverTimeMs) / 1_000);
  if (issuedAtMs === 0 || serverTimeMs === 0 || seconds <= 0) return "";
  return `it begins ${seconds} s after the gateway's time; `;
}

/** What a difference of the clocks means for tokens that this machine mints; `undefined` where it is within what gateways tolerate. */
export function clockFinding(aheadMs: number | undefined): string | undefined {
  if (aheadMs === undefined || Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return undefined;
  return `This machine's clock is ${skewText(aheadMs)}, expected at most ${
    CLOCK_TOLERANCE_MS / 1_000
  } s`;
}

/**
 * A token on its way to the gateway: judged before a packet leaves.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { type DecodedToken, decodeToken } from "../../token/mod.ts";
import { describeNoToken, isCompactToken } from "./token_form.ts";
import type { ClientTokens } from "./token_provider.ts";

/** A token on its way to the gateway, with what can be read of it. */
export interface PresentedToken {
  readonly token: string;
  /** Where it comes from. */
  readonly origin: ClientTokens["origin"];
  /** The `kid`, empty when the token is not a JWT. */
  readonly keyId: string;
  /** When it was made, in Unix milliseconds; 0 when the token does not say. */
  readonly issuedAtMs: number;
  /** When it ends, in Unix milliseconds; 0 when the token does not say. */
  readonly expiresAtMs: number;
  /** How far this machine's clock seems to be ahead of that of the token's maker, in milliseconds. */
  readonly skewMs: number;
  /** The error to report where the gateway, too, finds that it is over. */
  readonly expired: TeleQuickError | undefined;
}

/** What a token is judged by. */
export interface JudgeOptions {
  readonly origin: ClientTokens["origin"];
  /** This machine's time, in Unix milliseconds. */
  readonly nowMs: number;
  /** How far this machine's clock is known to be ahead of the gateway's, in milliseconds, where minting corrects it; else 0. */
  readonly correctionMs: number;
  /** Whether it must be a signed token. Gateways with another handshake may have tokens of another form. */
  readonly mustBeCompact: boolean;
  /** The origin of this page; `undefined` outside a page, or where the gateway does not learn it. */
  readonly pageOrigin: string | undefined;
}

/** How far apart two clocks may be before a token is refused as one that begins in the future, in milliseconds. */
export const CLOCK_TOLERANCE_MS = 30_000;

/**
 * Judges what was given as a token. Throws `ERR_TOKEN_INVALID` for what is not one or is for another page, and `ERR_TOKEN_EXPIRED` for
 * one that is over. One that was just fetched and is not valid at this machine's time shows that this machine's clock is wrong: it is
 * presented, and the gateway says whether it is over.
 */
export function judgeToken(given: unknown, options: JudgeOptions): PresentedToken {
  const { origin, nowMs } = options;
  const token = textOf(given, options);
  const decoded = decode(token);
  const claims = decoded?.claims ?? {};
  checkOrigin(claims["origin"], options.pageOrigin);
  const expiresAtMs = secondsOf(claims["exp"]);
  const issuedAtMs = secondsOf(claims["iat"]);
  const isOver = expiresAtMs !== 0 && expiresAtMs <= nowMs;
  const isAside = isOver || nowMs < issuedAtMs - CLOCK_TOLERANCE_MS;
  const fetchedSkewMs = origin === "function" && isAside && issuedAtMs > 0 ? nowMs - issuedAtMs : 0;
  const expired = isOver ? expiredBy(Math.ceil((nowMs - expiresAtMs) / 1_000), origin) : undefined;
  const isCorrected = options.correctionMs !== 0;
  if (expired !== undefined && fetchedSkewMs === 0 && !isCorrected) throw expired;
  const keyId = decoded?.header["kid"];
  return {
    token,
    origin,
    keyId: typeof keyId === "string" ? keyId : "",
    issuedAtMs,
    expiresAtMs,
    skewMs: isCorrected ? options.correctionMs : fetchedSkewMs,
    expired,
  };
}

function textOf(given: unknown, { origin, mustBeCompact }: JudgeOptions): string {
  // A text read from an answer or a file often has a newline at its end.
  const text = typeof given === "string" ? given.trim() : "";
  if (mustBeCompact ? isCompactToken(text) : text !== "") return text;
  const source = origin === "function" ? "the token function returned" : "the credentials give";
  const expected = mustBeCompact ? "a compact JWS" : "a non-empty string";
  throw new TeleQuickError(
    "ERR_TOKEN_INVALID",
    `Cannot present token: ${source} ${describeNoToken(given)}, expected ${expected}`,
    { retryable: true },
  );
}

function checkOrigin(claimed: unknown, pageOrigin: string | undefined): void {
  if (typeof claimed !== "string" || pageOrigin === undefined || claimed === pageOrigin) return;
  throw new TeleQuickError(
    "ERR_TOKEN_INVALID",
    `Cannot present token: its origin is ${
      clip(claimed)
    }, expected the origin of this page, ${pageOrigin} (mint it with the origin of the page that uses it)`,
    { retryable: true },
  );
}

const EXPIRED_ADVICE: Readonly<Record<ClientTokens["origin"], string>> = {
  account: "set the clock of this machine",
  function: "the token function gave a token that is already over",
  token:
    "pass a function that fetches a fresh token from your backend: new TeleQuickClient(url, () => fetchToken(), true)",
};

function expiredBy(seconds: number, origin: ClientTokens["origin"]): TeleQuickError {
  return new TeleQuickError(
    "ERR_TOKEN_EXPIRED",
    `Cannot present token: it expired ${seconds} s ago (${EXPIRED_ADVICE[origin]})`,
    { retryable: origin === "function" },
  );
}

function decode(token: string): DecodedToken | undefined {
  try {
    return decodeToken(token);
  } catch {
    // Another form than ours: the gateway may have a convention of its own.
    return undefined;
  }
}

function secondsOf(claim: unknown): number {
  return typeof claim === "number" ? claim * 1_000 : 0;
}

function clip(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
  return line.length > 120 ? `${line.slice(0, 119)}~` : line;
}

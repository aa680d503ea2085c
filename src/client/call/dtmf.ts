/**
 * Strings of DTMF digits and pauses.
 *
 * @module
 */

import { kindOf } from "../../base/check.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { type Clock, sleep } from "../../base/signal.ts";
import type { DtmfOptions } from "../rpc/methods.ts";
import type { RequestOptions } from "../rpc/rpc.ts";

/** How digits leave. */
export interface DtmfSender {
  readonly clock: Clock;
  /** Sends one digit. */
  send(digit: string): Promise<void>;
}

const PAUSES_MS: Readonly<Record<string, number>> = { w: 500, W: 1_000 };
const MOST_DIGITS = 64;
const DEFAULT_DURATION_MS = 200;
// ITU-T Q.24: receivers need a pause of at least 40 ms between signals.
const GAP_MS = 60;

/** Sends digits in order, each after the one before it has sounded. Refuses the whole string before the first one. */
export async function dialDtmf(
  digits: string,
  { durationMs = DEFAULT_DURATION_MS, signal }: DtmfOptions & RequestOptions,
  { clock, send }: DtmfSender,
): Promise<void> {
  checkDigits(digits);
  for (const [index, digit] of [...digits].entries()) {
    const pauseMs = PAUSES_MS[digit];
    if (pauseMs === undefined) await send(digit);
    const isLast = index === digits.length - 1;
    if (!isLast) await sleep(pauseMs ?? durationMs + GAP_MS, { clock, signal });
  }
}

function checkDigits(digits: unknown): asserts digits is string {
  if (typeof digits !== "string") {
    throw new TypeError(`Cannot send DTMF: digits is ${kindOf(digits)}, expected a string`);
  }
  if (digits.length >= 1 && digits.length <= MOST_DIGITS && /^[0-9*#wW]+$/.test(digits)) return;
  const found = digits.length > MOST_DIGITS
    ? `${digits.length} characters`
    : JSON.stringify(digits);
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot send DTMF: digits is ${found}, expected 1 to ${MOST_DIGITS} of 0-9, *, #, w and W (pauses of 500 and 1000 ms)`,
  );
}

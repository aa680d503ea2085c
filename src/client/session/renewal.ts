/**
 * Around a renewal: when a token makes it due, and how the session that was replaced comes to its end.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import { bounded, type Cancellation, type Clock } from "../../base/signal.ts";
import type { Connection } from "./connection.ts";

// A renewal begins at 80 % of the token's life, up to a tenth of it earlier, so that a fleet does not renew at once.
const RENEW_AT = 0.8;
const RENEW_JITTER = 0.1;
// A token that is over at once, or a gateway's wrong clock, renews no session before this.
const RENEW_EARLIEST_MS = 5_000;
// The wall clock may jump: what waits for a moment of it looks again this often.
const RECHECK_MS = 10_000;
// After its RPCs are done, a replaced session stays until the gateway has been silent on it: what it has sent already may be slow.
const RETIRE_GRACE_MS = 1_000;
const RETIRE_LONGEST_MS = 30_000;

/** Calls `onDue` when a session whose token ends at `expiresAtMs` is to be renewed. Returns what cancels that. */
export function scheduleRenewal(
  expiresAtMs: number,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
  onDue: () => void,
): () => void {
  const life = Math.max(0, expiresAtMs - clock.now());
  const wait = Math.round(life * (RENEW_AT - RENEW_JITTER * random()));
  const dueAt = clock.now() + Math.max(RENEW_EARLIEST_MS, wait);
  let cancel: () => void;
  const arm = (left: number): void => {
    cancel = clock.schedule(Math.min(left, RECHECK_MS), look);
  };
  const look = (): void => {
    const left = dueAt - clock.now();
    if (left <= 0) onDue();
    else arm(left);
  };
  arm(Math.max(0, dueAt - clock.now()));
  return () => cancel();
}

/** Resolves when what is under way on a replaced session is finished, or the session is lost, or it took too long. */
export function settled(connection: Connection, clock: Clock, stop: Cancellation): Promise<void> {
  return bounded(async (over) => {
    await connection.drained();
    await connection.quiet(RETIRE_GRACE_MS, over);
  }, {
    signal: stop,
    lost: connection.over,
    timeoutMs: RETIRE_LONGEST_MS,
    clock,
    onTimeout: () => new TeleQuickError("ERR_TIMEOUT", "Drain is over"),
  }).catch(ignore); // Its owner closes it in any case.
}

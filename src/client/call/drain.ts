/**
 * How a worker is taken out of a fleet, as its user sees it.
 *
 * @module
 */

import { duration, oneOf } from "../option_checks.ts";

/** Options of {@linkcode TeleQuickClient.drain}. */
export interface DrainOptions {
  /** How long the calls in hand may go on, in milliseconds. Default: 30000. */
  readonly deadlineMs?: number | undefined;
  /**
   * What becomes of calls that go on at the deadline. `"leave"`: they stay up at the gateway, for a successor with the same `clientId`.
   * `"hang-up"`: they are hung up. Default: `"leave"`, as `close()` leaves them.
   */
  readonly atDeadline?: "leave" | "hang-up" | undefined;
}

/** How a drain went. */
export interface DrainResult {
  /** The ids of the calls that go on without this client: a successor takes them over with `client.call(callSid)`. */
  readonly left: readonly string[];
}

/** Checks options and fills in defaults. */
export function resolveDrain(
  { deadlineMs, atDeadline }: DrainOptions,
): { readonly deadlineMs: number; readonly hangsUp: boolean } {
  return {
    deadlineMs: duration("deadlineMs", deadlineMs, 30_000),
    hangsUp: oneOf("atDeadline", atDeadline, ["leave", "hang-up"]) === "hang-up",
  };
}

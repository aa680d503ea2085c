/**
 * Watches what credentials are read from.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { type Clock, sleep } from "../../base/signal.ts";

/** Options of {@linkcode watchCredentials}. */
export interface WatchOptions {
  readonly clock: Clock;
  /** How often to look, in milliseconds. */
  readonly intervalMs: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Called each time that others than those in use are found. */
  readonly onStale: () => void;
}

/**
 * Looks again and again whether credentials are stale: whether others are there than those that were used last. What cannot be read
 * now (a file half swapped) is looked at the next time.
 */
export async function watchCredentials(
  isStale: () => Promise<boolean>,
  { clock, intervalMs, signal, onStale }: WatchOptions,
): Promise<void> {
  while (!signal.aborted) {
    const hasChanged = await isStale().catch(() => false);
    if (hasChanged && !signal.aborted) onStale();
    await sleep(intervalMs, { clock, signal }).catch(ignore);
  }
}

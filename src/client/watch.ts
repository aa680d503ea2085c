/**
 * Watches what credentials are read from.
 *
 * @module
 */

import { type Clock, sleep } from "../signal.ts";

/** Options of {@linkcode watchFingerprint}. */
export interface WatchOptions {
  readonly clock: Clock;
  /** How often to look, in milliseconds. */
  readonly intervalMs: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Called when the fingerprint differs from the last one that could be read. */
  readonly onChange: () => void;
}

/** Looks at a fingerprint again and again. One that cannot be read now (a file half swapped) is looked at the next time. */
export async function watchFingerprint(
  fingerprint: () => Promise<string>,
  { clock, intervalMs, signal, onChange }: WatchOptions,
): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    const now = await fingerprint().catch(() => undefined);
    if (last !== undefined && now !== undefined && now !== last) onChange();
    last = now ?? last;
    await sleep(intervalMs, { clock, signal }).catch(() => {});
  }
}

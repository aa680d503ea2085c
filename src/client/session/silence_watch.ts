/**
 * Notices a session that is dead although nothing says so: on some implementations the end of a session never arrives.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import type { Clock } from "../../base/signal.ts";
import { methods } from "../../wire/mod.ts";
import type { Connection } from "./connection.ts";

/** Options of {@linkcode watchSilence}. */
export interface SilenceOptions {
  readonly clock: Clock;
  /** Whether a call is up: then a gateway has something to say now and then. */
  readonly hasCalls: () => boolean;
  /** After how long a silent session without a call is probed, in milliseconds; `Infinity`: never. */
  readonly probeIdleMs: number;
  /** The probe was not answered within 5 s: a session is to be opened beside this one. */
  readonly onSilent: (connection: Connection) => void;
  /** Nothing was received in the 15 s since the probe: the session is to be given up. */
  readonly onDead: (connection: Connection, silentMs: number) => void;
}

/** How long a session with a call can be silent before it is probed. */
const CALL_SILENCE_MS = 15_000;
/** How long a probe waits for an answer before a session is opened beside. */
const SLOW_MS = 5_000;
/** How long after a probe a session is given up. */
const DEAD_MS = 15_000;
/** Time is counted in steps of this length. A longer one counts as one: this program did not run, and could not hear. */
const STEP_MS = 1_000;

/**
 * Probes a session that has been silent for too long with the cheapest request, until the session is over. Anything received answers
 * the probe. A gateway that is only slow costs one more session.
 */
export async function watchSilence(connection: Connection, options: SilenceOptions): Promise<void> {
  const { clock, hasCalls, probeIdleMs } = options;
  const limit = (): number => hasCalls() ? Math.min(CALL_SILENCE_MS, probeIdleMs) : probeIdleMs;
  try {
    while (true) {
      await connection.pause(Math.max(STEP_MS, waitFor(connection, limit(), clock)));
      if (clock.monotonic() - connection.receivedAt >= limit()) await probe(connection, options);
    }
  } catch {
    // The session is over.
  }
}

/** Probes a session, once at a time. Rejects when the session is over. */
export async function probe(connection: Connection, options: SilenceOptions): Promise<void> {
  if (connection.isProbed) return;
  connection.isProbed = true;
  try {
    await judge(connection, options);
  } finally {
    connection.isProbed = false;
  }
}

async function judge(connection: Connection, options: SilenceOptions): Promise<void> {
  const { clock, onSilent, onDead } = options;
  const silentSince = connection.receivedAt;
  const hasAnswered = (): boolean => connection.receivedAt > silentSince;
  connection.call(methods.GetActiveBuckets, {}, { signal: undefined, timeoutMs: DEAD_MS })
    // A refusal is an answer too.
    .catch(ignore);
  for (let waitedMs = STEP_MS; waitedMs <= DEAD_MS; waitedMs += STEP_MS) {
    await connection.pause(STEP_MS);
    // What has come while this program did not run is read first.
    if (hasAnswered()) return;
    if (waitedMs === SLOW_MS) onSilent(connection);
  }
  onDead(connection, clock.monotonic() - silentSince);
}

/** How long to wait before looking again. */
function waitFor({ receivedAt }: Connection, limitMs: number, clock: Clock): number {
  return Math.min(CALL_SILENCE_MS, limitMs - (clock.monotonic() - receivedAt));
}

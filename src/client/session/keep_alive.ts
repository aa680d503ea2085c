/**
 * Keeps an idle session alive where the runtime does not.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { methods } from "../../wire/mod.ts";
import type { Connection } from "./connection.ts";

// A third of the shortest idle timeout that was measured.
const INTERVAL_MS = 10_000;

/** Sends a datagram of one byte every 10 s, or the cheapest RPC where there are no datagrams, until the session is over. */
export async function keepAlive(connection: Connection): Promise<void> {
  const { session } = connection;
  if (session.keepsAlive) return;
  try {
    while (true) {
      await connection.pause(INTERVAL_MS);
      if (await session.ping()) continue;
      await connection.call(methods.GetActiveBuckets, {}, {
        signal: undefined,
        timeoutMs: INTERVAL_MS,
      }).catch(ignore);
    }
  } catch {
    // The session is over.
  }
}

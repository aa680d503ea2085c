/**
 * What a client has counted: the session, RPCs, audio, events. Each room counts its own; here they are put together.
 *
 * @module
 */

import type { AudioTotals } from "./audio/audio_link.ts";
import type { RpcStats } from "./rpc/rpc_stats.ts";
import type { ClientStatus } from "./session/status.ts";

/** The session in use. */
export interface SessionStats {
  /** What the connection is doing. */
  readonly status: ClientStatus["type"];
  /** The tenant that the gateway pinned to it; empty without a session. */
  readonly tenantId: string;
  /** The `kid` of its token; empty when it was not readable. */
  readonly keyId: string;
  /** When its token ends, in Unix milliseconds; 0 when unknown. */
  readonly expiresAtMs: number;
  /** How long it has been open, in milliseconds. */
  readonly openMs: number;
  /** Sessions that were opened so far, renewals and reconnects included. */
  readonly opened: number;
  /** Streams that are left where the runtime does not return their credit; `undefined`: no limit. */
  readonly streamsLeft: number | undefined;
}

/** What a client has counted so far. */
export interface ClientStats {
  /** The session in use. */
  readonly session: SessionStats;
  /** RPCs. */
  readonly rpc: RpcStats;
  /** Audio. */
  readonly audio: AudioTotals;
  /** Events: taken off the wire, and of these the second deliveries that were dropped. */
  readonly events: { readonly received: number; readonly duplicated: number };
}

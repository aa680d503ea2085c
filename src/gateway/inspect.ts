/**
 * The gateway at a moment, for its owner.
 *
 * @module
 */

import { isLive, type KeyEntry } from "./auth/key_entry.ts";
import type { GatewayContext } from "./context.ts";
import { snapshotOf } from "./observe/call_snapshot.ts";
import type { GatewaySnapshot, KeySnapshot, SessionSnapshot } from "./observe/records.ts";
import { routingOf } from "./tenant/routing.ts";

/** What a gateway is made of that its context does not know. */
export type InspectedParts = Pick<GatewaySnapshot, "phones" | "stats"> & {
  readonly sessions: Iterable<{ readonly snapshot: SessionSnapshot | undefined }>;
};

/** Everything at this moment: plain data, without key material, tokens or client ids. */
export function inspectGateway(
  { clock, faults, registry, tenants }: GatewayContext,
  { phones, sessions, stats }: InspectedParts,
): GatewaySnapshot {
  const nowMs = clock.now();
  const known = [...tenants.all()];
  return {
    timeMs: nowMs,
    tenants: known.map(({ tenantId, sessions, liveCalls, campaigns }) => ({
      ...{ tenantId, sessions, liveCalls, campaigns: campaigns.size },
    })),
    keys: [...registry.all()].map((entry) => keySnapshot(entry, nowMs)),
    trunks: known.flatMap((tenant) =>
      tenant.trunks.all().map((trunk) => ({
        tenantId: tenant.tenantId,
        trunkId: trunk.trunkId,
        channelLimit: trunk.channelLimit,
        liveCalls: tenant.liveOn(trunk.trunkId),
        inboundRule: routingOf(tenant, trunk).rule,
      }))
    ),
    sessions: [...sessions].flatMap(({ snapshot }) => snapshot ?? []),
    calls: [...tenants.calls()].map(snapshotOf),
    faults: faults.all,
    phones,
    stats,
  };
}

/** A key that the gateway signs with itself is revoked with the one that it hangs on. */
function keySnapshot(entry: KeyEntry, nowMs: number): KeySnapshot {
  const { tenantId, keyId, role, expiresAtMs, revokedAtMs } = entry;
  const isRevoked = entry.isRevoked || (entry.parent !== undefined && !isLive(entry, nowMs));
  return { tenantId, keyId, role, expiresAtMs, isRevoked, revokedAtMs };
}

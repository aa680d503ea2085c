/**
 * How a gateway shares what it knows with others.
 *
 * @module
 */

import { checkNumber, kindOf } from "../../base/check.ts";
import { TeleQuickError } from "../../base/errors.ts";
import type { SharedStore } from "../../base/store/shared_store.ts";
import { KEY_ID } from "../../token/mod.ts";

/** A gateway's part in a group of gateways that share a store. */
export interface ClusterOptions {
  /** Where keys, revocations, trunks, used tokens and dialled call ids are kept; `@telequick/sdk/postgres` makes one. */
  readonly store: SharedStore;
  /** The gateway's name, unique among those that run and the same after a restart: 1 to 128 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `-`. */
  readonly gatewayId: string;
  /**
   * How long sessions are admitted while the store does not answer, in milliseconds since the last read that succeeded. Afterwards a token is
   * neither accepted nor refused (wire code 3). Default: 60000.
   */
  readonly admitStaleMs?: number;
  /** How long sessions live on while the store does not answer, in milliseconds. Afterwards they end with the reason `stale`. Default: 300000. */
  readonly sessionStaleMs?: number;
  /** Time between two reads of what has changed, in milliseconds. Default: 250. */
  readonly pullMs?: number;
  /** How long one answer of the store can take, in milliseconds. Default: 2000. */
  readonly timeoutMs?: number;
  /** How long a revocation waits for the other gateways to confirm it, in milliseconds. Default: 1000. */
  readonly confirmMs?: number;
}

/** Completes and checks the options. Throws `TypeError` or `ERR_VALUE_INVALID`. */
export function readClusterOptions(options: ClusterOptions): Required<ClusterOptions> {
  const action = "create gateway";
  const { store, gatewayId } = options;
  for (const method of ["commit", "read", "claim"] as const) {
    if (typeof store?.[method] === "function") continue;
    throw new TypeError(
      `Cannot ${action}: cluster.store is ${kindOf(store)}, expected a shared store`,
    );
  }
  if (typeof gatewayId !== "string") {
    throw new TypeError(
      `Cannot ${action}: cluster.gatewayId is ${kindOf(gatewayId)}, expected a string`,
    );
  }
  if (!KEY_ID.test(gatewayId)) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot ${action}: cluster.gatewayId is malformed, expected 1 to 128 of A-Z, a-z, 0-9, dot, _ and -`,
    );
  }
  const { admitStaleMs = 60_000, sessionStaleMs = 300_000, pullMs = 250 } = options;
  const { timeoutMs = 2_000, confirmMs = 1_000 } = options;
  const times = { admitStaleMs, sessionStaleMs, pullMs, timeoutMs, confirmMs };
  for (const [name, value] of Object.entries(times)) {
    checkNumber(action, `cluster.${name}`, value, {
      min: 1,
      expected: "a number of milliseconds, 1 or more",
    });
  }
  return { store, gatewayId, ...times };
}

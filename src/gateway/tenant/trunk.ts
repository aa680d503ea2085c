/**
 * Trunks: the lines of a tenant.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { GetTrunkResponse, type TrunkRecord } from "../../wire/mod.ts";
import { checkTenantId, checkTrunkId } from "../validate.ts";

/** A trunk to add. Names and defaults are the protocol's own, in camelCase: see [the protocol](../../wire/PROTOCOL.md). */
export interface AddTrunkOptions extends Partial<TrunkRecord> {
  /** The tenant that owns it. */
  readonly tenantId: string;
  /** The trunk's id, unique within its tenant: letters, digits and `._:-`, at most 128. */
  readonly trunkId: string;
  /** How many calls it carries at once. Default: 50. */
  readonly channelLimit?: number;
}

/** Completes and checks a trunk's record. Throws `TypeError` or `ERR_VALUE_INVALID`. */
export function readTrunk(options: AddTrunkOptions): TrunkRecord {
  const { tenantId, trunkId, ...rest } = options;
  checkTenantId(tenantId, "add trunk");
  checkTrunkId(trunkId, "add trunk");
  // The wire's own encoder knows every field's range and default.
  const record = GetTrunkResponse.decode(GetTrunkResponse.encode({ ...rest, trunkId }));
  if (record.channelLimit < 1) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot add trunk: channelLimit is ${record.channelLimit}, expected at least 1`,
    );
  }
  return record;
}

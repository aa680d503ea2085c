/**
 * What must happen at one gateway only, among those that share a store: dialling a call_sid, answering an incoming call.
 *
 * @module
 */

import { ErrorCode, type OriginateRequest } from "../../wire/mod.ts";
import { isUnavailable } from "../auth/admit.ts";
import type { Call } from "../call/call.ts";
import { RpcRefusal } from "../refusal.ts";
import { isWaiting } from "../tenant/tenant.ts";
import type { RpcContext } from "./route.ts";

/** The answer while it cannot be known whether another gateway has dialled the call. */
export const notPlaced: RpcRefusal = new RpcRefusal(
  ErrorCode.ERR_RATE_LIMITED,
  "Cannot place the call now: it was not placed",
);

const dialledElsewhere = new RpcRefusal(
  ErrorCode.ERR_VALIDATION_FAILED,
  "call_sid was used before, at another gateway",
);

/** The answer for a call that has been answered, here or elsewhere, or is over. */
export const notWaiting: RpcRefusal = new RpcRefusal(
  ErrorCode.ERR_VALIDATION_FAILED,
  "The call does not wait to be answered",
);

const notAnswered = new RpcRefusal(
  ErrorCode.ERR_RATE_LIMITED,
  "Cannot answer the call now: it still waits",
);

/**
 * Takes a call id for dialling, on a trunk of this tenant: what refuses it, if something does. Limits come first: what they refuse can still be
 * dialled at another gateway. A call without an id gets one that is nowhere else.
 */
export async function claimCall(
  { callSid, trunkId }: Pick<OriginateRequest, "callSid" | "trunkId">,
  { gateway: { cluster }, tenant }: RpcContext,
): Promise<RpcRefusal | undefined> {
  if (cluster === undefined || callSid === "" || tenant.knows(callSid)) return undefined;
  const limit = tenant.limitOn(trunkId);
  if (limit !== undefined) return limit;
  try {
    return await cluster.claimCall(tenant.tenantId, callSid) ? undefined : dialledElsewhere;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return notPlaced;
  }
}

/** Takes an incoming call for answering: what refuses it, if something does. Without a store nothing is awaited. */
export async function claimAnswer(
  call: Call,
  { gateway: { cluster }, tenant, session }: RpcContext,
): Promise<RpcRefusal | undefined> {
  if (cluster === undefined || !isWaiting(call)) return undefined;
  try {
    if (!await cluster.claimAnswer(tenant.tenantId, call.callSid)) return notWaiting;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return notAnswered;
  }
  return session.isLive && isWaiting(call) ? undefined : notWaiting;
}

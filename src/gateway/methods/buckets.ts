/**
 * Buckets: calls that wait, and what is done with the next one.
 *
 * A tenant's buckets are `parked`; `incoming:<trunk_id>` for each of its trunks on which calls wait to be answered; and each running campaign by its
 * id, with the rows that are not dialled yet. Actions are ours, as the protocol publishes no numbers: 0 takes the next call (answers it, or
 * unparks it), 1 skips it (hangs it up).
 *
 * @module
 */

import type { ScopeWord } from "../../token/mod.ts";
import { ErrorCode, methods } from "../../wire/mod.ts";
import type { Call } from "../call/call.ts";
import { claimAnswer } from "./claims.ts";
import { RpcRefusal } from "../refusal.ts";
import { waitingCalls } from "../tenant/routing.ts";
import { count } from "../log.ts";
import { type Route, route, type RpcContext } from "./route.ts";
import type { Slices } from "../tenant/work_budget.ts";
import { isWaiting, type Tenant, type TenantCampaign } from "../tenant/tenant.ts";
import type { Access, Right } from "../auth/access.ts";

/** What `ExecuteBucketAction` can do. */
export const BucketAction = { TAKE_NEXT: 0, SKIP: 1 } as const;

// ITU-T Q.850: call rejected.
const REJECTED = 21;
const INCOMING = "incoming:";

const LISTS: readonly ScopeWord[] = ["call.dial", "call.answer", "call.read"];

/** `GetActiveBuckets`, `GetBucketCalls`, `ExecuteBucketAction`. A bucket that is not there is an empty one. */
export const bucketRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.GetActiveBuckets,
    scope: LISTS,
    isLong: true,
    handle: (_, { tenant, session }) =>
      tenant.work.run(async (slices) => {
        const buckets = await bucketsOf(tenant, session.access, slices);
        return { buckets: buckets.filter(({ pendingCount }) => pendingCount > 0) };
      }),
  }),
  route({
    method: methods.GetBucketCalls,
    scope: LISTS,
    isLong: true,
    handle: ({ bucketId }, { tenant, session }) =>
      tenant.work.run(async (slices) => {
        const callSids: string[] = [];
        for (const call of allIn(tenant, bucketId)) {
          if (tenant.mayReach(session.access, call, "see")) callSids.push(call.callSid);
          if (slices.isOver) await slices.next();
        }
        return { callSids: callSids.join(",") };
      }),
  }),
  route({
    method: methods.ExecuteBucketAction,
    scope: ["call.dial", "call.answer"],
    async handle({ bucketId, action }, context) {
      if (action !== BucketAction.TAKE_NEXT && action !== BucketAction.SKIP) {
        return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, "action is unknown");
      }
      const { tenant, session: { access } } = context;
      if (tenant.campaigns.has(bucketId)) return {};
      const isAnswer = action === BucketAction.TAKE_NEXT && bucketId.startsWith(INCOMING);
      const [next] = callsIn(tenant, bucketId, access, isAnswer ? "answer" : "control");
      if (next === undefined) return {};
      if (action === BucketAction.SKIP) next.end(REJECTED, "FAILED");
      else {
        if (context.gateway.cluster !== undefined) {
          const refusal = await claimAnswer(next, context);
          if (refusal !== undefined) return refusal;
        }
        takeUp(next, context);
      }
      return { processedCount: 1 };
    },
  }),
];

function takeUp(call: Call, { tenant, session }: RpcContext): void {
  if (call.isParked) call.isParked = false;
  else tenant.take(call, "", session);
}

/** In one look at the calls: a tenant has thousands of them, and hundreds of trunks. */
async function bucketsOf(
  tenant: Tenant,
  access: Access,
  slices: Slices,
): Promise<{ readonly bucketId: string; readonly pendingCount: number }[]> {
  let parked = 0;
  const waiting = new Map<string, number>();
  for (const call of tenant.calls()) {
    if (slices.isOver) await slices.next();
    if (!tenant.mayReach(access, call, "see")) continue;
    if (call.isParked) parked++;
    if (isWaiting(call)) count(waiting, call.options.trunkId);
  }
  return [
    { bucketId: "parked", pendingCount: parked },
    ...tenant.trunks.all().map(({ trunkId }) => ({
      bucketId: INCOMING + trunkId,
      pendingCount: waiting.get(trunkId) ?? 0,
    })),
    ...campaignsOf(tenant, access).map(({ campaignId, pending }) => ({
      bucketId: campaignId,
      pendingCount: pending,
    })),
  ];
}

/** The campaigns that a session is allowed to list. */
function campaignsOf(tenant: Tenant, access: Access): TenantCampaign[] {
  return [...tenant.campaigns.values()].filter(({ owner }) =>
    access.may("see", { owner, isWaiting: false })
  );
}

/** The calls of a bucket with which a session is allowed to do something. */
function callsIn(tenant: Tenant, bucketId: string, access: Access, right: Right): Call[] {
  return allIn(tenant, bucketId).filter((call) => tenant.mayReach(access, call, right));
}

function allIn(tenant: Tenant, bucketId: string): Call[] {
  if (bucketId === "parked") return [...tenant.calls()].filter(({ isParked }) => isParked);
  const campaign = tenant.campaigns.get(bucketId);
  if (campaign !== undefined) return [...campaign.live];
  if (!bucketId.startsWith(INCOMING)) return [];
  return waitingCalls(tenant, bucketId.slice(INCOMING.length));
}

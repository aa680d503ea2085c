/**
 * `OriginateBulk` and `AbortBulk`: a campaign's rows checked, counted, and then dialled at its pace.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { messageOf } from "../../base/text/message.ts";
import { within } from "../../base/signal.ts";
import {
  type BulkRequest,
  ErrorCode,
  isCallSid,
  methods,
  type OriginateRequest,
} from "../../wire/mod.ts";
import type { Call } from "../call/call.ts";
import { guessableClientId } from "./call_control.ts";
import { claimCall } from "./claims.ts";
import { Campaign } from "../campaign/campaign.ts";
import { isLive } from "../auth/key_entry.ts";
import { RpcRefusal } from "../refusal.ts";
import { readRows } from "./bulk_rows.ts";
import { FarEndRefusal } from "../tenant/records.ts";
import { callOptions, checkRequest } from "./originate.ts";
import { type Route, route, type RpcContext } from "./route.ts";
import { findSource, type TextSource } from "../campaign/source.ts";

/** The one answer for every campaign that the tenant does not have. */
const unknownCampaign = new RpcRefusal(ErrorCode.ERR_UNAUTHORIZED, "Unknown campaign_id");

const keyIsOver = new RpcRefusal(ErrorCode.ERR_UNAUTHORIZED, "The key is revoked or over");

/** `OriginateBulk`, `AbortBulk`. */
export const bulkRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.OriginateBulk,
    scope: ["call.dial"],
    isLong: true,
    unchecked: ["csvUrl"],
    async handle(request, context) {
      const refusal = check(request, context);
      if (refusal !== undefined) return refusal;
      const source = findSource(request.csvUrl, context.gateway.policy);
      if (source === undefined) {
        return unfit("csv_url is malformed, or not one that this gateway fetches");
      }
      const { loading } = context.tenant;
      loading.add(request.campaignId);
      try {
        const loadedNumbers = await load(request, source, context);
        return { status: "OK", loadedNumbers };
      } catch (error) {
        if (error instanceof RpcRefusal) return error;
        return unfit(
          error instanceof TeleQuickError ? error.message : "csv_url cannot be read",
        );
      } finally {
        loading.delete(request.campaignId);
      }
    },
  }),
  route({
    method: methods.AbortBulk,
    scope: ["call.dial"],
    handle({ campaignId }, { tenant, session }) {
      const campaign = tenant.campaigns.get(campaignId);
      if (campaign === undefined || !session.access.owns(campaign.owner)) return unknownCampaign;
      return { status: "OK", loadedNumbers: campaign.abort() };
    },
  }),
];

function check(
  request: BulkRequest,
  { tenant, session, gateway }: RpcContext,
): RpcRefusal | undefined {
  const { campaignId, callsPerSecond, maxConcurrentCalls } = request;
  if (!session.access.takesClientId(request.clientId)) return guessableClientId;
  if (!isCallSid(campaignId)) return unfit("campaign_id is malformed");
  const { campaigns, loading } = tenant;
  if (campaigns.has(campaignId) || loading.has(campaignId)) return unfit("campaign_id is in use");
  if (callsPerSecond < 1) return unfit("calls_per_second is less than 1");
  if (maxConcurrentCalls < 0) return unfit("max_concurrent_calls is negative");
  const { campaignsPerTenant } = gateway.limits;
  if (campaigns.size + loading.size < campaignsPerTenant) return undefined;
  return new RpcRefusal(
    ErrorCode.ERR_RATE_LIMITED,
    `The tenant has ${campaignsPerTenant} campaigns, its limit`,
  );
}

/** Reads the rows, once, and begins. */
async function load(
  request: BulkRequest,
  source: TextSource,
  context: RpcContext,
): Promise<number> {
  const { gateway, session } = context;
  const { clock, limits } = gateway;
  const { rows, skipped, skippedRows } = await within(
    (signal) => readRows(request, source(signal), context),
    {
      clock,
      timeoutMs: limits.bulkLoadMs,
      onTimeout: () =>
        new TeleQuickError(
          "ERR_VALUE_INVALID",
          `Cannot read CSV: it takes longer than ${limits.bulkLoadMs} ms`,
        ),
    },
  );
  // Time has passed since it asked.
  if (!session.isLive) throw unfit("It is too late");
  const { ids } = context;
  if (skippedRows > 0) {
    gateway.log("campaign.skipped", { ...ids, count: skippedRows, reason: skipped.join("; ") });
  }
  start(request, rows, context);
  gateway.log("campaign.started", { ...ids, count: rows.length });
  return rows.length;
}

function start(
  request: BulkRequest,
  rows: readonly OriginateRequest[],
  context: RpcContext,
): void {
  const { gateway, principal, tenant, session, ids } = context;
  const { campaignId, callsPerSecond, maxConcurrentCalls } = request;
  // It ends with the key that it was begun with: no further row is dialled, and its live calls stay.
  const key = gateway.registry.get(principal.tenantId, principal.keyId)!;
  const isKeyLive = (): boolean => {
    const isOver = !isLive(key, gateway.clock.now());
    if (isOver) campaign.abort();
    return !isOver;
  };
  const leaveKey = gateway.registry.hold(key, { keyChanged: isKeyLive });
  session.access.show(request.clientId);
  const owner = session.access.ownerOf(request.clientId);
  const campaign = new Campaign<OriginateRequest>({
    ...{ campaignId, owner, rows, callsPerSecond },
    clock: gateway.clock,
    maxConcurrentCalls: maxConcurrentCalls === 0 ? Infinity : maxConcurrentCalls,
    claim: gateway.cluster &&
      (async (row) => checkRequest(row, tenant) ?? await claimCall(row, context)),
    dial: (row) => isKeyLive() ? dial(row, context) : keyIsOver,
    isTemporary: (refusal) =>
      refusal.code === ErrorCode.ERR_RATE_LIMITED && !(refusal instanceof FarEndRefusal),
    fail: (row, refusal) =>
      tenant.fail(callOptions(row, context), session.access, causeOf(refusal)),
    onDone: ({ dialled, failed, dropped, error }) => {
      leaveKey();
      tenant.campaigns.delete(campaignId);
      const why = error === undefined ? "" : `: ${messageOf(error)}`;
      const reason = `${dialled} dialled, ${failed} failed, ${dropped} dropped${why}`;
      gateway.log("campaign.ended", { ...ids, count: dialled, reason });
    },
  });
  tenant.campaigns.set(campaignId, campaign);
  void campaign.run();
}

/** Dials a row. Returns `undefined` where the far end has hung up at once. */
function dial(row: OriginateRequest, context: RpcContext): Call | RpcRefusal | undefined {
  const { tenant, session } = context;
  const refusal = checkRequest(row, tenant);
  if (refusal !== undefined) return refusal;
  const wasUsed = tenant.knows(row.callSid);
  const dialled = tenant.dial(callOptions(row, context), session.access, session);
  if (dialled instanceof RpcRefusal) return dialled;
  const call = tenant.call(dialled.callSid);
  if (call !== undefined || !wasUsed) return call;
  return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, "call_sid was used before");
}

// ITU-T Q.850.
const NO_ROUTE = 3;
const CALL_REJECTED = 21;
const INVALID_NUMBER = 28;
const NORMAL_UNSPECIFIED = 31;
const TEMPORARY_FAILURE = 41;
const CONGESTION = 42;

const causes: Readonly<Record<number, number>> = {
  [ErrorCode.ERR_INVALID_TRUNK]: NO_ROUTE,
  [ErrorCode.ERR_INVALID_DESTINATION]: INVALID_NUMBER,
  [ErrorCode.ERR_CIRCUIT_BREAKER]: TEMPORARY_FAILURE,
  [ErrorCode.ERR_RATE_LIMITED]: CONGESTION,
};

/** The cause that stands in the event of a row that was not dialled. */
function causeOf(refusal: RpcRefusal | undefined): number {
  return refusal === undefined ? NORMAL_UNSPECIFIED : causes[refusal.code] ?? CALL_REJECTED;
}

function unfit(message: string): RpcRefusal {
  return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, message);
}

/**
 * `OriginateBulk` and `AbortBulk`: a campaign's rows checked, counted, and then dialled at its pace.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { sleep, within } from "../../base/signal.ts";
import {
  type BulkRequest,
  ErrorCode,
  isCallSid,
  methods,
  OriginateRequest,
} from "../../wire/mod.ts";
import type { Call } from "../call/call.ts";
import { guessableClientId } from "./call_control.ts";
import { Campaign } from "../campaign/campaign.ts";
import { type CsvRow, readCsv } from "../campaign/csv.ts";
import { RpcRefusal } from "../refusal.ts";
import { isPlainLongText } from "../validate.ts";
import { callOptions, checkRequest } from "./originate.ts";
import { type Route, route, type RpcContext } from "./route.ts";
import { findSource, type TextSource } from "../campaign/source.ts";

/** The one answer for every campaign that the tenant does not have. */
const unknownCampaign = new RpcRefusal(ErrorCode.ERR_UNAUTHORIZED, "Unknown campaign_id");

/** `OriginateBulk`, `AbortBulk`. */
export const bulkRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.OriginateBulk,
    scope: ["call.dial"],
    unchecked: ["csvUrl"],
    async handle(request, context) {
      const refusal = check(request, context);
      if (refusal !== undefined) return refusal;
      const source = findSource(request.csvUrl, context.gateway.policy);
      if (source === undefined) {
        return unfit("csv_url is malformed, or not one that this gateway may fetch");
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

/** Counts the rows that can be dialled and begins. They are read twice, so that a million of them need no memory. */
async function load(
  request: BulkRequest,
  source: TextSource,
  context: RpcContext,
): Promise<number> {
  const { gateway, session } = context;
  const { clock, limits } = gateway;
  const count = await within(async (signal) => {
    let rows = 0;
    for await (const _ of readRows(request, source(signal), context)) {
      signal.throwIfAborted();
      rows++;
    }
    return rows;
  }, {
    clock,
    timeoutMs: limits.bulkLoadMs,
    onTimeout: () =>
      new TeleQuickError(
        "ERR_VALUE_INVALID",
        `Cannot read CSV: it takes longer than ${limits.bulkLoadMs} ms`,
      ),
  });
  // Time has passed since it asked.
  if (!session.isLive) throw unfit("It is too late");
  start(request, source, count, context);
  gateway.log("campaign.started", { ...context.ids, count });
  return count;
}

function start(
  request: BulkRequest,
  source: TextSource,
  count: number,
  context: RpcContext,
): void {
  const { gateway, tenant, session, ids } = context;
  const { campaignId, callsPerSecond, maxConcurrentCalls } = request;
  session.access.show(request.clientId);
  const owner = session.access.ownerOf(request.clientId);
  const campaign = new Campaign<OriginateRequest>({
    ...{ campaignId, owner, count, callsPerSecond },
    clock: gateway.clock,
    maxConcurrentCalls: maxConcurrentCalls === 0 ? Infinity : maxConcurrentCalls,
    rows: (signal) => readRows(request, source(signal), context),
    dial: (row) => dial(row, context),
    isTemporary: ({ code }) => code === ErrorCode.ERR_RATE_LIMITED,
    onDone: ({ dialled, failed, dropped }) => {
      tenant.campaigns.delete(campaignId);
      const reason = `${dialled} dialled, ${failed} failed, ${dropped} dropped`;
      gateway.log("campaign.ended", { ...ids, count: dialled, reason });
    },
  });
  tenant.campaigns.set(campaignId, campaign);
  void campaign.run();
}

function dial(row: OriginateRequest, context: RpcContext): Call | RpcRefusal {
  const { tenant, session: { access } } = context;
  const refusal = checkRequest(row, tenant);
  if (refusal !== undefined) return refusal;
  const dialled = tenant.dial(callOptions(row, context), access, undefined);
  if (dialled instanceof RpcRefusal) return dialled;
  return tenant.call(dialled.callSid) ??
    new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, "call_sid was used before");
}

// Some milliseconds of work.
const ROWS_AT_ONCE = 1_000;

/** The rows that can be dialled; the others are skipped. Gives way to other sessions' work again and again. */
async function* readRows(
  request: BulkRequest,
  bytes: AsyncIterable<Uint8Array>,
  { tenant, gateway: { clock } }: RpcContext,
): AsyncGenerator<OriginateRequest> {
  let rows = 0;
  for await (const row of readCsv(bytes)) {
    if (++rows % ROWS_AT_ONCE === 0) await sleep(0, { clock });
    const dialled = fill(request, row);
    if (dialled !== undefined && checkRequest(dialled, tenant) === undefined) yield dialled;
  }
}

/** A row with the template's fields where it has none of its own. */
function fill(template: BulkRequest, row: CsvRow): OriginateRequest | undefined {
  const text = (column: string, fallback: string) => row.get(column)?.trim() || fallback;
  const duration = text("max_duration_ms", String(template.templateMaxDurationMs));
  const request = {
    trunkId: text("trunk_id", template.templateTrunkId),
    to: text("to", template.templateTo),
    callFrom: text("call_from", template.templateCallFrom),
    callSid: text("call_sid", ""),
    aiWebsocketUrl: text("ai_websocket_url", template.templateAiWebsocketUrl),
    aiQuicUrl: text("ai_quic_url", template.templateAiQuicUrl),
    defaultAppArgs: text("default_app_args", template.templateDefaultAppArgs),
    defaultApp: template.templateDefaultApp,
    clientId: template.clientId,
  };
  if (!/^[0-9]{1,9}$/.test(duration) || !Object.values(request).every(isFit)) return undefined;
  return { ...blank, ...request, maxDurationMs: Number(duration) };
}

function isFit(value: string | number): boolean {
  return typeof value === "number" || isPlainLongText(value);
}

/** Every field at its default. */
const blank: OriginateRequest = OriginateRequest.decode(OriginateRequest.encode({}));

function unfit(message: string): RpcRefusal {
  return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, message);
}

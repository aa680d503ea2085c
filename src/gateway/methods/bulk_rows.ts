/**
 * The rows of a campaign's file: each checked, with an id of its own, or skipped for a reason.
 *
 * The header row names the columns: `to`, `trunk_id`, `call_from`, `call_sid`, `default_app_args`, `ai_websocket_url`, `ai_quic_url`,
 * `max_duration_ms`, each in place of the template's where it is not empty. Other columns are ignored.
 *
 * @module
 */

import { type CsvRow, readCsv } from "../../base/text/csv.ts";
import { randomUuid } from "../../base/random.ts";
import { type BulkRequest, ErrorCode, OriginateRequest } from "../../wire/mod.ts";
import { RpcRefusal } from "../refusal.ts";
import { isPlainLongText, printable } from "../validate.ts";
import { checkRequest } from "./originate.ts";
import type { RpcContext } from "./route.ts";
import type { Slices } from "../tenant/work_budget.ts";

/** What a file holds. */
export interface CampaignRows {
  readonly rows: readonly OriginateRequest[];
  /** Why rows were skipped, one sentence for each of the first. */
  readonly skipped: readonly string[];
  readonly skippedRows: number;
}

const MOST_REASONS = 5;

/** Reads the rows that can be dialled. Refuses a file without one. In slices, so that others have their turn. */
export function readRows(
  request: BulkRequest,
  bytes: AsyncIterable<Uint8Array>,
  context: RpcContext,
): Promise<CampaignRows> {
  return context.tenant.work.run((slices) =>
    read(request, inSlices(bytes, slices), context, slices)
  );
}

/** Ends the slice while the next chunk is on its way: that takes the tenant's time and not the gateway's. */
async function* inSlices(
  bytes: AsyncIterable<Uint8Array>,
  slices: Slices,
): AsyncGenerator<Uint8Array> {
  const chunks = bytes[Symbol.asyncIterator]();
  try {
    while (true) {
      const { value, done } = await slices.wait(chunks.next());
      if (done) return;
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}

async function read(
  request: BulkRequest,
  bytes: AsyncIterable<Uint8Array>,
  { tenant, gateway: { limits } }: RpcContext,
  slices: Slices,
): Promise<CampaignRows> {
  const rows: OriginateRequest[] = [];
  const skipped: string[] = [];
  const ids = new Map<string, number>();
  let skippedRows = 0;
  let count = 0;
  let header: readonly string[] = [];
  for await (const row of readCsv(bytes, { onHeader: (names) => header = names })) {
    if (count === 0 && request.templateTo === "" && !header.includes("to")) throw noColumn(header);
    count++;
    if (slices.isOver) await slices.next();
    const filled = fill(request, row);
    const callSid = typeof filled === "string" ? "" : filled.callSid;
    const before = ids.get(callSid);
    const reason = typeof filled === "string"
      ? filled
      : before !== undefined
      ? `call_sid ${printable(callSid)} is that of line ${before}`
      : callSid !== "" && tenant.knows(callSid)
      ? `call_sid ${printable(callSid)} was used before`
      : checkRequest(filled, tenant)?.message;
    if (reason !== undefined || typeof filled === "string") {
      skippedRows++;
      if (skipped.length < MOST_REASONS) skipped.push(`line ${row.line}: ${reason}`);
      continue;
    }
    if (rows.length >= limits.campaignRows) {
      throw unfit(`csv has more than ${limits.campaignRows} rows, the most of one campaign`);
    }
    if (callSid !== "") ids.set(callSid, row.line);
    rows.push(callSid === "" ? { ...filled, callSid: randomUuid(tenant.random) } : filled);
  }
  if (rows.length > 0) return { rows, skipped, skippedRows };
  if (skipped.length > 0) throw unfit(`csv has no row that can be dialled: ${skipped.join("; ")}`);
  if (request.templateTo === "" && !header.includes("to")) throw noColumn(header);
  throw unfit("csv has a header row and no other");
}

/** A row with the template's fields where it has no own value; text that says what is wrong with it. */
function fill(template: BulkRequest, { columns }: CsvRow): OriginateRequest | string {
  const text = (column: string, fallback: string) => columns.get(column)?.trim() || fallback;
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
  if (!/^[0-9]{1,9}$/.test(duration)) return `max_duration_ms is ${printable(duration)}`;
  if (request.to === "") return "to is empty";
  if (!Object.values(request).every(isFit)) return "a field is too long, or has control characters";
  const { autoBargeIn, bargeInPatienceMs } = template;
  return { ...blank, ...request, autoBargeIn, bargeInPatienceMs, maxDurationMs: Number(duration) };
}

function isFit(value: string | number): boolean {
  return typeof value === "number" || isPlainLongText(value);
}

/** Every field at its default. */
const blank: OriginateRequest = OriginateRequest.decode(OriginateRequest.encode({}));

function noColumn(header: readonly string[]): RpcRefusal {
  const names = header.slice(0, 8).map(printable).join(", ");
  return unfit(`csv has no column "to": it has ${names}`);
}

function unfit(message: string): RpcRefusal {
  return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, message);
}

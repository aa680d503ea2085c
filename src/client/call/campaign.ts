/**
 * A list of numbers, made ready for `originateBulk` on this side: checked, with an id for each call.
 *
 * @module
 */

import { randomUuid } from "../../base/uuid.ts";
import { type CsvRow, readCsv } from "../../base/text/csv.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { isCallSid, isDestination } from "../../wire/mod.ts";
import { peerText } from "../log.ts";

/** A row that will be called. */
export interface CampaignRow {
  /** Its line in the text, the header row's being 1. */
  readonly line: number;
  /** Whom it calls. */
  readonly to: string;
  /** The id of its call: every event of the campaign has one of these. */
  readonly callSid: string;
}

/** A row that cannot be called. */
export interface SkippedRow {
  /** Its line in the text. */
  readonly line: number;
  /** What is wrong with it, in words. */
  readonly reason: string;
}

/** A campaign's rows. */
export interface PreparedCampaign {
  /** The rows as CSV, separated by commas, each with its `call_sid`: what `csvUrl` is to give the gateway. */
  readonly csv: string;
  /** The rows of `csv`, in order. */
  readonly rows: readonly CampaignRow[];
  /** The rows that were left out, in order. */
  readonly skipped: readonly SkippedRow[];
}

/** Options of {@linkcode prepareCampaign}. */
export interface PrepareCampaignOptions {
  /** Whom to call where a row names no number. Default: such rows are skipped. */
  readonly to?: string | undefined;
}

const MOST_ROWS = 100_000;
const DURATION = /^[0-9]{1,9}$/;

/**
 * Reads a CSV text of numbers, as spreadsheets write it: separated by comma, semicolon or tab, a header row with the column `to`. Rows
 * that cannot be called are left out, with the reason; rows without a `call_sid` get a fresh one, so that every event of the campaign
 * maps to a line.
 *
 * @example Call a list, and know what became of each number
 * ```ts no-run
 * import { EventType, prepareCampaign, TeleQuickClient } from "@telequick/sdk";
 *
 * const { csv, rows, skipped } = await prepareCampaign("to\n+15550100\n+15550101\n");
 * for (const { line, reason } of skipped) console.log(`line ${line}: ${reason}`);
 * const left = new Map(rows.map((row) => [row.callSid, row]));
 *
 * const client = new TeleQuickClient("https://engine.telequick.dev:9090");
 * const events = client.events();
 * await client.originateBulk({
 *   csvUrl: `data:text/csv,${encodeURIComponent(csv)}`,
 *   campaignId: "spring",
 *   trunkId: "acme-trunk",
 *   clientId: client.clientId,
 * });
 * for await (const { callSid, eventType, status } of events) {
 *   const row = left.get(callSid);
 *   if (row === undefined || eventType !== EventType.CHANNEL_HANGUP_COMPLETE) continue;
 *   console.log(row.to, status);
 *   left.delete(callSid);
 *   if (left.size === 0) break;
 * }
 * await client.close();
 * ```
 *
 * @param text The text, or its chunks as they come.
 * @param options What rows have in common.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when the text is not CSV, has no column `to`, no row that can be called, or more than
 * 100,000.
 */
export async function prepareCampaign(
  text: string | AsyncIterable<Uint8Array | string>,
  options: PrepareCampaignOptions = {},
): Promise<PreparedCampaign> {
  const { to: fallback = "" } = options;
  const rows: CampaignRow[] = [];
  const skipped: SkippedRow[] = [];
  const ids = new Map<string, number>();
  let header: readonly string[] = [];
  let csv = "";
  const onHeader = (names: readonly string[]): void => {
    header = names;
    if (fallback === "" && !names.includes("to")) {
      throw unfit(`no column "to": it has ${peerText(names.slice(0, 8).join(", "))}`);
    }
    const columns = names.filter((name) => !OWN_COLUMNS.includes(name));
    csv = [...OWN_COLUMNS, ...columns].map(quote).join(",") + "\r\n";
  };
  for await (const row of readCsv(chunksOf(text), { onHeader })) {
    const { line, columns } = row;
    const to = columns.get("to")?.trim() || fallback;
    const given = columns.get("call_sid")?.trim() ?? "";
    const reason = reasonToSkip(row, to, given) ??
      (ids.has(given) ? `call_sid ${given} is that of line ${ids.get(given)}` : undefined);
    if (reason !== undefined) {
      skipped.push({ line, reason });
      continue;
    }
    if (rows.length >= MOST_ROWS) throw unfit(`more than ${MOST_ROWS} rows`);
    const callSid = given === "" ? randomUuid() : given;
    if (given !== "") ids.set(given, line);
    rows.push({ line, to, callSid });
    const others = header.filter((name) => !OWN_COLUMNS.includes(name));
    const fields = [to, callSid, ...others.map((name) => columns.get(name) ?? "")];
    csv += fields.map(quote).join(",") + "\r\n";
  }
  if (rows.length > 0) return { csv, rows, skipped };
  const [first] = skipped;
  if (first === undefined) throw unfit("a header row and no other");
  throw unfit(
    `no row that can be called: line ${first.line}: ${first.reason}${
      skipped.length > 1 ? ` (and ${skipped.length - 1} more)` : ""
    }`,
  );
}

const OWN_COLUMNS: readonly string[] = ["to", "call_sid"];

async function* chunksOf(
  text: string | AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array | string> {
  if (typeof text === "string") yield text;
  else if (typeof text === "object" && text !== null && Symbol.asyncIterator in text) yield* text;
  else throw new TypeError("Cannot prepare campaign: expected text, or chunks of it as they come");
}

function reasonToSkip({ columns }: CsvRow, to: string, callSid: string): string | undefined {
  if (to === "") return "to is empty";
  if (!isDestination(to)) {
    return `to is ${show(to)}, expected an E.164 number such as "+15550100" or a SIP URI`;
  }
  if (callSid !== "" && !isCallSid(callSid)) {
    return `call_sid is ${show(callSid)}, expected 1 to 128 of A-Z, a-z, 0-9 and ._:-`;
  }
  const duration = columns.get("max_duration_ms")?.trim() ?? "";
  if (duration === "" || DURATION.test(duration)) return undefined;
  return `max_duration_ms is ${show(duration)}, expected a whole number`;
}

function show(text: string): string {
  return JSON.stringify(peerText(text.length > 64 ? `${text.slice(0, 64)}...` : text));
}

function quote(field: string): string {
  return /[",\r\n;\t]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

function unfit(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot prepare campaign: the text has ${found}`);
}

/**
 * `telequick bulk`.
 *
 * @module
 */

import { encodeBase64 } from "../../base/base64.ts";
import { encodeUtf8 } from "../../base/bytes.ts";
import {
  type CampaignRow,
  type ClientStatus,
  prepareCampaign,
  type PreparedCampaign,
  type TeleQuickClient,
} from "../../client/mod.ts";
import { sleep } from "../../base/signal.ts";
import { type CallEvent, describeQ850Cause, EventType } from "../../wire/mod.ts";
import { type Command, command, type Context, interruptedCode } from "../command.ts";
import { callNames, eventLine, eventRecord } from "../events.ts";
import { formatDuration, plural } from "../terminal/format.ts";
import { inLine, type Output } from "../terminal/output.ts";
import type { Platform } from "../platform.ts";
import { SESSION_OPTIONS, withClient } from "../session.ts";
import { UsageError } from "../usage.ts";
import { TRUNK_OPTIONS, trunkOf } from "./dial.ts";

const BULK_OPTIONS = {
  ...SESSION_OPTIONS,
  ...TRUNK_OPTIONS,
  "campaign": {
    type: "text",
    value: "ID",
    help: "The campaign's id",
    byDefault: "a new UUID",
  },
  "rate": {
    type: "number",
    value: "PER-SECOND",
    min: 1,
    max: 10_000,
    help: "Calls started a second",
    byDefault: "1",
  },
  "concurrent": {
    type: "number",
    value: "CALLS",
    min: 1,
    max: 100_000,
    help: "Concurrent calls at most",
    byDefault: "10",
  },
  "from": { type: "text", value: "NUMBER", help: "Caller id", byDefault: "the trunk's own" },
  "events": { type: "flag", help: "Print every event of the campaign's calls" },
} as const;

/** What a campaign runs with. */
type CampaignContext = Pick<
  Context<typeof BULK_OPTIONS>,
  "values" | "output" | "clock" | "signal"
>;

/** The calls of a campaign so far. */
interface Tally {
  loaded: number;
  pending: number;
  /** Calls that have not ended. */
  readonly live: Set<string>;
  /** Whether events may be missing: then the outcome of some rows can stay unknown. */
  hasGap: boolean;
  answered: number;
  done: number;
  failed: number;
  /** The rows by the ids of their calls, where the file is this machine's. */
  readonly rows: ReadonlyMap<string, CampaignRow>;
  readonly statuses: Map<string, number>;
}

/** Runs a campaign and follows it to its end. */
export const bulk: Command = command({
  details:
    "CSV is a URL that the gateway fetches (https:, or another origin it allows), or a small file on this machine, which is sent along. " +
    "Its header row names the columns; `to` is required. Of a file on this machine every row's result is printed by its number. " +
    "Ctrl-C drops pending rows, names the calls that are live, and waits for them.",
  positionals: ["CSV"],
  options: BULK_OPTIONS,
  examples: [
    ["telequick bulk numbers.csv --rate 5 --concurrent 20", "a file on this machine"],
    ["telequick bulk https://files.example/numbers.csv", "a file that the gateway fetches"],
  ],
  exitCodes: {
    0: "every row was called",
    1: "the gateway refused the campaign, or rows were skipped or failed",
  },
  async run(context) {
    const { positionals: [csv = ""], values, platform } = context;
    const trunkId = trunkOf(values.trunk, platform);
    const source = await sourceOf(csv, platform);
    return await withClient(
      context,
      (client) => runCampaign(client, { ...source, trunkId }, context),
    );
  },
});

/** Runs a campaign on a client and reports it. Resolves with the exit code. */
export async function runCampaign(
  client: TeleQuickClient,
  source: CampaignSource & { readonly trunkId: string },
  context: CampaignContext,
): Promise<number> {
  const { values, output, clock, signal } = context;
  const { campaign: campaignId = crypto.randomUUID(), rate, concurrent, from } = values;
  const { csvUrl, trunkId, prepared } = source;
  const { rows = [], skipped = [] } = prepared ?? {};
  for (const { line, reason } of skipped) {
    output.emit({ type: "skipped", line, reason }, `Line ${line} skipped: ${inLine(reason)}`);
  }
  const tally: Tally = {
    ...{ loaded: 0, pending: 0, answered: 0, done: 0, failed: 0 },
    rows: new Map(rows.map((row) => [row.callSid, row])),
    hasGap: false,
    live: new Set(),
    statuses: new Map(),
  };
  const gaps = client.status();
  void watchGaps(gaps, tally);
  const events = client.events();
  const { clientId } = client;
  const listening = follow(events, clientId, tally, context);
  // When both fail, the campaign's error is reported.
  listening.catch(() => {});
  const startedAt = clock.monotonic();
  const { loadedNumbers, status } = await client.originateBulk({
    ...{ csvUrl, trunkId, campaignId, clientId },
    ...{ callsPerSecond: rate, maxConcurrentCalls: concurrent, callFrom: from },
  }, { signal });
  tally.loaded = loadedNumbers;
  output.emit(
    { type: "campaign", campaignId, status, loaded: loadedNumbers },
    `Campaign ${campaignId}: ${inLine(status)}, ${plural(loadedNumbers, "row")}`,
  );
  const stop = output.progress(() => progressText(tally));
  try {
    await untilOver(client, campaignId, tally, context);
  } finally {
    stop();
    await gaps.return?.();
    await events.return?.();
    await listening;
  }
  report(tally, context, { campaignId, wallMs: clock.monotonic() - startedAt });
  if (signal.aborted) return interruptedCode(signal);
  const isWhole = tally.loaded > 0 && tally.failed === 0 && skipped.length === 0;
  // Of a file that the gateway fetched, the gateway alone knows what it skipped.
  const missing = prepared === undefined ? 0 : rows.length - tally.loaded;
  return isWhole && missing === 0 ? 0 : 1;
}

/** Where a campaign's rows come from. */
interface CampaignSource {
  readonly csvUrl: string;
  /** The rows of a file on this machine. */
  readonly prepared?: PreparedCampaign;
}

// A frame is at most 64 KiB, and base64 adds a third.
const LARGEST_FILE = 45_000;

/** A URL unchanged; a file on this machine as a data: URL of its usable rows. */
async function sourceOf(csv: string, platform: Platform): Promise<CampaignSource> {
  if (/^[a-z][a-z0-9+.-]+:/i.test(csv)) return { csvUrl: csv };
  const prepared = await prepareCampaign(await platform.readText(csv));
  const bytes = encodeUtf8(prepared.csv);
  if (bytes.length <= LARGEST_FILE) {
    return { csvUrl: `data:text/csv;base64,${encodeBase64(bytes)}`, prepared };
  }
  throw new UsageError(
    `Cannot send ${
      JSON.stringify(csv)
    }: its rows take ${bytes.length} bytes, expected at most ${LARGEST_FILE} (store it where the gateway can fetch it, and pass its URL)`,
  );
}

async function follow(
  events: AsyncIterable<CallEvent>,
  clientId: string,
  tally: Tally,
  { values, output }: CampaignContext,
): Promise<void> {
  const nameOf = callNames();
  for await (const event of events) {
    const row = tally.rows.get(event.callSid);
    // Events of other campaigns' calls, where the rows are known.
    if (tally.rows.size > 0 && row === undefined) continue;
    // Events of a call without a listener go to every session of the tenant.
    if (event.clientId !== "" && event.clientId !== clientId) continue;
    if (values.events) {
      const name = row === undefined ? nameOf(event.callSid) : inLine(row.to);
      output.emit(eventRecord(event), eventLine(event, output, name));
    }
    const { eventType, callSid, status, q850Cause } = event;
    if (eventType === EventType.CHANNEL_CREATE) tally.live.add(callSid);
    if (eventType === EventType.CHANNEL_ANSWER) tally.answered++;
    if (eventType !== EventType.CHANNEL_HANGUP_COMPLETE) continue;
    // A pending row that was dropped by an abort: it counts as not dialled.
    const wasDialled = tally.live.delete(callSid);
    if (!wasDialled && status === "FAILED" && q850Cause === NORMAL_UNSPECIFIED) continue;
    tally.done++;
    if (status === "FAILED") tally.failed++;
    tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
    if (row !== undefined) emitResult(row, event, output);
  }
}

// ITU-T Q.850.
const NORMAL_UNSPECIFIED = 31;

/** The result of one number. */
function emitResult({ line, to, callSid }: CampaignRow, event: CallEvent, output: Output): void {
  const { status, q850Cause, durationSeconds } = event;
  const cause = describeQ850Cause(q850Cause);
  output.emit(
    { type: "result", line, to, callSid, status, q850Cause, cause, durationSeconds },
    `${inLine(to)} ${inLine(status)}, ${cause} (${q850Cause}), ${durationSeconds} s`,
  );
}

/** Calls that were live at a gap are no longer waited for: their end can have been missed. Later events still count. */
async function watchGaps(statuses: AsyncIterable<ClientStatus>, tally: Tally): Promise<void> {
  for await (const { type } of statuses) {
    if (type !== "events-may-be-missing") continue;
    tally.hasGap = true;
    tally.live.clear();
  }
}

const LOOK_MS = 500;

/** Waits until no row is pending and every known call has ended, gaps aside. Drops pending rows when interrupted. */
async function untilOver(
  client: TeleQuickClient,
  campaignId: string,
  tally: Tally,
  { clock, signal, output }: CampaignContext,
): Promise<void> {
  let isAborted = false;
  while (true) {
    if (signal.aborted && !isAborted) {
      isAborted = true;
      await client.abortBulk(campaignId);
      const live = [...tally.live].map((callSid) => tally.rows.get(callSid)?.to ?? callSid);
      output.emit(
        { type: "live", calls: [...tally.live] },
        `Pending rows were dropped; ${plural(live.length, "call")} still live${
          live.length > 0 ? `: ${live.map(inLine).join(", ")}` : ""
        }`,
      );
    }
    const running = (await client.getActiveBuckets()).find(({ bucketId }) =>
      bucketId === campaignId
    );
    tally.pending = running?.pendingCount ?? 0;
    if (running === undefined && tally.live.size === 0) return;
    await sleep(LOOK_MS, { clock, signal: isAborted ? undefined : signal }).catch(() => {});
  }
}

function progressText({ loaded, pending, live, answered, done }: Tally): string {
  return `${done} of ${loaded} done, ${live.size} live, ${answered} answered, ${pending} pending`;
}

function report(
  { loaded, answered, done, failed, hasGap, statuses }: Tally,
  { output }: CampaignContext,
  { campaignId, wallMs }: { readonly campaignId: string; readonly wallMs: number },
): void {
  const rest = loaded - done;
  const [undialled, unknown] = hasGap ? [0, rest] : [rest, 0];
  output.emit(
    {
      type: "bulk",
      ...{ campaignId, loaded, done, answered, failed, undialled, unknown, wallMs },
      statuses: Object.fromEntries(statuses),
    },
    [
      `${plural(loaded, "row")} in ${formatDuration(wallMs)}: ${done} called, ${answered} answered${
        undialled > 0 ? `, ${undialled} not dialled` : ""
      }${unknown > 0 ? `, ${unknown} unknown (the connection was lost meanwhile)` : ""}`,
      ...[...statuses].map(([status, count]) => `  ${inLine(status)} ${count}`),
    ].join("\n"),
  );
}

/**
 * `telequick bulk`.
 *
 * @module
 */

import { encodeBase64 } from "../../base/base64.ts";
import { encodeUtf8 } from "../../base/bytes.ts";
import type { ClientStatus, TeleQuickClient } from "../../client/mod.ts";
import { type Clock, sleep } from "../../base/signal.ts";
import { type CallEvent, EventType } from "../../wire/mod.ts";
import { type Command, command, type Context, interruptedCode } from "../command.ts";
import { eventLine, eventRecord } from "../events.ts";
import { formatDuration, plural } from "../terminal/format.ts";
import { inLine } from "../terminal/output.ts";
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
  readonly statuses: Map<string, number>;
}

/** Runs a campaign and follows it to its end. */
export const bulk: Command = command({
  details:
    "CSV is a URL that the gateway fetches (https:, or another origin it allows), or a small file on this machine, which is sent along. " +
    "Its header row names the columns; `to` is required. Ctrl-C drops pending rows and waits for live calls.",
  positionals: ["CSV"],
  options: BULK_OPTIONS,
  examples: [
    ["telequick bulk numbers.csv --rate 5 --concurrent 20", "a file on this machine"],
    ["telequick bulk https://files.example/numbers.csv", "a file that the gateway fetches"],
  ],
  exitCodes: {
    0: "the campaign is over, also when calls failed",
    1: "the gateway refused the campaign, or no row was usable",
  },
  async run(context) {
    const { positionals: [csv = ""], values, platform } = context;
    const trunkId = trunkOf(values.trunk, platform);
    const csvUrl = await urlOf(csv, platform);
    return await withClient(context, (client) => runCampaign(client, { csvUrl, trunkId }, context));
  },
});

/** Runs a campaign on a client and reports it. Resolves with the exit code. */
export async function runCampaign(
  client: TeleQuickClient,
  rows: { readonly csvUrl: string; readonly trunkId: string },
  context: CampaignContext,
): Promise<number> {
  const { values, output, clock, signal } = context;
  const { campaign: campaignId = crypto.randomUUID(), rate, concurrent, from } = values;
  const tally: Tally = {
    ...{ loaded: 0, pending: 0, answered: 0, done: 0 },
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
    ...{ ...rows, campaignId, clientId },
    ...{ callsPerSecond: rate, maxConcurrentCalls: concurrent, callFrom: from },
  }, { signal });
  tally.loaded = loadedNumbers;
  output.emit(
    { type: "campaign", campaignId, status, loaded: loadedNumbers },
    `Campaign ${campaignId}: ${inLine(status)}, ${plural(loadedNumbers, "row")}`,
  );
  const stop = output.progress(() => progressText(tally));
  try {
    await untilOver(client, campaignId, tally, { clock, signal });
  } finally {
    stop();
    await gaps.return?.();
    await events.return?.();
    await listening;
  }
  report(tally, context, { campaignId, wallMs: clock.monotonic() - startedAt });
  if (signal.aborted) return interruptedCode(signal);
  return tally.loaded > 0 ? 0 : 1;
}

// A frame is at most 64 KiB, and base64 adds a third.
const LARGEST_FILE = 45_000;

/** A URL unchanged; a file on this machine as a data: URL. */
async function urlOf(csv: string, platform: Platform): Promise<string> {
  if (/^[a-z][a-z0-9+.-]+:/i.test(csv)) return csv;
  const bytes = encodeUtf8(await platform.readText(csv));
  if (bytes.length <= LARGEST_FILE) return `data:text/csv;base64,${encodeBase64(bytes)}`;
  throw new UsageError(
    `Cannot send ${
      JSON.stringify(csv)
    }: it has ${bytes.length} bytes, expected at most ${LARGEST_FILE} (store it where the gateway can fetch it, and pass its URL)`,
  );
}

async function follow(
  events: AsyncIterable<CallEvent>,
  clientId: string,
  tally: Tally,
  { values, output }: CampaignContext,
): Promise<void> {
  for await (const event of events) {
    // Events of a call without a listener go to every session of the tenant.
    if (event.clientId !== "" && event.clientId !== clientId) continue;
    if (values.events) output.emit(eventRecord(event), eventLine(event, output.style));
    const { eventType, callSid, status } = event;
    if (eventType === EventType.CHANNEL_CREATE) tally.live.add(callSid);
    if (eventType === EventType.CHANNEL_ANSWER) tally.answered++;
    if (eventType !== EventType.CHANNEL_HANGUP_COMPLETE) continue;
    tally.live.delete(callSid);
    tally.done++;
    tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
  }
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
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  let isAborted = false;
  while (true) {
    if (signal.aborted && !isAborted) {
      isAborted = true;
      await client.abortBulk(campaignId);
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
  { loaded, answered, done, hasGap, statuses }: Tally,
  { output }: CampaignContext,
  { campaignId, wallMs }: { readonly campaignId: string; readonly wallMs: number },
): void {
  const rest = loaded - done;
  const [undialled, unknown] = hasGap ? [0, rest] : [rest, 0];
  output.emit(
    {
      type: "bulk",
      ...{ campaignId, loaded, done, answered, undialled, unknown, wallMs },
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

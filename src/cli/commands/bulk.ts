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
    byDefault: "a fresh UUID",
  },
  "rate": {
    type: "number",
    value: "PER-SECOND",
    min: 1,
    max: 10_000,
    help: "Calls that are begun a second",
    byDefault: "1",
  },
  "concurrent": {
    type: "number",
    value: "CALLS",
    min: 1,
    max: 100_000,
    help: "Calls that are up at the most",
    byDefault: "10",
  },
  "from": { type: "text", value: "NUMBER", help: "Caller id", byDefault: "the trunk's own" },
  "events": { type: "flag", help: "Print every event of the campaign's calls" },
} as const;

/** What a campaign is run with. */
type CampaignContext = Pick<
  Context<typeof BULK_OPTIONS>,
  "values" | "output" | "clock" | "signal"
>;

/** What became of a campaign's calls so far. */
interface Tally {
  loaded: number;
  pending: number;
  /** Calls whose end is waited for. */
  readonly live: Set<string>;
  /** Whether events may be missing: then what became of a row may never have been told. */
  hasGap: boolean;
  answered: number;
  done: number;
  readonly statuses: Map<string, number>;
}

/** Runs a campaign and follows it to its end. */
export const bulk: Command = command({
  details:
    "CSV is a URL that the gateway fetches (https:, or whatever it allows), or a small file of this machine, which is sent along. " +
    "Its header row names the columns; `to` is needed. Ctrl-C drops what is pending and waits for the calls that are up.",
  positionals: ["CSV"],
  options: BULK_OPTIONS,
  examples: [
    ["telequick bulk numbers.csv --rate 5 --concurrent 20", "a file of this machine"],
    ["telequick bulk https://files.example/numbers.csv", "one that the gateway fetches"],
  ],
  exitCodes: {
    0: "the campaign is over, whatever became of its rows",
    1: "the gateway refused the campaign or could use no row of it",
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
  // Where both fail, the campaign's error is the one that is told.
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

// What an RPC carries besides: a frame is at most 64 KiB, and base64 adds a third.
const LARGEST_FILE = 45_000;

/** A URL as it is; a file of this machine as one that holds what is in it. */
async function urlOf(csv: string, platform: Platform): Promise<string> {
  if (/^[a-z][a-z0-9+.-]+:/i.test(csv)) return csv;
  const bytes = encodeUtf8(await platform.readText(csv));
  if (bytes.length <= LARGEST_FILE) return `data:text/csv;base64,${encodeBase64(bytes)}`;
  throw new UsageError(
    `Cannot send ${
      JSON.stringify(csv)
    }: it has ${bytes.length} bytes, expected at most ${LARGEST_FILE} (put it where the gateway can fetch it, and give its URL)`,
  );
}

async function follow(
  events: AsyncIterable<CallEvent>,
  clientId: string,
  tally: Tally,
  { values, output }: CampaignContext,
): Promise<void> {
  for await (const event of events) {
    // A call that nobody listens for any more is told to every session of the tenant.
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

/** The end of a call that was up at a gap may have been told in it: nobody waits for it any more. What is told later counts. */
async function watchGaps(statuses: AsyncIterable<ClientStatus>, tally: Tally): Promise<void> {
  for await (const { type } of statuses) {
    if (type !== "events-may-be-missing") continue;
    tally.hasGap = true;
    tally.live.clear();
  }
}

const LOOK_MS = 500;

/** Waits until the gateway has no row pending and every call that it told of is over, gaps aside. Drops what is pending when asked to end. */
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
  return `${done} of ${loaded} done, ${live.size} up, ${answered} answered, ${pending} pending`;
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

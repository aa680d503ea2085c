// A campaign: the gateway dials a list at a pace, and a table shows how each call goes.
// node campaign.mjs +15550100 +15550101 ...    Environment: TELEQUICK_*.
import { describeQ850Cause, EventType } from "@telequick/sdk/wire";
import { prepareCampaign, TeleQuickClient } from "@telequick/sdk";

const { env, argv, stdout } = process;
const numbers = argv.slice(2);
// How many lines the table has on the screen.
let lines = 0;
if (numbers.length === 0) throw new Error("Usage: node campaign.mjs NUMBER...");

const client = new TeleQuickClient(); // endpoint, credentials and trunk from the environment
try {
  await client.connect();
  // Each row gets the id of its call, by which its events are known.
  const prepared = await prepareCampaign(["to", ...numbers].join("\n"));
  for (const { reason } of prepared.skipped) console.error(`left out: ${reason}`);
  const rows = new Map(prepared.rows.map(({ callSid }) => [callSid, { wasAnswered: false }]));
  const finished = watch(rows);
  const { status, loadedNumbers } = await client.originateBulk({
    // A file that the gateway fetches; a short list can stand in the URL itself.
    csvUrl: `data:text/csv,${encodeURIComponent(prepared.csv)}`,
    campaignId: `campaign-${Date.now()}`,
    trunkId: env.TELEQUICK_TRUNK,
    clientId: client.clientId,
    callsPerSecond: 10,
    maxConcurrentCalls: 20,
    maxDurationMs: 1_000,
  });
  console.log(`${loadedNumbers} numbers loaded: ${status}`);
  await finished;
  const answered = [...rows.values()].filter(({ wasAnswered }) => wasAnswered).length;
  console.log(`${rows.size} called, ${answered} answered`);
} finally {
  await client.close();
}

/** Keeps the rows up to date, until every call has ended. */
async function watch(rows) {
  let ended = 0;
  for await (const event of client.events()) {
    const { callSid, eventType, status, q850Cause, durationSeconds } = event;
    const row = rows.get(callSid);
    if (row === undefined) continue;
    row.status = status;
    row.wasAnswered ||= eventType === EventType.CHANNEL_ANSWER;
    if (eventType === EventType.CHANNEL_HANGUP_COMPLETE) {
      row.end = `${durationSeconds} s, ${describeQ850Cause(q850Cause)}`;
      ended++;
    }
    if (stdout.isTTY || ended === rows.size) draw(rows);
    if (ended === rows.size) return;
  }
}

/** Writes the table over the one before. */
function draw(rows) {
  if (lines > 0) stdout.write(`\x1b[${lines}A\x1b[J`);
  const table = [...rows].map(([callSid, { status = "", end = "" }]) =>
    `${callSid.slice(0, 8)}  ${status.padEnd(10)}  ${end}\n`
  );
  stdout.write(table.join(""));
  lines = stdout.isTTY ? table.length : 0;
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GatewayLogRecord, GatewayOptions } from "../../../../src/gateway/mod.ts";
import { type BulkRequest, methods } from "../../../../src/wire/mod.ts";
import { settle } from "../../../../src/testing/mod.ts";
import { QuickClock } from "../../../support/quick_clock.ts";
import { TestGateway } from "../../../support/tenant_kit.ts";

const template = {
  ...{ campaignId: "k", templateTrunkId: "main", templateDefaultApp: 1 },
  ...{ callsPerSecond: 10, clientId: "c" },
} as const;

function csv(...lines: string[]): string {
  return `data:text/csv,${encodeURIComponent(lines.join("\n"))}`;
}

async function withCampaigns(limits = {}, options: GatewayOptions = {}) {
  const records: GatewayLogRecord[] = [];
  const setup = new TestGateway({
    clock: new QuickClock(),
    limits: { queuedEvents: Infinity, callsPerSecond: Infinity, ...limits },
    log: (record) => void records.push(record),
    ...(options.allowFetch === undefined ? {} : { allowFetch: options.allowFetch }),
  });
  const acme = await setup.addTenant("acme", { channelLimit: 10_000 });
  const client = await setup.connect(acme, { clientId: "c" });
  return {
    ...{ setup, client },
    async start(request: Partial<BulkRequest>) {
      const { reply, fault } = await client.rpc(methods.OriginateBulk, { ...template, ...request });
      return [reply!.status, reply!.loadedNumbers, fault.errorCode, fault.errorMessage];
    },
    results: () =>
      records.filter(({ event }) => event === "campaign.ended").map(({ reason }) => reason),
    skipped: () =>
      records.filter(({ event }) => event === "campaign.skipped")
        .map(({ count, reason }) => [count, reason]),
    /** When calls were dialled, and how many were live at the most. */
    history() {
      let live = 0;
      let most = 0;
      const dialledAt: number[] = [];
      for (const { status, timestampMs } of client.events) {
        if (status === "INITIATED") dialledAt.push(timestampMs);
        if (status === "INITIATED") most = Math.max(most, ++live);
        if (status === "COMPLETED" || status === "BUSY" || status === "NO_ANSWER") live--;
      }
      return { dialledAt, most };
    },
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  };
}

describe("OriginateBulk", () => {
  it("counts the rows that can be dialled, and dials them with their own fields or the template's", async () => {
    await using bulk = await withCampaigns();
    await bulk.setup.gateway.addTrunk({ tenantId: "acme", trunkId: "spare" });
    const reply = await bulk.start({
      templateCallFrom: "+15550199",
      csvUrl: csv(
        "name,to,trunk_id,call_sid,max_duration_ms",
        "Ann,+15550101,,a,",
        "Bob,+15550101,spare,b,",
        "Cid,nonsense,,c,",
        "Dan,+15550101,none,d,",
        "Eve,+15550101,,bad id,",
        "Fay,+15550101,,f,-1",
        '"Gus, jr",sip:gus@example.org,,g,500',
      ),
    });
    assert.deepEqual(reply, ["OK", 3, 0, ""]);
    await bulk.setup.clock.advance(2_000);
    const seen = bulk.client.events.map(({ callSid, status, trunkId }) =>
      `${callSid} ${trunkId} ${status}`
    );
    assert.deepEqual(seen.filter((line) => line.startsWith("b")), [
      "b spare INITIATED",
      "b spare BUSY",
    ]);
    assert.deepEqual(seen.filter((line) => line.startsWith("g")), [
      ...["g main INITIATED", "g main RINGING", "g main ANSWERED", "g main COMPLETED"],
    ]);
    assert.deepEqual(bulk.results(), ["3 dialled, 0 failed, 0 dropped"]);
    assert.equal(bulk.setup.clock.pending, 1, "only the session's end is waited for");
  });

  it("skips rows that repeat a call_sid, and says so in its log", async () => {
    await using bulk = await withCampaigns();
    const csvUrl = csv("to,call_sid", ...Array(3).fill("+15550105,same"));
    assert.deepEqual(await bulk.start({ csvUrl }), ["OK", 1, 0, ""]);
    await bulk.setup.clock.advance(5_000);
    assert.equal(bulk.setup.gateway.stats().calls.total, 1);
    assert.deepEqual(bulk.results(), ["1 dialled, 0 failed, 0 dropped"]);
    assert.deepEqual(bulk.skipped(), [
      [2, "line 3: call_sid same is that of line 2; line 4: call_sid same is that of line 2"],
    ]);
    const again = await bulk.start({ csvUrl, campaignId: "again" });
    assert.match(String(again[3]), /line 2: call_sid same was used before/);
  });

  it("ends every loaded row with one CHANNEL_HANGUP_COMPLETE: answered, busy, refused by the trunk or a limit, dropped", async () => {
    await using bulk = await withCampaigns();
    const rows = ["+15550105", "+15550101", "+15550108", "+15550109", "sip:a@b", "+15550100"];
    const csvUrl = csv(
      "to,call_sid",
      ...rows.map((to, i) => `${to},row-${i}`),
      ...Array(500).fill("+15550105,"),
    );
    assert.deepEqual(await bulk.start({ csvUrl, callsPerSecond: 20, maxConcurrentCalls: 4 }), [
      "OK",
      506,
      0,
      "",
    ]);
    await bulk.setup.clock.advance(10_000);
    await bulk.client.rpc(methods.AbortBulk, { campaignId: "k" });
    await bulk.client.rpc(methods.Terminate, { callSid: "row-5" });
    await bulk.client.rpc(methods.Terminate, { callSid: "row-4" });
    await bulk.setup.clock.advance(10_000);
    const ends = bulk.client.events.filter(({ eventType }) => eventType === 3);
    assert.equal(ends.length, 506);
    assert.equal(new Set(ends.map(({ callSid }) => callSid)).size, 506);
    const end = (callSid: string) => {
      const { status, q850Cause } = ends.find((each) => each.callSid === callSid)!;
      return `${status} ${q850Cause}`;
    };
    assert.deepEqual([0, 1, 2, 3, 4, 5].map((i) => end(`row-${i}`)), [
      ...["COMPLETED 16", "BUSY 17", "FAILED 41", "FAILED 42", "COMPLETED 16", "COMPLETED 16"],
    ]);
    const dropped = ends.filter(({ q850Cause }) => q850Cause === 31);
    assert.ok(dropped.length > 400 && dropped.every(({ status }) => status === "FAILED"));
    assert.match(String(bulk.results()), /, 2 failed, 4[0-9]{2} dropped/);
    assert.equal(bulk.setup.gateway.stats().calls.live, 0);
  });

  it("says why a file has no row that can be dialled", async () => {
    await using bulk = await withCampaigns({ campaignRows: 3 });
    const why = async (...lines: string[]) =>
      (await bulk.start({ csvUrl: csv(...lines) })).slice(1);
    assert.deepEqual(await why("number;name", "+15550101;Ann"), [
      ...[0, 6, 'csv has no column "to": it has number, name'],
    ]);
    assert.deepEqual(await why("to"), [0, 6, "csv has a header row and no other"]);
    assert.match(
      String(await why("to,max_duration_ms", "555,", "+15550101,ten")),
      /line 2: to is neither.*line 3: max_duration_ms is ten/,
    );
    assert.deepEqual(await why("to", ...Array(4).fill("+15550101")), [
      ...[0, 6, "csv has more than 3 rows, the most of one campaign"],
    ]);
    assert.deepEqual(await why("to\tname", "+15550101\tAnn"), [1, 0, ""]);
  });

  it("keeps calls_per_second to within 2 %", async () => {
    for (const callsPerSecond of [1, 7, 40, 200]) {
      await using bulk = await withCampaigns();
      const count = Math.max(20, callsPerSecond * 4);
      const csvUrl = csv("to", ...Array(count).fill("+15550101"));
      assert.deepEqual(await bulk.start({ callsPerSecond, csvUrl }), ["OK", count, 0, ""]);
      await bulk.setup.clock.advance((count / callsPerSecond) * 1_000 + 1_000);
      const { dialledAt } = bulk.history();
      assert.equal(dialledAt.length, count);
      const seconds = (dialledAt.at(-1)! - dialledAt[0]!) / 1_000;
      const rate = (count - 1) / seconds;
      assert.ok(Math.abs(rate / callsPerSecond - 1) < 0.02, `${rate} instead of ${callsPerSecond}`);
    }
  });

  it("keeps max_concurrent_calls exactly, and uses it all", async () => {
    await using bulk = await withCampaigns();
    const csvUrl = csv("to", ...Array(60).fill("+15550105"));
    await bulk.start({ callsPerSecond: 50, maxConcurrentCalls: 7, csvUrl });
    await bulk.setup.clock.advance(25_000);
    const { dialledAt, most } = bulk.history();
    assert.deepEqual([dialledAt.length, most], [60, 7]);
    // Each call lasts 2.2 s: nine rounds of seven.
    const seconds = (dialledAt.at(-1)! - dialledAt[0]!) / 1_000;
    assert.ok(Math.abs(seconds - 8 * 2.2) < 1, `${seconds} s`);
    assert.deepEqual(bulk.results(), ["60 dialled, 0 failed, 0 dropped"]);
  });

  it("waits for a trunk that is full, and for the tenant's budget, and counts what cannot be dialled", async () => {
    await using bulk = await withCampaigns({ callsPerSecond: 5 });
    await bulk.setup.gateway.addTrunk({ tenantId: "acme", trunkId: "main", channelLimit: 3 });
    const csvUrl = csv("to", ...Array(20).fill("+15550105"), "+15550108", "+15550101");
    await bulk.start({ callsPerSecond: 100, csvUrl });
    await bulk.setup.clock.advance(60_000);
    assert.equal(bulk.history().most, 3);
    assert.deepEqual(bulk.results(), ["21 dialled, 1 failed, 0 dropped"]);
  });

  it("goes on without the session that started it", async () => {
    await using bulk = await withCampaigns();
    await bulk.start({ csvUrl: csv("to", ...Array(30).fill("+15550101")) });
    bulk.client.close();
    await bulk.setup.clock.advance(10_000);
    assert.deepEqual(bulk.results(), ["30 dialled, 0 failed, 0 dropped"]);
  });

  it("counts campaigns whose rows are still read: the limit holds for many at once", async () => {
    await using bulk = await withCampaigns({ campaignsPerTenant: 2 });
    const csvUrl = csv("to", "+15550105");
    const ids = ["a", "a", "b", "c", "d"];
    const replies = await Promise.all(
      ids.map((campaignId) => bulk.start({ campaignId, csvUrl })),
    );
    assert.deepEqual(replies.map(([, loaded, code]) => [loaded, code]), [
      [1, 0],
      [0, 6],
      [1, 0],
      [0, 3],
      [0, 3],
    ]);
    assert.equal(replies[1]![3], "campaign_id is in use");
    await bulk.setup.clock.advance(5_000);
    assert.deepEqual((await bulk.start({ campaignId: "c", csvUrl: "data:,%" }))[2], 6);
    assert.deepEqual((await bulk.start({ campaignId: "c", csvUrl })).slice(1, 3), [1, 0]);
  });

  it("refuses what makes no campaign, in words", async () => {
    await using bulk = await withCampaigns({ campaignsPerTenant: 2 });
    const csvUrl = csv("to", "+15550100");
    const refused = async (request: Partial<BulkRequest>) => {
      const [status, loaded, code, message] = await bulk.start({ csvUrl, ...request });
      assert.deepEqual([status, loaded, code], ["ERROR", 0, 6]);
      return message;
    };
    assert.equal(await refused({ campaignId: "" }), "campaign_id is malformed");
    assert.equal(await refused({ callsPerSecond: 0 }), "calls_per_second is less than 1");
    assert.equal(await refused({ maxConcurrentCalls: -1 }), "max_concurrent_calls is negative");
    assert.match(String(await refused({ csvUrl: "data:,%" })), /csv_url is malformed/);
    assert.match(String(await refused({ csvUrl: "data:," })), /it is empty, expected a header row/);
    assert.match(String(await refused({ csvUrl: 'data:,to%0A"' })), /a quote is not closed/);
    await settle();
    await bulk.start({ csvUrl });
    assert.equal(await refused({}), "campaign_id is in use");
    await bulk.start({ csvUrl, campaignId: "k2" });
    assert.deepEqual((await bulk.start({ csvUrl, campaignId: "k3" })).slice(2), [
      3,
      "The tenant has 2 campaigns, its limit",
    ]);
  });

  it("reads a file once", async () => {
    const { fetch } = globalThis;
    let fetched = 0;
    globalThis.fetch = () => {
      fetched++;
      return Promise.resolve(new Response("to\n+15550101\n"));
    };
    try {
      await using bulk = await withCampaigns({}, { allowFetch: ["https://files.example"] });
      const reply = await bulk.start({ csvUrl: "https://files.example/once.csv" });
      assert.equal(reply[1], 1);
      await bulk.setup.clock.advance(2_000);
      assert.deepEqual(bulk.results(), ["1 dialled, 0 failed, 0 dropped"]);
      assert.equal(fetched, 1);
    } finally {
      globalThis.fetch = fetch;
    }
  });
});

describe("AbortBulk", () => {
  it("drops what is pending, lets live calls finish, and forgets the campaign after them", async () => {
    await using bulk = await withCampaigns();
    await bulk.start({ callsPerSecond: 10, csvUrl: csv("to", ...Array(100).fill("+15550105")) });
    await bulk.setup.clock.advance(1_050);
    const buckets = async () =>
      (await bulk.client.rpc(methods.GetActiveBuckets, {})).reply!.buckets;
    assert.deepEqual((await buckets()).find(({ bucketId }) => bucketId === "k")?.pendingCount, 89);
    const { reply } = await bulk.client.rpc(methods.AbortBulk, { campaignId: "k" });
    assert.deepEqual([reply?.status, reply?.loadedNumbers], ["OK", 89]);
    await settle();
    assert.equal(bulk.setup.gateway.stats().calls.live, 11);
    assert.deepEqual(bulk.results(), []);
    await bulk.setup.clock.advance(5_000);
    assert.equal(bulk.setup.gateway.stats().calls.live, 0);
    const failed = bulk.client.events.filter(({ status }) => status === "FAILED");
    assert.equal(failed.length, 89, "each of the dropped rows has its end");
    assert.deepEqual(bulk.results(), ["11 dialled, 0 failed, 89 dropped"]);
    const again = await bulk.client.rpc(methods.AbortBulk, { campaignId: "k" });
    assert.deepEqual([again.reply?.status, again.fault.errorMessage], [
      "ERROR",
      "Unknown campaign_id",
    ]);
  });
});

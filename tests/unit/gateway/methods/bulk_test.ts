import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GatewayLogRecord } from "../../../../src/gateway/mod.ts";
import { type BulkRequest, methods } from "../../../../src/wire/mod.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { QuickClock } from "../../../support/quick_clock.ts";
import { TestGateway } from "../../../support/tenant_kit.ts";

const template = {
  ...{ campaignId: "k", templateTrunkId: "main", templateDefaultApp: 1 },
  ...{ callsPerSecond: 10, clientId: "c" },
} as const;

function csv(...lines: string[]): string {
  return `data:text/csv,${encodeURIComponent(lines.join("\n"))}`;
}

async function withCampaigns(limits = {}) {
  const records: GatewayLogRecord[] = [];
  const setup = new TestGateway({
    clock: new QuickClock(),
    limits: { queuedEvents: Infinity, callsPerSecond: Infinity, ...limits },
    log: (record) => void records.push(record),
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

  it("takes rows that repeat a call_sid for the same call, and ends once", async () => {
    await using bulk = await withCampaigns();
    await bulk.start({ csvUrl: csv("to,call_sid", ...Array(3).fill("+15550105,same")) });
    await bulk.setup.clock.advance(5_000);
    assert.equal(bulk.setup.gateway.stats().calls.total, 1);
    assert.deepEqual(bulk.results(), ["3 dialled, 0 failed, 0 dropped"]);
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

  it("counts campaigns whose rows are still read: many at once are no way around the limit", async () => {
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
    assert.deepEqual(await bulk.start({ csvUrl: csv("number", "+1555") }), ["OK", 0, 0, ""]);
    await settle();
    await bulk.start({ csvUrl });
    assert.equal(await refused({}), "campaign_id is in use");
    await bulk.start({ csvUrl, campaignId: "k2" });
    assert.deepEqual((await bulk.start({ csvUrl, campaignId: "k3" })).slice(2), [
      3,
      "The tenant has 2 campaigns, its limit",
    ]);
  });

  it("reads a million rows without holding them", async () => {
    const { fetch } = globalThis;
    let pulled = 0;
    globalThis.fetch = () => {
      const line = new TextEncoder().encode("+15550104\n".repeat(100));
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode("to\n")),
        pull(controller) {
          if (pulled++ % 10_001 === 10_000) controller.close();
          else controller.enqueue(line);
        },
      }, { highWaterMark: 1 });
      return Promise.resolve(new Response(body));
    };
    try {
      await using setup = new TestGateway({
        clock: new QuickClock(),
        allowFetch: ["https://x.example"],
      });
      const client = await setup.connect(await setup.addTenant("acme"));
      const csvUrl = "https://x.example/numbers.csv";
      let isCounted = false;
      const counting = client.rpc(methods.OriginateBulk, { ...template, csvUrl })
        .finally(() => isCounted = true);
      while (!isCounted) await setup.clock.advance(0);
      const { reply } = await counting;
      assert.deepEqual([reply?.status, reply?.loadedNumbers], ["OK", 1_000_000]);
      const counted = pulled;
      await setup.clock.advance(1_000);
      assert.ok(pulled - counted < 5, `${pulled - counted} chunks for ten calls`);
      const aborted = await client.rpc(methods.AbortBulk, { campaignId: "k" });
      assert.ok(aborted.reply!.loadedNumbers > 999_900);
    } finally {
      globalThis.fetch = fetch;
    }
  });
});

describe("OriginateBulk of many rows", () => {
  it("lets other sessions' requests in between", async () => {
    const clock = new FakeClock();
    await using setup = new TestGateway({ clock });
    const client = await setup.connect(await setup.addTenant("acme"));
    const other = await setup.connect(await setup.addTenant("globex"));
    let isCounted = false;
    const csvUrl = csv("to", ...Array(2_500).fill("+15550101"));
    const counted = client.rpc(methods.OriginateBulk, { ...template, csvUrl })
      .then(({ reply }) => {
        isCounted = true;
        return reply?.loadedNumbers;
      });
    await settle();
    assert.equal((await other.rpc(methods.GetActiveBuckets, {})).fault.errorCode, 0);
    assert.equal(isCounted, false);
    await clock.advance(0);
    await clock.advance(0);
    assert.equal(await counted, 2_500);
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
    assert.ok(bulk.client.events.every(({ status }) => status !== "FAILED"));
    assert.deepEqual(bulk.results(), ["11 dialled, 0 failed, 89 dropped"]);
    const again = await bulk.client.rpc(methods.AbortBulk, { campaignId: "k" });
    assert.deepEqual([again.reply?.status, again.fault.errorMessage], [
      "ERROR",
      "Unknown campaign_id",
    ]);
  });
});

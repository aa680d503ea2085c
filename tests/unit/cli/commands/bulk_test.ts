import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prepareCampaign, TeleQuickClient } from "../../../../mod.ts";
import { runCampaign } from "../../../../src/cli/commands/bulk.ts";
import { createOutput } from "../../../../src/cli/terminal/output.ts";
import { EventType, methods } from "../../../../src/wire/mod.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { TestGateway } from "../../../support/tenant_kit.ts";
import { fakePlatform, recordsOf } from "../../../support/fake_platform.ts";
import { scriptedGateway } from "../../../../src/testing/mod.ts";
import { UNSIGNED_TOKEN } from "../../../support/unsigned_token.ts";

/** A campaign of `loaded` rows on a gateway that does what the test says. */
async function story(loaded: number) {
  const clock = new FakeClock();
  const campaign = { pending: 1 };
  const gateway = scriptedGateway({
    scripts: {
      OriginateBulk: () => ({ loadedNumbers: loaded, status: "RUNNING" }),
      GetActiveBuckets: () => ({
        buckets: campaign.pending === 0 ? [] : [{ bucketId: "spring", pendingCount: 1 }],
      }),
    },
  });
  const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
    webTransport: gateway.webTransport,
    clock,
  });
  await client.connect();
  const { platform, stdout } = fakePlatform();
  const ended = runCampaign(
    client,
    { csvUrl: "https://files.example/a.csv", trunkId: "main" },
    {
      values: { campaign: "spring", json: true },
      output: createOutput(platform, { json: true }),
      clock,
      signal: new AbortController().signal,
    } as unknown as Parameters<typeof runCampaign>[2],
  );
  await settle();
  return {
    ...{ clock, campaign, client, ended, gateway },
    /** The gateway sends events of calls on its newest session. */
    async tell(eventType: number, ...callSids: string[]) {
      const events = callSids.map((callSid) => ({
        ...{ callSid, eventType, clientId: client.clientId, status: "COMPLETED" },
      }));
      await gateway.peers.at(-1)!.push(methods.CallEvent, ...events);
      await settle();
    },
    report: () => recordsOf(stdout()).at(-1)!,
  };
}

const { CHANNEL_CREATE, CHANNEL_HANGUP_COMPLETE } = EventType;

describe("bulk with a file on this machine", () => {
  const lines = ["to", "+15550101", "+15550108", "other", "+15550105"];

  async function run(text: string, stopAfterMs?: number) {
    const setup = new TestGateway();
    const { account } = await setup.addTenant("acme");
    const client = new TeleQuickClient("https://gateway.test:9090", account, false, {
      webTransport: setup.gateway.webTransport,
      clock: setup.clock,
    });
    await client.connect();
    const prepared = await prepareCampaign(text);
    const { platform, stdout } = fakePlatform();
    const controller = new AbortController();
    const ended = runCampaign(
      client,
      { csvUrl: `data:text/csv,${encodeURIComponent(prepared.csv)}`, prepared, trunkId: "main" },
      {
        values: { campaign: "spring", json: true, rate: 10, concurrent: 10 },
        output: createOutput(platform, { json: true }),
        clock: setup.clock,
        signal: controller.signal,
      } as unknown as Parameters<typeof runCampaign>[2],
    );
    if (stopAfterMs !== undefined) {
      await setup.clock.advance(stopAfterMs);
      controller.abort();
    }
    const code = await setup.clock.runUntil(ended);
    const closing = client.close();
    await setup.clock.advance(6_000);
    await closing;
    await setup[Symbol.asyncDispose]();
    return { code, records: recordsOf(stdout()) };
  }

  it("prints each number's result and each row that was skipped, and exits with 1 for those that failed", async () => {
    const { code, records } = await run(lines.join("\n"));
    const results = records.filter(({ type }) => type === "result");
    assert.deepEqual(results.map(({ line, to, status }) => [line, to, status]).sort(), [
      [2, "+15550101", "BUSY"],
      [3, "+15550108", "FAILED"],
      [5, "+15550105", "COMPLETED"],
    ]);
    assert.deepEqual(records.filter(({ type }) => type === "skipped").map(({ line }) => line), [4]);
    assert.equal(code, 1);
    assert.equal((await run("to\n+15550101\n+15550105\n")).code, 0);
  });

  it("says which calls are live when it is interrupted", async () => {
    const text = ["to", ...Array(50).fill("+15550105")].join("\n");
    const { records } = await run(text, 1_500);
    const [live] = records.filter(({ type }) => type === "live");
    const count = (live!["calls"] as string[]).length;
    assert.ok(count > 5 && count < 20, `${count} live`);
    const results = records.filter(({ type }) => type === "result").length;
    const { done, undialled } = records.at(-1) as Record<string, number>;
    assert.deepEqual([results, done! + undialled!], [done, 50]);
  });
});

describe("runCampaign()", () => {
  it("waits for the end of every call that it heard of", async () => {
    const { clock, campaign, client, ended, tell, report } = await story(3);
    await tell(CHANNEL_CREATE, "call-1", "call-2");
    campaign.pending = 0;
    await clock.advance(60_000);
    assert.equal(report()["type"], "campaign");
    await tell(CHANNEL_HANGUP_COMPLETE, "call-1", "call-2");
    await clock.advance(1_000);
    assert.equal(await ended, 0);
    const { done, undialled, unknown } = report();
    assert.deepEqual({ done, undialled, unknown }, { done: 2, undialled: 1, unknown: 0 });
    await client.close();
  });

  it("does not wait for calls whose end may have come in a gap, and says how many they are", async () => {
    const { clock, campaign, client, ended, gateway, tell, report } = await story(5);
    await tell(CHANNEL_CREATE, "call-1", "call-2", "call-3");
    gateway.peers[0]!.pair.sever();
    await clock.advance(1_000);
    assert.equal(gateway.peers.length, 2);
    // One of them ends later; of the rows in between nothing was heard at all.
    await tell(CHANNEL_CREATE, "call-4");
    await tell(CHANNEL_HANGUP_COMPLETE, "call-3");
    campaign.pending = 0;
    await clock.advance(10_000);
    assert.equal(report()["type"], "campaign", "call-4 is up");
    await tell(CHANNEL_HANGUP_COMPLETE, "call-4");
    await clock.advance(1_000);
    assert.equal(await ended, 0);
    const { done, undialled, unknown } = report();
    assert.deepEqual({ done, undialled, unknown }, { done: 2, undialled: 0, unknown: 3 });
    await client.close();
  });
});

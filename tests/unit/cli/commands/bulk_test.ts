import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../../../mod.ts";
import { runCampaign } from "../../../../src/cli/commands/bulk.ts";
import { createOutput } from "../../../../src/cli/terminal/output.ts";
import { EventType, methods } from "../../../../src/wire/mod.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { fakePlatform, recordsOf } from "../../../support/fake_platform.ts";
import { scriptedGateway } from "../../../../src/testing/mod.ts";

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
  const client = new TeleQuickClient("https://gateway.test", () => "token", true, {
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
    /** The gateway tells of calls on its newest session. */
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

  it("does not wait for calls whose end may have been told in a gap, and says how many they are", async () => {
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

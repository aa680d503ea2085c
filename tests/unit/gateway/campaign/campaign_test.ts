import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../../../../src/gateway/call/call.ts";
import { Campaign, type CampaignResult } from "../../../../src/gateway/campaign/campaign.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";

/** A call as far as a campaign knows one. */
function fakeCall(): { readonly call: Call; end(): void } {
  const tell = new Set<() => void>();
  const call = { onEnd: (each: () => void) => void tell.add(each) } as unknown as Call;
  const end = (): void => {
    for (const each of tell) each();
    tell.clear();
  };
  return { call, end };
}

describe("Campaign", () => {
  it("counts a call that is over at once as dialled, and goes on", async () => {
    const results: CampaignResult[] = [];
    const clock = new FakeClock();
    const campaign = new Campaign<number>({
      owner: { id: "", space: "" },
      campaignId: "k",
      clock,
      rows: [0, 1, 2],
      callsPerSecond: Infinity,
      maxConcurrentCalls: 1,
      dial: () => undefined,
      fail: (row) => assert.fail(`row ${row} was dialled`),
      isTemporary: () => true,
      onDone: (result) => results.push(result),
    });
    const running = campaign.run();
    await clock.advance(100);
    await running;
    assert.deepEqual(results, [{ dialled: 3, failed: 0, dropped: 0 }]);
  });

  it("says what ended it before its last row", async () => {
    const results: CampaignResult[] = [];
    const failed: number[] = [];
    const clock = new FakeClock();
    const error = new Error("The store is broken");
    const campaign = new Campaign<number>({
      owner: { id: "", space: "" },
      campaignId: "k",
      clock,
      rows: [0, 1, 2],
      callsPerSecond: Infinity,
      maxConcurrentCalls: 1,
      claim: (row) => row === 0 ? Promise.resolve(undefined) : Promise.reject(error),
      dial: () => undefined,
      fail: (row) => void failed.push(row),
      isTemporary: () => true,
      onDone: (result) => results.push(result),
    });
    const running = campaign.run();
    await clock.advance(100);
    await running;
    assert.deepEqual(results, [{ dialled: 1, failed: 0, dropped: 2, error }]);
    assert.deepEqual(failed, [1, 2]);
  });

  it("dials nothing after abort(), in every turn in which that can come", async () => {
    // How many turns lie between a call's end, or the row before, and the abort.
    for (let turns = 0; turns < 20; turns++) {
      for (const comes of ["with a call's end", "with a row"]) {
        const calls: ReturnType<typeof fakeCall>[] = [];
        const results: CampaignResult[] = [];
        const failed: number[] = [];
        let dialledAtAbort = -1;
        const abortSoon = async (): Promise<void> => {
          for (let i = 0; i < turns; i++) await undefined;
          if (dialledAtAbort >= 0) return;
          dialledAtAbort = calls.length;
          campaign.abort();
        };
        const clock = new FakeClock();
        const campaign = new Campaign<number>({
          owner: { id: "", space: "" },
          campaignId: "k",
          clock,
          rows: [0, 1, 2],
          callsPerSecond: Infinity,
          maxConcurrentCalls: 1,
          dial: (row) => {
            const { call } = calls[calls.push(fakeCall()) - 1]!;
            if (row === 0 && comes === "with a row") void abortSoon();
            return call;
          },
          fail: (row) => void failed.push(row),
          isTemporary: () => true,
          onDone: (result) => results.push(result),
        });
        const running = campaign.run();
        await clock.advance(0);
        if (comes === "with a call's end") {
          await settle();
          calls[0]!.end();
          void abortSoon();
        }
        await clock.advance(100);
        assert.equal(calls.length, dialledAtAbort, `${turns} turns, ${comes}`);
        for (const { end } of calls) end();
        await running;
        const dropped = 3 - calls.length;
        assert.deepEqual(results, [{ dialled: calls.length, failed: 0, dropped }]);
        assert.deepEqual(
          failed,
          [0, 1, 2].slice(calls.length),
          "each row that is not dialled ends",
        );
      }
    }
  });
});

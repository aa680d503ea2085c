import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ClientStatus, TeleQuickClient } from "../../mod.ts";
import { createRandom } from "../../src/base/random.ts";
import { Network } from "../../src/testing/network.ts";
import { TestGateway } from "../support/tenant_kit.ts";

/** A client with calls on a network that can stall, and what it reports. */
async function talking(calls: number, requestTimeoutMs: number) {
  const setup = new TestGateway();
  const { clock } = setup;
  const { account } = await setup.addTenant("acme", { channelLimit: 500 });
  const network = new Network({
    clock,
    random: createRandom(1),
    accept: (incoming) => void setup.gateway.serve(incoming),
  });
  const client = new TeleQuickClient("https://gateway.test", account, {
    webTransport: network.webTransport,
    clock,
    requestTimeoutMs,
  });
  await client.connect();
  // A tenant can place 50 calls a second.
  for (let placed = 0; placed < calls; placed++) {
    const dialled = client.dial({ to: "+15550100", trunkId: "main" }, { timeoutMs: 60_000 });
    await clock.advance(100);
    await dialled;
  }
  await clock.advance(1_000);
  const statuses: ClientStatus[] = [];
  void (async () => {
    for await (const status of client.status()) statuses.push(status);
  })();
  await clock.advance(0);
  return {
    ...{ setup, clock, network, client, statuses },
    async end(): Promise<void> {
      const closing = client.close();
      await clock.advance(30_000);
      await closing;
      await setup[Symbol.asyncDispose]();
    },
  };
}

describe("F-14 silence that passes", () => {
  for (const stallMs of [1_000, 5_000]) {
    it(`F-14 a stall of ${stallMs} ms raises no alarm, with requests that run into their limit`, async () => {
      const one = await talking(2, 800);
      for (let round = 0; round < 5; round++) {
        one.network.sessions[0]!.stall(stallMs);
        one.client.getActiveBuckets().catch(() => {});
        await one.clock.advance(stallMs + 15_000);
      }
      assert.deepEqual(one.statuses.map(({ type }) => type), ["open"]);
      assert.equal(one.client.stats().session.opened, 1);
      await one.end();
    });
  }

  for (const way of ["up", "down", "both"] as const) {
    it(`F-05 a black hole of 2 s (${way}) raises no alarm`, async () => {
      const one = await talking(2, 800);
      for (let round = 0; round < 5; round++) {
        one.network.blackOut(way);
        one.client.getActiveBuckets().catch(() => {});
        await one.clock.advance(2_000);
        one.network.heal();
        await one.clock.advance(20_000);
      }
      assert.deepEqual(one.statuses.map(({ type }) => type), ["open"]);
      await one.end();
    });
  }

  it("F-14 200 calls for 2 minutes raise no alarm", async () => {
    const one = await talking(200, 10_000);
    await one.clock.advance(120_000);
    assert.deepEqual(one.statuses.map(({ type }) => type), ["open"]);
    assert.equal(one.client.stats().session.opened, 1);
    await one.end();
  });
});

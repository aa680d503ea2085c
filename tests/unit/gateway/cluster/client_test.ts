/** What a client makes of a gateway that cannot tell now. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../../../src/client/mod.ts";
import { TestCluster } from "../../../support/cluster_kit.ts";

const ENDPOINT = "https://gateway.test:9090";

describe("a client of a cluster", () => {
  it("learns that it can try again where its token is neither accepted nor refused, and is let in then", async () => {
    await using cluster = await new TestCluster(2).ready();
    const { clock } = cluster;
    const { account } = await cluster.gateways[0]!.addTenant("acme");
    const [, { gateway }] = cluster.gateways as [unknown, (typeof cluster.gateways)[number]];
    // The key is not known here yet, and cannot be looked up.
    cluster.views[1]!.state = "fails";
    await clock.advance(1_000);
    const { webTransport } = gateway;
    const client = new TeleQuickClient(ENDPOINT, account, false, { clock, webTransport });
    const refused = await clock.runUntil(client.connect().catch((error) => error));
    assert.equal(refused.retryable, true, String(refused));
    assert.notEqual(refused.code, "ERR_UNAUTHORIZED");
    const codes = cluster.records[1]!
      .filter(({ event }) => event === "session.refused")
      .map(({ code }) => code);
    assert.deepEqual(new Set(codes), new Set([503]));
    assert.equal(gateway.stats().sessions.accepted, 0);
    cluster.views[1]!.state = "answers";
    await clock.advance(1_000);
    await clock.runUntil(client.connect());
    assert.equal(client.state.type, "open");
    const closing = client.close();
    await clock.advance(1_000);
    await closing;
  });

  it("is connected again after its session ended as stale", async () => {
    await using cluster = await new TestCluster(1).ready();
    const { clock } = cluster;
    const { account } = await cluster.gateways[0]!.addTenant("acme");
    const { gateway } = cluster.gateways[0]!;
    const { webTransport } = gateway;
    const client = new TeleQuickClient(ENDPOINT, account, false, { clock, webTransport });
    await client.connect();
    cluster.views[0]!.state = "fails";
    await clock.advance(302_000);
    assert.deepEqual(gateway.stats().sessions.ended, { stale: 1 });
    assert.notEqual(client.state.type, "open");
    assert.notEqual(client.state.type, "closed");
    cluster.views[0]!.state = "answers";
    await clock.runUntil(() => client.state.type === "open");
    const closing = client.close();
    await clock.advance(1_000);
    await closing;
  });
});

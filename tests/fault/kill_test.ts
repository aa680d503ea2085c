import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AudioLink, type ClientStatus, TeleQuickClient } from "../../mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";

const CALLS = 10;
// Twenty kills in all. A runtime notices a dead peer only after its idle timeout (10 s), so several gateways die side by side.
const GATEWAYS = 5;
const KILLS_EACH = 4;

/** Waits for a status of a kind: by the stream of statuses, not by the clock. */
async function until(
  statuses: AsyncIterator<ClientStatus>,
  isIt: (status: ClientStatus) => boolean,
): Promise<ClientStatus> {
  while (true) {
    const { value, done } = await statuses.next();
    if (done) throw new Error("The client ended");
    if (isIt(value)) return value;
  }
}

/** Dials and speaks for ever; resolves when the first frame has come back. */
async function talk(client: TeleQuickClient): Promise<AudioLink> {
  const call = await client.dial({ to: "+15550100", trunkId: "main" });
  await call.answered();
  const link = call.audio({ silence: "send" });
  const reader = link.readable.getReader();
  await reader.read();
  reader.releaseLock();
  return link;
}

/** Kills one gateway again and again under talking calls. */
async function killAndRecover(): Promise<void> {
  await using host = await GatewayHost.start();
  await using client = new TeleQuickClient(host.endpoint, host.account, false, {
    serverCertificateHash: host.certificatePem,
    requestTimeoutMs: 20_000,
  });
  await client.connect();
  const statuses = client.status()[Symbol.asyncIterator]();
  for (let kill = 1; kill <= KILLS_EACH; kill++) {
    const links = await Promise.all(Array.from({ length: CALLS }, () => talk(client)));
    await host.kill();
    await host.restart();
    const gap = await until(statuses, (status) => status.type === "events-may-be-missing");
    assert.ok(gap.type === "events-may-be-missing" && gap.sinceMs > 0);
    await until(statuses, (status) => status.type === "open");
    assert.equal(client.stats().session.opened, kill + 1, "it came back once");
    // The gateway that came up knows nothing of the calls of the one that died.
    for (const link of links) {
      assert.ok(link.stats().sent > 0);
      await link.close();
    }
  }
  const call = await client.dial({ to: "+15550100", trunkId: "main" });
  await call.answered();
  await call.hangUp();
  assert.equal((await call.ended).q850Cause, 16);
}

describe("F-01 gateway killed and restarted on the same port", () => {
  it(`F-01 ${GATEWAYS * KILLS_EACH} kills under ${CALLS} talking calls each: the client comes back and dials again`, async () => {
    await Promise.all(Array.from({ length: GATEWAYS }, killAndRecover));
  });

  it("F-02 gateway shut down: the client is informed, comes back when another is up, and no call is acknowledged in between", async () => {
    await using host = await GatewayHost.start();
    await using client = new TeleQuickClient(host.endpoint, host.account, false, {
      serverCertificateHash: host.certificatePem,
      requestTimeoutMs: 30_000,
    });
    await client.connect();
    const statuses = client.status()[Symbol.asyncIterator]();
    await host.shutDown();
    await until(statuses, ({ type }) => type === "renewing" || type === "reconnecting");
    const dialling = client.dial({ to: "+15550100", trunkId: "main" });
    await host.restart();
    await until(statuses, (status) => status.type === "open");
    const call = await dialling;
    await call.answered();
    await call.hangUp();
  });
});

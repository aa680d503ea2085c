import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { type AudioLink, type Call, type ClientStatus, TeleQuickClient } from "../../mod.ts";
import { hasCode } from "../support/client_kit.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";
import { startRelay, type UdpRelay } from "../support/udp_relay.ts";

const SEED = 20_261_124;

interface Line extends AsyncDisposable {
  readonly client: TeleQuickClient;
  readonly relay: UdpRelay;
  readonly statuses: AsyncIterator<ClientStatus>;
}

/** Speaks `frames` numbered frames and waits until the last of those that can come back has. */
async function echo(call: Call, frames: number): Promise<{ link: AudioLink; heard: Set<number> }> {
  const link = call.audio({ receiveCapacity: 10_000 });
  const writer = link.writable.getWriter();
  const speaking = (async () => {
    for (let n = 0; n < frames; n++) {
      await writer.ready;
      await writer.write(new Uint8Array(160).fill(n & 127));
    }
    await writer.close();
  })();
  const heard = new Set<number>();
  for await (const { sequenceNumber, payload } of link.readable) {
    if (payload.length > 0) {
      assert.equal(payload[0], sequenceNumber & 127, "each frame comes back as it was sent");
      heard.add(sequenceNumber);
    }
    if (heard.size === frames) break;
  }
  await speaking;
  return { link, heard };
}

async function until(
  statuses: AsyncIterator<ClientStatus>,
  type: ClientStatus["type"],
): Promise<void> {
  while (true) {
    const { value, done } = await statuses.next();
    if (done) throw new Error(`The client ended while "${type}" was awaited`);
    if (value.type === type) return;
  }
}

describe("A bad network", () => {
  let host: GatewayHost;
  before(async () => {
    host = await GatewayHost.start();
  });
  after(() => host[Symbol.asyncDispose]());

  async function line(): Promise<Line> {
    const relay = await startRelay({ target: host.port, seed: SEED });
    const client = new TeleQuickClient(`https://127.0.0.1:${relay.port}`, host.account, false, {
      serverCertificateHash: host.certificatePem,
      requestTimeoutMs: 30_000,
    });
    await client.connect();
    const statuses = client.status()[Symbol.asyncIterator]();
    return {
      client,
      relay,
      statuses,
      async [Symbol.asyncDispose]() {
        relay.faults.blackhole = undefined;
        await client.close();
        await relay.close();
      },
    };
  }

  for (const loss of [0.01, 0.05, 0.1]) {
    it(`F-03 ${loss * 100} % loss: every RPC is answered, every frame comes back`, async () => {
      await using wire = await line();
      wire.relay.faults.loss = loss;
      const call = await wire.client.dial({ to: "+15550100", trunkId: "main" });
      await call.answered();
      const rpcs = Promise.all(
        Array.from({ length: 50 }, () => wire.client.streamEvents(wire.client.clientId)),
      );
      const { heard, link } = await echo(call, 100);
      await rpcs;
      assert.equal(heard.size, 100);
      assert.equal(link.stats().lost, 0);
      assert.ok(wire.relay.counts.dropped > 0, "the relay did drop datagrams");
      await call.hangUp();
    });
  }

  it("F-04 delay, jitter, reordering and duplicates: no event twice, no frame twice", async () => {
    await using wire = await line();
    Object.assign(wire.relay.faults, {
      delayMs: 25,
      jitterMs: 12,
      reorder: 0.1,
      reorderMs: 30,
      duplicate: 0.05,
    });
    const call = await wire.client.dial({ to: "+15550100", trunkId: "main" });
    const types: number[] = [];
    const events = (async () => {
      for await (const event of call.events()) types.push(event.eventType);
    })();
    await call.answered();
    const { heard, link } = await echo(call, 100);
    await call.hangUp();
    await events;
    assert.deepEqual(types, [1, 1, 2, 3]);
    assert.equal(heard.size, 100);
    assert.equal(link.stats().duplicated, 0);
  });

  it("F-05 a black hole of 2 s: the session survives, nothing is lost", async () => {
    await using wire = await line();
    const call = await wire.client.dial({ to: "+15550100", trunkId: "main" });
    await call.answered();
    wire.relay.faults.blackhole = "both";
    const healing = setTimeout(() => wire.relay.faults.blackhole = undefined, 2_000);
    const { heard } = await echo(call, 150);
    clearTimeout(healing);
    assert.equal(heard.size, 150);
    assert.equal(wire.client.stats().session.opened, 1, "the session was not given up");
    await call.hangUp();
  });

  /** Longer than any idle timeout: what ends it is that the client has noticed. */
  async function fallIntoBlackHole(way: "both" | "up" | "down"): Promise<void> {
    await using wire = await line();
    const call = await wire.client.dial({ to: "+15550100", trunkId: "main" });
    await call.answered();
    wire.relay.faults.blackhole = way;
    await until(wire.statuses, "reconnecting");
    wire.relay.faults.blackhole = undefined;
    await until(wire.statuses, "events-may-be-missing");
    await until(wire.statuses, "open");
    const { heard } = await echo(call, 25);
    assert.equal(heard.size, 25, `the call talks on after a black hole (${way})`);
    await call.hangUp();
    assert.equal((await call.ended).q850Cause, 16);
  }

  /** As long as it says, whether the session lives through it or not. */
  async function sitOutBlackHole(seconds: number): Promise<void> {
    await using wire = await line();
    const call = await wire.client.dial({ to: "+15550100", trunkId: "main" });
    await call.answered();
    wire.relay.faults.blackhole = "both";
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    wire.relay.faults.blackhole = undefined;
    // Asked again on the session that takes over, when this one is lost.
    await wire.client.getActiveBuckets();
    if (wire.client.stats().session.opened > 1) await until(wire.statuses, "events-may-be-missing");
    const { heard } = await echo(call, 25);
    assert.equal(heard.size, 25, `the call talks on after ${seconds} s`);
    await call.hangUp();
  }

  it("F-05 a black hole of 10 s and one of 40 s: asked again where the session was lost, reported, the call talks on", async () => {
    await Promise.all([10, 40].map(sitOutBlackHole));
  });

  it("F-05 a black hole (both ways, up, down) longer than the idle timeout: noticed, reported, recovered, the call is still there", async () => {
    await Promise.all((["both", "up", "down"] as const).map(fallIntoBlackHole));
  });

  it("F-06 the client's address changes in the middle of a call: it talks on", async () => {
    await using wire = await line();
    const call = await wire.client.dial({ to: "+15550100", trunkId: "main" });
    await call.answered();
    const talking = echo(call, 150);
    await wire.client.streamEvents(wire.client.clientId);
    await wire.relay.rebind();
    const { heard } = await talking;
    assert.ok(heard.size >= 100);
    await call.hangUp();
  });

  it("F-10 the gateway is suspended for 3 s: RPCs wait, the session stays", async () => {
    await using own = await GatewayHost.start();
    await using client = new TeleQuickClient(own.endpoint, own.account, false, {
      serverCertificateHash: own.certificatePem,
    });
    await client.connect();
    own.suspend(true);
    const rpc = client.streamEvents(client.clientId);
    setTimeout(() => own.suspend(false), 3_000);
    await rpc;
    assert.equal(client.stats().session.opened, 1);
  });

  it("F-18 UDP blocked from the start: ERR_CONNECT_FAILED, with the hint", async () => {
    await using relay = await startRelay({ target: host.port });
    relay.faults.blackhole = "both";
    const clock = new FakeClock();
    const client = new TeleQuickClient(`https://127.0.0.1:${relay.port}`, host.account, false, {
      serverCertificateHash: host.certificatePem,
      connectTimeoutMs: 500,
      clock,
    });
    const refused = assert.rejects(client.connect(), (error: Error) => {
      hasCode("ERR_CONNECT_FAILED")(error);
      assert.match(error.message, /UDP/);
      return true;
    });
    // The time runs out on the network, and not on what comes before: making a token can take as long on a busy machine.
    let isOver = false;
    refused.catch(() => {}).finally(() => isOver = true);
    while (relay.counts.dropped === 0 && !isOver) await setImmediate();
    await clock.advance(500);
    await refused;
    await client.close();
  });
});

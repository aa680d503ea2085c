import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createServer } from "node:net";
import {
  generateServiceAccount,
  importSigner,
  type ServiceAccount,
  signToken,
  TeleQuickClient,
} from "../../mod.ts";
import { createGateway, type Gateway } from "../../src/gateway/mod.ts";
import { denoWebTransport } from "../../src/transport/deno/deno.ts";
import type { WebTransportConstructor } from "../../src/transport/mod.ts";
import { hasCode } from "../support/client_kit.ts";

const TRUNK = "acme-main";

interface Road {
  readonly gateway: Gateway;
  readonly endpoint: string;
  readonly certificateHash: string;
  readonly account: ServiceAccount;
}

async function openRoad(): Promise<Road> {
  const gateway = createGateway({
    limits: { rpcsPerSecond: 100_000, rpcsPerSecondPerTenant: 100_000 },
  });
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
  await gateway.publishServiceAccount({
    tenantId: "acme",
    privateKeyId: account.privateKeyId,
    publicKeyPem,
  });
  await gateway.addTrunk({ tenantId: "acme", trunkId: TRUNK, channelLimit: 200 });
  await gateway.addTrunk({ tenantId: "globex", trunkId: "globex-main" });
  const { endpoint, certificateHash } = await gateway.listen({ port: 0 });
  return { gateway, endpoint, certificateHash, account };
}

/** A UDP port of 127.0.0.1 where nothing listens: taken and given back by TCP, which leaves UDP alone. */
async function silentPort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("TeleQuickClient over QUIC", () => {
  let road: Road;
  before(async () => {
    road = await openRoad();
  });
  after(() => road.gateway.close());

  function connect(): TeleQuickClient {
    return new TeleQuickClient(road.endpoint, road.account, false, road.certificateHash);
  }

  it("dials, hears its own audio back byte for byte, and hangs up", async () => {
    await using client = connect();
    const call = await client.dial({ to: "+15550100", trunkId: TRUNK });
    await call.answered();
    const link = call.audio();
    const spoken = Uint8Array.from({ length: 160 * 50 }, (_, index) => (index * 31) & 255);
    const writer = link.writable.getWriter();
    const speaking = writer.write(spoken).then(() => writer.close());
    const heard: number[] = [];
    for await (const frame of link.readable) {
      heard.push(...frame.payload);
      if (heard.length === spoken.length) break;
    }
    await speaking;
    assert.deepEqual(Uint8Array.from(heard), spoken);
    await call.hangUp();
    assert.equal((await call.ended).q850Cause, 16);
  });

  it("passes 1,000 RPCs on one session, one after another and 32 at a time", async () => {
    await using client = connect();
    for (let sent = 0; sent < 500; sent++) await client.streamEvents(client.clientId);
    const lanes = Array.from({ length: 32 }, async () => {
      for (let sent = 0; sent < 16; sent++) await client.streamEvents(client.clientId);
    });
    await Promise.all(lanes);
    assert.equal(client.stats().session.opened, 1, "no rollover was needed");
  });

  it("passes RPCs for ever where the runtime never returns stream credit: fresh sessions take over", async () => {
    const native = globalThis.WebTransport as unknown as WebTransportConstructor;
    await using client = new TeleQuickClient(road.endpoint, road.account, false, {
      serverCertificateHash: road.certificateHash,
      webTransport: denoWebTransport(native, { innerStreams: false }),
    });
    const lanes = Array.from({ length: 4 }, async () => {
      for (let sent = 0; sent < 100; sent++) await client.streamEvents(client.clientId);
    });
    await Promise.all(lanes);
    assert.ok(client.stats().session.opened >= 4, "400 streams do not fit into three sessions");
  });

  it("learns why a token is refused", async () => {
    // The right tenant and kid, the wrong key.
    const { privateKeyId } = road.account;
    const outsider = await generateServiceAccount({ tenantId: "acme", privateKeyId });
    const token = await signToken(await importSigner(outsider.account));
    const client = new TeleQuickClient(road.endpoint, () => token, true, road.certificateHash);
    await assert.rejects(client.connect(), (error: { refusal?: string }) => {
      hasCode("ERR_UNAUTHORIZED")(error);
      assert.equal(error.refusal, "rejected");
      return true;
    });
    await client.close();
  });

  it("distinguishes a wrong certificate hash from a dead port", async () => {
    const wrong = btoa(String.fromCharCode(...new Uint8Array(32)));
    const client = new TeleQuickClient(road.endpoint, road.account, false, wrong);
    await assert.rejects(client.connect(), (error: Error) => {
      hasCode("ERR_CONNECT_FAILED")(error);
      assert.match(error.message, /certificate/);
      return true;
    });
    await client.close();
  });

  it("ends in ERR_CONNECT_FAILED within connectTimeoutMs where nothing listens, naming the endpoint", async () => {
    const port = await silentPort();
    const client = new TeleQuickClient(`https://127.0.0.1:${port}`, road.account, false, {
      connectTimeoutMs: 300,
    });
    await assert.rejects(client.connect(), (error: Error) => {
      hasCode("ERR_CONNECT_FAILED")(error);
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
      return true;
    });
    await client.close();
  });

  it("renews in the middle of a call: no frame lost, none twice, no event missed", async () => {
    await using client = connect();
    const call = await client.dial({ to: "+15550100", trunkId: TRUNK });
    await call.answered();
    const link = call.audio({ leadMs: 4_000 });
    const spoken = Uint8Array.from({ length: 160 * 100 }, (_, index) => (index * 13) & 255);
    const writer = link.writable.getWriter();
    const speaking = writer.write(spoken).then(() => writer.close());
    const frames = new Map<number, Uint8Array>();
    const listening = (async () => {
      for await (const { sequenceNumber, payload } of link.readable) {
        if (payload.length > 0) frames.set(sequenceNumber, payload);
        if (frames.size === 100) break;
      }
    })();
    for (let renewal = 0; renewal < 5; renewal++) await client.renew();
    await Promise.all([speaking, listening]);
    assert.equal(frames.size, 100);
    assert.equal(link.stats().lost, 0);
    assert.equal(client.stats().session.opened, 6);
    await call.hangUp();
    assert.equal((await call.ended).q850Cause, 16);
  });

  it("ends cleanly while a call is talking: the audio ends, the gateway keeps the call", async () => {
    const client = connect();
    const call = await client.dial({ to: "+15550100", trunkId: TRUNK });
    await call.answered();
    const writer = call.audio().writable.getWriter();
    await writer.write(new Uint8Array(160 * 5));
    await client.close();
    await assert.rejects(call.ended, hasCode("ERR_SESSION_CLOSED"));
    await using other = connect();
    await other.terminate(call.sid);
  });
});

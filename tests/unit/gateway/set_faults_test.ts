import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DialplanAction, methods } from "../../../src/wire/mod.ts";
import { clientSetup } from "../../support/client_kit.ts";
import type { RawClient } from "../../support/raw_client.ts";
import { TestGateway } from "../../support/tenant_kit.ts";

const CALL = { trunkId: "main", clientId: "c", defaultApp: DialplanAction.ANSWER };

/** An echoing call that is answered, and a stream of audio to it. */
async function answered(setup: TestGateway, client: RawClient, callSid = "call") {
  await client.rpc(methods.Originate, { ...CALL, to: "+15550100", callSid });
  await setup.clock.advance(300);
  const audio = await client.openAudio();
  return async (from: number, count: number, stepMs = 0): Promise<void> => {
    for (let i = from; i < from + count; i++) {
      const payload = new Uint8Array([i & 255, i >> 8, 0, 0]);
      await audio.send({ callSid, payload, codec: "PCMU", sequenceNumber: i });
      if (stepMs > 0) await setup.clock.advance(stepMs);
    }
    await setup.clock.advance(20);
  };
}

async function start(setup: TestGateway): Promise<RawClient> {
  const acme = await setup.addTenant("acme");
  return await setup.connect(acme, { clientId: "c" });
}

describe("Gateway.setFaults()", () => {
  it("loses packets of both directions, as the client, the far end and the last event see", async () => {
    const heard: number[] = [];
    await using setup = new TestGateway({
      limits: { audioFramesPerSecond: 10_000 },
      farEnd: () => ({ onAudio: ({ samples }) => void heard.push(samples.length) }),
    });
    const client = await start(setup);
    const send = await answered(setup, client);
    setup.gateway.setFaults({ lossPercent: 20 });
    await send(0, 2_000);
    const toFarEnd = heard.length / 2_000;
    assert.ok(Math.abs(toFarEnd - 0.8) < 0.03, `${toFarEnd} reach the far end`);
    const back = client.audio.length / heard.length;
    assert.ok(Math.abs(back - 0.8) < 0.03, `${back} of the echo come back`);
    const numbers = client.audio.map(({ sequenceNumber }) => sequenceNumber);
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
    const gaps = numbers.at(-1)! + 1 - numbers.length;
    assert.ok(gaps > 250 && gaps < 400, `${gaps} gaps in sequence_number`);
    setup.gateway.setFaults(undefined);
    await send(2_000, 100);
    assert.equal(client.audio.length, numbers.length + 100, "no loss once it is lifted");
    setup.gateway.endCall("call");
    await setup.clock.advance(0);
    const { packetsLost, packetsSent } = client.events.at(-1)!;
    const lost = 2_000 - heard.length + 100 + gaps;
    assert.ok(Math.abs(packetsLost - lost) <= 3, `${packetsLost} of ${lost} counted`);
    assert.equal(packetsSent, heard.length);
  });

  it("is the same for a seed, independent of other calls", async () => {
    const run = async (hasOther: boolean) => {
      await using setup = new TestGateway();
      const client = await start(setup);
      setup.gateway.setFaults({ lossPercent: 30, duplicatePercent: 10, jitterMs: 20 });
      if (hasOther) await (await answered(setup, client, "other"))(0, 50);
      const send = await answered(setup, client);
      await send(0, 200);
      await setup.clock.advance(1_000);
      return client.audio.filter(({ callSid }) => callSid === "call")
        .map(({ sequenceNumber, payload }) => [sequenceNumber, payload[0]]);
    };
    const first = await run(false);
    assert.ok(first.length > 50);
    assert.deepEqual(await run(true), first);
  });

  it("hears what is late after the end of the stream, and counts none of it as lost", async () => {
    let heard = 0;
    await using setup = new TestGateway({ farEnd: () => ({ onAudio: () => void heard++ }) });
    const client = await start(setup);
    await client.rpc(methods.Originate, { ...CALL, to: "+15550100", callSid: "call" });
    await setup.clock.advance(300);
    setup.gateway.setFaults({ delayMs: 5_000 });
    const audio = await client.openAudio();
    const frame = { callSid: "call", codec: "PCMU" };
    for (let sequenceNumber = 0; sequenceNumber < 500; sequenceNumber++) {
      await audio.send({ ...frame, payload: new Uint8Array(160), sequenceNumber });
      await setup.clock.advance(20);
    }
    await audio.send({
      ...{ ...frame, payload: new Uint8Array(0), sequenceNumber: 500 },
      endOfStream: true,
    });
    await setup.clock.advance(10_000);
    assert.equal(heard, 500);
    setup.gateway.endCall("call");
    await setup.clock.advance(0);
    const { packetsLost, packetsSent } = client.events.at(-1)!;
    assert.deepEqual([packetsLost, packetsSent], [0, 500]);
  });

  it("delays an echo by twice the delay, and leaves other calls alone", async () => {
    await using setup = new TestGateway();
    const client = await start(setup);
    const late = await answered(setup, client, "late");
    const prompt = await answered(setup, client, "prompt");
    setup.gateway.setFaults({ delayMs: 100 }, { callSid: "late" });
    await late(0, 1);
    await prompt(0, 1);
    assert.deepEqual(client.audio.map(({ callSid }) => callSid), ["prompt"]);
    await setup.clock.advance(159);
    assert.equal(client.audio.length, 1);
    await setup.clock.advance(1);
    assert.deepEqual(client.audio.map(({ callSid }) => callSid), ["prompt", "late"]);
    // The faults of a call end with it.
    setup.gateway.endCall("late");
    assert.deepEqual(setup.gateway.inspect().faults, []);
  });

  it("says what was on its way before the call ends, and nothing after it", async () => {
    await using setup = new TestGateway();
    const client = await start(setup);
    const send = await answered(setup, client);
    setup.gateway.setFaults({ delayMs: 500 });
    await send(0, 1, 510);
    await client.rpc(methods.Terminate, { callSid: "call" });
    await setup.clock.advance(5_000);
    assert.deepEqual(client.audio.map(({ endOfStream }) => endOfStream), [false, true]);
  });

  it("brings packets twice to the client, and once to the far end", async () => {
    const heard: number[] = [];
    await using setup = new TestGateway({
      farEnd: () => ({ onAudio: ({ samples }) => void heard.push(samples.length) }),
    });
    const client = await start(setup);
    const send = await answered(setup, client);
    setup.gateway.setFaults({ duplicatePercent: 100 });
    await send(0, 50);
    assert.equal(heard.length, 50);
    assert.equal(client.audio.length, 100);
    assert.equal(setup.gateway.stats().audio.refused, 0);
  });

  it("refuses dials of a tenant, a trunk or all of them", async () => {
    await using setup = new TestGateway();
    const client = await start(setup);
    const globex = await setup.addTenant("globex");
    const other = await setup.connect(globex, { clientId: "g" });
    const dial = async (who: RawClient) =>
      (await who.rpc(methods.Originate, { ...CALL, to: "+15550100" })).reply!.errorCode;
    setup.gateway.setFaults({ refuseWith: 4 }, { tenantId: "acme", trunkId: "main" });
    assert.deepEqual([await dial(client), await dial(other)], [4, 0]);
    setup.gateway.setFaults({ refuseWith: 3 });
    assert.deepEqual([await dial(client), await dial(other)], [4, 3]);
    setup.gateway.setFaults(undefined, { tenantId: "acme", trunkId: "main" });
    setup.gateway.setFaults(undefined);
    assert.deepEqual([await dial(client), await dial(other)], [0, 0]);
  });

  it("drops sessions without a word until it is lifted: the client reconnects then", async () => {
    await using kit = await clientSetup();
    const { setup, client } = kit;
    const globex = await setup.addTenant("globex", { trunkId: "globex-main" });
    const bystander = await setup.connect(globex, { clientId: "g" });
    const lost = await setup.connect(await setup.addTenant("acme"), { clientId: "raw" });
    setup.gateway.setFaults({ dropSessions: true }, { tenantId: "acme" });
    await setup.clock.advance(0);
    assert.equal(lost.isClosed, true);
    assert.deepEqual(lost.endings, []);
    assert.equal(bystander.isClosed, false);
    await setup.clock.advance(5_000);
    assert.equal(client.state.type, "reconnecting");
    assert.equal(setup.gateway.inspect().sessions.filter((s) => s.tenantId === "acme").length, 0);
    setup.gateway.setFaults(undefined, { tenantId: "acme" });
    await setup.clock.advance(60_000);
    assert.equal(client.state.type, "open");
  });

  it("is written to the log, with what it is set for", async () => {
    const reasons: unknown[] = [];
    await using setup = new TestGateway({
      log: ({ event, reason, tenantId }) => {
        if (event === "faults.set") reasons.push([tenantId, reason]);
      },
    });
    setup.gateway.setFaults({ lossPercent: 5 }, { tenantId: "acme", trunkId: "main" });
    setup.gateway.setFaults(undefined, { tenantId: "acme", trunkId: "main" });
    assert.deepEqual(reasons, [
      ["acme", '{"trunkId":"main","lossPercent":5}'],
      ["acme", '{"trunkId":"main"}'],
    ]);
  });
});

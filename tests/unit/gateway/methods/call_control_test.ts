import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { methods } from "../../../../src/wire/mod.ts";
import { settle } from "../../../../src/testing/mod.ts";
import type { RawClient } from "../../../support/raw_client.ts";
import { TestGateway } from "../../../support/tenant_kit.ts";

const SID = "sid-1";

async function answered(setup: TestGateway, to = "+15550100"): Promise<RawClient> {
  const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
  await client.rpc(methods.Originate, {
    ...{ trunkId: "main", to, defaultApp: 1, clientId: "c", callSid: SID },
  });
  await setup.clock.advance(200);
  return client;
}

describe("Terminate", () => {
  it("hangs up, says so, and ends the audio with a last frame", async () => {
    await using setup = new TestGateway();
    const client = await answered(setup);
    const uplink = await client.openAudio();
    await uplink.send({ callSid: SID, codec: "PCMU", payload: new Uint8Array(160) });
    await settle();
    const { reply } = await client.rpc(methods.Terminate, { callSid: SID });
    assert.deepEqual(reply, {
      callSid: SID,
      status: "COMPLETED",
      errorMessage: "",
      errorCode: 0,
      timestampMs: setup.clock.now(),
    });
    await settle();
    const [last] = client.events.slice(-1);
    assert.deepEqual([last?.eventType, last?.q850Cause, last?.status], [3, 16, "COMPLETED"]);
    assert.deepEqual(client.audio.at(-1), {
      callSid: SID,
      payload: new Uint8Array(),
      codec: "PCMU",
      sequenceNumber: 1,
      endOfStream: true,
    });
  });

  it("ends a ringing call without a word of audio", async () => {
    await using setup = new TestGateway();
    const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
    await client.rpc(methods.Originate, {
      trunkId: "main",
      to: "+15550102",
      defaultApp: 1,
      callSid: SID,
    });
    await client.rpc(methods.Terminate, { callSid: SID });
    await setup.clock.advance(5_000);
    assert.deepEqual(client.events.map(({ status }) => status), [
      "INITIATED",
      "RINGING",
      "COMPLETED",
    ]);
    assert.deepEqual([client.events[2]?.durationSeconds, client.events[2]?.estimatedMos], [0, 0]);
    assert.equal(client.audio.length, 0);
  });

  it("answers a call that has ended as one that does not exist", async () => {
    await using setup = new TestGateway();
    const client = await answered(setup);
    await client.rpc(methods.Terminate, { callSid: SID });
    const { reply } = await client.rpc(methods.Terminate, { callSid: SID });
    assert.deepEqual([reply?.errorCode, reply?.errorMessage, reply?.status], [
      7,
      "Unknown call_sid",
      "ERROR",
    ]);
  });
});

describe("Barge", () => {
  it("stops what is being played", async () => {
    await using setup = new TestGateway();
    const client = await answered(setup, "+15550106");
    await setup.clock.advance(100);
    assert.equal(client.audio.length, 6);
    const { reply, bytes, fault } = await client.rpc(methods.Barge, { callSid: SID });
    assert.deepEqual([reply, [...bytes], fault.errorCode], [{}, [0, 0, 0, 0, 0, 0], 0]);
    await setup.clock.advance(1_000);
    assert.equal(client.audio.length, 6);
    await client.rpc(methods.Terminate, { callSid: SID });
    await settle();
    assert.deepEqual([client.audio.at(-1)?.endOfStream, client.audio.at(-1)?.sequenceNumber], [
      true,
      6,
    ]);
  });

  it("distinguishes a barge that hit nothing from one that was done, behind the fields of Empty", async () => {
    for (const framedReplies of [false, true]) {
      await using setup = new TestGateway({ framedReplies });
      const client = await answered(setup);
      const { reply, fault } = await client.rpc(methods.Barge, { callSid: "other" });
      assert.deepEqual(reply, {}, "an older client reads what it always read");
      assert.deepEqual(fault, { errorMessage: "Unknown call_sid", errorCode: 7 });
    }
  });
});

describe("framed replies", () => {
  it("have length, method id and the same envelope", async () => {
    const replies: Uint8Array[] = [];
    for (const framedReplies of [false, true]) {
      await using setup = new TestGateway({ framedReplies });
      const client = await answered(setup);
      replies.push((await client.rpc(methods.Terminate, { callSid: SID })).bytes);
    }
    const [bare, framed] = replies as [Uint8Array, Uint8Array];
    assert.deepEqual(framed.subarray(8), bare);
    const view = new DataView(framed.buffer, framed.byteOffset);
    assert.deepEqual([view.getUint32(0, true), view.getUint32(4, true)], [
      4 + bare.length,
      methods.Terminate.id,
    ]);
  });
});

describe("where a call's audio goes", () => {
  const frame = (sequenceNumber: number) => ({
    ...{ callSid: SID, codec: "PCMU", sequenceNumber },
    payload: new Uint8Array([sequenceNumber]),
  });

  it("to the holder of its client id, also when that is another session than the one that speaks", async () => {
    await using setup = new TestGateway();
    const first = await answered(setup);
    const acme = await setup.addTenant("acme");
    const uplink = await first.openAudio();
    await uplink.send(frame(0));
    await settle();
    const second = await setup.connect(acme, { clientId: "c" });
    await uplink.send(frame(1));
    await settle();
    first.close();
    await settle();
    const renewed = await second.openAudio();
    await renewed.send(frame(2));
    await settle();
    const heard = ({ audio }: RawClient) =>
      audio.map(({ payload, sequenceNumber }) => [payload[0], sequenceNumber]);
    assert.deepEqual([heard(first), heard(second)], [[[0, 0]], [[1, 1], [2, 2]]]);
  });

  it("to the session that dialled it without a holder, then to the tenant's newest subscriber", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const watcher = await setup.connect(acme, { clientId: "w" });
    const dialler = await setup.connect(acme);
    await dialler.rpc(methods.Originate, {
      trunkId: "main",
      to: "+15550106",
      defaultApp: 1,
      callSid: SID,
    });
    await setup.clock.advance(240);
    assert.deepEqual([dialler.audio.length, watcher.audio.length], [3, 0]);
    dialler.close();
    await setup.clock.advance(40);
    assert.deepEqual([dialler.audio.length, watcher.audio.length], [3, 2]);
    watcher.close();
    await setup.clock.advance(40);
    assert.equal(setup.gateway.stats().audio.dropped, 2, "no listener: dropped and counted");
    assert.equal(setup.gateway.stats().calls.live, 1, "the call goes on");
  });

  it("to the session that began its campaign, also when another one has subscribed since", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const beginner = await setup.connect(acme, { clientId: "c" });
    await beginner.rpc(methods.OriginateBulk, {
      ...{ campaignId: "k", templateTrunkId: "main", callsPerSecond: 20, templateDefaultApp: 1 },
      csvUrl: "data:,to%0A%2B15550106",
    });
    const other = await setup.connect(acme, { clientId: "w" });
    await setup.clock.advance(400);
    assert.ok(beginner.audio.length > 0);
    assert.equal(other.audio.length, 0);
    beginner.close();
    await setup.clock.advance(40);
    assert.equal(other.audio.length, 2, "it is the newest subscriber now");
  });

  it("in one write a turn, independent of the number of calls", async () => {
    await using setup = new TestGateway();
    const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
    for (let i = 0; i < 10; i++) {
      await client.rpc(methods.Originate, {
        trunkId: "main",
        to: "+15550106",
        defaultApp: 1,
        clientId: "c",
      });
    }
    await setup.clock.advance(200);
    client.audio.length = client.pushed.length = 0;
    await setup.clock.advance(20);
    assert.deepEqual([client.audio.length, client.pushed.length, client.pushStreams], [10, 1, 2]);
  });
});

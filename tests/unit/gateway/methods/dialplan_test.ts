import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DialplanAction, methods } from "../../../../src/wire/mod.ts";
import type { GatewayLogRecord } from "../../../../src/gateway/mod.ts";
import { settle } from "../../../../src/testing/mod.ts";
import { TestGateway } from "../../../support/tenant_kit.ts";

const SID = "sid-1";
const OK = [0, ""];

/** A setup with an answered call, and short ways to use it. */
async function withCall(
  options: { readonly to?: string; readonly terminateOnHold?: boolean } = {},
) {
  const records: GatewayLogRecord[] = [];
  const setup = new TestGateway({ log: (record) => void records.push(record) });
  const acme = await setup.addTenant("acme");
  const { to = "+15550100", terminateOnHold = false } = options;
  await setup.gateway.addTrunk({ tenantId: "acme", trunkId: "main", terminateOnHold });
  const client = await setup.connect(acme, { clientId: "c" });
  const dial = async (callSid: string, to: string) => {
    await client.rpc(methods.Originate, {
      ...{ trunkId: "main", to, defaultApp: 5, clientId: "c", callSid },
    });
    await setup.clock.advance(200);
  };
  await dial(SID, to);
  const uplink = await client.openAudio();
  let sequenceNumber = 0;
  return {
    ...{ setup, client, records, dial },
    async execute(action: number, appArgs = "", callSid = SID) {
      const { reply } = await client.rpc(methods.ExecuteDialplan, { callSid, action, appArgs });
      await settle();
      assert.equal(reply!.status, reply!.errorCode === 0 ? "OK" : "ERROR");
      return [reply!.errorCode, reply!.errorMessage];
    },
    /** Sends a frame and reports which payloads came back. */
    async say(byte: number, callSid = SID) {
      client.audio.length = 0;
      const payload = new Uint8Array(160).fill(byte);
      await uplink.send({ callSid, codec: "PCMU", payload, sequenceNumber: sequenceNumber++ });
      await settle();
      return client.audio.map(({ payload }) => payload[0]);
    },
    statuses: () =>
      client.events.splice(0).map(({ eventType, status }) => `${eventType} ${status}`),
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  };
}

describe("ExecuteDialplan", () => {
  it("HOLD and UNHOLD tell it, and silence both sides without a gap in the numbers", async () => {
    await using call = await withCall();
    call.statuses();
    assert.deepEqual(await call.say(1), [1]);
    assert.deepEqual(await call.execute(DialplanAction.HOLD), OK);
    assert.deepEqual(call.statuses(), ["4 ANSWERED"]);
    assert.deepEqual(await call.say(2), []);
    assert.deepEqual(await call.execute(DialplanAction.HOLD), [6, "The call is on hold already"]);
    assert.deepEqual(await call.execute(DialplanAction.UNHOLD), OK);
    assert.deepEqual(call.statuses(), ["5 ANSWERED"]);
    assert.deepEqual(await call.execute(DialplanAction.UNHOLD), [6, "The call is not on hold"]);
    assert.deepEqual(await call.say(3), [3]);
    assert.equal(call.client.audio[0]?.sequenceNumber, 1);
  });

  it("HOLD holds a tone too, and MUSIC_ON_HOLD is a hold", async () => {
    await using call = await withCall({ to: "+15550106" });
    await call.setup.clock.advance(40);
    await call.execute(DialplanAction.MUSIC_ON_HOLD, "https://example.org/moh.wav");
    call.client.audio.length = 0;
    await call.setup.clock.advance(200);
    assert.equal(call.client.audio.length, 0);
    await call.execute(DialplanAction.UNHOLD);
    await call.setup.clock.advance(40);
    assert.deepEqual(call.client.audio.map(({ sequenceNumber }) => sequenceNumber), [3, 4]);
  });

  it("HOLD ends the call on a trunk that wants it so", async () => {
    await using call = await withCall({ terminateOnHold: true });
    call.statuses();
    assert.deepEqual(await call.execute(DialplanAction.HOLD), OK);
    assert.deepEqual(call.statuses(), ["4 ANSWERED", "3 COMPLETED"]);
  });

  it("MUTE keeps the client from the far end until UNMUTE", async () => {
    await using call = await withCall();
    assert.deepEqual(await call.execute(DialplanAction.MUTE, "wire"), OK);
    assert.deepEqual(await call.say(1), []);
    assert.deepEqual(await call.execute(DialplanAction.UNMUTE, "wire"), OK);
    assert.deepEqual(await call.say(2), [2]);
    assert.equal((await call.execute(DialplanAction.MUTE, "loud"))[0], 6);
  });

  it("SEND_DTMF is seen at the far end, digit by digit, and refuses what is not a tone", async () => {
    await using call = await withCall();
    for (const args of ["5:rfc2833:200", "#:info:40", "0"]) {
      assert.deepEqual(await call.execute(DialplanAction.SEND_DTMF, args), OK);
    }
    const seen = call.records.filter(({ event }) => event === "call.dtmf");
    assert.deepEqual(seen.map(({ digit, reason, durationMs }) => [digit, reason, durationMs]), [
      ["5", "rfc2833", 200],
      ["#", "info", 40],
      ["0", "rfc2833", 200],
    ]);
    for (const args of ["", "A", "12", "5:inband", "5:rfc2833:39", "5:rfc2833:4001", "5:info:x"]) {
      assert.equal((await call.execute(DialplanAction.SEND_DTMF, args))[0], 6, args);
    }
  });

  it("TRANSFER sends the far end away", async () => {
    await using call = await withCall();
    call.statuses();
    assert.equal((await call.execute(DialplanAction.TRANSFER, "nowhere"))[0], 6);
    assert.deepEqual(await call.execute(DialplanAction.TRANSFER, "sip:bob@example.org"), OK);
    await call.setup.clock.advance(100);
    assert.deepEqual(call.statuses(), ["3 COMPLETED"]);
  });

  it("PLAYBACK plays to the far end, which echoes it, until Barge", async () => {
    await using call = await withCall();
    assert.equal((await call.execute(DialplanAction.PLAYBACK))[0], 6);
    assert.deepEqual(await call.execute(DialplanAction.PLAYBACK, "/var/hello.wav"), OK);
    await call.setup.clock.advance(100);
    assert.equal(call.client.audio.length, 6);
    await call.client.rpc(methods.Barge, { callSid: SID });
    await call.setup.clock.advance(500);
    assert.equal(call.client.audio.length, 6);
  });

  it("LOOPBACK makes an echo of any number", async () => {
    await using call = await withCall({ to: "+15550106" });
    assert.deepEqual(await call.execute(DialplanAction.LOOPBACK), OK);
    assert.deepEqual(await call.say(9), [9]);
  });

  it("PARK lists the call, UNPARK_AND_BRIDGE lets two far ends talk to each other", async () => {
    await using call = await withCall();
    await call.dial("sid-2", "+15550106");
    assert.deepEqual(await call.execute(DialplanAction.PARK), OK);
    const parked = async () =>
      (await call.client.rpc(methods.GetBucketCalls, { bucketId: "parked" })).reply?.callSids;
    assert.equal(await parked(), SID);
    assert.deepEqual(await call.execute(DialplanAction.UNPARK_AND_BRIDGE, "sid-2"), OK);
    assert.equal(await parked(), "");
    call.client.audio.length = 0;
    await call.setup.clock.advance(100);
    assert.deepEqual(await call.say(1), [], "neither far end talks to the client");
    assert.equal(
      (await call.execute(DialplanAction.UNPARK_AND_BRIDGE, "sid-2"))[1],
      "One of the calls is bridged already",
    );
    await call.execute(DialplanAction.HANGUP, "", "sid-2");
    assert.deepEqual(await call.say(2), [2], "the one that is left has its client again");
    const [ended] = call.client.events.slice(-1);
    assert.ok(ended!.packetsReceived > 5);
    assert.deepEqual(await call.execute(DialplanAction.UNPARK_AND_BRIDGE, SID), [
      6,
      "The other call is not another one that is answered",
    ]);
    assert.equal((await call.execute(DialplanAction.UNPARK_AND_BRIDGE, "other"))[0], 7);
  });

  it("counts what a bridged phone is sent, in packets and bytes, and nothing while it is on hold", async () => {
    await using call = await withCall({ to: "+15550106" });
    await call.dial("sid-2", "+15550100");
    await call.execute(DialplanAction.UNPARK_AND_BRIDGE, "sid-2");
    await call.setup.clock.advance(100);
    await call.execute(DialplanAction.HOLD, "", "sid-2");
    await call.setup.clock.advance(100);
    await call.execute(DialplanAction.HANGUP, "", "sid-2");
    const [ended] = call.client.events.slice(-1);
    assert.deepEqual([ended!.callSid, ended!.packetsSent, ended!.bytesSent], ["sid-2", 5, 800]);
  });

  it("HANGUP ends the call, and the others want one that is answered", async () => {
    await using call = await withCall();
    await call.client.rpc(methods.Originate, {
      ...{ trunkId: "main", to: "+15550102", defaultApp: 1, callSid: "ringing" },
    });
    for (const action of [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 14]) {
      assert.deepEqual(
        await call.execute(action, "5", "ringing"),
        [6, "The call is ringing, expected answered"],
      );
    }
    assert.equal((await call.execute(DialplanAction.ANSWER, "", "ringing"))[0], 6);
    assert.deepEqual(await call.execute(DialplanAction.HANGUP, "", "ringing"), OK);
    for (const action of [13, 15, 99, -1]) {
      assert.deepEqual(await call.execute(action), [6, "action is not for a live call"]);
    }
    assert.deepEqual(await call.execute(DialplanAction.AI_BIDIRECTIONAL_STREAM, "agent-1"), OK);
    assert.equal((await call.execute(DialplanAction.AI_BIDIRECTIONAL_STREAM))[0], 6);
  });
});

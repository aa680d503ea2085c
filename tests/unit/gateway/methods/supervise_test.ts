import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodePcmu, encodePcmu } from "../../../../src/audio/mod.ts";
import { mintBrowserToken } from "../../../../src/token/mod.ts";
import {
  DialplanAction,
  encodeRequest,
  methods,
  ReplyReader,
  SupervisionMode,
} from "../../../../src/wire/mod.ts";
import { settle } from "../../../../src/testing/mod.ts";
import type { RawClient } from "../../../support/raw_client.ts";
import { type TestAccount, TestGateway } from "../../../support/tenant_kit.ts";

const SID = "sid-1";

/** A frame of one value. */
function frame(value: number): Uint8Array {
  return encodePcmu(new Int16Array(160).fill(value));
}

/** The value of each frame that was heard; `undefined` for the last one, which is empty. */
function heard(client: RawClient): (number | undefined)[] {
  return client.audio.splice(0).map(({ payload }) => decodePcmu(payload)[0]);
}

/** About as much, as far as 8 bits tell. */
function assertNear(actual: readonly (number | undefined)[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length, JSON.stringify(actual));
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(actual[i]! - value) <= Math.abs(value) / 16 + 20, JSON.stringify(actual));
  }
}

async function withCall(to = "+15550100") {
  const setup = new TestGateway();
  const acme = await setup.addTenant("acme");
  const agent = await setup.connect(acme, { clientId: "agent" });
  await agent.rpc(methods.Originate, {
    ...{ trunkId: "main", to, defaultApp: 5, clientId: "agent", callSid: SID },
  });
  await setup.clock.advance(200);
  const uplink = await agent.openAudio();
  let sequenceNumber = 0;
  return {
    ...{ setup, acme, agent },
    async agentSays(value: number) {
      const payload = frame(value);
      await uplink.send({ callSid: SID, codec: "PCMU", payload, sequenceNumber: sequenceNumber++ });
      await settle();
    },
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  };
}

/** Joins a call on a stream that stays open. */
async function supervise(setup: TestGateway, account: TestAccount, mode: number) {
  const client = await setup.connect(account);
  const stream = await client.open();
  const writer = stream.writable.getWriter();
  writer.closed.catch(() => {});
  const authToken = await setup.token(account);
  await writer.write(encodeRequest(methods.SuperviseSubscribe, { callSid: SID, mode, authToken }));
  const reader = stream.readable.getReader();
  const { value } = await reader.read();
  const reply = new ReplyReader(methods.SuperviseSubscribe).push(value!);
  const uplink = await client.openAudio();
  let sequenceNumber = 0;
  return {
    ...{ client, reply },
    async says(value: number) {
      const payload = frame(value);
      await uplink.send({ callSid: SID, codec: "PCMU", payload, sequenceNumber: sequenceNumber++ });
      await settle();
    },
    leave: async () => {
      await writer.close();
      await settle();
    },
    streamEnded: reader.read().then(({ done }) => done, () => true),
  };
}

describe("SuperviseSubscribe", () => {
  it("lets a monitor hear both sides on one line, with numbers of its own", async () => {
    await using call = await withCall();
    const { client, reply } = await supervise(call.setup, call.acme, SupervisionMode.MONITOR);
    assert.deepEqual(reply, { status: "OK", errorMessage: "" });
    await call.agentSays(1_000);
    await call.agentSays(2_000);
    // The echo and the agent at once: twice as loud.
    const numbers = client.audio.map(({ sequenceNumber }) => sequenceNumber);
    assertNear(heard(client), [2_000, 4_000]);
    assert.deepEqual(numbers, [0, 1]);
    assertNear(heard(call.agent), [1_000, 2_000]);
  });

  it("lets a monitor hear what the far end hears: no agent who is muted, or has the call on hold", async () => {
    await using call = await withCall();
    const { client } = await supervise(call.setup, call.acme, SupervisionMode.AGENTIC_MONITOR);
    const { MUTE, UNMUTE, HOLD, UNHOLD } = DialplanAction;
    for (const [begin, end] of [[MUTE, UNMUTE], [HOLD, UNHOLD]] as const) {
      await call.agent.rpc(methods.ExecuteDialplan, { callSid: SID, action: begin });
      await call.agentSays(3_000);
      await call.setup.clock.advance(40);
      assertNear(heard(client), []);
      await call.agent.rpc(methods.ExecuteDialplan, { callSid: SID, action: end });
    }
    await call.agentSays(3_000);
    await call.setup.clock.advance(40);
    assert.ok(heard(client).length > 0);
  });

  for (
    const [mode, toAgent, toCaller] of [
      [SupervisionMode.MONITOR, false, false],
      [SupervisionMode.WHISPER_AGENT, true, false],
      [SupervisionMode.WHISPER_CALLER, false, true],
      [SupervisionMode.BARGE, true, true],
      [SupervisionMode.AGENTIC_MONITOR, false, false],
    ] as const
  ) {
    it(`mode ${mode} is heard by ${toAgent ? "the agent" : "no agent"} and ${toCaller ? "the caller" : "no caller"}`, async () => {
      await using call = await withCall();
      const supervisor = await supervise(call.setup, call.acme, mode);
      await supervisor.says(5_000);
      await call.setup.clock.advance(60);
      const { packetsSent } = await hangUp(call.agent);
      const all = heard(call.agent);
      assert.equal(all.pop(), undefined);
      // What the caller hears, an echo sends back to the agent.
      assertNear(all, [...(toAgent ? [5_000] : []), ...(toCaller ? [5_000] : [])]);
      assert.equal(packetsSent, toCaller ? 1 : 0);
    });
  }

  it("lets an agent hear a whisper during a hold, each frame with a number of its own, and the caller none", async () => {
    await using call = await withCall();
    const supervisor = await supervise(call.setup, call.acme, SupervisionMode.BARGE);
    await call.agent.rpc(methods.ExecuteDialplan, {
      callSid: SID,
      action: DialplanAction.HOLD,
    });
    for (let i = 0; i < 3; i++) {
      await supervisor.says(4_000);
      await call.setup.clock.advance(60);
    }
    const numbers = call.agent.audio.map(({ sequenceNumber }) => sequenceNumber);
    assertNear(heard(call.agent), [4_000, 4_000, 4_000]);
    assert.deepEqual(numbers, [0, 1, 2]);
    assert.equal((await hangUp(call.agent)).packetsSent, 0);
  });

  it("mixes a whisper into what the agent hears, and leaves the frames alone without a whisper", async () => {
    await using call = await withCall();
    const supervisor = await supervise(call.setup, call.acme, SupervisionMode.WHISPER_AGENT);
    await supervisor.says(4_000);
    await call.agentSays(1_000);
    await call.agentSays(1_000);
    assertNear(heard(call.agent), [5_000, 1_000]);
    assertNear(heard(supervisor.client), [2_000, 2_000]);
  });

  it("ends with its stream, with its session, and with the call", async () => {
    await using call = await withCall();
    const first = await supervise(call.setup, call.acme, SupervisionMode.BARGE);
    await first.leave();
    assert.deepEqual(heard(first.client), [undefined], "a last, empty frame");
    await call.agentSays(1_000);
    assert.deepEqual(heard(first.client), []);
    assert.equal(await first.streamEnded, true);

    const second = await supervise(call.setup, call.acme, SupervisionMode.BARGE);
    second.client.close();
    await settle();
    await call.agentSays(1_000);

    const third = await supervise(call.setup, call.acme, SupervisionMode.BARGE);
    await hangUp(call.agent);
    assert.deepEqual(heard(third.client), [undefined]);
    assert.equal(await third.streamEnded, true);
    for (const client of [first.client, third.client, call.agent]) client.close();
    await settle();
    assert.equal(call.setup.clock.pending, 0);
  });

  it("wants a token of the tenant's own account, or one with the scope, and reports no more", async () => {
    await using call = await withCall();
    const { setup, acme } = call;
    const globex = await setup.addTenant("globex");
    const client = await setup.connect(acme);
    const ask = async (authToken: string, more = {}) => {
      const { reply } = await client.rpc(methods.SuperviseSubscribe, {
        callSid: SID,
        authToken,
        ...more,
      });
      return reply!.errorMessage;
    };
    const mint = (scope: string) =>
      mintBrowserToken(acme.signer, { now: setup.clock.now(), scope });
    const refused = "auth_token is not accepted";
    assert.equal(await ask(""), refused);
    assert.equal(await ask(await setup.token(globex)), refused);
    assert.equal(await ask(await mint("call.dial call.barge")), refused);
    assert.equal(await ask(await mint("call.dial telephony:supervise")), "");
    assert.equal(await ask(await setup.token(acme), { mode: 5 }), "mode is unknown");
    assert.equal(await ask(await setup.token(acme), { callSid: "other" }), "Unknown call_sid");
    const { reply } = await call.agent.rpc(methods.SuperviseSubscribe, {
      ...{ callSid: SID, authToken: await setup.token(acme) },
    });
    assert.match(reply!.errorMessage, /This session holds the call itself/);
  });

  it("bounds the supervisors of a call, and waits for no answer", async () => {
    await using call = await withCall();
    const { setup, acme } = call;
    const errors: string[] = [];
    for (let i = 0; i < 9; i++) {
      const { reply } = await supervise(setup, acme, SupervisionMode.MONITOR);
      errors.push(reply!.errorMessage);
    }
    assert.deepEqual(errors, [...Array(8).fill(""), "The call has too many supervisors"]);
    await call.agent.rpc(methods.Originate, {
      ...{ trunkId: "main", to: "+15550102", defaultApp: 1, callSid: "ringing" },
    });
    const client = await setup.connect(acme);
    const { reply } = await client.rpc(methods.SuperviseSubscribe, {
      ...{ callSid: "ringing", authToken: await setup.token(acme) },
    });
    assert.equal(reply!.errorMessage, "The call is ringing, expected answered");
  });
});

async function hangUp(agent: RawClient) {
  await agent.rpc(methods.Terminate, { callSid: SID });
  await settle();
  return agent.events.at(-1)!;
}

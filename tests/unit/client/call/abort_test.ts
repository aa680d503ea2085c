import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { describe, it } from "node:test";
import { type CallEvent, EventType, TeleQuickClient } from "../../../../mod.ts";
import { methods } from "../../../../src/wire/mod.ts";
import { clientSetup, hasCode } from "../../../support/client_kit.ts";
import { FakeClock, scriptedGateway, settle } from "../../../../src/testing/mod.ts";
import { UNSIGNED_TOKEN } from "../../../support/unsigned_token.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("An aborted request", () => {
  it("leaves no live call behind, whenever dial() is aborted", async () => {
    let undone = 0;
    for (let turns = 0; turns < 120; turns += 4) {
      await using story = await clientSetup();
      const { client, setup } = story;
      const events: CallEvent[] = [];
      void (async () => {
        for await (const event of client.events()) events.push(event);
      })();
      const controller = new AbortController();
      const dialling = client.dial({ to: "+15550100", trunkId: "main" }, {
        signal: controller.signal,
      });
      const outcome = dialling.then(() => "dialled", () => "aborted");
      for (let i = 0; i < turns; i++) await Promise.resolve();
      controller.abort();
      const how = await outcome;
      await setup.clock.advance(1_000);
      const begun = events.some(({ eventType }) => eventType === EventType.CHANNEL_CREATE);
      const ended = events.some(({ eventType }) => eventType === EventType.CHANNEL_HANGUP_COMPLETE);
      if (how === "aborted") assert.equal(begun, ended, `aborted after ${turns} microtasks`);
      else assert.equal(ended, false);
      if (how === "aborted" && begun) undone++;
    }
    assert.ok(undone > 0, "some were aborted while the gateway had the request");
  });

  it("does not end the call of the same id that is in use", async () => {
    await using story = await clientSetup();
    const { client, setup } = story;
    const callSid = "call-in-use";
    const call = await client.dial({ to: "+15550100", trunkId: "main", callSid });
    const controller = new AbortController();
    const again = client.dial({ to: "+15550100", trunkId: "main", callSid }, {
      signal: controller.signal,
    });
    await turn();
    controller.abort();
    await again.catch(() => {});
    await setup.clock.advance(1_000);
    assert.equal(call.state, "answered");
  });

  for (const won of [true, false]) {
    it(`ends an incoming call that it has ${won ? "won" : "lost to another client: not"}`, async () => {
      const clock = new FakeClock();
      let reply: (() => void) | undefined;
      const gateway = scriptedGateway({
        scripts: {
          AnswerIncomingCall: async () => {
            await new Promise<void>((resolve) => reply = resolve);
            return won ? {} : { errorCode: 7, errorMessage: "Unknown call_sid" };
          },
        },
      });
      const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
        webTransport: gateway.webTransport,
        clock,
      });
      await client.connect();
      const controller = new AbortController();
      const answering = client.answerIncomingCall({ callSid: "call-1" }, {
        signal: controller.signal,
      });
      const outcome = assert.rejects(answering, /enough/);
      await settle();
      controller.abort(new Error("enough"));
      await outcome;
      reply?.();
      await settle();
      const asked = gateway.peers[0]!.requests.filter(({ method }) => method === "Terminate");
      assert.equal(asked.length, won ? 1 : 0);
      const closing = client.close();
      await clock.advance(6_000);
      await closing;
    });
  }

  it("sends nothing when it is aborted before there is a session", async () => {
    const gateway = scriptedGateway({});
    const clock = new FakeClock();
    const client = new TeleQuickClient(
      "https://gateway.test",
      () => new Promise<string>(() => {}),
      true,
      {
        webTransport: gateway.webTransport,
        clock,
      },
    );
    const controller = new AbortController();
    const dialling = client.dial({ to: "+15550100", trunkId: "main" }, {
      signal: controller.signal,
    });
    const outcome = assert.rejects(dialling, { name: "AbortError" });
    await settle();
    controller.abort();
    await outcome;
    assert.equal(gateway.peers.length, 0);
    void client.close();
    await clock.advance(6_000);
  });
});

describe("TeleQuickClient.call()", () => {
  it("has the call of another process in hand: verbs at once, events and audio from now on, the end", async () => {
    await using story = await clientSetup({ client: { clientId: "worker" } });
    const { client, setup } = story;
    const dialled = await client.dial({ to: "+15550106", trunkId: "main", callSid: "kept" });
    await setup.clock.advance(300);
    const { account } = await setup.addTenant("acme");
    // The process has gone, another one with its client id goes on.
    const restarted = new TeleQuickClient("https://gateway.test:9090", account, false, {
      webTransport: setup.gateway.webTransport,
      clock: setup.clock,
      clientId: "worker",
    });
    await restarted.connect();
    const call = restarted.call(dialled.callSid);
    assert.equal(call.callSid, "kept");
    assert.deepEqual([call.to, call.trunkId, call.direction], [undefined, undefined, undefined]);
    const audio = call.audio();
    const frame = audio.readable.getReader().read();
    await setup.clock.advance(100);
    assert.equal((await frame).value?.payload.length, 160);
    const spoken = audio.play(new Uint8Array(160));
    await setup.clock.advance(100);
    assert.equal((await spoken.finished).interrupted, false, "what is said does not wait");
    await call.hangUp();
    await setup.clock.advance(300);
    assert.equal((await call.ended).status, "COMPLETED");
    const closing = restarted.close();
    await setup.clock.advance(6_000);
    await closing;
  });

  it("shows a call that is gone at the first verb, as one that does not exist", async () => {
    await using story = await clientSetup();
    const { client, setup } = story;
    const gone = assert.rejects(client.call("no-such-call").hold(), hasCode("ERR_RPC_REJECTED", 7));
    await setup.clock.advance(1_000);
    await gone;
    assert.throws(() => client.call(""), hasCode("ERR_VALUE_INVALID"));
  });
});

describe("Call.sendDtmf()", () => {
  it("sends a string in order, each digit after the one before has sounded, pauses kept", async () => {
    const clock = new FakeClock();
    const sent: { readonly digit: string; readonly atMs: number }[] = [];
    const gateway = scriptedGateway({
      scripts: {
        Originate: (request) => ({ callSid: (request as { callSid: string }).callSid }),
        ExecuteDialplan: (request) => {
          const { appArgs } = request as { readonly appArgs: string };
          sent.push({ digit: appArgs, atMs: clock.monotonic() });
          return { status: "OK" };
        },
      },
    });
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
      clock,
    });
    const call = await client.dial({ to: "+15550100", trunkId: "main" });
    const startedAt = clock.monotonic();
    const sending = call.sendDtmf("1w23W#", { durationMs: 100 });
    await clock.advance(5_000);
    await sending;
    assert.deepEqual(sent.map(({ digit, atMs }) => [digit[0], atMs - startedAt]), [
      ["1", 0],
      ["2", 660],
      ["3", 820],
      ["#", 1_980],
    ]);
    for (const digits of ["", "12a", "p1", "1".repeat(65)]) {
      await assert.rejects(call.sendDtmf(digits), hasCode("ERR_VALUE_INVALID"));
    }
    assert.equal(sent.length, 4, "a string is refused whole");
    const controller = new AbortController();
    const aborted = assert.rejects(
      call.sendDtmf("1WW2", { signal: controller.signal }),
      /enough/,
    );
    await clock.advance(500);
    controller.abort(new Error("enough"));
    await aborted;
    assert.equal(sent.length, 5);
    await gateway.peers[0]!.push(methods.CallEvent, {
      ...{ callSid: call.callSid, eventType: EventType.CHANNEL_HANGUP_COMPLETE },
      status: "COMPLETED",
    });
    await call.ended;
    await assert.rejects(call.sendDtmf("1"), hasCode("ERR_CALL_ENDED"));
    await assert.rejects(call.mute(), hasCode("ERR_CALL_ENDED"));
    await call.barge();
    await call.hangUp();
    const closing = client.close();
    await clock.advance(6_000);
    await closing;
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Call, type CallEvent, ErrorCode, EventType } from "../../../../mod.ts";
import { methods } from "../../../../src/wire/mod.ts";
import { clientSetup, hasCode } from "../../../support/client_kit.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { scriptedGateway } from "../../../../src/testing/mod.ts";
import { TeleQuickClient } from "../../../../mod.ts";
import { UNSIGNED_TOKEN } from "../../../support/unsigned_token.ts";

const TRUNK = "main";

async function collect(events: AsyncIterable<CallEvent>): Promise<string[]> {
  const told: string[] = [];
  for await (const event of events) told.push(`${event.eventType} ${event.status}`);
  return told;
}

describe("Call", () => {
  it("goes from dialing to ended, and reports its events from the first to the last", async () => {
    await using story = await clientSetup();
    const { client, setup } = story;
    const call = await client.dial({ to: "+15550100", trunkId: TRUNK });
    const told = collect(call.events());
    await setup.clock.advance(100);
    assert.equal(call.state, "ringing");
    await setup.clock.advance(150);
    assert.equal((await call.answered()).status, "ANSWERED");
    assert.equal(call.state, "answered");
    await call.hangUp();
    const end = await call.ended;
    assert.equal(call.state, "ended");
    assert.equal(end.q850Cause, 16);
    assert.equal(end.cause, "normal call clearing");
    assert.deepEqual(await told, ["1 INITIATED", "1 RINGING", "2 ANSWERED", "3 COMPLETED"]);
    assert.deepEqual(await collect(call.events()), await told, "a late listener gets the history");
  });

  for (
    const [to, cause, words] of [
      ["+15550101", 17, "user busy"],
      ["+15550102", 19, "no answer from user"],
      ["+15550103", 21, "call rejected"],
      ["+15550104", 1, "unallocated number"],
    ] as const
  ) {
    it(`answered() rejects with the cause in words for ${to}`, async () => {
      await using story = await clientSetup();
      const call = await story.client.dial({ to, trunkId: TRUNK });
      const answered = assert.rejects(call.answered(), (error: Error) => {
        hasCode("ERR_CALL_ENDED")(error);
        assert.match(error.message, new RegExp(words));
        return true;
      });
      await story.setup.clock.advance(2_000);
      await answered;
      assert.equal((await call.ended).q850Cause, cause);
    });
  }

  it("is refused on a trunk of another tenant as on one that does not exist", async () => {
    await using story = await clientSetup();
    const errors: unknown[] = [];
    for (const trunkId of ["globex-main", "no-such-trunk"]) {
      await story.client.dial({ to: "+15550100", trunkId }).catch((error) => errors.push(error));
    }
    assert.equal(errors.length, 2);
    for (const error of errors) hasCode("ERR_RPC_REJECTED", 1)(error);
    assert.equal(String(errors[0]), String(errors[1]));
  });

  it("marks refusals that are worth another try", async () => {
    await using story = await clientSetup();
    for (const [to, rpcCode] of [["+15550108", 4], ["+15550109", 3]] as const) {
      await assert.rejects(
        story.client.dial({ to, trunkId: TRUNK }),
        (error: { retryable?: boolean }) =>
          hasCode("ERR_RPC_REJECTED", rpcCode)(error) && error.retryable === true,
      );
    }
  });

  it("hangUp() does nothing on a call that has ended, and forgives a far end that was faster", async () => {
    await using story = await clientSetup();
    const call = await story.client.dial({ to: "+15550101", trunkId: TRUNK });
    await story.setup.clock.advance(1_000);
    await call.ended;
    await call.hangUp();
    await call[Symbol.asyncDispose]();
  });

  it("hangUp() forgives a far end that was faster when the reply outruns the last event, and nothing else", async () => {
    const clock = new FakeClock();
    let last: readonly Partial<CallEvent>[] = [];
    const gateway = scriptedGateway({
      scripts: {
        Terminate: (request, { push }) => {
          const { callSid } = request as { readonly callSid: string };
          clock.schedule(100, () => {
            for (const event of last) void push(methods.CallEvent, { ...event, callSid });
          });
          return { errorCode: ErrorCode.ERR_UNAUTHORIZED, errorMessage: "Unknown call_sid" };
        },
      },
    });
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
      clock,
    });
    const hangUp = async (call: Call): Promise<void> => {
      const hanging = call.hangUp();
      hanging.catch(() => {});
      await clock.advance(300);
      await hanging;
    };
    const call = await client.dial({ to: "+15550105", trunkId: TRUNK });
    await assert.rejects(hangUp(call), hasCode("ERR_RPC_REJECTED", 7));
    last = [{ eventType: EventType.CHANNEL_HANGUP_COMPLETE, status: "COMPLETED" }];
    await hangUp(call);
    assert.equal(call.state, "ended");
    await client.close();
  });

  it("await using hangs up at the end of the block", async () => {
    await using story = await clientSetup();
    const { client } = story;
    const ended = await (async () => {
      await using call = await client.dial({ to: "+15550100", trunkId: TRUNK });
      return call.ended.then((end) => end.q850Cause);
    })();
    assert.equal(ended, 16);
  });

  it("ended rejects when the client closes first, and the call goes on at the gateway", async () => {
    const story = await clientSetup();
    const call = await story.client.dial({ to: "+15550100", trunkId: TRUNK });
    await story.setup.clock.advance(300);
    const closing = story.client.close();
    await story.setup.clock.advance(6_000);
    await closing;
    await assert.rejects(call.ended, hasCode("ERR_SESSION_CLOSED"));
    assert.equal(story.setup.gateway.stats().calls.live, 1);
    await story[Symbol.asyncDispose]();
  });

  it("reports what there was of a call whose dial was not answered, when it is dialled again", async () => {
    const clock = new FakeClock();
    let isAnswered = false;
    const gateway = scriptedGateway({
      scripts: {
        Originate: async (request, { push }) => {
          const { callSid } = request as { readonly callSid: string };
          if (isAnswered) return { callSid };
          isAnswered = true;
          for (const [at, status] of ["", "INITIATED", "ANSWERED", "COMPLETED"].entries()) {
            if (at === 0 || at === 3 && callSid !== "ended") continue;
            await push(methods.CallEvent, { callSid, eventType: at, status, timestampMs: at });
          }
          return await new Promise<never>(() => {});
        },
      },
    });
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
      clock,
    });
    for (const callSid of ["live", "ended"]) {
      isAnswered = false;
      const options = { to: "+15550100", trunkId: TRUNK, callSid };
      const first = client.dial(options, { timeoutMs: 1_000 });
      first.catch(() => {});
      await clock.advance(1_000);
      await assert.rejects(first, hasCode("ERR_TIMEOUT"));
      const call = await client.dial(options);
      assert.equal((await call.answered()).status, "ANSWERED");
      if (callSid === "ended") assert.equal((await call.ended).status, "COMPLETED");
      else assert.equal(call.state, "answered");
    }
    const closing = client.close();
    await clock.advance(10_000);
    await closing;
  });

  it("stays with who has it when another dial of its id fails, before or after", async () => {
    for (const order of ["before", "after"]) {
      let answer = (): void => {};
      const gateway = scriptedGateway({
        scripts: {
          Originate: async (request) => {
            const { callSid, to } = request as { readonly callSid: string; readonly to: string };
            await new Promise<void>((resolve) => to === "+15550100" && (answer = resolve));
            return { callSid };
          },
        },
      });
      const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
        webTransport: gateway.webTransport,
      });
      await client.connect();
      const ids = { trunkId: TRUNK, callSid: "x" };
      const controller = new AbortController();
      const { signal } = controller;
      const given = assert.rejects(client.dial({ ...ids, to: "+15550101" }, { signal }));
      const dialling = client.dial({ ...ids, to: "+15550100" });
      await settle();
      if (order === "before") controller.abort();
      await settle();
      answer();
      const call = await dialling;
      controller.abort();
      await given;
      const event = { callSid: "x", eventType: EventType.CHANNEL_ANSWER, timestampMs: 5 };
      await gateway.peers[0]!.push(methods.CallEvent, event);
      assert.equal((await call.answered()).timestampMs, 5);
      await client.close();
    }
  });

  it("takes the id that the gateway insists on", async () => {
    const gateway = scriptedGateway({
      scripts: {
        Originate: async (_request, peer) => {
          await peer.push(methods.CallEvent, {
            callSid: "gw-1",
            eventType: 1,
            status: "INITIATED",
          });
          return { callSid: "gw-1", status: "QUEUED" };
        },
      },
    });
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
    });
    const call = await client.dial({ to: "+15550100", trunkId: "t", callSid: "mine" });
    assert.equal(call.sid, "gw-1");
    await settle();
    const first = await call.events().next();
    assert.equal(first.value?.status, "INITIATED", "an event that outran the reply is not lost");
    await client.close();
  });

  it("is over, and forgotten, when its last event outruns the reply", async () => {
    const gateway = scriptedGateway({
      scripts: {
        Originate: async (_request, peer) => {
          const eventType = EventType.CHANNEL_HANGUP_COMPLETE;
          await peer.push(methods.CallEvent, { callSid: "gw-1", eventType, status: "BUSY" });
          return { callSid: "gw-1", status: "QUEUED" };
        },
      },
    });
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
    });
    const call = await client.dial({ to: "+15550100", trunkId: TRUNK, callSid: "mine" });
    assert.equal((await call.ended).status, "BUSY");
    assert.equal(call.state, "ended");
    assert.notEqual(client.call(call.sid), call);
    await client.close();
  });

  it("stands where the newest event says, whichever comes last", async () => {
    const gateway = scriptedGateway();
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
    });
    const call = await client.dial({ to: "+15550100", trunkId: TRUNK });
    const event = (eventType: number, timestampMs: number) => ({
      ...{ callSid: call.sid, eventType, timestampMs },
    });
    const events = [
      event(EventType.CHANNEL_HOLD, 20),
      event(EventType.CHANNEL_ANSWER, 10),
      event(EventType.CHANNEL_RESUME, 30),
      event(EventType.CHANNEL_HOLD, 25),
      event(EventType.CHANNEL_HOLD, 30),
    ];
    const states: string[] = [];
    for (const event of events) {
      await gateway.peers[0]!.push(methods.CallEvent, event);
      await settle();
      states.push(call.state);
    }
    assert.deepEqual(states, ["held", "held", "answered", "answered", "held"]);
    assert.equal((await call.answered()).timestampMs, 10);
    await client.close();
  });

  it("answered() reports an answer that was missed by the first event that knows of it", async () => {
    const gateway = scriptedGateway();
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
    });
    for (const eventType of [EventType.CHANNEL_HOLD, EventType.CHANNEL_HANGUP_COMPLETE]) {
      const call = await client.dial({ to: "+15550100", trunkId: TRUNK });
      const event = { callSid: call.sid, eventType, answerTimestampMs: 5, timestampMs: 9 };
      await gateway.peers[0]!.push(methods.CallEvent, event);
      assert.equal((await call.answered()).eventType, eventType);
    }
    await client.close();
  });

  it("drops the second delivery of an event, and passes unknown types and statuses through", async () => {
    const gateway = scriptedGateway();
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
    });
    const call = await client.dial({ to: "+15550100", trunkId: "t" });
    const all = client.events();
    const event = { callSid: call.sid, eventType: 77, status: "RECORDING_READY", timestampMs: 5 };
    const end = { callSid: call.sid, eventType: 3, status: "COMPLETED", timestampMs: 6 };
    await gateway.peers[0]?.push(methods.CallEvent, event, event, end);
    assert.deepEqual(await collect(call.events()), ["77 RECORDING_READY", "3 COMPLETED"]);
    assert.equal((await all.next()).value?.eventType, 77);
    assert.equal((await all.next()).value?.eventType, 3);
    await client.close();
    assert.equal((await all.next()).done, true);
  });
});

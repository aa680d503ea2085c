import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Call,
  EventType,
  type LogRecord,
  type ServeInboundOptions,
  TeleQuickClient,
  type TeleQuickError,
} from "../../../../mod.ts";
import { FakeClock, type Script, scriptedGateway, settle } from "../../../../src/testing/mod.ts";
import { type CallEvent, encodeRefusal, type Method, methods } from "../../../../src/wire/mod.ts";
import { hasCode } from "../../../support/client_kit.ts";
import { UNSIGNED_TOKEN } from "../../../support/unsigned_token.ts";

const TRUNK = "trunk-1";

/** A client on a gateway whose waiting calls the test sets. */
async function openDesk(scripts: Readonly<Record<string, Script>> = {}) {
  const clock = new FakeClock();
  const records: LogRecord[] = [];
  const waiting = new Map<string, number>();
  let rings = 0;
  const gateway = scriptedGateway({
    scripts: {
      GetIncomingCalls: () => ({
        calls: [...waiting].map(([callSid, startTimestampMs]) => ({
          ...{ callSid, startTimestampMs, callFrom: "+15550142" },
        })),
      }),
      AnswerIncomingCall: (request) => {
        waiting.delete((request as { readonly callSid: string }).callSid);
        return {};
      },
      ...scripts,
    },
  });
  const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
    ...{ webTransport: gateway.webTransport, clock, clientId: "worker-1" },
    log: (record) => records.push(record),
  });
  await client.connect();
  const push = (callSid: string, fields: Partial<CallEvent>): Promise<void> =>
    gateway.peers.at(-1)!.push(methods.CallEvent, { callSid, trunkId: TRUNK, ...fields });
  return {
    ...{ clock, client, gateway, records, waiting, push },
    asked: (method: string) =>
      gateway.peers.flatMap(({ requests }) => requests)
        .filter((request) => request.method === method).length,
    async ring(callSid: string): Promise<void> {
      waiting.set(callSid, ++rings);
      await push(callSid, { eventType: EventType.CHANNEL_CREATE, status: "RINGING" });
      await settle();
    },
    answered: (callSid: string) =>
      push(callSid, {
        ...{ eventType: EventType.CHANNEL_ANSWER, status: "ANSWERED", clientId: "worker-1" },
        ...{ answerTimestampMs: 2_000, timestampMs: 2_000 },
      }),
    hangUp: (callSid: string) =>
      push(callSid, {
        ...{ eventType: EventType.CHANNEL_HANGUP_COMPLETE, status: "COMPLETED", q850Cause: 16 },
        ...{ clientId: "worker-1", timestampMs: 3_000 },
      }),
    async [Symbol.asyncDispose]() {
      const closing = client.close();
      await clock.advance(20_000);
      await closing;
    },
  };
}

const refusal = (errorCode: number): Uint8Array =>
  encodeRefusal(methods.GetIncomingCalls as Method<unknown, unknown>, {
    errorCode,
    errorMessage: "no",
  });

describe("TeleQuickClient.serveInbound()", () => {
  it("answers what rings, with what is known of the call, and ends after the last one", async () => {
    await using desk = await openDesk();
    const { clock, client } = desk;
    const calls: Call[] = [];
    const service = client.serveInbound(TRUNK, (call) => void calls.push(call));
    await clock.advance(1_000);
    await desk.ring("call-1");
    await clock.advance(1_000);
    const [call] = calls;
    assert.deepEqual(
      [call?.callSid, call?.from, call?.trunkId, call?.direction],
      ["call-1", "+15550142", TRUNK, "inbound"],
    );
    assert.deepEqual(service.stats(), { active: 1, answered: 1, missed: 0, failed: 0 });
    let isOver = false;
    const closing = service.close().then(() => isOver = true);
    await clock.advance(60_000);
    assert.equal(isOver, false, "the call goes on");
    await desk.ring("call-2");
    await clock.advance(60_000);
    await desk.hangUp("call-1");
    await settle();
    await closing;
    await service.ended;
    assert.equal(calls.length, 1, "no other call was answered");
  });

  it("looks by itself every 10 s, where a ring was missed", async () => {
    await using desk = await openDesk();
    const { clock, client, waiting } = desk;
    const calls: Call[] = [];
    client.serveInbound(TRUNK, (call) => void calls.push(call));
    await clock.advance(5_000);
    assert.equal(desk.asked("GetIncomingCalls"), 1);
    waiting.set("call-1", 1);
    await clock.advance(11_000);
    assert.equal(calls.length, 1);
  });

  it("finds calls that rang while the session was lost", async () => {
    await using desk = await openDesk();
    const { clock, client, gateway, waiting } = desk;
    const calls: Call[] = [];
    client.serveInbound(TRUNK, (call) => void calls.push(call));
    await clock.advance(100);
    gateway.peers[0]!.session.close();
    waiting.set("call-1", 1);
    await clock.advance(2_000);
    assert.equal(gateway.peers.length, 2);
    assert.equal(calls.length, 1);
  });

  it("reports what a handler throws, hangs its call up, and goes on", async () => {
    await using desk = await openDesk();
    const { clock, client, records } = desk;
    const told: unknown[] = [];
    let count = 0;
    const service = client.serveInbound(TRUNK, () => {
      if (++count === 1) throw new Error("the handler's own");
      return Promise.reject(new Error("the promise's own"));
    }, {
      onError(error, call) {
        told.push((error as Error).message, call?.callSid);
        throw new Error("and onError's own");
      },
    });
    for (const callSid of ["call-1", "call-2"]) {
      await desk.ring(callSid);
      await clock.advance(1_000);
      await desk.hangUp(callSid);
    }
    await settle();
    assert.deepEqual(told, ["the handler's own", "call-1", "the promise's own", "call-2"]);
    assert.equal(desk.asked("Terminate"), 2);
    assert.deepEqual(service.stats(), { active: 0, answered: 2, missed: 0, failed: 2 });
    const failed = records.filter(({ event }) => event === "inbound.handler-failed");
    assert.deepEqual(failed.map(({ callSid }) => callSid), ["call-1", "call-2"]);
  });

  it("does not report a handler that ends with its call", async () => {
    await using desk = await openDesk();
    const { clock, client } = desk;
    const service = client.serveInbound(TRUNK, async (call) => {
      await call.ended;
      await call.hold();
    }, { onError: (error) => assert.fail(String(error)) });
    await desk.ring("call-1");
    await clock.advance(1_000);
    await desk.hangUp("call-1");
    await settle();
    assert.deepEqual(service.stats(), { active: 0, answered: 1, missed: 0, failed: 0 });
  });

  it("counts an answer that came second, and leaves a call alone that cannot be answered", async () => {
    const answers: string[] = [];
    await using desk = await openDesk({
      AnswerIncomingCall: (request) => {
        answers.push((request as { readonly callSid: string }).callSid);
        return { errorCode: 7, errorMessage: "Unknown call_sid" };
      },
    });
    const { clock, client } = desk;
    const service = client.serveInbound(TRUNK, () => assert.fail("no call was answered"), {
      onError: (error) => assert.fail(String(error)),
    });
    await desk.ring("call-1");
    await clock.advance(500);
    assert.equal(answers.length, 1);
    await clock.advance(10_000);
    // After 1, 2, 4 seconds.
    assert.equal(answers.length, 4);
    assert.deepEqual(service.stats(), { active: 0, answered: 0, missed: 4, failed: 0 });
  });

  it("tries again with a growing pause when the gateway is busy, and reports it", async () => {
    let isBusy = true;
    await using desk = await openDesk({
      GetIncomingCalls: () => isBusy ? refusal(3) : { calls: [] },
    });
    const { clock, client, records } = desk;
    const told: unknown[] = [];
    const service = client.serveInbound(TRUNK, () => {}, {
      onError: (error, call) => told.push([(error as TeleQuickError).rpcCode, call]),
    });
    await clock.advance(3_000);
    const asked = desk.asked("GetIncomingCalls");
    assert.ok(asked >= 3 && asked <= 6, `${asked} requests`);
    isBusy = false;
    await clock.advance(10_000);
    assert.deepEqual(told[0], [3, undefined]);
    assert.ok(records.some(({ event }) => event === "inbound.retry"));
    await service.close();
  });

  it("ends when the gateway does not let it list the calls of the trunk", async () => {
    await using desk = await openDesk({ GetIncomingCalls: () => refusal(7) });
    const service = desk.client.serveInbound(TRUNK, () => {});
    const ended = assert.rejects(service.ended, hasCode("ERR_RPC_REJECTED", 7));
    await desk.clock.advance(1_000);
    await ended;
  });

  it("takes the call whose reply was lost, when the event of its answer names this client", async () => {
    let silent = true;
    await using desk = await openDesk({
      AnswerIncomingCall: () => silent ? new Promise(() => {}) : {},
    });
    const { clock, client, waiting } = desk;
    const calls: Call[] = [];
    const service = client.serveInbound(TRUNK, (call) => void calls.push(call), { capacity: 1 });
    await desk.ring("call-1");
    await clock.advance(1_000);
    waiting.clear();
    silent = false;
    await clock.advance(10_000);
    assert.deepEqual(service.stats(), { active: 1, answered: 0, missed: 0, failed: 0 });
    await desk.answered("call-1");
    await settle();
    assert.deepEqual(service.stats(), { active: 1, answered: 1, missed: 0, failed: 0 });
    assert.equal(calls[0]?.state, "answered");
    await desk.hangUp("call-1");
    await settle();
    assert.equal(service.stats().active, 0);
  });

  it("gives the place of such a call free, when nothing is heard of it", async () => {
    await using desk = await openDesk({ AnswerIncomingCall: () => new Promise(() => {}) });
    const { clock, client, waiting } = desk;
    const service = client.serveInbound(TRUNK, () => assert.fail("another client has the call"));
    await desk.ring("call-1");
    await clock.advance(1_000);
    waiting.clear();
    await clock.advance(26_000);
    assert.deepEqual(service.stats(), { active: 0, answered: 0, missed: 0, failed: 0 });
  });

  it("ends with its signal, and with the client, a call in hand or an answer under way", async () => {
    const controller = new AbortController();
    await using desk = await openDesk();
    const service = desk.client.serveInbound(TRUNK, () => {}, { signal: controller.signal });
    controller.abort();
    await service.ended;
    const late = desk.client.serveInbound(TRUNK, () => {}, { signal: controller.signal });
    await late.ended;
    for (const script of [() => ({}), () => new Promise(() => {})]) {
      await using desk = await openDesk({ AnswerIncomingCall: script });
      const service = desk.client.serveInbound(TRUNK, () => {});
      await desk.ring("call-1");
      await desk.clock.advance(500);
      assert.equal(service.stats().active, 1);
      const closing = desk.client.close();
      await desk.clock.advance(6_000);
      await closing;
      await service.ended;
    }
  });

  it("refuses arguments that are not usable", async () => {
    await using desk = await openDesk();
    const { client } = desk;
    const none = () => {};
    assert.throws(() => client.serveInbound("", none), hasCode("ERR_VALUE_INVALID"));
    assert.throws(() => client.serveInbound(TRUNK, "x" as unknown as () => void), TypeError);
    for (const capacity of [0, -1, 1.5, Infinity, NaN]) {
      assert.throws(
        () => client.serveInbound(TRUNK, none, { capacity }),
        hasCode("ERR_VALUE_INVALID"),
      );
    }
    const options = { capacity: "5" } as unknown as ServeInboundOptions;
    assert.throws(() => client.serveInbound(TRUNK, none, options), /capacity is a string/);
  });
});

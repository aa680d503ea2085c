import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createGateway, type GatewayLogRecord } from "../../../../src/gateway/mod.ts";
import { DialplanAction, InboundRule, methods } from "../../../../src/wire/mod.ts";
import type { RawClient } from "../../../support/raw_client.ts";
import { answer, PHONE, PhoneKit, ringing, story } from "./phone_kit.ts";

describe("a dial to a phone", () => {
  it("rings on the phone's tenant, and is answered when the person answers", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const program = await kit.program();
    assert.equal(await kit.call(program, "dial"), 0);
    await kit.clock.advance(5_000);
    assert.deepEqual(story(program, "dial"), ["INITIATED", "RINGING"]);
    const [seen] = page.events;
    assert.deepEqual(
      [seen!.tenantId, seen!.trunkId, seen!.status],
      ["phone", "desk", "RINGING"],
    );
    const { reply } = await page.rpc(methods.GetIncomingCalls, { trunkId: "desk" });
    assert.deepEqual(reply!.calls.map(({ callFrom }) => callFrom), ["+15550111"]);
    const callSid = await answer(page);
    await kit.clock.advance(0);
    assert.deepEqual(story(program, "dial"), ["INITIATED", "RINGING", "ANSWERED"]);
    await page.rpc(methods.Terminate, { callSid });
    await kit.clock.advance(0);
    assert.deepEqual(story(program, "dial").at(-1), "COMPLETED 16");
    assert.deepEqual(story(page, callSid), ["RINGING", "ANSWERED", "COMPLETED 16"]);
    assert.equal(kit.gateway.stats().calls.live, 0);
  });

  it("ends with the program's hang-up, before and after the answer", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const program = await kit.program();
    await kit.call(program, "one");
    await kit.clock.advance(100);
    const first = ringing(page);
    await program.rpc(methods.Terminate, { callSid: "one" });
    await kit.clock.advance(0);
    assert.deepEqual(story(page, first), ["RINGING", "NO_ANSWER 16"]);
    page.events.length = 0;
    await kit.call(program, "two");
    await kit.clock.advance(0);
    const second = await answer(page);
    await program.rpc(methods.Terminate, { callSid: "two" });
    await kit.clock.advance(0);
    assert.deepEqual(story(page, second), ["RINGING", "ANSWERED", "COMPLETED 16"]);
    assert.equal(kit.gateway.stats().calls.live, 0);
    assert.equal(kit.gateway.phones.isOn, true);
  });

  it("fails with 20 after a second when no program is there, and a log record says it", async () => {
    const records: GatewayLogRecord[] = [];
    await using kit = await PhoneKit.make({ log: (record) => void records.push(record) });
    const program = await kit.program();
    await kit.call(program, "dial");
    await kit.clock.advance(999);
    assert.deepEqual(story(program, "dial"), ["INITIATED"]);
    await kit.clock.advance(1);
    assert.deepEqual(story(program, "dial"), ["INITIATED", "FAILED 20"]);
    const absent = records.find(({ event }) => event === "phone.absent");
    assert.deepEqual([absent!.tenantId, absent!.callSid], ["acme", "dial"]);
    assert.match(absent!.reason!, /^\+15550120 rings nowhere: .* tenant phone$/);
  });

  it("rings after all when a program connects within that second", async () => {
    await using kit = await PhoneKit.make();
    const program = await kit.program();
    await kit.call(program, "dial");
    await kit.clock.advance(500);
    const page = await kit.page();
    await kit.clock.advance(600);
    await answer(page);
    await kit.clock.advance(0);
    assert.deepEqual(story(program, "dial"), ["INITIATED", "RINGING", "ANSWERED"]);
  });

  it("fails with 19 after 30 s without an answer", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const program = await kit.program();
    await kit.call(program, "dial");
    await kit.clock.advance(29_999);
    assert.deepEqual(story(program, "dial"), ["INITIATED", "RINGING"]);
    await kit.clock.advance(1);
    assert.deepEqual(story(program, "dial"), ["INITIATED", "RINGING", "NO_ANSWER 19"]);
    assert.deepEqual(story(page, ringing(page)), ["RINGING", "NO_ANSWER 19"]);
  });

  it("is busy with 17 while the person talks, for calls that ring at that time too", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const program = await kit.program();
    await kit.call(program, "one");
    await kit.clock.advance(10);
    await kit.call(program, "two");
    await kit.clock.advance(10);
    assert.deepEqual(story(program, "two"), ["INITIATED", "RINGING"]);
    await answer(page);
    await kit.clock.advance(0);
    assert.deepEqual(story(program, "two").at(-1), "BUSY 17");
    await kit.call(program, "three");
    await kit.clock.advance(100);
    assert.deepEqual(story(program, "three"), ["INITIATED", "BUSY 17"]);
    assert.deepEqual(story(program, "one"), ["INITIATED", "RINGING", "ANSWERED"]);
    kit.gateway.endCall("one");
    await kit.call(program, "four");
    await kit.clock.advance(100);
    assert.deepEqual(story(program, "four"), ["INITIATED", "RINGING"]);
  });

  it("is busy after its second of waiting for a page when the person talks by then", async () => {
    await using kit = await PhoneKit.make();
    const program = await kit.program();
    await kit.call(program, "early");
    await kit.clock.advance(500);
    const page = await kit.page();
    await kit.call(program, "late");
    await kit.clock.advance(0);
    await answer(page);
    await kit.clock.advance(500);
    assert.deepEqual(story(program, "early"), ["INITIATED", "BUSY 17"]);
    assert.deepEqual(story(program, "late").at(-1), "ANSWERED");
  });

  it("fails with 21 when the person declines", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const program = await kit.program();
    await kit.call(program, "dial");
    await kit.clock.advance(100);
    kit.gateway.endCall(ringing(page), 21);
    await kit.clock.advance(0);
    assert.deepEqual(story(program, "dial"), ["INITIATED", "RINGING", "FAILED 21"]);
  });

  it("rings at every page; the first to answer gets it, and the others see it answered and ended", async () => {
    await using kit = await PhoneKit.make();
    const pages = [await kit.page("page-1"), await kit.page("page-2"), await kit.page("page-3")];
    const program = await kit.program();
    await kit.call(program, "dial");
    await kit.clock.advance(100);
    const callSid = ringing(pages[0]!);
    for (const page of pages) assert.deepEqual(story(page, callSid), ["RINGING"]);
    await answer(pages[1]!, "page-2");
    const { reply } = await pages[0]!.rpc(methods.AnswerIncomingCall, { callSid });
    assert.match(reply!.errorMessage, /does not wait/);
    await kit.clock.advance(0);
    kit.gateway.endCall("dial");
    await kit.clock.advance(0);
    assert.deepEqual(story(pages[1]!, callSid), ["RINGING", "ANSWERED", "COMPLETED 16"]);
    for (const page of pages) assert.equal(story(page, callSid).at(-1), "COMPLETED 16");
  });

  it("ends with 16 when the answering page has been gone for 10 s", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    await kit.page("other");
    const program = await kit.program();
    await kit.call(program, "dial");
    await kit.clock.advance(100);
    await answer(page);
    await kit.clock.advance(5_000);
    page.close();
    await kit.clock.advance(9_999);
    assert.deepEqual(story(program, "dial").at(-1), "ANSWERED");
    await kit.clock.advance(1);
    assert.deepEqual(story(program, "dial").at(-1), "COMPLETED 16");
  });

  it("goes on when the page comes back with its client id", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const program = await kit.program();
    await kit.call(program, "dial");
    await kit.clock.advance(100);
    await answer(page);
    page.close();
    await kit.clock.advance(8_000);
    const again = await kit.page();
    await kit.clock.advance(60_000);
    assert.deepEqual(story(program, "dial").at(-1), "ANSWERED");
    again.close();
    await kit.clock.advance(10_000);
    assert.deepEqual(story(program, "dial").at(-1), "COMPLETED 16");
  });

  it("is answered by a program of the phone's tenant with a key of its own too", async () => {
    await using kit = await PhoneKit.make();
    const owner = await kit.addTenant("phone");
    const desk = await kit.connect(owner, { clientId: "desk" });
    const passing = await kit.connect(owner, { clientId: "passing" });
    const program = await kit.program();
    await kit.call(program, "dial");
    await kit.clock.advance(100);
    const callSid = ringing(desk);
    await desk.rpc(methods.ExecuteDialplan, { callSid, action: DialplanAction.ANSWER });
    passing.close();
    await kit.clock.advance(60_000);
    assert.deepEqual(story(program, "dial").at(-1), "ANSWERED");
    await desk.rpc(methods.Terminate, { callSid });
    await kit.clock.advance(0);
    assert.deepEqual(story(program, "dial").at(-1), "COMPLETED 16");
    // Before the answer it declines by itself.
    desk.events.length = 0;
    await kit.call(program, "second");
    await kit.clock.advance(0);
    await desk.rpc(methods.Terminate, { callSid: ringing(desk) });
    await kit.clock.advance(0);
    assert.deepEqual(story(program, "second").at(-1), "FAILED 21");
  });

  it("shows each tenant its own leg and nothing else", async () => {
    await using kit = await PhoneKit.make();
    const globex = await kit.addTenant("globex");
    const page = await kit.page();
    const program = await kit.program();
    const bystander = await kit.connect(globex, { clientId: "" });
    await kit.call(program, "dial");
    await kit.clock.advance(100);
    const callSid = await answer(page);
    await kit.clock.advance(100);
    assert.deepEqual(bystander.events, []);
    assert.deepEqual([...new Set(program.events.map((event) => event.callSid))], ["dial"]);
    assert.deepEqual([...new Set(page.events.map((event) => event.callSid))], [callSid]);
    for (
      const [client, foreign] of [[program, callSid], [page, "dial"], [bystander, "dial"]] as const
    ) {
      const { reply } = await client.rpc(methods.Terminate, { callSid: foreign });
      assert.equal(reply!.errorMessage, "Unknown call_sid");
    }
    assert.deepEqual(story(program, "dial").at(-1), "ANSWERED");
  });

  it("has calls of a tenant with the same ids, whether the phone is used or not", async () => {
    const idsOf = async (isUsed: boolean): Promise<string[]> => {
      await using kit = await PhoneKit.make();
      const globex = await kit.addTenant("globex");
      const bystander = await kit.connect(globex, { clientId: "c" });
      if (isUsed) {
        await kit.page();
        await kit.call(await kit.program(), "dial");
      }
      const ids = [];
      for (let i = 0; i < 3; i++) {
        const { reply } = await bystander.rpc(methods.Originate, {
          trunkId: "main",
          to: "+15550100",
        });
        ids.push(reply!.callSid);
      }
      return ids;
    };
    assert.deepEqual(await idsOf(true), await idsOf(false));
  });
});

/** A tenant whose trunk lets calls wait, and its program. */
async function receiver(kit: PhoneKit): Promise<RawClient> {
  await kit.gateway.addTrunk({
    tenantId: "acme",
    trunkId: "main",
    rejectIncomingCalls: false,
    inboundRule: InboundRule.NOTIFY_AND_HANGUP,
  });
  return await kit.program();
}

describe("a call from the phone", () => {
  it("comes in on the tenant's trunk, and both talk when both have answered", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const program = await receiver(kit);
    const { callSid, phoneCallSid, sipStatus } = await kit.gateway.simulateInboundCall({
      tenantId: "acme",
      trunkId: "main",
      fromPhone: true,
    });
    assert.equal(sipStatus, 180);
    await kit.clock.advance(0);
    assert.equal(ringing(page), phoneCallSid);
    assert.deepEqual(story(program, callSid), ["RINGING"]);
    await answer(page);
    await kit.clock.advance(1_000);
    assert.deepEqual(story(program, callSid), ["RINGING"]);
    await program.rpc(methods.AnswerIncomingCall, { callSid, clientId: "program" });
    await kit.clock.advance(100);
    await page.rpc(methods.Terminate, { callSid: phoneCallSid! });
    await kit.clock.advance(0);
    assert.deepEqual(story(program, callSid), ["RINGING", "ANSWERED", "COMPLETED 16"]);
  });

  it("is given up when the phone is not answered, hung up or declined by the program", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const program = await receiver(kit);
    const incoming = () =>
      kit.gateway.simulateInboundCall({ tenantId: "acme", trunkId: "main", fromPhone: true });
    const one = await incoming();
    await kit.clock.advance(30_000);
    assert.match(story(program, one.callSid).at(-1)!, /^NO_ANSWER 1[69]$/);
    const two = await incoming();
    two.hangUp();
    await kit.clock.advance(0);
    assert.deepEqual(story(program, two.callSid), ["RINGING", "NO_ANSWER 16"]);
    assert.equal(story(page, two.phoneCallSid!).at(-1), "NO_ANSWER 16");
    const three = await incoming();
    await program.rpc(methods.Terminate, { callSid: three.callSid });
    await kit.clock.advance(0);
    assert.equal(story(page, three.phoneCallSid!).at(-1), "NO_ANSWER 16");
    assert.equal(kit.gateway.stats().calls.live, 0);
  });

  it("is refused when the phone rings nowhere or is in use, and before it rings where the trunk refuses", async () => {
    await using kit = await PhoneKit.make();
    const call = () =>
      kit.gateway.simulateInboundCall({ tenantId: "acme", trunkId: "main", fromPhone: true });
    assert.equal((await call()).sipStatus, 603);
    const program = await receiver(kit);
    await assert.rejects(call(), { code: "ERR_VALUE_INVALID", message: /rings nowhere/ });
    const page = await kit.page();
    const unknown = await kit.gateway.simulateInboundCall({
      tenantId: "acme",
      trunkId: "other",
      fromPhone: true,
    });
    assert.deepEqual([unknown.callSid, unknown.phoneCallSid], ["", undefined]);
    assert.deepEqual(page.events, []);
    await kit.call(program, "dial");
    await kit.clock.advance(0);
    await answer(page);
    await assert.rejects(call(), { code: "ERR_VALUE_INVALID", message: /in use/ });
  });
});

describe("Gateway.phones", () => {
  it("takes numbers, and gives them up", async () => {
    await using kit = await PhoneKit.make();
    const { phones } = kit.gateway;
    assert.deepEqual([phones.tenantId, phones.trunkId, phones.isOn], ["phone", "desk", false]);
    phones.add("sip:me@desk.example");
    phones.add(PHONE);
    assert.deepEqual(phones.numbers, [PHONE, "sip:me@desk.example"]);
    for (const number of ["", "15550120", 7 as unknown as string]) {
      assert.throws(() => phones.add(number), { code: "ERR_VALUE_INVALID" });
    }
    phones.remove(PHONE);
    const program = await kit.program();
    await kit.page();
    await kit.call(program, "dial");
    await kit.clock.advance(200);
    assert.deepEqual(story(program, "dial").at(-1), "ANSWERED", "the number echoes as any other");
    assert.throws(() => createGateway({ phones: ["x"] }), { code: "ERR_VALUE_INVALID" });
    assert.throws(() => createGateway({ phoneTenant: "No" }), { code: "ERR_VALUE_INVALID" });
    for (let i = 0; i < 999; i++) phones.add(`+1555${String(i).padStart(4, "0")}`);
    assert.throws(() => phones.add("+15559999999"), { code: "ERR_LIMIT" });
  });

  it("leaves a number to the script that the owner chooses", async () => {
    await using kit = await PhoneKit.make({ farEnd: () => [{ type: "hangUp", q850Cause: 1 }] });
    const program = await kit.program();
    await kit.page();
    await kit.call(program, "dial");
    await kit.clock.advance(0);
    assert.deepEqual(story(program, "dial"), ["INITIATED", "FAILED 1"]);
  });

  it("gives tokens that can answer and nothing else", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const [session] = kit.gateway.inspect().sessions;
    assert.deepEqual(
      [session!.tenantId, session!.kind, session!.scope, session!.endUser],
      ["phone", "browser", ["call.answer"], "phone"],
    );
    const refused = "The token's scope does not allow this";
    const dialled = await page.rpc(methods.Originate, { trunkId: "desk", to: PHONE });
    assert.equal(dialled.reply!.errorMessage, refused);
    const barged = await page.rpc(methods.Barge, { callSid: "x" });
    assert.equal(barged.fault.errorMessage, refused);
    const routed = await page.rpc(methods.SetInboundRouting, { trunkId: "desk" });
    assert.equal(routed.fault.errorMessage, refused);
    // Before it has answered, it cannot end the call for the others.
    await kit.call(await kit.program(), "dial");
    await kit.clock.advance(0);
    const { reply } = await page.rpc(methods.Terminate, { callSid: ringing(page) });
    assert.equal(reply!.errorMessage, "Unknown call_sid");
    const { token, expiresAtMs } = await kit.gateway.phones.token({ lifetimeSeconds: 60 });
    assert.equal(expiresAtMs, kit.clock.now() + 60_000);
    assert.equal(token.split(".").length, 3);
    await assert.rejects(kit.gateway.phones.token({ lifetimeSeconds: 0 }), {
      code: "ERR_VALUE_INVALID",
    });
  });

  it("ends the phone's sessions when its key is revoked, and signs with another one then", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const keysOf = () => kit.gateway.inspect().keys.filter(({ tenantId }) => tenantId === "phone");
    const privateKeyId = keysOf()[0]!.keyId;
    await kit.gateway.revokeServiceAccount({ tenantId: "phone", privateKeyId });
    await kit.clock.advance(1_000);
    assert.equal(page.isClosed, true);
    assert.equal(page.endings[0]!.reason, "key revoked");
    assert.equal(kit.gateway.phones.isOn, false);
    await kit.page();
    assert.equal(kit.gateway.phones.isOn, true);
    assert.deepEqual(keysOf().map(({ isRevoked }) => isRevoked), [true, false]);
  });

  it("pins a token to the origin that is asked for", async () => {
    await using kit = await PhoneKit.make();
    const { token } = await kit.gateway.phones.token({ origin: "http://127.0.0.1:8080" });
    const elsewhere = kit.dial({ origin: "http://127.0.0.1:9999" });
    assert.equal((await elsewhere.authenticate(token))?.errorMessage, "rejected");
    const { token: second } = await kit.gateway.phones.token({ origin: "http://127.0.0.1:8080" });
    const page = kit.dial({ origin: "http://127.0.0.1:8080" });
    assert.equal((await page.authenticate(second))?.status, "OK");
  });

  it("leaves nothing of the phone on disk", async () => {
    const files = new Map<string, string>();
    await using kit = await PhoneKit.make({
      storage: {
        read: (name) => Promise.resolve(files.get(name)),
        write: (name, text) => Promise.resolve(void files.set(name, text)),
      },
    });
    await kit.page();
    await kit.addTenant("globex");
    assert.ok([...files.values()].some((text) => text.includes("globex")));
    for (const text of files.values()) assert.ok(!text.includes('"phone"'), text);
  });

  it("holds, takes back and mutes either side as on any call", async () => {
    await using kit = await PhoneKit.make();
    const page = await kit.page();
    const program = await kit.program();
    await kit.call(program, "dial");
    await kit.clock.advance(0);
    const callSid = await answer(page);
    const say = async (client: typeof page, id: string, from: number): Promise<void> => {
      const audio = await client.openAudio();
      for (let i = 0; i < 5; i++) {
        const payload = new Uint8Array(160).fill(i);
        await audio.send({ callSid: id, payload, codec: "PCMU", sequenceNumber: from + i });
      }
      await audio.finish();
      await kit.clock.advance(100);
    };
    await say(program, "dial", 0);
    await say(page, callSid, 0);
    assert.deepEqual([program.audio.length, page.audio.length], [5, 5]);
    const act = (client: typeof page, id: string, action: number) =>
      client.rpc(methods.ExecuteDialplan, { callSid: id, action, appArgs: "" });
    await act(program, "dial", DialplanAction.HOLD);
    await say(program, "dial", 5);
    await say(page, callSid, 5);
    assert.deepEqual([program.audio.length, page.audio.length], [5, 5]);
    await act(program, "dial", DialplanAction.UNHOLD);
    await act(page, callSid, DialplanAction.MUTE);
    await say(program, "dial", 10);
    await say(page, callSid, 10);
    assert.deepEqual([program.audio.length, page.audio.length], [5, 10]);
    await act(page, callSid, DialplanAction.UNMUTE);
    await say(page, callSid, 15);
    assert.deepEqual([program.audio.length, page.audio.length], [10, 10]);
  });
});

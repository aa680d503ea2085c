import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { EventType, InboundRule, methods } from "../../../../src/wire/mod.ts";
import type { RawClient } from "../../../support/raw_client.ts";
import { PhoneKit } from "./phone_kit.ts";

/** What can happen, each with which of the calls or pages it happens to. */
const happening = fc.tuple(
  fc.constantFrom(
    ...["dial", "dial", "call in", "answer", "answer", "take", "decline", "hang up"],
    ...["cancel", "open", "close", "wait"],
  ),
  fc.nat(3),
);

// An id is good for one call.
let dials = 0;

/** Calls on both tenants, dialled and answered at random by programs and pages that come and go. */
class World {
  readonly kit: PhoneKit;
  readonly program: RawClient;
  readonly pages: RawClient[] = [];
  #pages = 0;

  constructor(kit: PhoneKit, program: RawClient) {
    this.kit = kit;
    this.program = program;
  }

  async do(what: string, which: number): Promise<void> {
    const { kit, program } = this;
    const { calls } = kit.gateway.inspect();
    const pick = <T>(all: readonly T[]): T | undefined => all[which % Math.max(1, all.length)];
    const ringing = pick(calls.filter((call) => call.tenantId === "phone" && call.answerMs === 0));
    const outer = pick(calls.filter(({ tenantId }) => tenantId === "acme"));
    const page = pick(this.pages);
    switch (what) {
      case "dial":
        await kit.call(program, `call-${++dials}`);
        break;
      case "call in":
        await kit.gateway.simulateInboundCall({
          ...{ tenantId: "acme", trunkId: "main", fromPhone: true },
        }).catch((error) => assert.equal(error.code, "ERR_VALUE_INVALID"));
        break;
      case "answer": {
        const { callSid = "" } = ringing ?? {};
        await page?.rpc(methods.AnswerIncomingCall, { callSid, clientId: "" });
        break;
      }
      case "take": {
        const { callSid = "" } = outer ?? {};
        await program.rpc(methods.AnswerIncomingCall, { callSid, clientId: "program" });
        break;
      }
      case "decline":
        if (ringing !== undefined) kit.gateway.endCall(ringing.callSid, 21);
        break;
      case "hang up":
        if (outer !== undefined) {
          await program.rpc(methods.Terminate, { callSid: outer.callSid });
        }
        break;
      case "cancel":
        for (const { callSid } of calls) await page?.rpc(methods.Terminate, { callSid });
        break;
      case "open":
        if (this.pages.length < 3) this.pages.push(await kit.page(`page-${++this.#pages}`));
        break;
      case "close":
        page?.close();
        if (page !== undefined) this.pages.splice(this.pages.indexOf(page), 1);
        break;
    }
    await kit.clock.advance(what === "wait" ? 3_000 * (which + 1) : 20);
  }

  /** What holds at every moment. */
  check(): void {
    const { calls, phones } = this.kit.gateway.inspect();
    const inner = calls.filter(({ tenantId }) => tenantId === "phone");
    const outer = calls.filter(({ tenantId }) => tenantId === "acme");
    assert.ok(inner.length <= outer.length, "no call rings on the phone without a caller");
    const talking = inner.filter(({ answerMs }) => answerMs > 0);
    assert.ok(talking.length <= 1, "the person talks to one at a time");
    if (talking.length === 1) assert.equal(inner.length, 1, "and nothing else rings then");
    const dialled = outer.filter((call) => call.direction === "outbound" && call.answerMs > 0);
    assert.ok(dialled.length <= talking.length, "a dial is answered by the person alone");
    if (this.pages.length === 0) assert.equal(phones.isOn, false);
    const ends = new Map<string, number>();
    for (const { callSid, eventType } of this.program.events) {
      if (eventType !== EventType.CHANNEL_HANGUP_COMPLETE) continue;
      ends.set(callSid, (ends.get(callSid) ?? 0) + 1);
    }
    assert.ok([...ends.values()].every((times) => times === 1), "each call ends once");
  }
}

describe("the phone", () => {
  it("keeps its promises in every order of dials, answers, hang-ups, and pages that come and go", async () => {
    await using kit = await PhoneKit.make();
    await kit.gateway.addTrunk({
      ...{ tenantId: "acme", trunkId: "main", rejectIncomingCalls: false },
      inboundRule: InboundRule.NOTIFY_AND_HANGUP,
    });
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 20 }), async (happenings) => {
        const program = await kit.program();
        const world = new World(kit, program);
        const idle = kit.clock.pending;
        await world.do("open", 0);
        for (const [what, which] of happenings) {
          await world.do(what, which);
          world.check();
        }
        for (const { status, q850Cause } of program.events) seen.add(`${status} ${q850Cause}`);
        for (const page of world.pages.splice(0)) page.close();
        await kit.clock.advance(0);
        for (const { callSid } of kit.gateway.inspect().calls) {
          if (kit.gateway.inspect().calls.some((call) => call.callSid === callSid)) {
            kit.gateway.endCall(callSid);
          }
        }
        await kit.clock.advance(1_000);
        world.check();
        assert.deepEqual(kit.gateway.inspect().calls, []);
        assert.equal(kit.clock.pending, idle, "no timer is left");
        assert.equal(program.isClosed, false);
        program.close();
      }),
      { numRuns: 40 },
    );
    // Some were answered.
    for (const end of ["ANSWERED 0", "COMPLETED 16"]) {
      assert.ok(seen.has(end), `${end} is not among ${[...seen]}`);
    }
  });
});

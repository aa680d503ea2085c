import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CallSnapshot, GatewayLogRecord, GatewayRecord } from "../../../src/gateway/mod.ts";
import { History } from "../../../src/panel/history.ts";
import { callOf } from "../../support/panel_gateway.ts";

function event(call: CallSnapshot, name: string, status: string, q850Cause = 0): GatewayRecord {
  return { type: "call", timeMs: 7, event: name, status, q850Cause, call };
}

function log(record: Omit<GatewayLogRecord, "timeMs">): GatewayRecord {
  return { type: "log", record: { timeMs: 7, ...record } };
}

describe("the panel's history", () => {
  it("keeps a call's events, its digits, and how it ended with what to do about it", () => {
    const history = new History();
    history.take(event(callOf("c"), "CHANNEL_CREATE", "INITIATED"));
    history.take(event(callOf("c", { state: "answered" }), "CHANNEL_ANSWER", "ANSWERED"));
    history.take(log({ event: "call.dtmf", tenantId: "acme", callSid: "c", digit: "#" }));
    history.take(log({ event: "phone.absent", tenantId: "acme", callSid: "c" }));
    const held = callOf("c", { state: "answered", isHeld: true });
    history.take(event(held, "CHANNEL_HOLD", "ANSWERED"));
    const change = history.take(
      event(callOf("c", { state: "ended" }), "CHANNEL_HANGUP_COMPLETE", "BUSY", 17),
    );
    const [call] = history.calls;
    assert.deepEqual(change, { type: "call", call });
    assert.deepEqual(call!.moments.map(({ text }) => text), [
      ...["INITIATED", "ANSWERED", "Digit # from the program", "No page has its phone on"],
      ...["HOLD", "BUSY, Q.850 17"],
    ]);
    assert.equal(call!.cause, "17 user busy");
    assert.equal(call!.fix, "Try again later");
    assert.equal(call!.endMs, 7);
  });

  it("has nothing to repair in a call that was hung up", () => {
    const history = new History();
    const call = callOf("c", { state: "ended" });
    history.take(event(call, "CHANNEL_HANGUP_COMPLETE", "COMPLETED", 16));
    assert.equal(history.calls[0]!.cause, "16 normal call clearing");
    assert.equal(history.calls[0]!.fix, "");
  });

  it("keeps calls of one id and two tenants apart", () => {
    const history = new History();
    history.take(event(callOf("c"), "CHANNEL_CREATE", "INITIATED"));
    history.take(event(callOf("c", { tenantId: "globex" }), "CHANNEL_CREATE", "INITIATED"));
    assert.deepEqual(history.calls.map(({ tenantId }) => tenantId), ["acme", "globex"]);
  });

  it("explains refusals: sessions by the word of the refusal, requests by the wire's code", () => {
    const history = new History();
    history.take(log({ event: "session.refused", code: 401, refusal: "expired", reason: "late" }));
    history.take(
      log({ event: "rpc.done", code: 2, method: "Originate", tenantId: "acme", reason: "no" }),
    );
    assert.equal(history.take(log({ event: "rpc.done", code: 0, method: "Barge" })), undefined);
    assert.deepEqual(history.refusals.map(({ code, reason, method }) => [code, reason, method]), [
      ["expired", "late", ""],
      ["2", "no", "Originate"],
    ]);
    assert.match(history.refusals[0]!.fix, /Mint a fresh token/);
    assert.match(history.refusals[1]!.fix, /\+15550100/);
  });

  it("keeps every live call, 200 calls in all, 100 events of each and 200 refusals", () => {
    const history = new History();
    const live = callOf("live", { state: "answered" });
    for (let i = 0; i < 150; i++) history.take(event(live, "CHANNEL_HOLD", "ANSWERED"));
    for (let i = 0; i < 300; i++) {
      const ended = callOf(`${i}`, { state: "ended" });
      history.take(event(ended, "CHANNEL_HANGUP_COMPLETE", "COMPLETED", 16));
      history.take(log({ event: "session.refused", refusal: "rejected" }));
    }
    assert.equal(history.calls.length, 200);
    assert.equal(history.calls[0]!.callSid, "live");
    assert.equal(history.calls[0]!.moments.length, 100);
    assert.equal(history.calls.at(-1)!.callSid, "299");
    assert.equal(history.refusals.length, 200);
  });

  it("sees when tenants, keys, sessions or faults change, and when nothing does", () => {
    const history = new History();
    for (const name of ["key.revoked", "session.accepted", "faults.set", "trunk.added"] as const) {
      assert.deepEqual(history.take(log({ event: name })), { type: "overview" });
    }
    for (const method of ["AddTrunk", "UpdateTrunk", "RemoveTrunk"]) {
      const change = history.take(log({ event: "rpc.done", code: 0, method }));
      assert.deepEqual(change, { type: "overview" });
    }
    assert.equal(history.take(log({ event: "webhook.sent" })), undefined);
    assert.equal(history.take(log({ event: "call.dtmf", callSid: "unknown" })), undefined);
    assert.equal(history.take({ type: "levels", timeMs: 0, calls: [] }), undefined);
  });
});

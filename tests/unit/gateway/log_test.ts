import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog, type GatewayLogRecord } from "../../../src/gateway/log.ts";
import { eventLoopTurn } from "../../../src/base/turn.ts";

describe("createLog()", () => {
  it("writes records with their time, and nothing without a writer", () => {
    const records: GatewayLogRecord[] = [];
    createLog((record) => void records.push(record), () => 5)("rpc.done", { session: 1, code: 0 });
    createLog(undefined, () => 5)("rpc.done");
    assert.deepEqual(records, [{ event: "rpc.done", timeMs: 5, session: 1, code: 0 }]);
  });

  it("lets no token, no key and no control character through", () => {
    const records: GatewayLogRecord[] = [];
    const log = createLog((record) => void records.push(record), () => 0);
    log("rpc.failed", { reason: "token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln is bad\r\nx" });
    log("rpc.failed", { reason: "-----BEGIN PRIVATE KEY-----\nMIIE" });
    log("rpc.failed", { callSid: "eyJhIjoxfQ.eyJiIjoxfQ" });
    assert.deepEqual(records.map(({ reason, callSid }) => reason ?? callSid), [
      "token [redacted] is bad\\u000d\\u000ax",
      "[redacted]",
      "[redacted]",
    ]);
  });

  it("finds a token wherever it begins, and leaves the rest of its line", () => {
    const records: GatewayLogRecord[] = [];
    const log = createLog((record) => void records.push(record), () => 0);
    const texts = ["a.b=x_eyJa.b c", "eyJa", "eyJa.b.c.d", "eyJa-----BEGIN.x y", "no.eyJa eyJb."];
    for (const reason of texts) log("rpc.failed", { reason });
    assert.deepEqual(records.map(({ reason }) => reason), [
      "a.b=x_[redacted] c",
      "eyJa",
      "[redacted].d",
      "eyJa[redacted]",
      "no.eyJa [redacted]",
    ]);
  });

  it("takes time that is linear in a hostile text", () => {
    const records: GatewayLogRecord[] = [];
    const log = createLog((record) => void records.push(record), () => 0);
    // Hours, where every `eyJ` is looked at to the end of the text.
    for (const reason of ["eyJ", ".eyJ", "eyJ ", "-----BEGI"]) {
      log("rpc.failed", { reason: reason.repeat(1_000_000) });
    }
    assert.equal(records.length, 4);
  });

  it("does not care what the writer throws, or rejects with", async () => {
    const log = createLog(() => {
      throw new Error("mine");
    }, () => 0);
    assert.doesNotThrow(() => log("gateway.closed"));
    createLog(() => Promise.reject(new Error("mine")), () => 0)("gateway.closed");
    await eventLoopTurn();
  });
});

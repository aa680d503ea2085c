import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog, type GatewayLogRecord } from "../../../src/gateway/log.ts";

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

  it("does not care what the writer throws", () => {
    const log = createLog(() => {
      throw new Error("mine");
    }, () => 0);
    assert.doesNotThrow(() => log("gateway.closed"));
  });
});

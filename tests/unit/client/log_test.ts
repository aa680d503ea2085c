import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogger, type LogRecord, peerText, redact } from "../../../src/client/log.ts";

describe("redact()", () => {
  it("removes tokens and armoured keys, and leaves the rest", () => {
    const token = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhY21lIn0.${"A".repeat(342)}`;
    assert.equal(redact(`got ${token} here`), "got [redacted] here");
    assert.equal(redact("key: -----BEGIN PRIVATE KEY-----\nMIIE"), "key: [redacted]");
    assert.equal(redact("session closed: code 401"), "session closed: code 401");
  });

  it("cuts a text of any length before it looks at it", () => {
    assert.ok(redact("eyJ".repeat(2_000_000)).length < 600);
  });
});

describe("peerText()", () => {
  it("makes one line of a peer's words: no control characters, no escape sequences, no secrets", () => {
    assert.equal(
      peerText("busy\r\nlevel=info\u001b[31m x\u2028y\u202e"),
      "busy level=info [31m x y",
    );
    assert.equal(peerText("eyJhIjoxfQ.eyJhIjoxfQ.c2ln"), "[redacted]");
    assert.ok(peerText("x".repeat(1_000_000)).length < 600);
  });
});

describe("createLogger()", () => {
  it("survives a hook that throws, and one that is asynchronous and rejects", async () => {
    const unhandled: unknown[] = [];
    const note = (event: PromiseRejectionEvent): void => {
      event.preventDefault();
      unhandled.push(event.reason);
    };
    globalThis.addEventListener("unhandledrejection", note);
    const broken = (): never => {
      throw new Error("disk full");
    };
    createLogger(broken, () => 0)("info", "session.open");
    createLogger(() => Promise.reject(new Error("disk full")), () => 0)("info", "session.open");
    await new Promise((resolve) => setTimeout(resolve, 0));
    globalThis.removeEventListener("unhandledrejection", note);
    assert.deepEqual(unhandled, []);
  });

  it("redacts every string of a record", () => {
    const records: LogRecord[] = [];
    createLogger((record) => records.push(record), () => 5)("warn", "push.malformed", {
      error: "bad eyJhIjoxfQ.eyJhIjoxfQ.c2ln",
      count: 3,
    });
    assert.deepEqual(records, [
      { event: "push.malformed", level: "warn", timeMs: 5, error: "bad [redacted]", count: 3 },
    ]);
  });
});

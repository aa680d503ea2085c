import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Faults,
  FaultTable,
  type FaultTarget,
} from "../../../../../src/gateway/call/faults/faults.ts";

function table(): FaultTable {
  return new FaultTable((callSid, tenantId = "acme") => callSid === "live" && tenantId === "acme");
}

describe("FaultTable", () => {
  it("has the most specific target win, whole", () => {
    const faults = table();
    const of = (callSid?: string, trunkId?: string, tenantId = "acme") =>
      faults.of({
        tenantId,
        ...(callSid !== undefined && { callSid }),
        ...(trunkId !== undefined && { trunkId }),
      })?.delayMs;
    assert.equal(of("live", "main"), undefined);
    faults.set({ delayMs: 1, lossPercent: 50 });
    assert.equal(of("live", "main"), 1);
    faults.set({ delayMs: 2 }, { tenantId: "acme" });
    assert.deepEqual([of("live", "main"), of("x", "y", "globex")], [2, 1]);
    assert.deepEqual(faults.of({ tenantId: "acme" }), { delayMs: 2 }, "nothing is merged");
    faults.set({ delayMs: 3 }, { trunkId: "main" });
    assert.deepEqual([of("live", "main"), of("live", "other"), of("x", "main", "globex")], [
      3,
      2,
      3,
    ]);
    faults.set({ delayMs: 4 }, { tenantId: "acme", trunkId: "main" });
    assert.deepEqual([of("live", "main"), of("x", "main", "globex")], [4, 3]);
    faults.set({ delayMs: 5 }, { callSid: "live" });
    assert.deepEqual([of("live", "main"), of(undefined, "main")], [5, 4]);
    faults.set({ delayMs: 6 }, { callSid: "live", tenantId: "acme" });
    assert.equal(of("live", "main"), 6);
    assert.equal(faults.all.length, 6);
    faults.forget("live", "acme");
    assert.equal(of("live", "main"), 4);
    faults.set(undefined, { tenantId: "acme", trunkId: "main" });
    assert.equal(of("live", "main"), 3);
    faults.set(undefined);
    assert.equal(of("x", "y", "globex"), undefined);
  });

  it("refuses what it does not know, and sets nothing then", () => {
    const faults = table();
    faults.set({ delayMs: 7 });
    const invalid: readonly (readonly [unknown, unknown?])[] = [
      [{ lossPercent: -1 }],
      [{ lossPercent: 101 }],
      [{ lossPercent: NaN }],
      [{ jitterMs: 2_001 }],
      [{ delayMs: 5_001 }],
      [{ delayMs: 1, duplicatePercent: 1e9 }],
      [{ refuseWith: 0 }],
      [{ refuseWith: 8 }],
      [{ refuseWith: 1.5 }],
      [{ delayMs: 1, loss: 3 }],
      [{ toString: 3 }],
      [{ __proto__: null, constructor: 1 }],
      [{ dropSessions: true }, { callSid: "live" }],
      [{ dropSessions: true }, { trunkId: "main" }],
      [{ refuseWith: 3 }, { callSid: "live" }],
      [{ delayMs: 1 }, { callSid: "over" }],
      [{ delayMs: 1 }, { callSid: "live", tenantId: "globex" }],
      [{ delayMs: 1 }, { callSid: "live", trunkId: "main" }],
      [{ delayMs: 1 }, { tenant: "acme" }],
    ];
    for (const [value, at] of invalid) {
      assert.throws(
        () => faults.set(value as Faults, at as FaultTarget),
        { code: "ERR_VALUE_INVALID" },
        JSON.stringify([value, at]),
      );
    }
    const wrongType: readonly (readonly [unknown, unknown?])[] = [
      [{ lossPercent: "5" }],
      [{ delayMs: null }],
      [{ refuseWith: "3" }],
      [{ dropSessions: 1 }],
      ["none"],
      [null],
      [{ delayMs: 1 }, "acme"],
      [{ delayMs: 1 }, null],
      [{ delayMs: 1 }, { tenantId: 5 }],
    ];
    for (const [value, at] of wrongType) {
      assert.throws(
        () => faults.set(value as Faults, at as FaultTarget),
        TypeError,
        JSON.stringify([value, at]),
      );
    }
    assert.deepEqual(faults.all, [{ at: {}, faults: { delayMs: 7 } }]);
  });

  it("keeps a copy, and at most 1,000 targets", () => {
    const faults = table();
    const given = { delayMs: 1 };
    faults.set(given);
    given.delayMs = 2;
    assert.equal(faults.of({ tenantId: "acme" })!.delayMs, 1);
    for (let i = 0; i < 999; i++) faults.set({}, { tenantId: `t-${i}` });
    assert.throws(() => faults.set({}, { tenantId: "one-more" }), { code: "ERR_LIMIT" });
    faults.set({ delayMs: 3 }, { tenantId: "t-5" });
    assert.equal(faults.of({ tenantId: "t-5" })!.delayMs, 3);
  });
});

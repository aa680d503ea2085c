import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { report } from "../../../src/base/handled.ts";
import { eventLoopTurn } from "../../../src/base/turn.ts";

describe("report()", () => {
  it("goes on where the function throws, or rejects, and hands the fault on", async () => {
    const faults: unknown[] = [];
    const thrown = new Error("thrown");
    const functions: (() => unknown)[] = [
      () => {
        throw thrown;
      },
      () => Promise.reject("rejected"),
      // A promise of another realm is only known by its shape.
      () => ({ then: (_: unknown, reject: (fault: unknown) => void) => reject("foreign") }),
      () => Promise.resolve("fine"),
      () => null,
      () => undefined,
    ];
    for (const call of functions) {
      report(call);
      report(call, (fault) => faults.push(fault));
    }
    // A rejection that nothing handled would end the process here.
    await eventLoopTurn();
    assert.deepEqual(faults, [thrown, "rejected", "foreign"]);
  });
});

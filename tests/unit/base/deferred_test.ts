import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LateDeferred } from "../../../src/base/deferred.ts";
import { eventLoopTurn } from "../../../src/base/turn.ts";

describe("LateDeferred", () => {
  it("settles what waits, and what asks later, with the first outcome", async () => {
    const fault = new Error("fault");
    const answered = new LateDeferred<number>();
    const early = answered.promise;
    answered.resolve(1);
    answered.resolve(2);
    answered.reject(fault);
    assert.equal(await early, 1);
    assert.equal(answered.promise, early);

    const unasked = new LateDeferred<undefined>();
    unasked.resolve(undefined);
    unasked.reject(fault);
    assert.equal(await unasked.promise, undefined);

    const failed = new LateDeferred<number>();
    failed.reject(fault);
    failed.resolve(1);
    await assert.rejects(failed.promise, fault);
  });

  it("reports no rejection that nothing waits for", async () => {
    const unasked = new LateDeferred<number>();
    unasked.reject(new Error("nothing asked"));
    const asked = new LateDeferred<number>();
    void asked.promise;
    asked.reject(new Error("nothing waited"));
    // A rejection that nothing handled would end the process here.
    await eventLoopTurn();
  });
});

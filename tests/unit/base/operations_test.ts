import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { counted, countOperations, moved } from "../../../src/base/operations.ts";

describe("counted()", () => {
  it("returns the promise itself and counts it until it has settled", async () => {
    const counter = countOperations();
    assert.equal(countOperations(), counter, "one counter for the whole program");
    let resolve = (_: number): void => {};
    const operation = new Promise<number>((settle) => resolve = settle);
    const { moves, pending } = counter;
    assert.equal(counted(operation), operation);
    assert.equal(counter.pending, pending + 1);
    resolve(5);
    assert.equal(await operation, 5);
    await Promise.resolve();
    assert.deepEqual([counter.pending, counter.moves], [pending, moves + 1]);
  });

  it("counts one that fails, and leaves its rejection to the caller", async () => {
    const counter = countOperations();
    const { pending } = counter;
    await assert.rejects(counted(Promise.reject(new Error("no"))), /no/);
    assert.equal(counter.pending, pending);
  });
});

describe("moved()", () => {
  it("counts one movement", () => {
    const counter = countOperations();
    const { moves } = counter;
    moved();
    assert.equal(counter.moves, moves + 1);
  });
});

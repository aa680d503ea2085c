import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickError } from "@telequick/sdk";
import { type CheckResult, equal, refused, runChecks, runTogether } from "./check.ts";

describe("equal()", () => {
  for (
    const [one, other] of [
      [1, 2],
      ["1", 1],
      [0, -0],
      [[1], [1, 2]],
      [[1], { 0: 1, length: 1 }],
      [new Uint8Array([1]), new Uint8Array([2])],
      [new Uint8Array([1]), new Int8Array([1])],
      [new Uint8Array([1]), [1]],
      [{ a: 1 }, { a: 1, b: undefined }],
      [{ a: { b: 1 } }, { a: { b: 2 } }],
      [{}, null],
    ]
  ) {
    it(`distinguishes ${JSON.stringify(one)} from ${JSON.stringify(other)}`, () => {
      assert.throws(() => equal(one, other), /expected/);
      assert.throws(() => equal(other, one), /expected/);
    });
  }

  it("shows where two arrays part", () => {
    const one = new Uint8Array(100);
    const other = one.with(50, 7);
    assert.throws(() => equal(one, other), /expected 100 elements \(7 0 .*from 50 on/);
  });

  it("takes what has the same elements", () => {
    equal(NaN, NaN);
    equal({ a: [new Uint8Array([1, 2])] }, { a: [new Uint8Array([1, 2])] });
  });
});

describe("refused()", () => {
  const work = () => {
    throw new TeleQuickError("ERR_LIMIT", "Too much", { retryable: true });
  };

  it("takes the error that was asked for", async () => {
    await refused(work, { code: "ERR_LIMIT", message: "Too much", retryable: true });
    await refused(Promise.resolve().then(work), { code: "ERR_LIMIT", message: /much/ });
  });

  it("throws for another one, and for none", async () => {
    await assert.rejects(refused(work, { code: "ERR_TIMEOUT" }), /expected "ERR_TIMEOUT"/);
    await assert.rejects(refused(work, { code: "ERR_LIMIT", message: "Too" }), /expected "Too"/);
    await assert.rejects(refused(work, { code: "ERR_LIMIT", retryable: false }), /retryable/);
    await assert.rejects(refused(() => 5, { code: "ERR_LIMIT" }), /It went well: 5/);
    await assert.rejects(refused(() => JSON.parse("{"), { code: "ERR_LIMIT" }), SyntaxError);
  });
});

for (const run of [runChecks, runTogether]) {
  it(`${run.name}() reports every check, also after one that throws or never ends`, async () => {
    const results: CheckResult[] = [];
    await run([
      { title: "good", run: () => {} },
      { title: "bad", run: () => Promise.reject(new Error("no")) },
      { title: "stuck", run: () => new Promise(() => {}), timeoutMs: 1 },
      { title: "also good", run: () => Promise.resolve() },
    ], (result) => results.push(result));
    const faults = new Map(results.map(({ title, fault }) => [title, fault]));
    assert.equal(faults.size, 4);
    assert.equal(faults.get("good"), undefined);
    assert.equal(faults.get("also good"), undefined);
    assert.match(faults.get("bad") ?? "", /no/);
    assert.match(faults.get("stuck") ?? "", /no end within 1 ms/);
  });
}

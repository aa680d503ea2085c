import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LimitName, limits, resolveLimits } from "../../../src/gateway/limits.ts";

describe("limits", () => {
  it("says of every bound its value, its reason and what the peer sees", () => {
    assert.ok(limits.length > 20);
    for (const { name, value, reason, peerSees } of limits) {
      assert.ok(value > 0, name);
      assert.ok(reason.length > 10, name);
      assert.ok(peerSees.length > 10, name);
    }
    assert.equal(new Set(limits.map(({ name }) => name)).size, limits.length);
  });

  it("cannot be changed by importers", () => {
    assert.throws(() => (limits as unknown[]).push(1), TypeError);
    assert.throws(() => Object.assign(limits[0]!, { value: 1 }), TypeError);
  });
});

describe("resolveLimits()", () => {
  it("takes the table's values and the caller's in their place", () => {
    const resolved = resolveLimits({ rpcsPerSecond: Infinity, queuedEvents: 3 });
    assert.equal(resolved.rpcsPerSecond, Infinity);
    assert.equal(resolved.queuedEvents, 3);
    for (const { name, value } of limits) {
      if (name !== "rpcsPerSecond" && name !== "queuedEvents") assert.equal(resolved[name], value);
    }
  });

  it("refuses what is not a limit, and invalid values", () => {
    const set = (name: string, value: unknown) => () => resolveLimits({ [name]: value });
    assert.throws(set("rpcPerSecond", 1), { code: "ERR_VALUE_INVALID" });
    assert.throws(set("__proto__x", 1), { code: "ERR_VALUE_INVALID" });
    assert.throws(set("toString", 1), { code: "ERR_VALUE_INVALID" });
    for (const value of [0, -1, NaN]) {
      assert.throws(set("rpcsPerSecond", value), {
        code: "ERR_VALUE_INVALID",
        message: `Cannot set limits: rpcsPerSecond is ${value}, expected more than 0`,
      });
    }
    assert.throws(set("rpcsPerSecond", "9"), TypeError);
    assert.doesNotThrow(set("rpcsPerSecond" satisfies LimitName, undefined));
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { randomUuid } from "../../../src/base/uuid.ts";

describe("randomUuid()", () => {
  it("randomUuid() makes version 4 of the RFC 9562 variant, and never the same twice", () => {
    const made = Array.from({ length: 1_000 }, randomUuid);
    for (const id of made) {
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    assert.equal(new Set(made).size, made.length);
  });

  it("randomUuid() needs no secure context", () => {
    const own = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
    const getRandomValues = crypto.getRandomValues.bind(crypto);
    Object.defineProperty(globalThis, "crypto", { value: { getRandomValues }, configurable: true });
    try {
      assert.equal(randomUuid().length, 36);
    } finally {
      Object.defineProperty(globalThis, "crypto", own);
    }
  });
});

import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { resolveWebTransport } from "../../../src/transport/dial.ts";
import { createPairTransport } from "../../../src/transport/pair.ts";
import type { WebTransportConstructor } from "../../../src/transport/types.ts";

describe("resolveWebTransport()", () => {
  it("takes the caller's constructor", async () => {
    const given = createPairTransport(() => {});
    assert.equal(await resolveWebTransport(given), given);
  });

  it("rejects with a TypeError for what cannot be a constructor", async () => {
    for (const given of [null, 1, "WebTransport", {}]) {
      await assert.rejects(
        resolveWebTransport(given as unknown as WebTransportConstructor),
        TypeError,
      );
    }
  });

  it("wraps Deno's own, also when the caller hands it in", async () => {
    const native = globalThis.WebTransport as unknown as WebTransportConstructor;
    const found = [await resolveWebTransport(), await resolveWebTransport(native)];
    for (const Constructor of found) {
      assert.equal(typeof Constructor, "function");
      assert.notEqual(Constructor, native);
    }
    assert.equal(found[0], found[1], "one class for all sessions");
  });
});

describe("A page that is not a secure context", () => {
  it("gets an error that says what to do", async () => {
    const { unavailable } = await import("../../../src/transport/advice.ts");
    Object.defineProperty(globalThis, "isSecureContext", { value: false, configurable: true });
    try {
      assert.match(unavailable("connect").message, /serve it over https or from localhost/);
    } finally {
      delete (globalThis as { isSecureContext?: boolean }).isSecureContext;
    }
  });
});

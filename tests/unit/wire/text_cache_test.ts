import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeCached, LONGEST_CACHED_BYTES } from "../../../src/wire/text_cache.ts";
import { AuthenticateRequest, TerminateRequest } from "../../../src/wire/mod.ts";
import { seed } from "../../support/seed.ts";

const encoder = new TextEncoder();

/** Decodes as a reader does: with the length before the text. */
function decode(text: string): string {
  const bytes = new Uint8Array([0, 0, 0, 0, ...encoder.encode(text)]);
  return decodeCached(bytes, 4, bytes.length - 4);
}

describe("decodeCached()", () => {
  it("decodes every text as it is, in every order and any number of times", () => {
    const fits = (text: string) =>
      text !== "" && encoder.encode(text).length <= LONGEST_CACHED_BYTES;
    // Few letters, so that many texts share a slot.
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "b", "\0", "\u00e9") }).filter(fits),
      fc.string({ unit: "binary" }).filter(fits),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 200 }), (texts) => {
        for (const one of [...texts, ...texts.toReversed()]) assert.equal(decode(one), one);
      }),
      { seed, numRuns: 200 },
    );
  });

  it("distinguishes texts that share a slot and differ in one byte that does not choose it", () => {
    for (let i = 0; i < 36; i++) {
      const id = "3f0b1c9a-6d1e-4f0e-9f9d-8b7a6c5d4e3f";
      const other = `${id.slice(0, i)}~${id.slice(i + 1)}`;
      for (const text of [id, other, id, other]) assert.equal(decode(text), text);
    }
  });

  it("refuses bytes that are not UTF-8, also in a slot that holds a text", () => {
    const bytes = Uint8Array.of(0, 0, 0, 0, 0x61, 0xc3, 0x28);
    for (let round = 0; round < 2; round++) {
      assert.throws(() => decodeCached(bytes, 4, 3), TypeError);
      assert.equal(decode("a(("), "a((");
    }
  });

  it("caches no wrong text when bytes change while they are read", () => {
    // A view that answers differently at each look, as shared memory may.
    let looks = 0;
    const flicker = new Proxy(Uint8Array.of(0, 0, 0, 0, 0x78, 0x79, 0x7a), {
      get: (bytes, key) => key === "5" ? 0x61 + looks++ % 26 : Reflect.get(bytes, key),
    });
    decodeCached(flicker, 4, 3);
    for (let i = 0; i < 26; i++) {
      const text = `x${String.fromCharCode(0x61 + i)}z`;
      assert.equal(decode(text), text);
    }
  });
});

describe("fields", () => {
  /** How many texts are made from units while `work` runs: by the cache alone, and only for what it does not hold. */
  function missesOf(work: () => void): number {
    const { fromCharCode } = String;
    let misses = 0;
    String.fromCharCode = (...units) => {
      misses++;
      return fromCharCode(...units);
    };
    try {
      work();
    } finally {
      String.fromCharCode = fromCharCode;
    }
    return misses;
  }

  it("take short texts from the cache, and never put a secret or a long text into it", () => {
    const unique = `${seed}-${Math.random()}`.slice(0, 40);
    const short = TerminateRequest.encode({ callSid: unique });
    assert.equal(missesOf(() => TerminateRequest.decode(short)), 1);
    assert.equal(missesOf(() => TerminateRequest.decode(short)), 0);
    const edge = TerminateRequest.encode({ callSid: unique.padEnd(64, "x") });
    assert.equal(missesOf(() => TerminateRequest.decode(edge)), 1);
    const long = TerminateRequest.encode({ callSid: unique.padEnd(65, "x") });
    assert.equal(missesOf(() => TerminateRequest.decode(long)), 0);
    const token = AuthenticateRequest.encode({ token: `secret ${unique}`, clientId: "" });
    assert.equal(missesOf(() => AuthenticateRequest.decode(token)), 0);
  });
});

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  decodeBase64,
  decodeBase64Url,
  decodeForgiving,
  encodeBase64,
  encodeBase64Url,
} from "../../../src/base/base64.ts";
import { seed } from "../../support/seed.ts";

const unit = fc.constantFrom(..."AQgwxYZaz019+/-_=\n \0\u00e9\u4e00");
const text = fc.string({ unit, maxLength: 12 });

/** Runs a test twice: with the runtime's own base64, and as in a runtime without. */
function itWithAndWithoutNative(name: string, test: () => void): void {
  it(name, test);
  it(`${name}, without the runtime's own base64`, () => {
    const places = [[Uint8Array, "fromBase64"], [Uint8Array.prototype, "toBase64"]] as const;
    const own = places.map(([holder, name]) => Object.getOwnPropertyDescriptor(holder, name));
    for (const [holder, name] of places) Reflect.deleteProperty(holder, name);
    try {
      test();
    } finally {
      for (const [i, [holder, name]] of places.entries()) {
        if (own[i] !== undefined) Object.defineProperty(holder, name, own[i]);
      }
    }
  });
}

describe("encodeBase64()", () => {
  itWithAndWithoutNative("encodeBase64() and encodeBase64Url() write what Buffer writes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString("base64"));
        assert.equal(encodeBase64Url(bytes), Buffer.from(bytes).toString("base64url"));
      }),
      { seed, numRuns: 500 },
    );
  });

  itWithAndWithoutNative("encodeBase64() writes a large array", () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
    assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString("base64"));
  });
});

describe("decodeBase64Url()", () => {
  it("decodeBase64Url() reads what encodeBase64Url() wrote", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.deepEqual(decodeBase64Url(encodeBase64Url(bytes)), bytes);
      }),
      { seed, numRuns: 500 },
    );
  });

  it("decodeBase64Url() takes a text only if it is the one text of some bytes", () => {
    fc.assert(
      fc.property(text, (text) => {
        const bytes = decodeBase64Url(text);
        const canonical = Buffer.from(text, "base64url").toString("base64url") === text;
        assert.equal(bytes !== undefined, canonical);
        if (bytes !== undefined) assert.equal(encodeBase64Url(bytes), text);
      }),
      { seed, numRuns: 20_000 },
    );
  });
});

describe("decodeBase64()", () => {
  itWithAndWithoutNative("decodeBase64() reads what encodeBase64() wrote, padded or not", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = encodeBase64(bytes);
        assert.deepEqual(decodeBase64(text), bytes);
        assert.deepEqual(decodeBase64(text.replace(/=+$/, "")), bytes);
      }),
      { seed, numRuns: 500 },
    );
  });

  itWithAndWithoutNative(
    "decodeBase64() takes a text only if it is one of the two texts of some bytes",
    () => {
      fc.assert(
        fc.property(text, (text) => {
          const bytes = decodeBase64(text);
          if (bytes === undefined) {
            const padded = Buffer.from(text, "base64").toString("base64");
            assert.ok(text !== padded && text !== padded.replace(/=+$/, ""));
          } else {
            assert.ok([encodeBase64(bytes), encodeBase64(bytes).replace(/=+$/, "")].includes(text));
          }
        }),
        { seed, numRuns: 20_000 },
      );
    },
  );
});

describe("decodeForgiving()", () => {
  itWithAndWithoutNative("decodeForgiving() reads what atob reads", () => {
    fc.assert(
      fc.property(text, (text) => {
        let expected: number[] | undefined;
        try {
          expected = Array.from(atob(text), (character) => character.charCodeAt(0));
        } catch {
          // Not base64.
        }
        const bytes = decodeForgiving(text);
        assert.deepEqual(bytes && [...bytes], expected);
      }),
      { seed, numRuns: 20_000 },
    );
  });
});

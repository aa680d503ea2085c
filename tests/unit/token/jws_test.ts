import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeBase64Url } from "../../../src/base/base64.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { checkHeader, demand, readObject, refuse, splitCompact } from "../../../src/token/jws.ts";
import { seed } from "../../support/seed.ts";
import { segment } from "../../support/tokens.ts";

const found = (text: string) => ({ message: `Cannot accept token: ${text}` });

describe("demand()", () => {
  it("demand() throws unless its condition holds, with the code and the refusal it is given", () => {
    demand(true, "nothing");
    demand("some text", "nothing");
    for (const holds of [false, undefined, null, "", 0]) {
      assert.throws(() => demand(holds, "it is bad"), {
        code: "ERR_TOKEN_INVALID",
        refusal: "rejected",
        ...found("it is bad"),
      });
    }
    assert.throws(() => demand(false, "it is old", "expired", "ERR_TOKEN_EXPIRED"), {
      code: "ERR_TOKEN_EXPIRED",
      refusal: "expired",
    });
    assert.throws(() => refuse("it is gone", "revoked"), {
      code: "ERR_TOKEN_INVALID",
      refusal: "revoked",
    });
  });
});

describe("splitCompact()", () => {
  const bytes = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });

  it("splitCompact() gives back the bytes that were encoded, and what the signature is over", () => {
    fc.assert(
      fc.property(bytes(25, 512), bytes(0, 1500), bytes(25, 512), (head, payload, signature) => {
        const segments = [head, payload, signature].map(encodeBase64Url);
        assert.deepEqual(splitCompact(segments.join(".")), {
          header: segments[0],
          signed: `${segments[0]}.${segments[1]}`,
          payload,
          signature,
        });
      }),
      { seed, numRuns: 200 },
    );
  });

  it("splitCompact() takes no other number of segments", () => {
    const part = "a".repeat(40);
    for (const count of [1, 2, 4, 5, 50]) {
      const token = Array.from({ length: count }, () => part).join(".");
      assert.throws(
        () => splitCompact(token),
        found("form is not three segments in 64 to 4096 characters"),
      );
    }
    assert.equal(splitCompact(`${part}.${part}.${part}`).header, part);
  });
});

describe("readObject()", () => {
  it("readObject() names the part in which a fault is", () => {
    const text = new TextEncoder().encode('{"a":1,"a":1}');
    assert.throws(() => readObject(text, "header"), found("header repeats a name"));
    assert.throws(() => readObject(text, "payload"), found("payload repeats a name"));
  });
});

describe("checkHeader()", () => {
  it("checkHeader() returns the kid of any type unchanged", () => {
    for (const kid of ["k1", "", 1, null, ["k"]]) {
      assert.deepEqual(checkHeader(segment({ alg: "RS256", kid })), kid);
    }
    assert.equal(checkHeader(segment({ alg: "RS256", typ: "JWT" })), undefined);
  });

  it("checkHeader() throws nothing but its own error for any object", () => {
    const name = fc.oneof(fc.constantFrom("alg", "typ", "kid", "crit", "jwk"), fc.string());
    const value = fc.oneof(fc.constantFrom("RS256", "JWT", "none"), fc.jsonValue());
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 4 }), (head) => {
        const isGood = head["alg"] === "RS256" && (head["typ"] ?? "JWT") === "JWT" &&
          head["typ"] !== null && Object.keys(head).every((name) => /^(alg|typ|kid)$/.test(name));
        try {
          checkHeader(segment(head));
          assert.ok(isGood, JSON.stringify(head));
        } catch (error) {
          if (!(error instanceof TeleQuickError)) throw error;
          // A kid may hold what JSON here may not: too deep, a lone surrogate, a forbidden name.
          assert.ok(!isGood || typeof head["kid"] !== "string" || !head["kid"].isWellFormed());
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

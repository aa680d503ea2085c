import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { decodeToken } from "../../../src/token/decode.ts";
import { seed } from "../../support/seed.ts";
import { claims, evil, forge, header } from "../../support/tokens.ts";

describe("decodeToken()", () => {
  it("decodeToken() gives header and claims, frozen, for any signer", () => {
    const decoded = decodeToken(forge(header, claims, evil.privateKey));
    assert.deepEqual(decoded, { header: { ...header }, claims: { ...claims } });
    assert.ok(Object.isFrozen(decoded) && Object.isFrozen(decoded.claims));
  });

  it("decodeToken() takes other algorithms and claims: it decides nothing", () => {
    const { header: head, claims } = decodeToken(
      forge({ alg: "none", x5u: "https://x" }, { n: 1 }),
    );
    assert.deepEqual([head, claims], [{ alg: "none", x5u: "https://x" }, { n: 1 }]);
  });

  const refused: readonly (readonly [string, string])[] = [
    ["", "form is not three segments in 64 to 4096 characters"],
    ["a.b.c", "form is not three segments in 64 to 4096 characters"],
    [`${forge()}.x`, "form is not three segments in 64 to 4096 characters"],
    [forge(header, "[]"), "payload is not an object"],
    [forge("null", claims), "header is not an object"],
    [forge(header, '{"a":1,"a":2}'), "payload repeats a name"],
    [forge(header, "not json"), "payload is not JSON in UTF-8"],
  ];
  for (const [token, found] of refused) {
    it(`decodeToken() refuses: ${found} (${token.length} characters)`, () => {
      assert.throws(() => decodeToken(token), {
        name: "TeleQuickError",
        code: "ERR_TOKEN_INVALID",
        message: `Cannot accept token: ${found}`,
      });
    });
  }

  it("decodeToken() throws a TypeError for values that are not text", () => {
    for (const token of [undefined, null, 1, {}]) {
      assert.throws(() => decodeToken(token as unknown as string), {
        name: "TypeError",
        message: /^Cannot decode token: token is .*, expected a string$/,
      });
    }
  });

  it("decodeToken() throws nothing but its own error, at any text and any mutilated token", () => {
    const token = forge();
    const mutilated = fc.tuple(fc.nat(token.length), fc.nat(40), fc.string({ maxLength: 5 }))
      .map(([at, length, text]) => token.slice(0, at) + text + token.slice(at + length));
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 200 }), mutilated), (text) => {
        try {
          decodeToken(text);
        } catch (error) {
          assert.ok(error instanceof TeleQuickError && error.code === "ERR_TOKEN_INVALID");
        }
      }),
      { seed, numRuns: 5_000 },
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { nearest, quotePath } from "../../../src/cli/usage.ts";
import { seed } from "../../support/seed.ts";

describe("nearest()", () => {
  it("finds a name that was mistyped by a letter, a swap or a capital", () => {
    const names = ["gateway", "keygen", "token mint", "dial"];
    assert.equal(nearest("gatway", names), "gateway");
    assert.equal(nearest("gatewya", names), "gateway");
    assert.equal(nearest("Dial", names), "dial");
    assert.equal(nearest("dail", names), "dial");
    assert.equal(nearest("token mnt", names), "token mint");
  });

  it("finds nothing where nothing is near", () => {
    assert.equal(nearest("zebra", ["gateway", "dial"]), undefined);
    assert.equal(nearest("", ["gateway"]), undefined);
    assert.equal(nearest("x", []), undefined);
  });

  it("finds a name itself, before similar ones", () => {
    const name = fc.string({ minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(name, fc.array(name, { maxLength: 8 }), (typed, others) => {
        assert.equal(nearest(typed, [...others, typed])?.toLowerCase(), typed.toLowerCase());
      }),
      { seed },
    );
  });
});

describe("quotePath()", () => {
  it("names a path, and nothing that could be what the file holds", () => {
    assert.equal(quotePath("a b.json"), '"a b.json"');
    for (const secret of ["-----BEGIN PRIVATE KEY-----", '{"private_key":1}', "eyJ.x.y", "a\nb"]) {
      assert.equal(quotePath(secret), "the given path");
    }
  });
});

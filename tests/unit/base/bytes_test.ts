import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { encodeHex, isArrayOf, isBytes } from "../../../src/base/bytes.ts";
import { foreignArray } from "../../support/realm.ts";

describe("encodeHex()", () => {
  it("writes two lower-case digits for each byte, with the runtime's means and without", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
    const bare = Object.defineProperty(bytes.slice(), "toHex", { value: undefined });
    const expected = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    assert.equal(encodeHex(bytes), expected);
    assert.equal(encodeHex(bare), expected);
    assert.equal(encodeHex(new Uint8Array()), "");
  });
});

describe("isArrayOf()", () => {
  const types = { Uint8Array, Int16Array, Float32Array };
  const names = ["Uint8Array", "Int16Array", "Float32Array"] as const;

  for (const name of names) {
    it(`knows a ${name} of this realm and of another`, () => {
      const own = new types[name](1);
      const foreign = foreignArray(name, [1]);
      assert.equal(foreign instanceof types[name], false);
      for (const value of [own, foreign]) {
        for (const other of names) {
          assert.equal(
            isArrayOf<Uint8Array | Int16Array | Float32Array>(value, types[other]),
            other === name,
          );
        }
        assert.equal(isBytes(value), name === "Uint8Array");
      }
    });
  }

  it("takes nothing else for one", () => {
    const others = [null, undefined, "text", 1, [1], {}, new ArrayBuffer(1), new Uint16Array(1)];
    const pretender = { [Symbol.toStringTag]: "Uint8Array", length: 1, 0: 1 };
    for (const value of [...others, new DataView(new ArrayBuffer(1)), pretender]) {
      assert.equal(isBytes(value), false);
      assert.equal(isArrayOf(value, Float32Array), false);
    }
  });
});

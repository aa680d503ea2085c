import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { ByteRoom, encodeHex, isArrayOf, isBytes } from "../../../src/base/bytes.ts";
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

describe("ByteRoom", () => {
  it("gives each piece once, of the size that was asked for, and all zero", () => {
    const room = new ByteRoom(16 * 1024);
    const sizes = [0, 1, 230, 16 * 1024, 9_000, 9_000, 16 * 1024 + 1, ...new Array(200).fill(230)];
    const pieces = sizes.map((size) => room.take(size));
    for (const [i, piece] of pieces.entries()) {
      assert.equal(piece.length, sizes[i]);
      assert.ok(piece.every((byte) => byte === 0), `piece ${i} is not fresh`);
      piece.fill(i % 255 + 1);
    }
    for (const [i, piece] of pieces.entries()) {
      assert.ok(piece.every((byte) => byte === i % 255 + 1), `piece ${i} was given twice`);
    }
    // The short ones share buffers.
    assert.ok(new Set(pieces.slice(-200).map(({ buffer }) => buffer)).size < 10);
  });
});

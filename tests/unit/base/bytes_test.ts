import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { encodeHex } from "../../../src/base/bytes.ts";

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

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  isPlainLongText,
  isPlainText,
  isUrlOrEmpty,
  printable,
} from "../../../src/gateway/validate.ts";

describe("names", () => {
  it("isPlainText() bounds length and refuses every control character", () => {
    assert.equal(isPlainText("\u{1f4de} caf\u00e9 \u65e5\u672c"), true);
    assert.deepEqual([isPlainText("x".repeat(512)), isPlainText("x".repeat(513))], [true, false]);
    assert.deepEqual([isPlainLongText("x".repeat(4_096)), isPlainLongText("x".repeat(4_097))], [
      true,
      false,
    ]);
    for (
      const code of [0, 9, 10, 13, 27, 31, 127, 128, 0x85, 159, 0x2028, 0x2029, 0x202e, 0x2066]
    ) {
      assert.equal(isPlainText(`a${String.fromCharCode(code)}`), false, code.toString(16));
    }
  });

  it("isUrlOrEmpty() takes the named schemes alone, and no password", () => {
    const isWs = (text: string) => isUrlOrEmpty(text, ["ws:", "wss:"]);
    for (const good of ["", "ws://a", "wss://a.example:1/b?c"]) {
      assert.equal(isWs(good), true, good);
    }
    for (
      const bad of [
        "http://a",
        "a",
        "wss://u:p@a",
        "wss://u@a",
        "wss://",
        "wss://a\n",
        `wss://a/${"x".repeat(4_096)}`,
      ]
    ) {
      assert.equal(isWs(bad), false, bad);
    }
  });

  it("printable() escapes what a terminal would act on, and cuts", () => {
    assert.equal(printable("a\r\n\x1b[2J\u2028\u202e"), "a\\u000d\\u000a\\u001b[2J\\u2028\\u202e");
    assert.equal(printable("x".repeat(600)), `${"x".repeat(512)}...`);
  });
});

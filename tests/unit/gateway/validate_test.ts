import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  isCallSid,
  isDestination,
  isPlainLongText,
  isPlainText,
  isUrlOrEmpty,
  printable,
} from "../../../src/gateway/validate.ts";

describe("names", () => {
  it("isDestination() takes E.164 numbers and SIP URIs, whole", () => {
    for (
      const good of [
        ...["+15550100", "+123", "+123456789012345", "sip:a@b", "sips:a.b-c@d.example:5061"],
        ...["sip:+1555@10.0.0.1", "sip:a@[2001:db8::1]:5060;transport=tls;x", "sip:a%20b@c"],
      ]
    ) assert.equal(isDestination(good), true, good);
    for (
      const bad of [
        ...["", "+", "+0123", "+12", "+1234567890123456", "15550100", "+1555 0100", "+1555\n"],
        ...["sip:", "sip:a", "sip:@b", "sip:a@", "sip:a@b\n", "SIP a@b", "sip:a@b c", "sip:<a@b>"],
        ...["tel:+1555", `sip:${"a".repeat(129)}@b`, `sip:a@${"b".repeat(254)}`, "sip:a@b:123456"],
      ]
    ) assert.equal(isDestination(bad), false, bad);
  });

  it("isCallSid() takes UUIDs and other plain ids", () => {
    for (const good of ["a", "0b9ae3e7-9a4d-4f5c-8ac4-0123456789ab", "A:b.c_d", "x".repeat(128)]) {
      assert.equal(isCallSid(good), true, good);
    }
    for (const bad of ["", "-a", ".", "a b", "a/b", "a,b", "\u00e9", "a\0", "x".repeat(129)]) {
      assert.equal(isCallSid(bad), false, bad);
    }
  });

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

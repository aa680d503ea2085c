import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isCallSid, isDestination, isE164, isSipUri } from "../../../src/wire/mod.ts";
import { seed } from "../../support/seed.ts";

describe("rules", () => {
  it("isDestination() takes E.164 numbers and SIP URIs, whole", () => {
    for (
      const good of [
        ...["+15550100", "+12", "+123456789012345", "sip:a@b", "sips:a.b-c@d.example:5061"],
        ...[
          "sip:+1555@10.0.0.1",
          "sip:a@[2001:db8::1]:5060;transport=tls;x",
          "sip:a%20b@c",
          "SIP:A@B",
        ],
      ]
    ) assert.equal(isDestination(good), true, good);
    for (
      const bad of [
        ...["", "+", "+0123", "+1", "+1234567890123456", "15550100", "+1555 0100", "+1555\n"],
        ...["sip:", "sip:a", "sip:@b", "sip:a@", "sip:a@b\n", "SIP a@b", "sip:a@b c", "sip:<a@b>"],
        ...["tel:+1555", `sip:${"a".repeat(129)}@b`, `sip:a@${"b".repeat(254)}`, "sip:a@b:123456"],
        ...[
          "sip:a:secret@b",
          "sip:a@b?Subject=x",
          "sip:a@b>,<sip:c@d",
          "sip:a@b\r\nVia: x",
          "sip:\u00e9@b",
        ],
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

  it("isE164() takes 2 to 15 digits after the plus sign, the first one not 0", () => {
    for (let digits = 0; digits <= 17; digits++) {
      const number = `+${"1".repeat(digits)}`;
      assert.equal(isE164(number), digits >= 2 && digits <= 15, number);
    }
    assert.equal(isE164("+09"), false);
    assert.equal(isE164("sip:a@b"), false);
    assert.equal(isSipUri("+15550100"), false);
  });

  it("isCallSid() takes every id that crypto.randomUUID() gives", () => {
    for (let i = 0; i < 100; i++) assert.equal(isCallSid(crypto.randomUUID()), true);
  });

  it("isDestination() takes no text with a blank, an angle bracket or a control character", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("+15550100", "sip:a@b.example", "sips:a@[::1]:5061;transport=tls"),
        fc.constantFrom(...' <>"\\\0\r\n\t\x7f\x85\u2028\u202e\u00e9'),
        fc.nat(),
        (good, bad, at) => {
          const place = at % (good.length + 1);
          const text = good.slice(0, place) + bad + good.slice(place);
          assert.equal(isDestination(text), false, JSON.stringify(text));
        },
      ),
      { seed },
    );
  });

  it("take time that grows no faster than the text", () => {
    const long = "a".repeat(200_000);
    for (
      const text of [`sip:${long}`, `sip:a@${long}`, `sip:a@b${";a".repeat(100_000)}`, `+${long}`]
    ) {
      assert.equal(isDestination(text), false);
    }
  });
});

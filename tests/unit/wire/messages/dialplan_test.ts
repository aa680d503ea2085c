import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DialplanAction,
  formatMute,
  formatSendDtmf,
  formatTransfer,
  parseMute,
  parseSendDtmf,
  parseTransfer,
  type SendDtmf,
} from "../../../../src/wire/mod.ts";
import { assertThrows } from "../support/errors.ts";

describe("DialplanAction", () => {
  it("has the numbers of the protocol and does not offer 13", () => {
    assert.deepEqual(Object.values(DialplanAction), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14]);
    assert.equal(DialplanAction.SEND_DTMF, 12);
  });
});

describe("formatSendDtmf()", () => {
  it("writes digit, mode and duration, with their defaults", () => {
    assert.equal(formatSendDtmf({ digit: "5" }), "5:rfc2833:200");
    assert.equal(formatSendDtmf({ digit: "#", mode: "info", durationMs: 40 }), "#:info:40");
    assert.equal(formatSendDtmf({ digit: "*", durationMs: 4000 }), "*:rfc2833:4000");
  });

  it("refuses everything else with a message that names the value", () => {
    const bad = (dtmf: object) => () => formatSendDtmf(dtmf as SendDtmf);
    assertThrows(
      bad({ digit: "5", mode: "inband" }),
      "ERR_VALUE_INVALID",
      'Cannot use DTMF mode: it is "inband", expected "rfc2833" or "info" (the gateway does not send in-band tones)',
    );
    for (const digit of ["A", "12", "", " 5", "5\n", "\u0665", undefined, null, 5.5]) {
      assertThrows(
        bad({ digit }),
        "ERR_VALUE_INVALID",
        /^Cannot use DTMF digit: it is .*, expected 0 to 9/,
      );
    }
    for (const durationMs of [39, 4001, 100.5, NaN, Infinity, -200, "200", null]) {
      assertThrows(
        bad({ digit: "5", durationMs }),
        "ERR_VALUE_INVALID",
        /^Cannot use DTMF duration: it is .*, expected 40 to 4000 ms$/,
      );
    }
    assertThrows(bad({ digit: "5", mode: "" }), "ERR_VALUE_INVALID", /DTMF mode/);
  });
});

describe("parseSendDtmf()", () => {
  it("reads the texts of formatSendDtmf(), and texts without mode or duration", () => {
    const usual = { digit: "5", mode: "rfc2833", durationMs: 200 };
    assert.deepEqual(parseSendDtmf("5:rfc2833:200"), usual);
    assert.deepEqual(parseSendDtmf("5:rfc2833"), usual);
    assert.deepEqual(parseSendDtmf("5"), usual);
    assert.deepEqual(parseSendDtmf("*:info:160"), { digit: "*", mode: "info", durationMs: 160 });
  });

  it("refuses everything else", () => {
    const bad = ["", ":", "5:", "5::", "5:rfc2833:", "5:inband:200", "5:rfc2833:39", "5:info:1e3"];
    for (
      const args of [
        ...bad,
        "5:info:200:1",
        "A:info:200",
        "5:info: 200",
        "5:info:-200",
        "55:info:200",
      ]
    ) {
      assertThrows(() => parseSendDtmf(args), "ERR_VALUE_INVALID", /^Cannot use DTMF /);
    }
  });
});

describe("formatMute() and parseMute()", () => {
  it("write and read the flag", () => {
    assert.equal(formatMute(), "");
    assert.equal(formatMute({ wire: false }), "");
    assert.equal(formatMute({ wire: true }), "wire");
    assert.deepEqual(parseMute(""), { wire: false });
    assert.deepEqual(parseMute("wire"), { wire: true });
    for (const args of ["WIRE", "wire ", "true"]) {
      assertThrows(() => parseMute(args), "ERR_VALUE_INVALID", /^Cannot use mute flag: it is "/);
    }
  });
});

describe("formatTransfer() and parseTransfer()", () => {
  it("accept E.164 numbers and SIP URIs", () => {
    for (const target of ["+15550100", "+123", "+123456789012345"]) {
      assert.equal(formatTransfer(target), target);
      assert.deepEqual(parseTransfer(target), { kind: "e164", target });
    }
    for (
      const target of ["sip:user@host", "sips:a@b.example:5061;transport=tls", "SIP:100@10.0.0.1"]
    ) {
      assert.equal(formatTransfer(target), target);
      assert.deepEqual(parseTransfer(target), { kind: "sip", target });
    }
  });

  it("refuse everything else, in particular text that could end a SIP header", () => {
    const bad = [
      "",
      "15550100",
      "+0155501",
      "+1",
      "+1234567890123456",
      "tel:+15550100",
      "sip:",
      "sip:host",
    ];
    const hostile = [
      "sip:a@b\r\nVia: x",
      "sip:a@b>,<sip:c@d",
      "sip:a b@c",
      "sip:a@b\0",
      "sip:\u00e9@b",
      "+1555\n",
    ];
    for (const target of [...bad, ...hostile, undefined, 15550100]) {
      assertThrows(
        () => formatTransfer(target as string),
        "ERR_VALUE_INVALID",
        /^Cannot use transfer target: /,
      );
    }
  });
});

import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { encodeHex } from "../../../src/base/bytes.ts";
import {
  der,
  derBitString,
  derInteger,
  derObjectId,
  derUtcTime,
  tags,
} from "../../../src/transport/der.ts";

describe("der()", () => {
  const heads: readonly (readonly [length: number, head: string])[] = [
    [0, "0400"],
    [127, "047f"],
    [128, "048180"],
    [255, "0481ff"],
    [256, "04820100"],
    [65_535, "0482ffff"],
    [65_536, "0483010000"],
  ];
  for (const [length, head] of heads) {
    it(`writes the length ${length} in its shortest form`, () => {
      const bytes = der(tags.octetString, new Uint8Array(length));
      assert.equal(encodeHex(bytes.subarray(0, head.length / 2)), head);
      assert.equal(bytes.length, head.length / 2 + length);
    });
  }

  it("joins its parts", () => {
    const bytes = der(tags.sequence, derInteger(Uint8Array.of(1)), derInteger(Uint8Array.of(2)));
    assert.equal(encodeHex(bytes), "3006020101020102");
  });
});

describe("derInteger()", () => {
  const cases: readonly (readonly [bytes: number[], hex: string])[] = [
    [[], "020100"],
    [[0], "020100"],
    [[0, 0, 5], "020105"],
    [[0x7f], "02017f"],
    [[0x80], "02020080"],
    [[0, 0x80], "02020080"],
    [[0xff, 0xff], "020300ffff"],
  ];
  for (const [bytes, hex] of cases) {
    it(`writes [${bytes}] without needless zeros and never as negative`, () => {
      assert.equal(encodeHex(derInteger(Uint8Array.from(bytes))), hex);
    });
  }
});

describe("derObjectId()", () => {
  it("writes ecdsa-with-SHA256 (RFC 5758 section 3.2)", () => {
    assert.equal(encodeHex(derObjectId("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  });

  it("writes serverAuth (RFC 5280 section 4.2.1.12)", () => {
    assert.equal(encodeHex(derObjectId("1.3.6.1.5.5.7.3.1")), "06082b06010505070301");
  });
});

describe("derBitString() and derUtcTime()", () => {
  it("writes whole bytes and whole seconds", () => {
    assert.equal(encodeHex(derBitString(Uint8Array.of(0xab))), "030200ab");
    const time = derUtcTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
    assert.equal(new TextDecoder().decode(time.subarray(2)), "260102030405Z");
    assert.deepEqual([...time.subarray(0, 2)], [0x17, 13]);
  });
});

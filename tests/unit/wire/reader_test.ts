import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, i32, text } from "../../../src/wire/field.ts";
import { Fault } from "../../../src/wire/fault.ts";
import { checkEnvelope, Reader } from "../../../src/wire/reader.ts";

describe("Reader", () => {
  const bytes = Uint8Array.of(0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 0x61, 0x62, 0xff, 0xff, 0xff, 0xff);

  it("returns the fields in order, then defaults", () => {
    const reader = new Reader(bytes, [text, i32, bool, text]);
    assert.equal(reader.index, -1);
    assert.equal(reader.next(), "ab");
    assert.equal(reader.left, 4);
    assert.equal(reader.next(), -1);
    assert.equal(reader.next(), false);
    assert.equal(reader.next(), "");
    assert.equal(reader.index, 3);
    assert.equal(reader.left, 0);
  });

  it("stays at a field that does not fit and has its index", () => {
    const reader = new Reader(bytes.subarray(0, 14), [text, i32]);
    reader.next();
    assert.throws(
      () => reader.next(),
      (fault) => fault instanceof Fault && fault.found === "2 bytes left" && fault.expected === "4",
    );
    assert.equal(reader.index, 1);
    assert.equal(reader.at, 12);
  });
});

it("checkEnvelope() accepts exactly one envelope of a version that the reader can read", () => {
  const check = (...bytes: number[]) => checkEnvelope(Uint8Array.from(bytes), 1);
  check(0, 0, 0, 0, 0, 0);
  check(9, 1, 1, 0, 0, 0, 0xff);
  const bad = [
    [],
    [0, 0, 0, 0, 0],
    [0, 0, 0xff, 0xff, 0xff],
    [0, 0, 1, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 0, 0, 0x80],
    [2, 2, 0, 0, 0, 0],
  ];
  for (const bytes of bad) assert.throws(() => check(...bytes), (fault) => fault instanceof Fault);
});

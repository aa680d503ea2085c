import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fields from "../../../src/wire/field.ts";
import { Fault } from "../../../src/wire/fault.ts";
import { Reader } from "../../../src/wire/reader.ts";
import { Writer } from "../../../src/wire/writer.ts";

/** Writes a value and reads it back; both sides end in the same place. */
function roundTrip<T>(type: fields.FieldCodec<T>, value: T): T {
  const writer = new Writer();
  writer.take(6);
  type.write(writer, value);
  const reader = new Reader(writer.bytes.slice(0, writer.at), [type]);
  const read = reader.next<T>();
  assert.equal(reader.left, 0);
  return read;
}

describe("field types", () => {
  const edges: readonly [fields.FieldCodec<number>, readonly number[], readonly number[]][] = [
    [fields.u8, [0, 1, 127, 128, 255], [-1, 256]],
    [fields.u16, [0, 255, 256, 32768, 65535], [-1, 65536]],
    [fields.u32, [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1], [-1, 2 ** 32]],
    [fields.i32, [0, -1, 2 ** 31 - 1, -(2 ** 31)], [2 ** 31, -(2 ** 31) - 1]],
    [fields.i64, [0, -1, 2 ** 32, -(2 ** 32) - 1, 2 ** 53 - 1, -(2 ** 53) + 1], [
      2 ** 53,
      -(2 ** 53),
    ]],
    [fields.u64, [0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1], [-1, 2 ** 53]],
  ];
  for (const [type, fit, unfit] of edges) {
    it(`${type.kind} holds its edges and refuses what is past them`, () => {
      for (const value of fit) assert.equal(roundTrip(type, value), value);
      for (const value of [...unfit, 0.5, NaN, Infinity, -Infinity, 1e300]) {
        assert.throws(
          () => type.write(new Writer(), value),
          (fault) => fault instanceof Fault && !fault.wrongType && fault.found === String(value),
        );
      }
    });
  }

  it("f64 holds every double", () => {
    for (const value of [0, -0, 1.5, -1e-308, 5e-324, Number.MAX_VALUE, Infinity, -Infinity, NaN]) {
      assert.ok(Object.is(roundTrip(fields.f64, value), value), String(value));
    }
  });

  it("bool reads any byte but 0 as true", () => {
    for (const byte of [1, 2, 0x80, 0xff]) {
      assert.equal(new Reader(Uint8Array.of(0, 0, 0, 0, 0, 0, byte), [fields.bool]).next(), true);
    }
    assert.equal(new Reader(new Uint8Array(7), [fields.bool]).next(), false);
  });

  it("text and secret hold every length around the cache's, in one to four bytes a character", () => {
    for (const letter of ["a", "\u00e9", "\u20ac", "\u{1f600}"]) {
      for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 5000]) {
        const value = letter.repeat(length);
        assert.equal(roundTrip(fields.text, value), value);
        assert.equal(roundTrip(fields.secret, value), value);
      }
    }
  });

  it("text refuses overlong forms, surrogates, stray and missing bytes", () => {
    for (
      const hex of ["c080", "e08080", "eda080", "f4908080", "80", "c3", "f09f98", "ff", "61c3"]
    ) {
      const content = hex.match(/../g)!.map((pair) => parseInt(pair, 16));
      const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, content.length, 0, 0, 0, ...content);
      for (const type of [fields.text, fields.secret]) {
        assert.throws(
          () => new Reader(bytes, [type]).next(),
          (fault) => fault instanceof Fault && fault.expected === "UTF-8",
          hex,
        );
      }
    }
  });

  it("withDefault() changes nothing else", () => {
    const port = fields.withDefault(fields.u16, 5060);
    assert.deepEqual({ ...port, default: 0 }, fields.u16);
    assert.equal(new Reader(new Uint8Array(6), [port]).next(), 5060);
    assert.equal(roundTrip(port, 0), 0);
  });
});

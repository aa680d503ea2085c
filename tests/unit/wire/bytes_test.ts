import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { readI32, readU32, writeAscii, writeU32, writeU64 } from "../../../src/wire/bytes.ts";
import { seed } from "../../support/seed.ts";

it("integers are little-endian at any offset, as DataView reads and writes them", () => {
  const any = fc.record({
    at: fc.nat(5),
    word: fc.oneof(fc.integer(), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
    long: fc.maxSafeInteger(),
  });
  fc.assert(
    fc.property(any, ({ at, word, long }) => {
      const bytes = new Uint8Array(16);
      const view = new DataView(bytes.buffer);
      writeU32(bytes, at, word);
      assert.equal(view.getInt32(at, true), word | 0);
      assert.equal(readI32(bytes, at), word | 0);
      assert.equal(readU32(bytes, at), word >>> 0);
      writeU64(bytes, at, long);
      assert.equal(view.getBigInt64(at, true), BigInt(long));
    }),
    { seed },
  );
});

it("writeAscii() writes the length and the text, and returns 0 for text that is not ASCII", () => {
  const bytes = new Uint8Array(12);
  assert.equal(writeAscii(bytes, 1, "ab\x7f"), 8);
  assert.deepEqual([...bytes], [0, 3, 0, 0, 0, 0x61, 0x62, 0x7f, 0, 0, 0, 0]);
  assert.equal(writeAscii(bytes, 0, ""), 4);
  assert.equal(writeAscii(bytes, 0, "a\x80"), 0);
  assert.equal(writeAscii(bytes, 0, "\u2028"), 0);
});

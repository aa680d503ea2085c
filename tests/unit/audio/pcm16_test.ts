import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { pcm16Bytes, pcm16Samples } from "../../../src/audio/pcm16.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { assertSameElements } from "../../support/elements.ts";
import { seed } from "../../support/seed.ts";

describe("pcm16Samples()", () => {
  it("pcm16Samples() reads little-endian bytes at any offset", () => {
    const samples = fc.array(fc.integer({ min: -32768, max: 32767 }), {
      maxLength: 400,
      size: "max",
    });
    fc.assert(
      fc.property(samples, fc.nat({ max: 9 }), (values, offset) => {
        const bytes = new Uint8Array(offset + values.length * 2 + 3).subarray(offset, -3);
        values.forEach((value, i) => bytes.set([value & 255, (value >> 8) & 255], i * 2));
        assertSameElements(pcm16Samples(bytes), values);
      }),
      { seed },
    );
  });

  it("pcm16Samples() shares memory at an even offset and copies at an odd one", () => {
    const buffer = new ArrayBuffer(9);
    const even = pcm16Samples(new Uint8Array(buffer, 2, 4));
    const odd = pcm16Samples(new Uint8Array(buffer, 3, 4));
    assert.equal(even.buffer, buffer);
    assert.notEqual(odd.buffer, buffer);
    new Uint8Array(buffer).set([0x34, 0x12], 2);
    assert.equal(even[0], 0x1234);
    assert.equal(odd[0], 0);
  });

  it("pcm16Samples() refuses half a sample", () => {
    assert.throws(
      () => pcm16Samples(new Uint8Array(3)),
      (error: unknown) =>
        error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID" &&
        error.message === "Cannot read PCM16: found 3 bytes, expected two for each sample",
    );
  });

  it("pcm16Samples() refuses what is not bytes", () => {
    assert.throws(() => pcm16Samples("ab" as unknown as Uint8Array), {
      name: "TypeError",
      message: "Cannot read PCM16: found String, expected Uint8Array",
    });
  });
});

describe("pcm16Bytes()", () => {
  it("pcm16Bytes() writes little-endian bytes of exactly its samples", () => {
    const samples = Int16Array.of(9, 0x1234, -2, -32768, 9).subarray(1, 4);
    assert.deepEqual([...pcm16Bytes(samples)], [0x34, 0x12, 0xfe, 0xff, 0x00, 0x80]);
  });

  it("pcm16Bytes() and pcm16Samples() are inverse, at every place in memory", () => {
    fc.assert(
      fc.property(
        fc.int16Array({ maxLength: 400, size: "max" }),
        fc.nat({ max: 3 }),
        (samples, offset) => {
          const bytes = pcm16Bytes(samples);
          const moved = new Uint8Array(offset + bytes.length);
          moved.set(bytes, offset);
          assertSameElements(pcm16Samples(moved.subarray(offset)), samples);
        },
      ),
      { seed },
    );
  });

  it("pcm16Bytes() refuses what is not samples", () => {
    assert.throws(() => pcm16Bytes(new Uint8Array(2) as unknown as Int16Array), {
      name: "TypeError",
      message: "Cannot write PCM16: found Uint8Array, expected Int16Array",
    });
  });
});

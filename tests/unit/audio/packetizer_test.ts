import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { audioCodecs } from "../../../src/audio/codec.ts";
import { Packetizer } from "../../../src/audio/packetizer.ts";
import { concatBytes } from "../../../src/base/bytes.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { assertSameElements } from "../../support/elements.ts";
import { seed } from "../../support/seed.ts";

describe("Packetizer", () => {
  it("Packetizer gives the bytes that went in, in frames of one size, wherever the chunks are cut", () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 700, size: "max" }), {
      maxLength: 20,
      size: "max",
    });
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 650 }), (parts, frameBytes) => {
        const packetizer = new Packetizer({ frameBytes, silence: 0xd5 });
        const frames: Uint8Array[] = [];
        let taken = 0;
        for (const part of parts) {
          frames.push(...packetizer.push(part));
          taken += part.length;
          assert.equal(packetizer.pendingBytes, taken % frameBytes);
          assert.equal(frames.length, Math.floor(taken / frameBytes));
        }
        const left = taken % frameBytes;
        const last = packetizer.flush();
        assert.equal(last === undefined, left === 0);
        if (last !== undefined) frames.push(last);
        assert.ok(frames.every((frame) => frame.length === frameBytes));
        const padding = new Uint8Array(left === 0 ? 0 : frameBytes - left).fill(0xd5);
        assertSameElements(concatBytes(frames), concatBytes([...parts, padding]));
      }),
      { seed },
    );
  });

  it("Packetizer takes an entry of audioCodecs: 400 bytes of PCMU are two frames and a half", () => {
    const packetizer = new Packetizer(audioCodecs.PCMU);
    assert.deepEqual(packetizer.push(new Uint8Array(400)).map((frame) => frame.length), [160, 160]);
    assert.equal(packetizer.pendingBytes, 80);
    const last = packetizer.flush();
    assert.deepEqual([...last!], [...new Uint8Array(80), ...new Uint8Array(80).fill(0xff)]);
  });

  it("Packetizer.push() copies: overwriting a chunk changes no frame, a pooled Buffer included", () => {
    for (const chunk of [new Uint8Array(10).fill(1), Buffer.from(new Uint8Array(10).fill(1))]) {
      const packetizer = new Packetizer({ frameBytes: 4 });
      const frames = packetizer.push(chunk);
      chunk.fill(9);
      assert.deepEqual(frames.map((frame) => [...frame]), [[1, 1, 1, 1], [1, 1, 1, 1]]);
      frames[0]!.fill(8);
      assert.deepEqual([...packetizer.push(Uint8Array.of(2, 2))[0]!], [1, 1, 2, 2]);
      assert.ok(frames.every((frame) => frame.buffer.byteLength === 4));
    }
  });

  it("Packetizer.push() copies each byte once", () => {
    // Bytes are copied through `set` alone, so counting there sees every copy.
    let copied = 0;
    const original = Uint8Array.prototype.set;
    Uint8Array.prototype.set = function (source, offset) {
      copied += source.length;
      original.call(this, source, offset);
    };
    try {
      const packetizer = new Packetizer({ frameBytes: 160 });
      for (let i = 0; i < 1000; i++) packetizer.push(new Uint8Array(7));
      packetizer.push(new Uint8Array(100_000));
      packetizer.flush();
    } finally {
      Uint8Array.prototype.set = original;
    }
    assert.equal(copied, 107_000);
  });

  it("Packetizer.flush() keeps or drops the tail when its option says so, and leaves the packetizer as new", () => {
    const keep = new Packetizer({ frameBytes: 4, tail: "keep" });
    keep.push(Uint8Array.of(1, 2, 3));
    assert.deepEqual([...keep.flush()!], [1, 2, 3]);
    assert.equal(keep.flush(), undefined);
    assert.deepEqual(keep.push(Uint8Array.of(5, 6, 7, 8)).map((frame) => [...frame]), [[
      5,
      6,
      7,
      8,
    ]]);
    const drop = new Packetizer({ frameBytes: 4, tail: "drop" });
    drop.push(Uint8Array.of(1, 2, 3));
    assert.equal(drop.flush(), undefined);
    assert.equal(drop.pendingBytes, 0);
  });

  it("Packetizer.clear() forgets what waits", () => {
    const packetizer = new Packetizer({ frameBytes: 4 });
    packetizer.push(Uint8Array.of(1, 2, 3));
    packetizer.clear();
    assert.equal(packetizer.pendingBytes, 0);
    assert.deepEqual([...packetizer.push(Uint8Array.of(5, 6, 7, 8))[0]!], [5, 6, 7, 8]);
  });

  it("Packetizer refuses options out of range and of another type", () => {
    const refused = (options: unknown, message: string) =>
      assert.throws(
        () => new Packetizer(options as { frameBytes: number }),
        (error: unknown) =>
          error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID" &&
          error.message === `Cannot make a packetizer: ${message}`,
      );
    refused({ frameBytes: 0 }, "frameBytes is 0, expected an integer from 1 to 1048576");
    refused({ frameBytes: 1.5 }, "frameBytes is 1.5, expected an integer from 1 to 1048576");
    refused({ frameBytes: NaN }, "frameBytes is NaN, expected an integer from 1 to 1048576");
    refused(
      { frameBytes: 2 ** 21 },
      "frameBytes is 2097152, expected an integer from 1 to 1048576",
    );
    refused(
      { frameBytes: 4, silence: 256 },
      "silence is 256, expected an integer from 0 to 255",
    );
    refused({ frameBytes: 4, tail: "cut" }, 'tail is "cut", expected one of pad, keep, drop');
    assert.throws(
      () => new Packetizer({ frameBytes: 4, tail: true as unknown as "pad" }),
      {
        name: "TypeError",
        message: "Cannot make a packetizer: tail is a boolean, expected a string",
      },
    );
    assert.throws(() => new Packetizer({ frameBytes: "160" as unknown as number }), TypeError);
    const packetizer = new Packetizer({ frameBytes: 4 });
    assert.throws(() => packetizer.push("abcd" as unknown as Uint8Array), {
      name: "TypeError",
      message: "Cannot packetize: found String, expected Uint8Array",
    });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { concatBytes } from "../../../src/base/bytes.ts";
import {
  encodeFrame,
  encodeRequest,
  type Frame,
  FrameReader,
  type FrameReaderOptions,
  methods,
} from "../../../src/wire/mod.ts";
import { seed } from "../../support/seed.ts";
import { costOf } from "./support/cost.ts";
import { assertThrows } from "./support/errors.ts";
import { bytesOf } from "./support/vectors.ts";

const audio = encodeFrame(methods.AudioFrame, {
  callSid: "call-1",
  payload: Uint8Array.from({ length: 20 }, (_, i) => i),
  codec: "PCMU",
});
const empty = bytesOf("0a0000000f0f0f0f000000000000");
const ending = encodeFrame(methods.SessionEnding, { code: 401, reason: "revoked" });

/** Reads a stream that comes in these chunks, to its end. */
function read(chunks: readonly Uint8Array[], options?: FrameReaderOptions): Frame[] {
  const reader = new FrameReader(options);
  const frames = chunks.flatMap((chunk) => reader.push(chunk));
  reader.end();
  return frames;
}

/** Cuts bytes at these places. */
function cut(bytes: Uint8Array, ...at: readonly number[]): Uint8Array[] {
  return [0, ...at].map((from, i) => bytes.slice(from, at[i] ?? bytes.length));
}

describe("FrameReader", () => {
  it("returns the frames of a stream, unknown ids included", () => {
    const frames = read([concatBytes([audio, empty, ending])]);
    assert.deepEqual(frames.map((frame) => frame.methodId), [2991054320, 0x0f0f0f0f, 3067083299]);
    assert.deepEqual(frames.map((frame) => frame.envelope), [
      audio.slice(8),
      empty.slice(8),
      ending.slice(8),
    ]);
  });

  it("G-05 returns the same frames for every way to cut a stream of two into two and three chunks", () => {
    for (
      const stream of [
        concatBytes([audio, ending]),
        concatBytes([empty, audio]),
        concatBytes([empty, empty]),
      ]
    ) {
      const expected = read([stream]);
      assert.equal(expected.length, 2);
      for (let a = 0; a <= stream.length; a++) {
        assert.deepEqual(read(cut(stream, a)), expected);
        for (let b = a; b <= stream.length; b++) {
          assert.deepEqual(read(cut(stream, a, b)), expected, `cut at ${a} and ${b}`);
        }
      }
    }
  });

  it("G-05 returns the same frames when every byte is a chunk", () => {
    const stream = concatBytes([audio, empty, ending, audio]);
    const bytes = cut(stream, ...Array.from({ length: stream.length - 1 }, (_, i) => i + 1));
    assert.deepEqual(read(bytes), read([stream]));
    assert.deepEqual(
      read([...bytes.slice(0, 9), new Uint8Array(0), ...bytes.slice(9)]),
      read([stream]),
    );
  });

  it("returns the same frames for any stream and any cuts, under both rules", () => {
    const envelope = fc.uint8Array({ maxLength: 300 }).map((payload) => {
      const bytes = new Uint8Array(6 + payload.length);
      new DataView(bytes.buffer).setInt32(2, payload.length, true);
      bytes.set(payload, 6);
      return bytes;
    });
    const frame = fc.record({
      methodId: fc.nat(2 ** 31 - 1),
      envelope,
      counted: fc.constantFrom(4, 8),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        fc.constantFrom("push" as const, "request" as const),
        (frames, sizes, rule) => {
          const stream = concatBytes(frames.map(({ methodId, envelope, counted }) => {
            const bytes = new Uint8Array(8 + envelope.length);
            const view = new DataView(bytes.buffer);
            view.setUint32(0, envelope.length + (rule === "push" ? 4 : counted), true);
            view.setUint32(4, methodId, true);
            bytes.set(envelope, 8);
            return bytes;
          }));
          const chunks: Uint8Array[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = sizes[i % sizes.length]!;
            chunks.push(stream.slice(at, at + size));
            at += size;
          }
          assert.deepEqual(
            read(chunks, { rule }),
            frames.map(({ methodId, envelope }) => ({ methodId, envelope })),
          );
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  it("reads requests under either rule, and pushes under their own only", () => {
    const inclusive = encodeRequest(methods.Terminate, { callSid: "abc" });
    const exclusive = encodeRequest(methods.Terminate, { callSid: "abc" }, {
      requestLength: "exclusive",
    });
    const frame = { methodId: 3834253405, envelope: inclusive.slice(8) };
    assert.deepEqual(read([inclusive, exclusive], { rule: "request" }), [frame, frame]);
    assert.deepEqual(read([exclusive]), [frame]);
    assertThrows(
      () => read([inclusive]),
      "ERR_WIRE_INVALID",
      "Cannot read frame: length is 21, expected the envelope's 13 and 4",
    );
  });

  it("throws a TypeError for a chunk that is not a Uint8Array", () => {
    for (const chunk of [undefined, "0a000000", audio.buffer, new DataView(audio.buffer)]) {
      assert.throws(() => new FrameReader().push(chunk as never), TypeError);
    }
  });

  it("does not need the end of the stream, and counts what is pending", () => {
    const reader = new FrameReader();
    assert.equal(reader.pendingBytes, 0);
    assert.equal(reader.push(audio.subarray(0, 3)).length, 0);
    assert.equal(reader.pendingBytes, 3);
    assert.equal(reader.push(audio.subarray(3, 30)).length, 0);
    assert.equal(reader.pendingBytes, 30);
    assert.equal(reader.push(audio.subarray(30)).length, 1);
    assert.equal(reader.pendingBytes, 0);
    reader.end();
  });

  it("G-04 refuses the end of the stream at every byte inside a frame", () => {
    for (let at = 1; at < audio.length; at++) {
      assertThrows(
        () => read([audio.subarray(0, at)]),
        "ERR_WIRE_INVALID",
        `Cannot read frame: stream is closed after ${at} bytes, expected the whole frame`,
      );
    }
  });

  it("returns the envelope as a view of a chunk that holds the whole frame, otherwise of a buffer of its own", () => {
    const chunk = concatBytes([audio, ending]);
    const [whole] = new FrameReader().push(chunk);
    assert.equal(whole?.envelope.buffer, chunk.buffer);
    const reader = new FrameReader();
    const first = audio.slice(0, 20);
    const second = audio.slice(20);
    reader.push(first);
    const [split] = reader.push(second);
    const expected = audio.slice(8);
    first.fill(0);
    second.fill(0);
    reader.push(audio.slice(0, 20));
    assert.deepEqual(split?.envelope, expected);
  });

  it("reads chunks that are views, and Node.js Buffers", async () => {
    const { Buffer } = await import("node:buffer");
    const padded = concatBytes([new Uint8Array(5), audio, new Uint8Array(5)]);
    const view = padded.subarray(5, 5 + audio.length);
    const expected = read([audio]);
    assert.deepEqual(read([view]), expected);
    const frames = read([Buffer.from(audio)]);
    assert.equal(Object.getPrototypeOf(frames[0]?.envelope), Uint8Array.prototype);
    assert.deepEqual(frames, expected);
    assert.deepEqual(
      read([Buffer.from(audio.subarray(0, 40)), Buffer.from(audio.subarray(40))]),
      expected,
    );
  });
});

describe("FrameReader against hostile lengths (G-03)", () => {
  /** A frame's first bytes with this length. */
  function withLength(length: number): Uint8Array {
    const bytes = audio.slice();
    new DataView(bytes.buffer).setUint32(0, length, true);
    return bytes;
  }

  for (const rule of ["push", "request"] as const) {
    it(`refuses lengths out of range as soon as their four bytes are there (${rule})`, () => {
      for (const length of [0, 3, 4, 9, 1048577, 0x7fffffff, 0x80000000, 0xffffffff]) {
        const reader = new FrameReader({ rule });
        const bytes = withLength(length);
        assert.deepEqual(reader.push(bytes.subarray(0, 3)), []);
        assertThrows(
          () => reader.push(bytes.subarray(3, 4)),
          "ERR_WIRE_INVALID",
          `Cannot read frame: length is ${length}, expected 10 to 1048576`,
        );
        assertThrows(() => new FrameReader({ rule }).push(bytes), "ERR_WIRE_INVALID", /length is/);
      }
    });

    it(`refuses a length that is one off (${rule})`, () => {
      const right = new DataView(audio.buffer).getUint32(0, true);
      for (const length of [right - 1, right + 1, right + 3, right + 5]) {
        assertThrows(
          () => new FrameReader({ rule }).push(withLength(length)),
          "ERR_WIRE_INVALID",
          /^Cannot read frame: length is \d+, expected the envelope's \d+ and 4/,
        );
      }
    });

    it(`refuses an envelope whose size is negative or leaves the frame (${rule})`, () => {
      for (const size of [-1, -6, -7, -(2 ** 31), 2 ** 31 - 1, 2 ** 31 - 6, audio.length]) {
        const bytes = audio.slice();
        new DataView(bytes.buffer).setInt32(10, size, true);
        assertThrows(() => new FrameReader({ rule }).push(bytes), "ERR_WIRE_INVALID", /length is/);
      }
    });
  }

  it("accepts a frame as long as the limit and refuses a longer one", () => {
    const limitBytes = audio.length - 4;
    assert.equal(read([audio], { limitBytes }).length, 1);
    assertThrows(
      () => read([audio], { limitBytes: limitBytes - 1 }),
      "ERR_WIRE_INVALID",
      `Cannot read frame: length is ${limitBytes}, expected 10 to ${limitBytes - 1}`,
    );
  });

  it("returns the frames before an invalid one, and then throws at every call", () => {
    const reader = new FrameReader();
    assert.equal(reader.push(concatBytes([audio, ending, withLength(3)])).length, 2);
    for (let i = 0; i < 2; i++) {
      assertThrows(() => reader.push(audio), "ERR_WIRE_INVALID", /length is 3,/);
      assertThrows(() => reader.end(), "ERR_WIRE_INVALID", /length is 3,/);
    }
  });
});

describe("FrameReader's cost", () => {
  /** One frame with a payload of this size. */
  function large(size: number): Uint8Array<ArrayBuffer> {
    return encodeFrame(methods.AudioFrame, {
      payload: new Uint8Array(size).fill(1),
      codec: "PCMU",
    });
  }

  function chunksOf(bytes: Uint8Array, size: number): Uint8Array[] {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
    return chunks;
  }

  it("copies no byte of a frame that lies within one chunk", () => {
    const chunk = concatBytes([audio, ending, audio]);
    assert.deepEqual(costOf(() => read([chunk])), { copied: 0, allocated: 0, largest: 0 });
  });

  it("copies each byte of a frame of up to 4 KiB once, except the first 14, which hold its size", () => {
    for (const size of [100, 1000, 4_000]) {
      const frame = large(size);
      for (const chunk of [1, 13, 14, 15, 100, 1200]) {
        const chunks = chunksOf(frame, chunk);
        const { copied, allocated } = costOf(() => read(chunks));
        assert.ok(
          copied <= frame.length + 14,
          `${copied} of ${frame.length} in chunks of ${chunk}`,
        );
        assert.ok(allocated <= frame.length + 14);
      }
    }
  });

  it("copies a large frame less than three times, for chunks of every size", () => {
    for (const size of [5_000, 60_000, 1_000_000]) {
      const frame = large(size);
      for (const chunk of [100, 1200, 65536, 500_000]) {
        const chunks = chunksOf(frame, chunk);
        const { copied } = costOf(() => read(chunks));
        assert.ok(copied < 3 * frame.length, `${copied} in chunks of ${chunk}`);
      }
    }
  });

  it("never holds more than 64 KiB and twice what has arrived", () => {
    const frame = large(1_000_000);
    for (const arrived of [14, 100, 4_096, 4_097, 65_536, 200_000, 999_999]) {
      const reader = new FrameReader();
      const chunks = chunksOf(frame.subarray(0, arrived), 1200);
      const { largest, allocated } = costOf(() => chunks.forEach((chunk) => reader.push(chunk)));
      const lent = arrived <= 4_096 ? 4_096 : 65_536;
      assert.ok(largest <= 2 * arrived + lent, `${largest} after ${arrived}`);
      assert.ok(allocated <= 4 * arrived + lent, `${allocated} in all after ${arrived}`);
    }
  });
});

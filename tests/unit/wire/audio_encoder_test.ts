import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { AudioFrameEncoder, encodeFrame, methods } from "../../../src/wire/mod.ts";
import { seed } from "../../support/seed.ts";
import { assertThrows } from "./support/errors.ts";

describe("AudioFrameEncoder", () => {
  it("writes what encodeFrame() writes, alone and into a batch", () => {
    const frame = fc.record({
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 400 }),
        fc.constant(new Uint8Array(160).fill(9)),
      ),
      sequenceNumber: fc.maxSafeNat(),
      endOfStream: fc.boolean(),
    });
    const texts = fc.record({
      callSid: fc.string({ unit: "binary" }),
      codec: fc.constantFrom("PCMU", "PCMA", "PCM16", "", "\u00e9"),
    });
    fc.assert(
      fc.property(texts, fc.array(frame, { maxLength: 6 }), fc.nat(9), (texts, frames, offset) => {
        const encoder = new AudioFrameEncoder(texts);
        const expected = frames.map((frame) =>
          encodeFrame(methods.AudioFrame, { ...texts, ...frame })
        );
        const total = frames.reduce((sum, { payload }) => sum + encoder.size(payload.length), 0);
        const batch = new Uint8Array(offset + total).fill(0xee);
        let at = offset;
        frames.forEach(({ payload, sequenceNumber, endOfStream }, i) => {
          assert.deepEqual(encoder.encode(payload, sequenceNumber, endOfStream), expected[i]);
          const end = encoder.encodeInto(batch, at, payload, sequenceNumber, endOfStream);
          assert.deepEqual(batch.slice(at, end), expected[i]);
          at = end;
        });
        assert.equal(at, batch.length);
        assert.deepEqual(batch.slice(0, offset), new Uint8Array(offset).fill(0xee));
      }),
      { seed, numRuns: 300 },
    );
  });

  it("gives a frame that was encoded before another number, and says where its payload is", () => {
    const encoder = new AudioFrameEncoder({ callSid: "\u00e9", codec: "PCMU" });
    const payload = new Uint8Array(160).fill(7);
    const room = new Uint8Array(3 + encoder.size(payload.length) + 2).fill(0xee);
    const end = encoder.encodeInto(room, 3, payload, 0, false);
    for (const number of [1, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
      encoder.renumber(room, end, number);
      assert.deepEqual(room.slice(3, end), encoder.encode(payload, number));
    }
    assert.deepEqual([...room.slice(end)], [0xee, 0xee]);
    const start = 3 + encoder.payloadOffset;
    assert.deepEqual(room.slice(start, start + payload.length), payload);
  });

  it("encodes each frame into a buffer of its own", () => {
    const encoder = new AudioFrameEncoder({ callSid: "s", codec: "PCMU" });
    const first = encoder.encode(new Uint8Array(160), 0);
    const copy = first.slice();
    encoder.encode(new Uint8Array(160).fill(1), 1);
    assert.deepEqual(first, copy);
  });

  it("refuses values that are out of range, and leaves the buffer as it was", () => {
    const encoder = new AudioFrameEncoder({ callSid: "s", codec: "PCMU" });
    const target = new Uint8Array(encoder.size(4)).fill(0xee);
    const payload = new Uint8Array(4);
    for (const sequence of [-1, 0.5, NaN, 2 ** 53, Infinity, "1" as never]) {
      assertThrows(
        () => encoder.encodeInto(target, 0, payload, sequence, false),
        "ERR_VALUE_INVALID",
        /^Cannot encode AudioFrame: sequenceNumber is .*, expected an integer from 0 to /,
      );
      assertThrows(() => encoder.encode(payload, sequence), "ERR_VALUE_INVALID", /sequenceNumber/);
    }
    for (const [offset, size] of [[1, 4], [0, 5], [target.length, 0]] as const) {
      assertThrows(
        () => encoder.encodeInto(target, offset, new Uint8Array(size), 0, false),
        "ERR_VALUE_INVALID",
        /^Cannot encode AudioFrame: room is \d+, expected \d+ bytes$/,
      );
    }
    assert.throws(() => encoder.encodeInto(target, 0, [1] as never, 0, false), TypeError);
    assert.throws(() => encoder.encode(undefined as never, 0), TypeError);
    assert.deepEqual(target, new Uint8Array(target.length).fill(0xee));
    assert.equal(encoder.encodeInto(target, 0, payload, 0, false), target.length);
  });

  it("refuses texts as the message does", () => {
    assertThrows(
      () => new AudioFrameEncoder({ callSid: "\ud800", codec: "PCMU" }),
      "ERR_VALUE_INVALID",
      "Cannot encode AudioFrame: callSid is text with a lone surrogate, expected well-formed Unicode",
    );
    assert.throws(() => new AudioFrameEncoder({ callSid: 1 as never, codec: "PCMU" }), TypeError);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { writeU32 } from "../../../../src/wire/bytes.ts";
import { message } from "../../../../src/wire/message.ts";
import { AudioFrame, audioFrame, CallEvent } from "../../../../src/wire/mod.ts";
import { seed } from "../../../support/seed.ts";
import { valueArbitrary } from "../support/arbitrary.ts";
import type { AnyMessage } from "../support/model.ts";

// The same declaration without what makes it fast.
const derived = message("AudioFrame", audioFrame);

/** What `run` gives or throws. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message };
  }
}

describe("AudioFrame", () => {
  it("has the fields that it would have without its fast path", () => {
    const fieldsOf = (fields: readonly object[]) =>
      fields.map((field) => ({ ...field, write: 0, read: 0 }));
    assert.deepEqual(fieldsOf(AudioFrame.fields), fieldsOf(derived.fields));
  });

  it("encodes usual values as its fields would", () => {
    fc.assert(
      fc.property(
        valueArbitrary(AudioFrame as unknown as AnyMessage),
        fc.nat(20),
        (value, headroom) => {
          const bytes = AudioFrame.encode(value, headroom);
          assert.deepEqual(bytes, derived.encode(value, headroom));
          const envelope = bytes.subarray(headroom);
          assert.deepEqual(AudioFrame.decode(envelope), derived.decode(envelope));
        },
      ),
      { seed, numRuns: 1000 },
    );
  });

  it("decodes and refuses envelopes with bytes changed, cut off or added as its fields would", () => {
    const edit = fc.record({
      at: fc.nat(80),
      byte: fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255)),
    });
    fc.assert(
      fc.property(
        valueArbitrary(AudioFrame as unknown as AnyMessage),
        fc.array(edit, { maxLength: 3 }),
        fc.integer({ min: -60, max: 20 }),
        fc.boolean(),
        (value, edits, added, isSized) => {
          const whole = AudioFrame.encode(value);
          const bytes = new Uint8Array(Math.max(0, whole.length + added));
          bytes.set(whole.subarray(0, bytes.length));
          if (isSized && bytes.length >= 6) writeU32(bytes, 2, bytes.length - 6);
          for (const { at, byte } of edits) if (at < bytes.length) bytes[at] = byte;
          assert.deepEqual(
            outcome(() => AudioFrame.decode(bytes)),
            outcome(() => derived.decode(bytes)),
          );
        },
      ),
      { seed, numRuns: 3000 },
    );
  });

  it("encodes and refuses unusual values as its fields would", () => {
    const odd = (usual: fc.Arbitrary<unknown>) =>
      fc.oneof(
        usual,
        usual,
        fc.constantFrom(
          undefined,
          null,
          NaN,
          -1,
          0.5,
          2 ** 53,
          "",
          "\u00e9",
          "\ud800",
          "a\udfff",
          true,
          {},
          [],
          5n,
          new Uint8Array(3),
          new Uint16Array(2),
          new DataView(new ArrayBuffer(1)),
        ),
      );
    const value = fc.record({
      callSid: odd(fc.string()),
      payload: odd(fc.uint8Array()),
      codec: odd(fc.constant("PCMU")),
      sequenceNumber: odd(fc.nat()),
      endOfStream: odd(fc.boolean()),
    }, { requiredKeys: [] });
    fc.assert(
      fc.property(value, (value) => {
        const given = value as Partial<AudioFrame>;
        assert.deepEqual(
          outcome(() => AudioFrame.encode(given)),
          outcome(() => derived.encode(given)),
        );
      }),
      { seed, numRuns: 3000 },
    );
  });
});

describe("decoded values", () => {
  for (
    const { name, decode, encode, fields } of [AudioFrame, CallEvent] as unknown as AnyMessage[]
  ) {
    it(`${name} has its properties in wire order`, () => {
      const whole = (name === "AudioFrame" ? AudioFrame : CallEvent) as unknown as AnyMessage;
      const decoded = decode.call(whole, encode.call(whole, {}));
      assert.deepEqual(Object.keys(decoded), fields.map((field) => field.name));
    });
  }
});

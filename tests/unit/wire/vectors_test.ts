import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickError } from "../../../src/base/errors.ts";
import {
  encodeFrame,
  encodeRequest,
  FrameReader,
  methodById,
  pushById,
} from "../../../src/wire/mod.ts";
import { encodeHex } from "../../../src/base/bytes.ts";
import {
  bytesOf,
  envelopeOf,
  isEncodable,
  messageOf,
  valueOf,
  vectors,
} from "./support/vectors.ts";

describe("golden vectors", () => {
  it("are at least 84, of 30 types", () => {
    assert.ok(vectors.length >= 84);
    assert.ok(new Set(vectors.map((vector) => vector.type)).size >= 30);
  });

  for (const vector of vectors) {
    const message = messageOf(vector);

    it(`${vector.id} decodes`, () => {
      const decoded = message.decode(envelopeOf(vector));
      const expected = valueOf(vector);
      for (const field of message.fields) {
        assert.deepEqual(
          decoded[field.name],
          field.name in expected ? expected[field.name] : field.default,
          field.name,
        );
      }
      assert.deepEqual(Object.keys(decoded), message.fields.map((field) => field.name));
    });

    if (vector.kind !== "envelope") {
      it(`${vector.id} is read as one frame of its method`, () => {
        const rule = vector.kind === "rpc" ? "request" : "push";
        const reader = new FrameReader({ rule });
        const [frame, ...more] = reader.push(bytesOf(vector.hex));
        reader.end();
        assert.equal(more.length, 0);
        assert.equal(frame?.methodId, vector.method_id);
        const method = (rule === "request" ? methodById : pushById)(vector.method_id!);
        assert.equal(method?.request.name, vector.type);
        assert.deepEqual(frame?.envelope, envelopeOf(vector));
      });
    }

    if (vector.decode_only) continue;
    if (!isEncodable(vector)) {
      it(`${vector.id} is refused by encode(), for its 64-bit integers are not safe`, () => {
        assert.throws(
          () => message.encode(valueOf(vector)),
          (error) => error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID",
        );
      });
      continue;
    }

    it(`${vector.id} encodes to the same bytes`, () => {
      const expected = encodeHex(envelopeOf(vector));
      assert.equal(encodeHex(message.encode(valueOf(vector))), expected, "from its fields");
      const decoded = message.decode(envelopeOf(vector));
      assert.equal(encodeHex(message.encode(decoded)), expected, "from what decode() gave");
      if (vector.kind === "rpc") {
        const method = methodById(vector.method_id!)!;
        assert.equal(encodeHex(encodeRequest(method, valueOf(vector))), vector.hex);
      } else if (vector.kind === "frame") {
        const method = pushById(vector.method_id!)!;
        assert.equal(encodeHex(encodeFrame(method, valueOf(vector))), vector.hex);
      }
    });
  }
});

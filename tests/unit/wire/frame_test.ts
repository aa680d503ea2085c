import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encodeFrame,
  encodeReply,
  encodeRequest,
  FrameReader,
  type Method,
  methods,
} from "../../../src/wire/mod.ts";

const table = Object.values<Method<unknown, unknown>>({ ...methods });

describe("encodeRequest() and encodeFrame()", () => {
  for (const method of table) {
    it(`write ${method.name} with the length that each rule wants`, () => {
      const envelope = method.request.encode({});
      const lengths = {
        inclusive: encodeRequest(method, {}),
        exclusive: encodeRequest(method, {}, { requestLength: "exclusive" }),
        push: encodeFrame(method, {}),
      };
      for (const [rule, frame] of Object.entries(lengths)) {
        const view = new DataView(frame.buffer);
        const counted = rule === "inclusive" ? 8 : 4;
        assert.equal(view.getUint32(0, true), envelope.length + counted);
        assert.equal(view.getUint32(4, true), method.id);
        assert.deepEqual(frame.slice(8), envelope);
        const reader = new FrameReader({ rule: rule === "push" ? "push" : "request" });
        assert.deepEqual(reader.push(frame), [{ methodId: method.id, envelope }]);
        reader.end();
      }
    });
  }

  it("refuse the values that the message refuses", () => {
    const value = { maxDurationMs: 0.5 };
    const message = /^Cannot encode OriginateRequest: maxDurationMs is 0.5, /;
    assert.throws(() => encodeRequest(methods.Originate, value), {
      code: "ERR_VALUE_INVALID",
      message,
    });
    assert.throws(() => encodeFrame(methods.Originate, value), {
      code: "ERR_VALUE_INVALID",
      message,
    });
  });
});

describe("encodeReply()", () => {
  it("writes a bare envelope, or a frame of 4 + envelope with the option", () => {
    for (const method of table) {
      if (method.reply === undefined) continue;
      const envelope = method.reply.encode({});
      assert.deepEqual(encodeReply(method, {}), envelope);
      assert.deepEqual(encodeReply(method, {}, { framed: false }), envelope);
      const framed = encodeReply(method, {}, { framed: true });
      const view = new DataView(framed.buffer);
      assert.equal(view.getUint32(0, true), envelope.length + 4);
      assert.equal(view.getUint32(4, true), method.id);
      assert.deepEqual(framed.slice(8), envelope);
    }
  });

  it("throws a TypeError for a push", () => {
    assert.throws(
      () => encodeReply(methods.AudioFrame as Method<unknown, unknown>, {}),
      new TypeError("Cannot encode reply: AudioFrame is a push, expected a request"),
    );
  });
});

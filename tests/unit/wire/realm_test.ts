import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  AudioFrame,
  AudioFrameEncoder,
  encodeFrame,
  FrameReader,
  methods,
} from "../../../src/wire/mod.ts";
import { foreignArray } from "../../support/realm.ts";

const payload = Uint8Array.from({ length: 160 }, (_, i) => i);
const foreign = foreignArray("Uint8Array", payload) as Uint8Array;
const fields = { callSid: "call-1", codec: "PCMU", sequenceNumber: 7, endOfStream: false };

describe("bytes of another realm", () => {
  it("are encoded as those of this one", () => {
    for (const frame of [fields, { ...fields, callSid: "\u{e9}t\u{e9}" }]) {
      assert.deepEqual(
        encodeFrame(methods.AudioFrame, { ...frame, payload: foreign }),
        encodeFrame(methods.AudioFrame, { ...frame, payload }),
      );
    }
    const encoder = new AudioFrameEncoder({ callSid: "call-1", codec: "PCMU" });
    assert.deepEqual(encoder.encode(foreign, 7), encoder.encode(payload, 7));
  });

  it("are decoded to values of this one", () => {
    const envelope = AudioFrame.encode({ ...fields, payload });
    const decoded = AudioFrame.decode(foreignArray("Uint8Array", envelope) as Uint8Array);
    assert.deepEqual(decoded, AudioFrame.decode(envelope));
    assert.ok(decoded.payload instanceof Uint8Array);
  });

  it("are read as frames, however they are cut", () => {
    const bytes = encodeFrame(methods.AudioFrame, { ...fields, payload });
    for (const size of [1, 13, 100, bytes.length]) {
      const reader = new FrameReader();
      const frames = [];
      for (let at = 0; at < bytes.length; at += size) {
        const chunk = foreignArray("Uint8Array", bytes.subarray(at, at + size));
        frames.push(...reader.push(chunk as Uint8Array));
      }
      reader.end();
      assert.deepEqual(frames.map(({ envelope }) => AudioFrame.decode(envelope)), [
        { ...fields, payload },
      ]);
    }
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AudioChunk,
  checkChunk,
  chunkMs,
  encodeChunk,
} from "../../../../src/client/audio/chunk.ts";
import { Resampler } from "../../../../src/audio/mod.ts";
import { foreignArray } from "../../../support/realm.ts";

const format = { codec: "PCM16", sampleRate: 16_000 } as const;
const resampler = () => new Resampler({ inputRate: 16_000, outputRate: 16_000 });

describe("encodeChunk()", () => {
  const samples = Array.from({ length: 320 }, (_, i) => i * 100 - 16_000);
  const kinds: Readonly<Record<string, readonly [AudioChunk, unknown]>> = {
    Uint8Array: [
      new Uint8Array(Int16Array.from(samples).buffer),
      foreignArray("Uint8Array", new Uint8Array(Int16Array.from(samples).buffer)),
    ],
    Int16Array: [Int16Array.from(samples), foreignArray("Int16Array", samples)],
    Float32Array: [
      Float32Array.from(samples, (sample) => sample / 32_768),
      foreignArray("Float32Array", samples.map((sample) => sample / 32_768)),
    ],
  };

  for (const [name, [own, foreign]] of Object.entries(kinds)) {
    it(`takes a ${name} of another realm, as under jest, for what it is`, () => {
      checkChunk(foreign, format);
      assert.equal(chunkMs(foreign, format), chunkMs(own, format));
      assert.ok(chunkMs(own, format) > 0);
      assert.deepEqual(
        Uint8Array.from(encodeChunk(foreign as AudioChunk, format, resampler())),
        Uint8Array.from(encodeChunk(own, format, resampler())),
      );
    });
  }

  it("refuses what is not audio, and says what it is", () => {
    assert.throws(() => checkChunk(new ArrayBuffer(8), format), /an ArrayBuffer of 8 bytes/);
    assert.throws(() => checkChunk("AAAA", format), /text of 4 characters/);
    assert.throws(() => checkChunk(new Float64Array(8), format), /found Float64Array/);
  });
});

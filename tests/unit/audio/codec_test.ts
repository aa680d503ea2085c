import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AudioCodec,
  audioCodecs,
  decodeAudio,
  encodeAudio,
  frameMilliseconds,
  isAudioCodec,
  silenceFrame,
} from "../../../src/audio/codec.ts";
import { decodePcma, decodePcmu } from "../../../src/audio/g711.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";

const codecs = Object.keys(audioCodecs) as AudioCodec[];

describe("audioCodecs", () => {
  it("audioCodecs holds the figures of protocol.md section 6", () => {
    assert.deepEqual(audioCodecs, {
      PCMU: { sampleRate: 8000, bytesPerSample: 1, silence: 0xff, frameBytes: 160 },
      PCMA: { sampleRate: 8000, bytesPerSample: 1, silence: 0xd5, frameBytes: 160 },
      PCM16: { sampleRate: 16000, bytesPerSample: 2, silence: 0, frameBytes: 640 },
    });
    for (const { sampleRate, bytesPerSample, frameBytes } of Object.values(audioCodecs)) {
      assert.equal(frameBytes, sampleRate * bytesPerSample * frameMilliseconds / 1000);
    }
  });
});

describe("isAudioCodec()", () => {
  it("isAudioCodec() knows the table's own names and no others", () => {
    assert.deepEqual(codecs.filter(isAudioCodec), codecs);
    for (const name of ["pcmu", "OPUS", "", "toString", "__proto__", 0, null, undefined]) {
      assert.equal(isAudioCodec(name), false, String(name));
    }
  });
});

describe("silenceFrame()", () => {
  it("silenceFrame() decodes to the quietest value of its codec", () => {
    assert.ok(decodePcmu(silenceFrame("PCMU")).every((sample) => sample === 0));
    assert.ok(decodePcma(silenceFrame("PCMA")).every((sample) => sample === 8));
    assert.ok(decodeAudio("PCM16", silenceFrame("PCM16")).every((sample) => sample === 0));
  });

  it("silenceFrame() gives one whole frame, in memory of its own", () => {
    for (const codec of codecs) {
      const frame = silenceFrame(codec);
      assert.equal(frame.length, audioCodecs[codec].frameBytes);
      assert.notEqual(frame.buffer, silenceFrame(codec).buffer);
    }
  });

  it("silenceFrame() names the codecs there are when it refuses one", () => {
    assert.throws(
      () => silenceFrame("OPUS" as AudioCodec),
      (error: unknown) =>
        error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID" &&
        error.message ===
          'Cannot make silence: codec is "OPUS", expected one of PCMU, PCMA, PCM16',
    );
    assert.throws(() => silenceFrame(0 as unknown as AudioCodec), {
      name: "TypeError",
      message: "Cannot make silence: codec is a number, expected a string",
    });
  });
});

describe("encodeAudio() and decodeAudio()", () => {
  it("decodeAudio() gives back what encodeAudio() took, to the codec's precision", () => {
    const samples = Int16Array.of(0, 100, -100, 5000, -5000, 32000, -32000);
    const expected = {
      PCMU: [0, 104, -104, 5116, -5116, 32124, -32124],
      PCMA: [8, 104, -104, 4992, -4992, 32256, -32256],
      PCM16: [...samples],
    };
    for (const codec of codecs) {
      const payload = encodeAudio(codec, samples);
      assert.equal(payload.length, samples.length * audioCodecs[codec].bytesPerSample);
      assert.deepEqual([...decodeAudio(codec, payload)], expected[codec], codec);
    }
  });

  it("encodeAudio() and decodeAudio() refuse an unknown codec and show no more than its beginning", () => {
    const long = "x".repeat(5000) as AudioCodec;
    for (
      const attempt of [
        () => encodeAudio(long, new Int16Array(1)),
        () => decodeAudio(long, new Uint8Array(1)),
      ]
    ) {
      assert.throws(
        attempt,
        (error: unknown) =>
          error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID" &&
          error.message.length < 120,
      );
    }
  });
});

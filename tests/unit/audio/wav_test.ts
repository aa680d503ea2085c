import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { pcm16Bytes } from "../../../src/audio/pcm16.ts";
import { readWav, wavHeader } from "../../../src/audio/wav.ts";
import { concatBytes } from "../../../src/base/bytes.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { assertSameElements } from "../../support/elements.ts";
import { seed } from "../../support/seed.ts";

/** A WAV file, chunk by chunk. */
function file(...chunks: readonly (readonly [name: string, content: Uint8Array])[]): Uint8Array {
  const parts = chunks.flatMap(([name, content]) => {
    const head = new Uint8Array(8);
    head.set(new TextEncoder().encode(name));
    new DataView(head.buffer).setUint32(4, content.length, true);
    return [head, content, new Uint8Array(content.length % 2)];
  });
  return concatBytes([new TextEncoder().encode("RIFF????WAVE"), ...parts]);
}

function format(
  { tag = 1, channels = 1, sampleRate = 8_000, bits = 16, more = 0 } = {},
): Uint8Array {
  const bytes = new Uint8Array(16 + more);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tag, true);
  view.setUint16(2, channels, true);
  view.setUint32(4, sampleRate, true);
  view.setUint16(14, bits, true);
  return bytes;
}

const two = pcm16Bytes(Int16Array.of(1, -2));

describe("readWav()", () => {
  it("reads back what wavHeader() and pcm16Bytes() write, at any rate and any offset", () => {
    const samples = fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 1 });
    const rate = fc.integer({ min: 8_000, max: 48_000 });
    fc.assert(
      fc.property(samples, rate, fc.nat({ max: 5 }), (values, sampleRate, offset) => {
        const header = wavHeader({ sampleRate, samples: values.length });
        const bytes = concatBytes([header, pcm16Bytes(Int16Array.from(values))]);
        const shifted = concatBytes([new Uint8Array(offset), bytes]).subarray(offset);
        const wav = readWav(shifted);
        assert.deepEqual([wav.sampleRate, wav.channels], [sampleRate, 1]);
        assertSameElements(wav.samples, values);
      }),
      { seed },
    );
  });

  it("mixes two channels without clipping, and skips other chunks, also of odd length", () => {
    const stereo = pcm16Bytes(Int16Array.of(100, 300, -32_768, -32_768, 32_767, 32_767));
    const wav = readWav(file(
      ["LIST", Uint8Array.of(1, 2, 3)],
      ["fmt ", format({ channels: 2, sampleRate: 48_000 })],
      ["fact", new Uint8Array(4)],
      ["data", stereo],
      ["LIST", new Uint8Array(2)],
    ));
    assert.deepEqual([wav.sampleRate, wav.channels], [48_000, 2]);
    assertSameElements(wav.samples, [200, -32_768, 32_767]);
  });

  it("takes the extensible format, and a stream's unknown length", () => {
    const extensible = format({ tag: 0xfffe, more: 24 });
    new DataView(extensible.buffer).setUint16(24, 1, true);
    assertSameElements(readWav(file(["fmt ", extensible], ["data", two])).samples, [1, -2]);
    const streamed = concatBytes([wavHeader({ sampleRate: 16_000 }), two]);
    assertSameElements(readWav(streamed).samples, [1, -2]);
  });

  it("says what else a file is, and how it is converted", () => {
    const text = (start: string) => Uint8Array.from(start.padEnd(64), (c) => c.charCodeAt(0));
    const cut = concatBytes([wavHeader({ sampleRate: 8_000, samples: 4 }), two]);
    const cases: readonly [bytes: Uint8Array, found: RegExp][] = [
      [new Uint8Array(0), /it is empty/],
      [text("hello"), /it does not begin as one/],
      [text("ID3"), /it is an MP3 file/],
      [text("OggS"), /it is an Ogg file/],
      [text("fLaC"), /it is a FLAC file/],
      [file(), /it has no data/],
      [file(["data", two]), /its format is missing/],
      [file(["fmt ", new Uint8Array(4)], ["data", two]), /its format is cut off/],
      [file(["fmt ", format({ tag: 3, bits: 32 })], ["data", two]), /3 \(floating point\)/],
      [file(["fmt ", format({ tag: 7, bits: 8 })], ["data", two]), /7 \(mu-law\)/],
      [file(["fmt ", format({ bits: 24 })], ["data", two]), /its samples have 24 bits/],
      [file(["fmt ", format({ channels: 6 })], ["data", two]), /it has 6 channels/],
      [file(["fmt ", format({ sampleRate: 96_000 })], ["data", two]), /its rate is 96000 Hz/],
      [file(["fmt ", format({ sampleRate: 4_000 })], ["data", two]), /its rate is 4000 Hz/],
      [file(["fmt ", format()], ["data", new Uint8Array(1)]), /it holds no samples/],
      [cut, /it is cut off: its data has 4 of 8 bytes/],
    ];
    for (const [bytes, found] of cases) {
      assert.throws(() => readWav(bytes), (error) => {
        assert.ok(error instanceof TeleQuickError);
        assert.equal(error.code, "ERR_VALUE_INVALID");
        assert.match(error.message, found);
        assert.match(error.message, /expected 16-bit PCM.*sox FILE/);
        return true;
      });
    }
    assert.throws(() => readWav("RIFF" as unknown as Uint8Array), TypeError);
  });

  it("ends on any bytes, with samples or with ERR_VALUE_INVALID", () => {
    const chunk = fc.tuple(
      fc.constantFrom("fmt ", "data", "LIST", "RIFF"),
      fc.uint8Array({ maxLength: 48 }),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), fc.nat({ max: 120 }), (chunks, length) => {
        try {
          assert.ok(readWav(file(...chunks).subarray(0, length)).samples.length > 0);
        } catch (error) {
          assert.ok(error instanceof TeleQuickError, String(error));
        }
      }),
      { seed },
    );
  });
});

describe("wavHeader()", () => {
  it("is 44 bytes with the lengths of what follows", () => {
    const header = wavHeader({ sampleRate: 8_000, samples: 10 });
    const view = new DataView(header.buffer);
    assert.equal(header.length, 44);
    assert.deepEqual([view.getUint32(4, true), view.getUint32(40, true)], [56, 20]);
    assert.deepEqual([view.getUint32(24, true), view.getUint32(28, true)], [8_000, 16_000]);
  });

  it("refuses a rate that readWav() would refuse", () => {
    for (const sampleRate of [7_999, 48_001, NaN]) {
      assert.throws(() => wavHeader({ sampleRate }), { code: "ERR_VALUE_INVALID" });
    }
  });
});

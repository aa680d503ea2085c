import {
  audioCodecs,
  decodePcma,
  decodePcmu,
  encodePcma,
  encodePcmu,
  JitterBuffer,
  Packetizer,
  pcm16Bytes,
  pcm16Samples,
  Resampler,
  toneSamples,
} from "@telequick/sdk/audio";
import { type Check, equal, ok, refused } from "./check.ts";
import tables from "../vectors/g711.json" with { type: "json" };

const codes = Uint8Array.from({ length: 256 }, (_, code) => code);

/** How strong a frequency is in samples: 1 for a full-scale sine of it alone (Goertzel's algorithm). */
function strength(samples: Int16Array, hertz: number, rate: number): number {
  let [real, imaginary] = [0, 0];
  samples.forEach((sample, i) => {
    real += sample * Math.cos(2 * Math.PI * hertz * i / rate);
    imaginary += sample * Math.sin(2 * Math.PI * hertz * i / rate);
  });
  return 2 * Math.hypot(real, imaginary) / samples.length / 32767;
}

export const audioChecks: readonly Check[] = [
  {
    title: "G.711 has the published value for every code, both laws",
    run() {
      equal([...decodePcmu(codes)], tables.ulaw, "u-law");
      equal([...decodePcma(codes)], tables.alaw, "A-law");
    },
  },
  {
    title: "G.711 gives every code back, but for the second zero of the u-law",
    run() {
      equal(encodePcma(decodePcma(codes)), codes, "A-law");
      equal(
        encodePcmu(decodePcmu(codes)),
        codes.map((code) => code === 0x7f ? 0xff : code),
        "u-law",
      );
    },
  },
  {
    title: "PCM16 is little-endian, also from an odd offset",
    run() {
      const samples = Int16Array.of(1, -2, 32767, -32768);
      const bytes = pcm16Bytes(samples);
      equal([...bytes], [1, 0, 254, 255, 255, 127, 0, 128]);
      const shifted = new Uint8Array(9);
      shifted.set(bytes, 1);
      equal(pcm16Samples(shifted.subarray(1)), samples);
    },
  },
  {
    title: "Packetizer cuts any chunks into the same frames",
    run() {
      const input = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);
      for (const cut of [1, 7, 160, 161, 1000]) {
        const packetizer = new Packetizer(audioCodecs.PCMU);
        const frames: Uint8Array[] = [];
        for (let at = 0; at < input.length; at += cut) {
          frames.push(...packetizer.push(input.subarray(at, at + cut)));
        }
        equal(frames.length, 6, `frames of chunks of ${cut}`);
        frames.forEach((frame, i) => equal(frame, input.slice(160 * i, 160 * i + 160)));
        equal(packetizer.pendingBytes, 40, "what waits");
      }
    },
  },
  {
    title: "Resampler keeps a tone and lets no other in, from every rate to every rate",
    run() {
      const rates = [8000, 16000, 24000, 48000] as const;
      for (const inputRate of rates) {
        for (const outputRate of rates) {
          const input = toneSamples({
            frequencyHz: 1000,
            sampleRate: inputRate,
            milliseconds: 1000,
          });
          const resampler = new Resampler({ inputRate, outputRate });
          const output = resampler.push(input);
          const middle = output.subarray(outputRate / 10, outputRate * 9 / 10);
          const name = `${inputRate} to ${outputRate}`;
          const before = strength(input, 1000, inputRate);
          ok(
            Math.abs(strength(middle, 1000, outputRate) / before - 1) < 0.02,
            `${name} keeps 1 kHz`,
          );
          ok(strength(middle, 3000, outputRate) < before / 1000, `${name} adds no 3 kHz`);
        }
      }
    },
  },
  {
    title: "JitterBuffer puts frames in order and stands in for a lost one",
    run() {
      const buffer = new JitterBuffer({ jitterBufferMs: 60 });
      const payload = new Uint8Array(160).fill(0x55);
      for (const sequenceNumber of [0, 2, 1, 4]) {
        buffer.push({ sequenceNumber, payload, codec: "PCMU" }, sequenceNumber * 20);
      }
      const heard = [];
      for (let frame = buffer.pop(1000); frame !== undefined; frame = buffer.pop(1000)) {
        heard.push([frame.sequenceNumber, frame.concealed]);
      }
      equal(heard, [[0, false], [1, false], [2, false], [3, true], [4, false]]);
    },
  },
  {
    title: "a codec, a rate or a frame that does not exist is refused",
    async run() {
      const inputRate = 96_000;
      await refused(() => new Resampler({ inputRate, outputRate: 8000 }), {
        code: "ERR_VALUE_INVALID",
      });
      await refused(() => new Packetizer({ frameBytes: 0 }), { code: "ERR_VALUE_INVALID" });
    },
  },
];

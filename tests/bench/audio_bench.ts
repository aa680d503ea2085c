import { decodePcma, decodePcmu, encodePcma, encodePcmu, Resampler } from "../../src/audio/mod.ts";
import vectors from "../vectors/g711.json" with { type: "json" };
import { bench } from "./support/bench.ts";
import { cycle } from "./support/inputs.ts";

/** A second of something like speech: harmonics under a syllable's swell, and noise; full range, every frame different. */
function speech(sampleRate: number): Int16Array {
  let state = 1;
  return Int16Array.from({ length: sampleRate }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const t = i / sampleRate;
    const voice = [1, 2, 3, 5, 8].reduce((sum, k) => sum + Math.sin(754 * k * t) / k, 0);
    return 12_000 * Math.sin(10 * t) ** 2 * voice + state / 2 ** 31 * 500;
  });
}

/** The samples cut into frames of 20 ms, each in memory of its own. */
function frames(samples: Int16Array, sampleRate: number): Int16Array[] {
  const length = sampleRate / 50;
  return Array.from({ length: 50 }, (_, i) => samples.slice(i * length, (i + 1) * length));
}

const sampleFrames = frames(speech(8000), 8000);
const codes = new Uint8Array(160);
const samples = new Int16Array(160);

// The floor: one look-up per element and nothing else. No check, no allocation.
function decodeLoop(table: Int16Array, bytes: Uint8Array, into: Int16Array): Int16Array {
  for (let i = 0; i < bytes.length; i++) into[i] = table[bytes[i]!]!;
  return into;
}

function encodeLoop(table: Uint8Array, input: Int16Array, into: Uint8Array): Uint8Array {
  for (let i = 0; i < input.length; i++) into[i] = table[input[i]! & 0xffff]!;
  return into;
}

// ITU-T G.191's way: the segment by comparing, without a table.
function encodeMuLawBySegments(input: Int16Array, into: Uint8Array): Uint8Array {
  for (let i = 0; i < input.length; i++) {
    const magnitude = Math.min(Math.abs(input[i]!), 32635) + 132;
    let segment = 7;
    for (let bit = 0x4000; segment > 0 && (magnitude & bit) === 0; bit >>= 1) segment--;
    into[i] = ~((input[i]! < 0 ? 128 : 0) | segment << 4 | (magnitude >> (segment + 3)) & 15);
  }
  return into;
}

const laws = [
  { codec: "PCMU", decode: decodePcmu, encode: encodePcmu, values: vectors.ulaw },
  { codec: "PCMA", decode: decodePcma, encode: encodePcma, values: vectors.alaw },
];

for (const { codec, decode, encode, values } of laws) {
  const decodeTable = Int16Array.from(values);
  const encodeTable = encode(Int16Array.from({ length: 65536 }, (_, i) => i));
  const nextCodes = cycle(sampleFrames.map((frame) => encode(frame)));
  const nextSamples = cycle(sampleFrames);

  bench({
    name: `${codec}, decode 20 ms into a given array`,
    baseline: "ours",
    contenders: {
      "ours": () => decode(nextCodes(), samples),
      "bare loop": () => decodeLoop(decodeTable, nextCodes(), samples),
    },
    targets: { "bare loop": 0.7 },
    bytes: 160,
  });

  bench({
    name: `${codec}, decode 20 ms into a fresh array`,
    baseline: "ours",
    contenders: {
      "ours": () => decode(nextCodes()),
      "bare loop": () => decodeLoop(decodeTable, nextCodes(), new Int16Array(160)),
    },
    targets: { "bare loop": 0.7 },
    bytes: 160,
  });

  bench({
    name: `${codec}, encode 20 ms into a given array`,
    baseline: "ours",
    contenders: {
      "ours": () => encode(nextSamples(), codes),
      "bare loop": () => encodeLoop(encodeTable, nextSamples(), codes),
      ...(codec === "PCMU" &&
        { "by segments": () => encodeMuLawBySegments(nextSamples(), codes) }),
    },
    targets: { "bare loop": 0.5 },
    bytes: 320,
  });

  bench({
    name: `${codec}, encode 20 ms into a fresh array`,
    baseline: "ours",
    contenders: {
      "ours": () => encode(nextSamples()),
      "bare loop": () => encodeLoop(encodeTable, nextSamples(), new Uint8Array(160)),
    },
    targets: { "bare loop": 0.5 },
    bytes: 320,
  });
}

/** The floor of resampling: as many multiplications as the filter has, over samples that lie ready, and nothing else. */
function multiplyLoop(taps: number, outputs: number): () => Int16Array {
  const coefficients = new Float64Array(taps).fill(1 / taps);
  const input = new Float64Array(taps + outputs).fill(1000);
  const output = new Int16Array(outputs);
  return () => {
    for (let i = 0; i < outputs; i++) {
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) sum += coefficients[tap]! * input[i + tap]!;
      output[i] = sum;
    }
    return output;
  };
}

const pairs: readonly (readonly [number, number])[] = [
  [8000, 16000],
  [8000, 24000],
  [24000, 8000],
  [16000, 24000],
  [48000, 8000],
];

for (const [inputRate, outputRate] of pairs) {
  const resampler = new Resampler({ inputRate, outputRate });
  const next = cycle(frames(speech(inputRate), inputRate));
  const taps = 52 * Math.max(1, inputRate / outputRate);
  bench({
    name: `Resampler, 20 ms from ${inputRate} to ${outputRate} Hz`,
    baseline: "ours",
    contenders: {
      "ours": () => resampler.push(next()),
      "bare multiplications": multiplyLoop(taps, outputRate / 50),
    },
    bytes: inputRate / 50 * 2,
    // A hundred times real time, in megabytes of 16-bit input.
    targetMegabytesPerSecond: 100 * inputRate * 2 / 1e6,
  });
}

import { deepStrictEqual as same, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { Capture } from "../../../../src/browser/worklet/capture.ts";
import { LevelMeter } from "../../../../src/browser/worklet/level_meter.ts";

/** Pushes whole chunks and gives the samples of all blocks. */
function samplesOf(capture: Capture, chunks: readonly (Float32Array | number)[]): number[] {
  const samples: number[] = [];
  for (const chunk of chunks) {
    const input = typeof chunk === "number" ? undefined : chunk;
    const length = typeof chunk === "number" ? chunk : chunk.length;
    capture.push(input, length, (block) => samples.push(...block));
  }
  return samples;
}

Deno.test("Capture cuts any chunks into blocks of 10 ms and loses no sample", () => {
  fc.assert(fc.property(
    fc.constantFrom(44_100, 48_000),
    fc.array(fc.int16Array({ maxLength: 300 }), { maxLength: 30 }),
    (sampleRate, chunks) => {
      const capture = new Capture(sampleRate);
      const length = sampleRate / 100;
      const floats = chunks.map((chunk) => Float32Array.from(chunk, (sample) => sample / 32_768));
      const all = chunks.flatMap((chunk) => [...chunk]);
      const blocks = Math.floor(all.length / length);
      same(samplesOf(capture, floats), all.slice(0, blocks * length));
      equal(capture.stats().blocks, blocks);
    },
  ));
});

Deno.test("Capture clips what is louder than full scale", () => {
  const input = new Float32Array(480).fill(2);
  input.fill(-2, 240);
  const samples = samplesOf(new Capture(48_000), [input]);
  equal(samples[0], 32_767);
  equal(samples[479], -32_768);
});

Deno.test("Capture.mute() fades to silence within a chunk and back", () => {
  const capture = new Capture(48_000);
  const loud = (): Float32Array => new Float32Array(480).fill(0.5);
  samplesOf(capture, [loud()]);
  capture.mute(true);
  const fading = samplesOf(capture, [loud()]);
  ok(fading[0]! > 16_000 && fading[479] === 0);
  for (let i = 1; i < 480; i++) ok(Math.abs(fading[i]! - fading[i - 1]!) <= 35);
  ok(samplesOf(capture, [loud()]).every((sample) => sample === 0));
  capture.mute(false);
  equal(samplesOf(capture, [loud()])[479], 16_384);
});

Deno.test("Capture gives silence without an input, and says for how long", () => {
  const capture = new Capture(48_000);
  ok(samplesOf(capture, [4_800]).every((sample) => sample === 0));
  same(capture.stats(), { blocks: 10, zeroMs: 100, absentMs: 100 });
  samplesOf(capture, [new Float32Array(480)]);
  same(capture.stats(), { blocks: 11, zeroMs: 110, absentMs: 0 });
  samplesOf(capture, [new Float32Array(480).fill(1e-4)]);
  same(capture.stats(), { blocks: 12, zeroMs: 0, absentMs: 0 });
  samplesOf(capture, [480]);
  capture.restart();
  same(capture.stats(), { blocks: 13, zeroMs: 0, absentMs: 0 });
});

Deno.test("LevelMeter gives the RMS of a tone, and falls by half in 100 ms", () => {
  const meter = new LevelMeter(48_000);
  const tone = Float32Array.from({ length: 4_800 }, (_, i) => Math.sin(2 * Math.PI * i / 48));
  meter.push(tone, tone.length);
  ok(Math.abs(meter.level - Math.SQRT1_2) < 1e-6);
  meter.push(undefined, 4_800);
  ok(Math.abs(meter.level ** 2 - 0.25) < 1e-6);
  const silent = new LevelMeter(48_000);
  silent.push(undefined, 0);
  equal(silent.level, 0);
});

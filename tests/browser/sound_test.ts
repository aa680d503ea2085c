import { ok } from "node:assert/strict";
import { beepSamples } from "./support/sound.ts";
import { openStage } from "./support/stage.ts";
import { until } from "./support/wait.ts";

const RATE = 48_000;
const TONE_HZ = 1_000;
// Whole periods: nothing leaks from the tone's own line of the spectrum.
const BLOCK = 480;

/** The part of a block that is at a frequency: its amplitude (Goertzel). */
function amplitudeAt(block: Float32Array, hertz: number): number {
  let real = 0;
  let imaginary = 0;
  for (let i = 0; i < block.length; i++) {
    const angle = 2 * Math.PI * hertz * i / RATE;
    real += block[i]! * Math.cos(angle);
    imaginary -= block[i]! * Math.sin(angle);
  }
  return 2 * Math.hypot(real, imaginary) / block.length;
}

/** The power of a block that is left without the best sine of a frequency (least squares over sine and cosine). */
function powerBeside(block: Float32Array, hertz: number): number {
  let [cc, ss, cs, xc, xs, xx] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < block.length; i++) {
    const angle = 2 * Math.PI * hertz * i / RATE;
    const [c, s, x] = [Math.cos(angle), Math.sin(angle), block[i]!];
    cc += c * c;
    ss += s * s;
    cs += c * s;
    xc += x * c;
    xs += x * s;
    xx += x * x;
  }
  const determinant = cc * ss - cs * cs;
  const a = (xc * ss - xs * cs) / determinant;
  const b = (xs * cc - xc * cs) / determinant;
  return Math.max(0, xx - a * xc - b * xs) / block.length;
}

/** What a tone does not explain: the RMS of a block without it. The player's rate is adjusted by up to 1 %, and the tone with it. */
function remainder(block: Float32Array): number {
  const near = Array.from({ length: 25 }, (_, i) => TONE_HZ * (1 + (i - 12) / 1_000));
  return Math.sqrt(Math.min(...near.map((hertz) => powerBeside(block, hertz))));
}

function decibels(ratio: number): number {
  return 20 * Math.log10(ratio);
}

Deno.test("a beep of 1 kHz comes back as loud as it was, without a click", async () => {
  await using stage = await openStage({ sound: beepSamples() });
  await stage.call("openTapped", {});
  await stage.call("dial");
  const stats = (): Promise<{ playedMs: number; underruns: number }> => stage.call("stats");
  await until(stats, ({ playedMs }) => playedMs > 2_000);
  await stage.call("record", 8);
  const { input, output } = await stage.call<{ input: string; output: string }>("recorded");
  const said = blocksOf(input);
  const played = blocksOf(output);
  // Where the machine was too busy for a while there are gaps, and the sound that was sent stops and begins with an edge: they are
  // counted, and not judged here.
  const isLoud = played.map((block) => amplitudeAt(block, TONE_HZ) > 0.1);
  const loud = played.filter((_, i) => isLoud[i]);
  const steady = played.map((block, i) =>
    isLoud[i - 1] && isLoud[i] && isLoud[i + 1] ? block : undefined
  );
  ok(loud.length > played.length / 2, `${loud.length} of ${played.length} blocks have the tone`);
  const level = decibels(
    median(loud.map((block) => amplitudeAt(block, TONE_HZ))) /
      median(said.map((block) => amplitudeAt(block, TONE_HZ))),
  );
  ok(Math.abs(level) < 1, `${level.toFixed(2)} dB`);
  // A cut in mid-wave steps by up to half of full scale.
  let step = 0;
  let last: number | undefined;
  for (const block of steady) {
    if (block === undefined) last = undefined;
    for (const sample of block ?? []) {
      step = Math.max(step, Math.abs(sample - (last ?? sample)));
      last = sample;
    }
  }
  const own = 0.25 * 2 * Math.PI * TONE_HZ / RATE;
  ok(step < own * 1.2, `a step of ${step.toFixed(4)}, the tone's own is ${own.toFixed(4)}`);
  // Above 5 kHz a click shows, and a tone or its fade does not.
  const high = Math.max(
    ...steady.flatMap((block) =>
      block === undefined ? [] : [5_000, 7_000, 11_000, 15_000].map((hz) => amplitudeAt(block, hz))
    ),
  );
  ok(decibels(high / 0.25) < -36, `${decibels(high / 0.25).toFixed(1)} dB at high frequencies`);
  const clean = median(loud.map(remainder));
  ok(decibels(clean / 0.18) < -40, `${decibels(clean / 0.18).toFixed(1)} dB beside the tone`);
});

function blocksOf(base64: string): Float32Array[] {
  const samples = new Int16Array(Uint8Array.fromBase64(base64).buffer);
  return Array.from(
    { length: Math.floor(samples.length / BLOCK) },
    (_, i) => Float32Array.from(samples.subarray(i * BLOCK, (i + 1) * BLOCK), (n) => n / 32_768),
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

import { ok, strictEqual as equal } from "node:assert/strict";
import { Playback } from "../../../../src/browser/worklet/playback.ts";
import { largestStep, play, quantile } from "./trace.ts";

// A 200 Hz tone of a tenth of full scale steps by this much from one sample to the next at 48 kHz.
const TONE_STEP = 0.1 * 2 * Math.PI * 200 / 48_000;

for (const ppm of [500, -500]) {
  Deno.test(`Playback follows a sender's clock that is off by ${ppm} ppm for ten minutes`, () => {
    const { stats, waits } = play({ seconds: 600, ppm });
    equal(stats.underruns, 0);
    equal(stats.skippedMs, 0);
    ok(quantile(waits.map(({ waitMs }) => waitMs), 0.95) <= 60);
  });
}

Deno.test("Playback returns to its level after a stall of 300 ms", () => {
  // Nothing arrives from 10.0 s to 10.3 s, then everything at once.
  const arrival = (sentMs: number): number =>
    sentMs >= 9_970 && sentMs < 10_270 ? 10_300 : sentMs + 30;
  const { stats, waits } = play({ seconds: 20, arrival });
  const average = (fromMs: number, toMs: number): number => {
    const some = waits.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs);
    return some.reduce((sum, { waitMs }) => sum + waitMs, 0) / some.length;
  };
  equal(stats.underruns, 1);
  ok(stats.skippedMs > 200);
  ok(average(13_300, 14_300) - average(8_000, 10_000) <= 20);
});

Deno.test("Playback learns to wait for arrivals that are held up 100 ms each second", () => {
  const arrival = (sentMs: number): number => {
    const due = sentMs + 30;
    return due % 1_000 < 100 ? due - due % 1_000 + 100 : due;
  };
  const { stats } = play({ seconds: 120, arrival });
  ok(stats.underruns <= 1, `${stats.underruns} underruns`);
});

Deno.test("Playback takes a pause of the far end for no underrun", () => {
  const arrival = (sentMs: number): number => sentMs < 2_000 ? sentMs : sentMs + 3_000;
  const { stats } = play({ seconds: 8, arrival });
  equal(stats.underruns, 0);
  equal(stats.slackMs, 30);
});

Deno.test("Playback plays what arrives unchanged when the clocks agree", () => {
  const { sound } = play({ seconds: 1, arrival: (sentMs) => sentMs, ppm: 0 });
  // The least level is what it should be: the rate is 1 within a part in a thousand, and so is the pitch.
  let crossings = 0;
  for (let i = 24_000; i < 48_000; i++) if (sound[i - 1]! < 0 && sound[i]! >= 0) crossings++;
  equal(crossings, 100);
  ok(Math.abs(Math.max(...sound.subarray(24_000)) - 0.1) < 0.001);
});

Deno.test("Playback begins, runs dry, skips and drops without a click", () => {
  const arrival = (sentMs: number): number => {
    if (sentMs >= 2_000 && sentMs < 2_400) return 2_400;
    return sentMs;
  };
  const { sound, stats } = play({
    seconds: 8,
    arrival,
    at(timeMs, playback) {
      if (Math.abs(timeMs - 6_000) < 1) playback.clear();
    },
  });
  ok(stats.underruns >= 1 && stats.skippedMs > 100);
  // The fades of 5 ms and of 128 samples add at most their own slope.
  ok(largestStep(sound) <= TONE_STEP * 1.5 + 0.1 / 128, `step ${largestStep(sound)}`);
});

Deno.test("Playback.clear() is silent after one quantum, and not an underrun", () => {
  const playback = new Playback({ sampleRate: 48_000, slackMs: 20 });
  const quantum = new Float32Array(128);
  playback.push(new Int16Array(9_600).fill(16_384));
  for (let i = 0; i < 40; i++) playback.render(quantum);
  equal(quantum[127], 0.5);
  playback.clear();
  playback.render(quantum);
  ok(quantum[0]! > 0.49 && quantum[127]! < 0.01);
  playback.render(quantum);
  ok(quantum.every((sample) => sample === 0));
  equal(playback.push(new Int16Array(960)), 0);
  equal(playback.stats().underruns, 0);
});

Deno.test("Playback skips a backlog of more than a second at once, independent of its size", () => {
  const playback = new Playback({ sampleRate: 48_000, slackMs: 30 });
  for (let i = 0; i < 500; i++) playback.push(new Int16Array(960));
  const { bufferedMs, skippedMs } = playback.stats();
  ok(bufferedMs <= 1_000);
  ok(bufferedMs + skippedMs > 9_900);
  playback.push(new Int16Array(48_000 * 30));
  ok(playback.stats().bufferedMs <= 1_000);
});

Deno.test("Playback works at 44.1 kHz", () => {
  const { stats, waits } = play({ seconds: 60, sampleRate: 44_100, ppm: 200 });
  equal(stats.underruns, 0);
  ok(quantile(waits.map(({ waitMs }) => waitMs), 0.95) <= 60);
});

Deno.test("Playback drops a sound that is still fading in without a click", () => {
  const playback = new Playback({ sampleRate: 48_000, slackMs: 30 });
  playback.push(new Int16Array(4_800).fill(16_384));
  const one = new Float32Array(1);
  const next = (): number => (playback.render(one), one[0]!);
  while (next() < 0.05);
  const reached = one[0]!;
  playback.clear();
  ok(Math.abs(next() - reached) < 0.5 / 128 + 0.5 / 240, `from ${reached} to ${one[0]}`);
});

Deno.test("Playback fades a sound out to its end when another fade begins", () => {
  for (const betweenMs of [0, 1, 2, 3, 4]) {
    const playback = new Playback({ sampleRate: 48_000, slackMs: 30 });
    // Each burst has another phase than what it takes the place of.
    const tone = (ms: number, phase: number): Int16Array =>
      Int16Array.from(
        { length: 48 * ms },
        (_, i) => Math.round(3_277 * Math.sin(2 * Math.PI * (200 * i / 48_000 + phase))),
      );
    const sound: number[] = [];
    const render = (ms: number): void => {
      const output = new Float32Array(48);
      for (let i = 0; i < ms; i++) {
        playback.render(output);
        sound.push(...output);
      }
    };
    playback.push(tone(200, 0));
    render(100);
    // More than a second waits: it is skipped, with a fade of 5 ms, and dropped while that goes on.
    playback.push(tone(1_003, 0.3));
    render(betweenMs);
    playback.clear();
    playback.push(tone(100, 0.7));
    render(60);
    ok(playback.stats().skippedMs > 0);
    const step = largestStep(Float32Array.from(sound));
    ok(step <= TONE_STEP * 2.5 + 0.1 / 128, `${betweenMs} ms between: a step of ${step}`);
  }
});

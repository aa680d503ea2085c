/**
 * How late what is played is: it is found again in what was said.
 *
 * @module
 */

// 100 ms are compared every 250 ms, over delays of up to a second; at about 3 kHz, as sound that is played 1 % faster or slower
// resembles what was said in its low tones alone.
const COMPARED_RATE = 3_000;
const WINDOW_MS = 100;
const STEP_MS = 250;
const LONGEST_MS = 1_000;
// A window that does not resemble anything that was said is left out.
const LEAST_CORRELATION = 0.5;
const GAP_MS = 4;

/** The mean of so many samples each. */
function decimate(samples: Int16Array, by: number): Float32Array {
  const made = new Float32Array(Math.floor(samples.length / by));
  for (let i = 0; i < made.length; i++) {
    let sum = 0;
    for (let k = 0; k < by; k++) sum += samples[i * by + k]!;
    made[i] = sum / by;
  }
  return made;
}

/** The delay of each window of what was played, in milliseconds; windows that resemble nothing are left out. */
function delaysOf(said: Float32Array, played: Float32Array, rate: number): number[] {
  const perMs = rate / 1_000;
  const window = Math.round(WINDOW_MS * perMs);
  const longest = Math.round(LONGEST_MS * perMs);
  const delays: number[] = [];
  for (let at = longest; at + window <= played.length; at += Math.round(STEP_MS * perMs)) {
    let best = 0;
    let delay = 0;
    let power = 0;
    for (let i = 0; i < window; i++) power += played[at + i]! ** 2;
    let energy = 0;
    for (let i = 0; i < window; i++) energy += said[at + i]! ** 2;
    for (let lag = 0; lag < longest; lag++) {
      if (lag > 0) energy += said[at - lag]! ** 2 - said[at - lag + window]! ** 2;
      let product = 0;
      for (let i = 0; i < window; i++) product += played[at + i]! * said[at + i - lag]!;
      const likeness = product / Math.sqrt(power * energy + 1);
      if (likeness > best) [best, delay] = [likeness, lag];
    }
    if (best >= LEAST_CORRELATION) delays.push(delay / perMs);
  }
  return delays;
}

function quantile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? NaN;
}

/** How often nothing was played for 4 ms or more. */
function gapsIn(played: Int16Array, rate: number): number {
  let gaps = 0;
  let zeros = 0;
  for (const sample of played) {
    zeros = sample === 0 ? zeros + 1 : 0;
    if (zeros === Math.round(GAP_MS * rate / 1_000)) gaps++;
  }
  return gaps;
}

/** What the page of a figure hands over: 16-bit samples of both ends, in base64. */
export interface RecordedLoop {
  readonly input: string;
  readonly output: string;
}

/** The figures of a recording, in words. */
export function describeLoop(recorded: RecordedLoop, sampleRate: number): string[] {
  const [said, played] = [samplesOf(recorded.input), samplesOf(recorded.output)];
  const by = Math.floor(sampleRate / COMPARED_RATE);
  const delays = delaysOf(decimate(said, by), decimate(played, by), sampleRate / by);
  const third = Math.floor(delays.length / 3);
  const ms = (values: readonly number[], part: number): string => quantile(values, part).toFixed(0);
  return [
    `p50 ${ms(delays, 0.5)} ms`,
    `p95 ${ms(delays, 0.95)} ms`,
    `first third ${ms(delays.slice(0, third), 0.5)}, last ${ms(delays.slice(-third), 0.5)} ms`,
    `${gapsIn(played, sampleRate)} gaps (${gapsIn(said, sampleRate)} of them the microphone's)`,
    `${delays.length} windows`,
  ];
}

function samplesOf(base64: string): Int16Array {
  return new Int16Array(Uint8Array.fromBase64(base64).buffer);
}

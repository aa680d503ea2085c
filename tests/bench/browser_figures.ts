// deno-lint-ignore-file no-console
/**
 * How late a voice is that goes from a page's microphone to the echo number and back to its loudspeaker, in real Chromium:
 * `deno run -A tests/bench/browser_figures.ts [--seconds 60] [--only text]`.
 *
 * Both ends of the page's audio are recorded on one clock, and what is played is found again in what was said. The fake microphone and
 * the loudspeaker of a headless browser add nothing; a device adds what `outputLatencyMs` says.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { certificateHash } from "../../src/transport/mod.ts";
import { speechSamples } from "../browser/support/sound.ts";
import { openPage, servePage } from "../browser/support/stage.ts";
import { GatewayHost } from "../support/gateway_host.ts";

interface Case {
  readonly title: string;
  readonly sampleRate?: number;
  readonly slackMs?: number;
  readonly codec?: string;
  readonly inWorker?: boolean;
  readonly to?: string;
  /** For how long the page is held up each second, in milliseconds. */
  readonly busyMs?: number;
}

const cases: readonly Case[] = [
  { title: "PCM16, 48 kHz" },
  { title: "PCM16, 48 kHz, in a Worker", inWorker: true },
  { title: "PCMU, 48 kHz", codec: "PCMU" },
  { title: "PCMU, in a Worker, slack 20", codec: "PCMU", inWorker: true, slackMs: 20 },
  { title: "PCM16, 44.1 kHz", sampleRate: 44_100 },
  { title: "PCMU, 44.1 kHz", sampleRate: 44_100, codec: "PCMU" },
  { title: "page busy 100 ms each second", busyMs: 100 },
  { title: "page busy 100 ms, in a Worker", busyMs: 100, inWorker: true },
  { title: "10 % loss", to: "+15550107" },
];

// 100 ms are compared every 250 ms, over delays of up to a second; at about 3 kHz, as sound that is played 1 % faster or slower
// resembles what was said in its low tones alone.
const COMPARED_RATE = 3_000;
const WINDOW_MS = 100;
const STEP_MS = 250;
const LONGEST_MS = 1_000;
// A window that does not resemble anything that was said is left out.
const LEAST_CORRELATION = 0.5;
const GAP_MS = 4;

function samplesOf(base64: string): Int16Array {
  return new Int16Array(Uint8Array.fromBase64(base64).buffer);
}

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

async function measure(one: Case, seconds: number): Promise<void> {
  const { sampleRate = 48_000, slackMs = 30, codec = "PCM16", busyMs = 0, to, inWorker } = one;
  // In a process of its own, as users have it: this one, with its bundler, collects garbage for 40 ms at a time.
  await using gateway = await GatewayHost.start();
  const { value: hash } = await certificateHash(gateway.certificatePem);
  const origin = await servePage({
    ...{ endpoint: gateway.endpoint, account: gateway.account, trunkId: "main" },
    certificateHash: new Uint8Array(hash).toBase64(),
  }, { // The fake microphone is silent for a moment when its file begins again: that would be counted as a gap.
    sound: speechSamples(seconds + 15),
  });
  await using stage = await openPage(origin);
  await stage.call("openTapped", { sampleRate, slackMs });
  await stage.call("dial", { codec, inWorker, ...(to === undefined ? {} : { to }) });
  // The first seconds find the level.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const load = busyMs > 0 ? stage.call("busy", [busyMs, seconds]) : undefined;
  const counted = await stage.call<{ underruns: number; skippedMs: number }>("record", seconds);
  await load;
  const { input, output } = await stage.call<{ input: string; output: string }>("recorded");
  const [said, played] = [samplesOf(input), samplesOf(output)];
  const by = Math.floor(sampleRate / COMPARED_RATE);
  const delays = delaysOf(decimate(said, by), decimate(played, by), sampleRate / by);
  const third = Math.floor(delays.length / 3);
  console.log([
    one.title.padEnd(32),
    `p50 ${quantile(delays, 0.5).toFixed(0)} ms`,
    `p95 ${quantile(delays, 0.95).toFixed(0)} ms`,
    `first third ${quantile(delays.slice(0, third), 0.5).toFixed(0)}, last ${
      quantile(delays.slice(-third), 0.5).toFixed(0)
    } ms`,
    `${counted.underruns} underruns`,
    `${gapsIn(played, sampleRate)} gaps (${gapsIn(said, sampleRate)} of them the microphone's)`,
    `${counted.skippedMs.toFixed(0)} ms skipped`,
    `${delays.length} windows`,
  ].join("; "));
}

const { values: { seconds = "60", only = "" } } = parseArgs({
  args: Deno.args,
  options: { seconds: { type: "string" }, only: { type: "string" } },
});
for (const one of cases) if (one.title.includes(only)) await measure(one, Number(seconds));

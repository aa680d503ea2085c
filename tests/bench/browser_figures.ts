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
import { describeLoop, type RecordedLoop } from "./support/loop_delay.ts";

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
  const recorded = await stage.call<RecordedLoop>("recorded");
  console.log([
    one.title.padEnd(32),
    ...describeLoop(recorded, sampleRate),
    `${counted.underruns} underruns`,
    `${counted.skippedMs.toFixed(0)} ms skipped`,
  ].join("; "));
}

const { values: { seconds = "60", only = "" } } = parseArgs({
  args: Deno.args,
  options: { seconds: { type: "string" }, only: { type: "string" } },
});
for (const one of cases) if (one.title.includes(only)) await measure(one, Number(seconds));

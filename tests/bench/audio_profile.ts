// deno-lint-ignore-file no-console
/**
 * Where the time of a client or a gateway goes while 200 calls talk: samples by layer, and CPU per frame.
 * `deno run -A tests/bench/audio_profile.ts [client|gateway|bytes] [shared|call] [port|streams]`
 *
 * @module
 */

import process from "node:process";
import { speakBytes } from "./support/bare_echo.ts";
import {
  clientOf,
  dial,
  MAX_STREAMS,
  startGateway,
  type Streams,
  talkPort,
  type Way,
} from "./support/echo_calls.ts";
import { startGatewayRig } from "./support/gateway_rig.ts";
import { openBare } from "./support/hosts.ts";
import { profile, type Share } from "./support/profile.ts";
import { cpuMicroseconds } from "./support/scenario.ts";
import { FRAMES_PER_SECOND, pace, Talkers } from "./support/talker.ts";

const CALLS = 200;
const SECONDS = 10;
const frames = SECONDS * CALLS * FRAMES_PER_SECOND;

const [who = "client", streams = "shared", way = "port"] = process.argv.slice(2) as [
  ("client" | "gateway" | "bytes")?,
  Streams?,
  Way?,
];

/** Lets the calls talk for so many seconds. */
type Talk = (seconds: number) => Promise<unknown>;

async function withClient(work: (talk: Talk) => Promise<void>): Promise<void> {
  await using host = await startGateway();
  await using client = clientOf(host, { audioStreams: streams });
  const calls = await dial(client, CALLS);
  const talkers = new Talkers(calls.map((call) => talkPort(call.audio(), way)));
  talkers.isTimed = false;
  await work((seconds) => pace(seconds, () => talkers.speak()));
  await talkers.heard();
}

/** What the client is held against: the bytes of the same frames, and the program that makes and takes them. */
async function withBytes(work: (talk: Talk) => Promise<void>): Promise<void> {
  await using peer = await openBare({ maxStreams: MAX_STREAMS });
  const bytes = await speakBytes(peer.transport, CALLS, streams);
  await work((seconds) => pace(seconds, () => bytes.speak()));
}

async function withGateway(work: (talk: Talk) => Promise<void>): Promise<void> {
  await using rig = await startGatewayRig(CALLS, streams);
  await work((seconds) => rig.talk("gateway", seconds));
}

async function measure(talk: Talk): Promise<void> {
  await talk(3);
  const cpu = cpuMicroseconds();
  await talk(3);
  const perFrame = (cpuMicroseconds() - cpu) / (3 * CALLS * FRAMES_PER_SECOND);
  const { layers, functions } = await profile(() => talk(SECONDS));
  console.log(`${who}, ${CALLS} calls, streams: ${streams}, through the ${way}`);
  console.log(`${perFrame.toFixed(1)} us of CPU a frame without the profiler`);
  console.log("\nby layer, JavaScript's thread");
  for (const share of layers) print(share);
  console.log("\nby function, callees not counted");
  for (const share of functions) print(share);
}

const print = ({ name, us }: Share): void =>
  console.log(`${(us / frames).toFixed(2).padStart(8)} us  ${name}`);

await ({ client: withClient, gateway: withGateway, bytes: withBytes })[who](measure);
process.exit(0);

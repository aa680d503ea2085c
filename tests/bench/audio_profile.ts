// deno-lint-ignore-file no-console
/**
 * Where the client's time goes while 200 calls talk: samples by layer, and CPU per frame.
 * `deno run -A tests/bench/audio_profile.ts [call|shared] [streams|port]`
 *
 * @module
 */

import process from "node:process";
import {
  clientOf,
  dial,
  startGateway,
  type Streams,
  talkPort,
  type Way,
} from "./support/echo_calls.ts";
import { profile, type Share } from "./support/profile.ts";
import { cpuMicroseconds } from "./support/scenario.ts";
import { FRAMES_PER_SECOND, pace, Talkers } from "./support/talker.ts";

const CALLS = 200;
const SECONDS = 10;
const frames = SECONDS * CALLS * FRAMES_PER_SECOND;

const [audioStreams = "shared", way = "streams"] = process.argv.slice(2) as [Streams?, Way?];
await using host = await startGateway();
await using client = clientOf(host, { audioStreams });
const calls = await dial(client, CALLS);
const talkers = new Talkers(calls.map((call) => talkPort(call.audio(), way)));
await pace(3, () => talkers.speak());
const cpu = cpuMicroseconds();
await pace(3, () => talkers.speak());
const perFrame = (cpuMicroseconds() - cpu) / (3 * CALLS * FRAMES_PER_SECOND);
const { layers, functions } = await profile(() => pace(SECONDS, () => talkers.speak()));
await talkers.heard();
console.log(`${CALLS} calls, streams: ${audioStreams}, through the ${way}`);
console.log(
  `${perFrame.toFixed(1)} us of CPU a frame without the profiler; lost: ${talkers.missing}`,
);
const print = ({ name, us }: Share): void =>
  console.log(`${(us / frames).toFixed(2).padStart(8)} us  ${name}`);
console.log("\nby layer, JavaScript's thread");
for (const share of layers) print(share);
console.log("\nby function, callees not counted");
for (const share of functions) print(share);

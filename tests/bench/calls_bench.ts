import process from "node:process";
import { usedHeap } from "../support/gc.ts";
import { speakBytes, type Speaker } from "./support/bare_echo.ts";
import { bareFrame, openBareLinks } from "./support/bare_links.ts";
import {
  clientOf,
  dial,
  MAX_STREAMS,
  startGateway,
  type Streams,
  talkPort,
  type Way,
} from "./support/echo_calls.ts";
import { openBare } from "./support/hosts.ts";
import { LoopLag } from "./support/loop_lag.ts";
import { cpuMicroseconds, type Figure, pause, percentile, scenario } from "./support/scenario.ts";
import {
  FRAMES_PER_SECOND,
  loopback,
  pace,
  PAYLOAD_BYTES,
  portOf,
  Talkers,
  type TalkPort,
} from "./support/talker.ts";
import { openWsPeer } from "./support/ws_peer.ts";

const CALLS = 200;
// What the first second costs (compiling, opening streams) is not counted.
const WARM_UP_SECONDS = 1;

interface Outcome {
  readonly lost: number;
  readonly trips: readonly number[];
  readonly slotsMissed: number;
  /** How late the loop was, in milliseconds. */
  readonly lagMs: number;
}

interface TalkOptions {
  readonly count: number;
  readonly seconds: number;
  readonly audioStreams: Streams;
  readonly way: Way;
  /** Whether frames leave when they are made; otherwise each in its slot. Default: `"speech"`. */
  readonly source?: "speech" | "live";
}

/** So many calls talk for so long through one session; when it is over `then` may go on with it. */
async function talk(
  { count, seconds, audioStreams, way, source = "speech" }: TalkOptions,
  then?: (talkers: Talkers) => Promise<void>,
): Promise<Outcome> {
  await using host = await startGateway();
  await using client = clientOf(host, { audioStreams });
  const calls = await dial(client, count);
  const talkers = new Talkers(calls.map((call) => talkPort(call.audio({ source }), way)));
  // The streams are opened by the first frame.
  talkers.speak();
  await talkers.heard();
  const { slotsMissed: before } = client.stats().audio;
  await pace(WARM_UP_SECONDS, () => talkers.speak());
  const lag = new LoopLag();
  await pace(seconds, () => talkers.speak());
  const lagMs = lag.stop();
  await talkers.heard();
  const trips = talkers.trips(1 + WARM_UP_SECONDS * FRAMES_PER_SECOND);
  const slotsMissed = client.stats().audio.slotsMissed - before;
  await then?.(talkers);
  await talkers.heard();
  return { lost: talkers.missing, trips, slotsMissed, lagMs };
}

/** CPU per frame of each, in microseconds: medians of seconds in turns, so that other load of the machine meets all. */
async function cpuInTurns(speakers: readonly Speaker[], rounds: number): Promise<number[]> {
  for (const speaker of speakers) if (speaker instanceof Talkers) speaker.isTimed = false;
  const costs: number[][] = speakers.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [i, speaker] of speakers.entries()) {
      const cpu = cpuMicroseconds();
      await pace(1, () => speaker.speak());
      // The last frames come back.
      await pause(60);
      // What comes before the first round is for the compiler to learn from.
      if (round >= 0) costs[i]!.push((cpuMicroseconds() - cpu) / (CALLS * FRAMES_PER_SECOND));
    }
  }
  return costs.map((own) => percentile(own, 0.5));
}

/** The bytes alone with the program that talks through a client: what a client costs is measured with one, too. */
function withTalkers(bytes: Speaker): Speaker {
  const talkers = new Talkers(Array.from({ length: CALLS }, loopback));
  talkers.isTimed = false;
  return {
    speak() {
      talkers.speak();
      bytes.speak();
    },
  };
}

// Of a client and a program that talks through it, against the bytes alone in one write a tick and stream, without a program.
const MOST_TIMES_THE_BYTES = { call: 1.6, shared: 2 } as const;

for (const streams of ["call", "shared"] as const) {
  scenario({
    name: `${CALLS} echo calls, 50 frames a second each way, streams: ${streams}`,
    async run({ full }) {
      const seconds = full ? 20 : 6;
      await using bytesPeer = await openBare({ maxStreams: MAX_STREAMS });
      const bytes = await speakBytes(bytesPeer.transport, CALLS, streams);
      await using bare = await openBare({
        maxStreams: MAX_STREAMS,
        unitBytes: bareFrame().length,
      });
      const perStream = streams === "call" ? 1 : CALLS;
      const links = await openBareLinks(bare.transport, { count: CALLS, perStream });
      const bareTalkers = new Talkers(links.map(portOf));
      await using ws = await openWsPeer(CALLS);
      const wsTalkers = new Talkers(ws.ports);
      const options = { count: CALLS, seconds, audioStreams: streams };
      let costs: number[] = [];
      const { lost, trips, slotsMissed, lagMs } = await talk(
        { ...options, way: "port" },
        async (talkers) => {
          await talk({ ...options, seconds: 1, way: "streams" }, async (streamTalkers) => {
            const floor = withTalkers(bytes);
            const speakers = [talkers, streamTalkers, bareTalkers, bytes, floor, wsTalkers];
            costs = await cpuInTurns(speakers, full ? 15 : 5);
          });
        },
      );
      const [port, ours, bareStreams, bytesAlone, floor, wsFrames] = costs as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const atMost = MOST_TIMES_THE_BYTES[streams];
      return [
        { what: "frames heard again", value: trips.length, unit: "" },
        { what: "frames lost", value: lost, unit: "", atMost: 0 },
        { what: "frame round trip, p50", value: percentile(trips, 0.5), unit: "ms" },
        { what: "frame round trip, p99", value: percentile(trips, 0.99), unit: "ms", atMost: 60 },
        { what: "loop late by, p99", value: lagMs, unit: "ms", atMost: 20 },
        { what: "slots in which this process was too late", value: slotsMissed, unit: "" },
        { what: "CPU per frame, the bytes alone", value: bytesAlone, unit: "us" },
        { what: "CPU per frame, the bytes and the program", value: floor, unit: "us" },
        { what: "CPU per frame, client", value: port, unit: "us" },
        { what: "CPU per frame, client through its streams", value: ours, unit: "us" },
        { what: "CPU per frame, bare, a stream each way per call", value: bareStreams, unit: "us" },
        { what: "CPU per frame, ws, a message per frame", value: wsFrames, unit: "us" },
        { what: "client / the bytes alone", value: port / bytesAlone, unit: "x", atMost },
        { what: "client / the bytes and the program", value: port / floor, unit: "x" },
        {
          what: "client through its streams / the bytes and the program",
          value: ours / floor,
          unit: "x",
        },
        {
          what: "client through its streams / bare",
          value: ours / bareStreams,
          unit: "x",
          atMost: 1.5,
        },
        { what: "client / ws", value: port / wsFrames, unit: "x" },
      ];
    },
  });
}

scenario({
  name: `frame round trip of live sources, ${CALLS} calls`,
  async run({ full }) {
    const { lost, trips } = await talk({
      ...{ count: CALLS, seconds: full ? 20 : 6, audioStreams: "shared" },
      ...{ way: "port", source: "live" },
    });
    return [
      { what: "frames lost", value: lost, unit: "", atMost: 0 },
      { what: "frame round trip, p50", value: percentile(trips, 0.5), unit: "ms" },
      { what: "frame round trip, p99", value: percentile(trips, 0.99), unit: "ms" },
    ];
  },
});

scenario({
  name: "calls until the first frame is lost",
  fullOnly: true,
  async run() {
    const figures: Figure[] = [];
    for (let count = 800; count <= 2_000; count += 200) {
      const { lost, trips } = await talk({
        ...{ count, seconds: 5, audioStreams: "shared", way: "port" },
      });
      const value = percentile(trips, 0.99);
      figures.push({ what: `${count} calls, frame round trip, p99`, value, unit: "ms" });
      if (lost > 0) {
        figures.push({ what: `frames lost first at ${count} calls`, value: lost, unit: "" });
        break;
      }
    }
    return figures;
  },
});

scenario({
  name: "memory of a live call in the client's process, audio open",
  async run() {
    await using host = await startGateway();
    const figures: Figure[] = [];
    for (const way of ["port", "streams"] as const) {
      await using client = clientOf(host);
      const open = async (count: number): Promise<unknown> =>
        await openLinks((await dial(client, count)).map((call) => talkPort(call.audio(), way)));
      // What comes with the first calls is not theirs.
      const links = [await open(20)];
      const before = await liveBytes();
      links.push(await open(CALLS));
      const perCall = (await liveBytes() - before) / CALLS / 1024;
      figures.push(
        way === "port"
          ? { what: "heap and buffers", value: perCall, unit: "KiB", atMost: 12 }
          : { what: "heap and buffers, through its streams", value: perCall, unit: "KiB" },
      );
      if (links.length !== 2) throw new Error("The links are kept until here");
    }
    return figures;
  },
});

/** Calls that have said something and heard it. */
async function openLinks(ports: readonly TalkPort[]): Promise<readonly TalkPort[]> {
  await Promise.all(ports.map((port) =>
    new Promise<void>((resolve) => {
      port.listen(() => resolve());
      port.send(new Uint8Array(PAYLOAD_BYTES));
    })
  ));
  return ports;
}

async function liveBytes(): Promise<number> {
  return await usedHeap() + process.memoryUsage().external;
}

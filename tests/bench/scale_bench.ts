import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  type AudioLink,
  type Call,
  type ClientOptions,
  generateServiceAccount,
  importSigner,
  signToken,
  TeleQuickClient,
} from "../../mod.ts";
import { concatBytes } from "../../src/base/bytes.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";
import { usedHeap } from "../support/gc.ts";
import type { CrowdOptions } from "./support/crowd_process.ts";
import { bareFrame, openBareLinks } from "./support/bare_links.ts";
import { openBare } from "./support/hosts.ts";
import {
  cpuMicroseconds,
  type Figure,
  pause,
  percentile,
  repeat,
  scenario,
  timed,
} from "./support/scenario.ts";
import { FRAMES_PER_SECOND, pace, PAYLOAD_BYTES, Talkers } from "./support/talker.ts";

const CALLS = 200;
// What the first second costs (compiling, opening streams) is not counted.
const WARM_UP_SECONDS = 1;
const MAX_STREAMS = 8_192;

type Streams = "call" | "shared";

/** The gateway's limits on how many calls there may be are not what is measured. */
function startGateway(): Promise<GatewayHost> {
  return GatewayHost.start({
    callsPerSecond: 1e6,
    callsPerTenant: 1e6,
    streams: MAX_STREAMS,
    strikes: 1e6,
  });
}

function clientOf(host: GatewayHost, options: ClientOptions = {}): TeleQuickClient {
  return new TeleQuickClient(host.endpoint, host.account, false, {
    serverCertificateHash: host.certificatePem,
    requestTimeoutMs: 60_000,
    ...options,
  });
}

/** Dials calls to the number that echoes, until all are answered. */
async function dial(client: TeleQuickClient, count: number): Promise<Call[]> {
  const calls: Call[] = [];
  await repeat(count, 16, async () => {
    const call = await client.dial({ to: "+15550100", trunkId: "main" });
    await call.answered();
    calls.push(call);
  });
  return calls;
}

interface Outcome {
  readonly lost: number;
  readonly trips: readonly number[];
  readonly slotsMissed: number;
}

/** So many calls talk for so long through one session; when it is over `then` may go on with it. */
async function talk(
  count: number,
  seconds: number,
  audioStreams: Streams,
  then?: (talkers: Talkers) => Promise<void>,
): Promise<Outcome> {
  await using host = await startGateway();
  await using client = clientOf(host, { audioStreams });
  const calls = await dial(client, count);
  const talkers = new Talkers(calls.map((call) => call.audio()));
  // The streams are opened by the first frame.
  talkers.speak();
  await talkers.heard();
  const { slotsMissed: before } = client.stats().audio;
  await pace(WARM_UP_SECONDS + seconds, () => talkers.speak());
  await talkers.heard();
  const trips = talkers.trips(1 + WARM_UP_SECONDS * FRAMES_PER_SECOND);
  const slotsMissed = client.stats().audio.slotsMissed - before;
  await then?.(talkers);
  await talkers.heard();
  return { lost: talkers.missing, trips, slotsMissed };
}

/** A session that brings the bytes of so many calls to a bare peer and back, in as many streams, a write per stream and tick. */
async function bareBytes(count: number, streams: Streams): Promise<AsyncDisposable & Speaker> {
  const bare = await openBare({ maxStreams: MAX_STREAMS });
  const perStream = streams === "call" ? 1 : count;
  const bytes = concatBytes(new Array(perStream).fill(bareFrame()));
  const writers: WritableStreamDefaultWriter<Uint8Array>[] = [];
  for (let i = 0; i < count / perStream; i++) {
    writers.push((await bare.transport.createUnidirectionalStream()).getWriter());
  }
  void readAll(bare.transport.incomingUnidirectionalStreams, (stream) => {
    void readAll(stream, () => {});
  });
  return {
    speak() {
      for (const writer of writers) writer.write(bytes).catch(() => {});
    },
    [Symbol.asyncDispose]: () => bare[Symbol.asyncDispose](),
  };
}

async function readAll<T>(streams: ReadableStream<T>, take: (value: T) => void): Promise<void> {
  try {
    for await (const value of streams) take(value);
  } catch {
    // The session is over.
  }
}

/** What sends a frame of every call. */
interface Speaker {
  speak(): void;
}

/** CPU per frame of each, in microseconds: medians of seconds in turns, so that other load of the machine meets all. */
async function cpuInTurns(speakers: readonly Speaker[], rounds: number): Promise<number[]> {
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

for (const streams of ["call", "shared"] as const) {
  scenario({
    name: `${CALLS} echo calls, 50 frames a second each way, streams: ${streams}`,
    async run({ full }) {
      await using bytes = await bareBytes(CALLS, streams);
      await using bare = await openBare({
        maxStreams: MAX_STREAMS,
        unitBytes: bareFrame().length,
      });
      const perStream = streams === "call" ? 1 : CALLS;
      const links = await openBareLinks(bare.transport, { count: CALLS, perStream });
      const bareTalkers = new Talkers(links);
      let costs: number[] = [];
      const { lost, trips, slotsMissed } = await talk(
        CALLS,
        full ? 20 : 6,
        streams,
        async (talkers) => {
          costs = await cpuInTurns([talkers, bareTalkers, bytes], full ? 15 : 5);
        },
      );
      const [ours, floor, bytesAlone] = costs as [number, number, number];
      return [
        { what: "frames heard again", value: trips.length, unit: "" },
        { what: "frames lost", value: lost, unit: "", atMost: 0 },
        { what: "frame round trip, p50", value: percentile(trips, 0.5), unit: "ms" },
        { what: "frame round trip, p99", value: percentile(trips, 0.99), unit: "ms", atMost: 60 },
        { what: "slots in which this process was too late", value: slotsMissed, unit: "" },
        { what: "CPU per frame, the bytes alone", value: bytesAlone, unit: "us" },
        { what: "CPU per frame, bare, a stream each way per call", value: floor, unit: "us" },
        { what: "CPU per frame, client", value: ours, unit: "us" },
        { what: "client / the bytes alone", value: ours / bytesAlone, unit: "x" },
        { what: "client / bare", value: ours / floor, unit: "x", atMost: 1.5 },
      ];
    },
  });
}

scenario({
  name: "calls until the first frame is lost",
  fullOnly: true,
  async run() {
    const figures: Figure[] = [];
    for (let count = CALLS; count <= 1_000; count += 100) {
      const { lost, trips } = await talk(count, 5, "shared");
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
    await using client = clientOf(host);
    // What comes with the first calls is not theirs.
    const links = await openLinks(client, 20);
    const before = await liveBytes();
    links.push(...await openLinks(client, CALLS));
    const perCall = (await liveBytes() - before) / CALLS;
    return [
      { what: "heap and buffers", value: perCall / 1024, unit: "KiB", atMost: 32 },
      { what: "calls", value: links.length, unit: "" },
    ];
  },
});

/** Calls that have said something and heard it. */
async function openLinks(client: TeleQuickClient, count: number): Promise<AudioLink[]> {
  const calls = await dial(client, count);
  return await Promise.all(calls.map(async (call) => {
    const link = call.audio();
    const writer = link.writable.getWriter();
    const reader = link.readable.getReader();
    await writer.write(new Uint8Array(PAYLOAD_BYTES));
    await reader.read();
    return link;
  }));
}

async function liveBytes(): Promise<number> {
  return await usedHeap() + process.memoryUsage().external;
}

scenario({
  name: "an honest session beside 50 that flood",
  async run({ full }) {
    await using host = await GatewayHost.start({
      rpcsPerSecond: 100,
      rpcsPerSecondPerTenant: 1_000,
    }, ["acme", "globex"]);
    await using client = clientOf(host);
    await client.connect();
    const honest = async (): Promise<number[]> => {
      const trips: number[] = [];
      for (let i = 0; i < (full ? 1_000 : 250); i++) {
        trips.push(await timed(() => client.streamEvents(client.clientId)));
        await pause(12);
      }
      return trips;
    };
    await honest();
    const quiet = await honest();
    await using _flood = await startCrowd({
      endpoint: host.endpoint,
      certificateHash: host.certificatePem,
      token: await signToken(await importSigner(host.accounts[1]!)),
      sessions: 50,
      width: 4,
    });
    const loud = await honest();
    const p99 = percentile(quiet, 0.99);
    return [
      { what: "quiet, p50", value: percentile(quiet, 0.5), unit: "ms" },
      { what: "quiet, p99", value: p99, unit: "ms" },
      { what: "flooded, p50", value: percentile(loud, 0.5), unit: "ms" },
      { what: "flooded, p99", value: percentile(loud, 0.99), unit: "ms" },
      { what: "p99, flooded / quiet", value: percentile(loud, 0.99) / p99, unit: "x", atMost: 3 },
      { what: "answered", value: loud.length, unit: "" },
    ];
  },
});

async function startCrowd(options: CrowdOptions): Promise<AsyncDisposable> {
  const script = fileURLToPath(new URL("./support/crowd_process.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["run", "-A", "--quiet", "--no-check", "--unstable-net", script, JSON.stringify(options)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  for await (const _line of child.stdout) break;
  return {
    [Symbol.asyncDispose]() {
      child.stdin.end();
      return new Promise((resolve) => child.on("exit", () => resolve()));
    },
  };
}

scenario({
  name: "memory of an idle session in the gateway's process",
  async run({ full }) {
    await using gateway = createGateway();
    const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
    const { tenantId, privateKeyId } = account;
    await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
    const { endpoint, certificateHash } = await gateway.listen();
    const token = await signToken(await importSigner(account));
    const options = { endpoint, certificateHash, token, width: 0 };
    const count = full ? 1_000 : 150;
    // What comes with the first sessions is not theirs.
    await using _first = await startCrowd({ ...options, sessions: 20 });
    const [before, residentBefore] = [await liveBytes(), process.memoryUsage().rss];
    await using _crowd = await startCrowd({ ...options, sessions: count });
    const perSession = (await liveBytes() - before) / count;
    const resident = (process.memoryUsage().rss - residentBefore) / count;
    return [
      { what: "sessions", value: gateway.stats().sessions.open, unit: "" },
      { what: "heap and buffers of each", value: perSession / 1024, unit: "KiB", atMost: 64 },
      {
        what: "resident memory of each, the runtime's QUIC included",
        value: resident / 1024,
        unit: "KiB",
      },
    ];
  },
});

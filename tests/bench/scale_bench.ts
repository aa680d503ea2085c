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
import { concatBytes } from "../../src/bytes.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { AudioFrameEncoder } from "../../src/wire/mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";
import { usedHeap } from "../support/gc.ts";
import type { CrowdOptions } from "./support/crowd_process.ts";
import { openBare } from "./support/hosts.ts";
import {
  cpuMicroseconds,
  type Figure,
  now,
  pause,
  percentile,
  repeat,
  scenario,
  timed,
} from "./support/scenario.ts";

const CALLS = 200;
const PAYLOAD_BYTES = 160;
const FRAMES_PER_SECOND = 50;
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

/** Calls `tick` fifty times a second, on a schedule that does not drift; late ones follow at once. */
async function pace(seconds: number, tick: () => void): Promise<void> {
  const startedAt = now();
  for (let slot = 0; slot < seconds * FRAMES_PER_SECOND; slot++) {
    const wait = startedAt + slot * 1e3 / FRAMES_PER_SECOND - now();
    if (wait > 0) await pause(Math.ceil(wait));
    tick();
  }
}

/** Writes numbered frames to a call, and times their way back. */
class Talker {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array | Int16Array>;
  readonly #writtenAt: number[] = [];
  readonly #trips: number[];
  #heard = 0;

  constructor(link: AudioLink, trips: number[]) {
    this.#writer = link.writable.getWriter();
    this.#trips = trips;
    void this.#listen(link);
  }

  /** How many frames did not come back. */
  get missing(): number {
    return this.#writtenAt.length - this.#heard;
  }

  speak(): void {
    const number = this.#writtenAt.length;
    const chunk = new Uint8Array(PAYLOAD_BYTES);
    new DataView(chunk.buffer).setUint32(0, number);
    this.#writtenAt.push(now());
    this.#writer.write(chunk).catch(() => {});
  }

  async #listen(link: AudioLink): Promise<void> {
    for await (const { payload } of link.readable) {
      if (payload.length < 4) continue;
      const number = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
      this.#heard++;
      if (number >= WARM_UP_SECONDS * FRAMES_PER_SECOND) {
        this.#trips.push(now() - this.#writtenAt[number]!);
      }
    }
  }
}

interface Outcome {
  readonly lost: number;
  readonly trips: readonly number[];
  readonly cpuPerFrame: number;
  readonly slotsMissed: number;
}

/** So many calls talk for so long through one session. */
async function talk(count: number, seconds: number, audioStreams: Streams): Promise<Outcome> {
  await using host = await startGateway();
  await using client = clientOf(host, { audioStreams });
  const calls = await dial(client, count);
  const trips: number[] = [];
  const talkers = calls.map((call) => new Talker(call.audio(), trips));
  const speak = (): void => {
    for (const talker of talkers) talker.speak();
  };
  await pace(WARM_UP_SECONDS, speak);
  const cpu = cpuMicroseconds();
  await pace(seconds, speak);
  const cpuPerFrame = (cpuMicroseconds() - cpu) / (count * seconds * FRAMES_PER_SECOND);
  const missing = (): number => talkers.reduce((sum, talker) => sum + talker.missing, 0);
  // A machine that is too busy plays late: what still arrives is not lost.
  for (let before = Infinity; missing() > 0 && missing() < before;) {
    before = missing();
    await pause(2_000);
  }
  return { lost: missing(), trips, cpuPerFrame, slotsMissed: client.stats().audio.slotsMissed };
}

/** CPU per frame of writing the same bytes on the bare transport and reading them back: as many streams, a write per stream and tick. */
async function writeBare(count: number, seconds: number, streams: Streams): Promise<number> {
  await using bare = await openBare({ maxStreams: MAX_STREAMS });
  const encoder = new AudioFrameEncoder({ callSid: crypto.randomUUID(), codec: "PCMU" });
  const frame = encoder.encode(new Uint8Array(PAYLOAD_BYTES), 1).slice();
  const perStream = streams === "call" ? 1 : count;
  const bytes = concatBytes(new Array(perStream).fill(frame));
  const writers: WritableStreamDefaultWriter<Uint8Array>[] = [];
  for (let i = 0; i < count / perStream; i++) {
    writers.push((await bare.transport.createUnidirectionalStream()).getWriter());
  }
  void readAll(bare.transport.incomingUnidirectionalStreams, (stream) => {
    void readAll(stream, () => {});
  });
  const write = (): void => {
    for (const writer of writers) writer.write(bytes).catch(() => {});
  };
  await pace(WARM_UP_SECONDS, write);
  const cpu = cpuMicroseconds();
  await pace(seconds, write);
  return (cpuMicroseconds() - cpu) / (count * seconds * FRAMES_PER_SECOND);
}

async function readAll<T>(streams: ReadableStream<T>, take: (value: T) => void): Promise<void> {
  try {
    for await (const value of streams) take(value);
  } catch {
    // The session is over.
  }
}

for (const streams of ["call", "shared"] as const) {
  scenario({
    name: `${CALLS} echo calls, 50 frames a second each way, streams: ${streams}`,
    async run({ full }) {
      const seconds = full ? 20 : 6;
      const floor = await writeBare(CALLS, full ? 10 : 4, streams);
      const { lost, trips, cpuPerFrame, slotsMissed } = await talk(CALLS, seconds, streams);
      return [
        { what: "frames heard again", value: trips.length, unit: "" },
        { what: "frames lost", value: lost, unit: "", atMost: 0 },
        { what: "frame round trip, p50", value: percentile(trips, 0.5), unit: "ms" },
        { what: "frame round trip, p99", value: percentile(trips, 0.99), unit: "ms", atMost: 60 },
        { what: "slots in which this process was too late", value: slotsMissed, unit: "" },
        { what: "CPU per frame, bare", value: floor, unit: "us" },
        { what: "CPU per frame, client", value: cpuPerFrame, unit: "us" },
        { what: "client / bare", value: cpuPerFrame / floor, unit: "x", atMost: 1.5 },
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

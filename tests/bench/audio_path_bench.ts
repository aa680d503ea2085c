import { AudioHub } from "../../src/client/audio/audio_hub.ts";
import { CallAudio } from "../../src/client/audio/call_audio.ts";
import { port } from "../../src/client/audio/audio_port.ts";
import type { Connection } from "../../src/client/session/connection.ts";
import { concatBytes } from "../../src/base/bytes.ts";
import type { Clock } from "../../src/base/signal.ts";
import { AudioFrame, AudioFrameEncoder, FrameReader, methods } from "../../src/wire/mod.ts";
import { bench } from "./support/bench.ts";
import { now as millisecondsNow, pause, percentile, scenario } from "./support/scenario.ts";

// The client's own work for a tick of 200 calls, without a transport: what the frames cost between the callback and the stream.
const CALLS = 200;
const PAYLOAD_BYTES = 160;
// No clock counts in whole milliseconds.
const SLOT_MS = 20 + 1 / 64;

/** Time that passes a slot at a time. */
class SlotClock implements Clock {
  #ms = 0;
  #next: (() => void) | undefined;

  now(): number {
    return this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  schedule(_ms: number, callback: () => void): () => void {
    this.#next = callback;
    return () => this.#next = undefined;
  }

  slot(): void {
    this.#ms += SLOT_MS;
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }
}

/** A stream that takes everything at once, or, where it stands still, nothing. */
function streamOf(standsStill: boolean) {
  return {
    getWriter: () => ({
      desiredSize: standsStill ? 0 : 1,
      ready: standsStill ? new Promise(() => {}) : Promise.resolve(),
      closed: new Promise(() => {}),
      write: () => Promise.resolve(),
    }),
  };
}

function openHub(streams: "call" | "shared", count = CALLS, standsStill = false) {
  const clock = new SlotClock();
  const connection = {
    over: new AbortController().signal,
    session: { openUnidirectional: () => Promise.resolve(streamOf(standsStill)) },
  } as unknown as Connection;
  const hub = new AudioHub({
    ...{ clock, streams },
    connection: () => Promise.resolve(connection),
    barge: () => Promise.resolve(),
  });
  const links = Array.from(
    { length: count },
    () => new CallAudio(hub, crypto.randomUUID(), { next: 0 }),
  );
  return { clock, hub, links, ports: links.map((link) => link[port]) };
}

const senders: { readonly streams: "shared" | "call"; readonly tick: () => void }[] = [];

for (const streams of ["shared", "call"] as const) {
  const { clock, ports } = openHub(streams);
  const payload = new Uint8Array(PAYLOAD_BYTES);
  for (const one of ports) one.send(payload);
  clock.slot();
  // The streams open in the background.
  await new Promise((resolve) => setTimeout(resolve, 10));
  const encoder = new AudioFrameEncoder({ callSid: crypto.randomUUID(), codec: "PCMU" });
  const size = encoder.size(PAYLOAD_BYTES);
  let sequenceNumber = 0;
  const tick = (): void => {
    for (const one of ports) one.send(payload);
    clock.slot();
  };
  senders.push({ streams, tick });
  bench({
    name: `audio path, send a tick of ${CALLS} calls, streams: ${streams}`,
    baseline: "ours",
    contenders: {
      "ours": tick,
      "encoded and nothing else": () => {
        const bytes = new Uint8Array(CALLS * size);
        for (let at = 0; at < bytes.length;) {
          at = encoder.encodeInto(bytes, at, payload, sequenceNumber++, false);
        }
        return bytes;
      },
    },
    bytes: CALLS * PAYLOAD_BYTES,
  });
}

const { hub, links, ports } = openHub("shared");
let heard = 0;
for (const one of ports) one.receive({ take: ({ payload }) => heard += payload.length, end() {} });
const encoders = links.map(({ callSid }) => new AudioFrameEncoder({ callSid, codec: "PCMU" }));
let next = 0;
let now = 0;

function chunk(): Uint8Array {
  next++;
  now += SLOT_MS;
  return concatBytes(encoders.map((one) => one.encode(new Uint8Array(PAYLOAD_BYTES), next)));
}

function receive(bytes: Uint8Array): void {
  for (const { methodId, envelope } of reader.push(bytes)) {
    if (methodId === methods.AudioFrame.id) hub.accept(AudioFrame.decode(envelope), now, hub);
  }
}

const reader = new FrameReader();
const bytes = chunk();
// Only the numbers differ from tick to tick.
const size = bytes.length / CALLS;

function receiveTick(): number {
  next++;
  now += SLOT_MS;
  for (let i = 1; i <= CALLS; i++) {
    new DataView(bytes.buffer).setUint32(i * size - 9, next, true);
  }
  receive(bytes);
  return heard;
}

function decodeTick(): number {
  let sum = 0;
  for (const { envelope } of reader.push(bytes)) sum += AudioFrame.decode(envelope).payload.length;
  return sum;
}

bench({
  name: `audio path, receive a tick of ${CALLS} calls`,
  baseline: "ours",
  contenders: {
    "ours": receiveTick,
    "decoded": decodeTick,
  },
  bytes: CALLS * PAYLOAD_BYTES,
});

// A live process rests between two ticks, and finds its memory far away when it wakes: each place that it comes to then costs about
// 0.1 us, but for those that follow one another.
const REST_MS = 19;

/** What the work of each costs after a rest, in turns: medians, in microseconds a frame. */
async function costsAfterRest(works: readonly (() => unknown)[], ticks: number): Promise<number[]> {
  const costs: number[][] = works.map(() => []);
  for (let tick = 0; tick < ticks; tick++) {
    for (const [i, work] of works.entries()) {
      // The compiler learns what the first ticks need, without a rest.
      if (tick < ticks / 2) { for (let times = 0; times < 50; times++) work(); }
      else await pause(REST_MS);
      const startedAt = millisecondsNow();
      work();
      if (tick >= ticks / 2) costs[i]!.push((millisecondsNow() - startedAt) * 1e3 / CALLS);
    }
  }
  return costs.map((own) => percentile(own, 0.5));
}

scenario({
  name: `audio path after a rest, ticks of ${CALLS} calls`,
  async run({ full }) {
    const works = [...senders.map(({ tick }) => tick), receiveTick, decodeTick];
    const costs = await costsAfterRest(works, full ? 200 : 60);
    const [shared, call, received, decoded] = costs as [number, number, number, number];
    return [
      { what: "sent, streams: shared", value: shared, unit: "us" },
      { what: "sent, streams: call", value: call, unit: "us" },
      { what: "received", value: received, unit: "us" },
      { what: "decoded and nothing else", value: decoded, unit: "us" },
    ];
  },
});

// What waits for the stream is a list of tens of thousands of frames.
const CROWD = 2_000;

scenario({
  name: `audio path, ${CROWD} calls on a stream that stands still`,
  async run() {
    const payload = new Uint8Array(PAYLOAD_BYTES);
    const costs: number[] = [];
    for (const standsStill of [false, true]) {
      const { clock, ports } = openHub("shared", CROWD, standsStill);
      const tick = (): void => {
        for (const one of ports) one.send(payload);
        clock.slot();
      };
      tick();
      // The stream opens in the background.
      await new Promise((resolve) => setTimeout(resolve, 10));
      const ticks = Array.from({ length: 60 }, () => {
        const startedAt = millisecondsNow();
        tick();
        return (millisecondsNow() - startedAt) * 1e3 / CROWD;
      });
      costs.push(percentile(ticks.slice(20), 0.5));
    }
    const [flowing, standing] = costs as [number, number];
    return [
      { what: "a frame, the stream flows", value: flowing, unit: "us" },
      { what: "a frame, it stands still and another is dropped", value: standing, unit: "us" },
      { what: "standing / flowing", value: standing / flowing, unit: "x", atMost: 4 },
    ];
  },
});

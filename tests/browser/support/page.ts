// What the tests call in the page. Everything that crosses to the test is JSON.
import { type Call, TeleQuickClient, TeleQuickError } from "@telequick/sdk";
import {
  type AudioConnection,
  type BrowserAudio,
  type BrowserAudioEvent,
  openAudio,
  type OpenAudioOptions,
} from "@telequick/sdk/browser";
import { type WorkerCall, WorkerClient } from "@telequick/sdk/browser/worker";
import { encode, openTap, type PageScope, type Recording, type Tap, type Track } from "./tap.ts";

interface DialWish {
  readonly to?: string;
  /** Whether the client uses the audio's clock. */
  readonly withClock?: boolean;
  readonly codec?: "PCM16" | "PCMU";
  readonly inWorker?: boolean;
}

let audio: BrowserAudio | undefined;
let client: TeleQuickClient | WorkerClient | undefined;
let call: Call | WorkerCall | undefined;
let connection: AudioConnection | undefined;
let tap: Tap | undefined;
let recording: Recording | undefined;
let trunkId: string | undefined;
let tokensAsked = 0;
const statuses: string[] = [];
const log: string[] = [];
const events: BrowserAudioEvent[] = [];
const tracks: Track[] = [];

// Keeps every track that anybody was given.
const { mediaDevices } = (globalThis as unknown as PageScope).navigator;
if (mediaDevices !== undefined) {
  const ask = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (constraints) => {
    const stream = await ask(constraints);
    tracks.push(...stream.getAudioTracks());
    return stream;
  };
}

/** What a function came to: its value, or the code and message of its error. */
async function outcome(work: () => unknown): Promise<unknown> {
  try {
    return { value: await work() };
  } catch (error) {
    const { name, message } = error as Error;
    const code = error instanceof TeleQuickError ? error.code : undefined;
    return { name, code, message };
  }
}

async function follow(from: BrowserAudio): Promise<void> {
  for await (const event of from.events()) events.push(event);
}

async function followStatus(from: TeleQuickClient | WorkerClient): Promise<void> {
  for await (const { type } of from.status()) statuses.push(type);
}

async function token(): Promise<string> {
  tokensAsked++;
  return await (await fetch("/token")).text();
}

const functions = {
  open: (options: OpenAudioOptions) =>
    outcome(async () => {
      audio = await openAudio(options);
      void follow(audio);
      return { state: audio.state, sampleRate: audio.context.sampleRate };
    }),

  /** Opens the audio with a tap on both its ends. */
  async openTapped({ sampleRate = 48_000, slackMs = 30 } = {}) {
    tap = await openTap(sampleRate);
    audio = await openAudio({ context: tap.context, microphone: tap.track, slackMs });
    void follow(audio);
  },
  /** Records both ends; gives what was counted meanwhile. */
  async record(seconds: number) {
    const before = audio!.stats();
    recording = await tap!.record(seconds);
    const { underruns, skippedMs } = audio!.stats();
    return {
      underruns: underruns - before.underruns,
      skippedMs: skippedMs - before.skippedMs,
    };
  },
  /** What was recorded, in base64. */
  recorded: () => ({ input: encode(recording!.input), output: encode(recording!.output) }),

  async dial({ to = "+15550100", withClock = true, codec = "PCM16", inWorker }: DialWish = {}) {
    const gateway = await (await fetch("/gateway")).json();
    const { endpoint, certificateHash: serverCertificateHash } = gateway;
    trunkId = gateway.trunkId;
    client = inWorker
      ? new WorkerClient(new Worker("/worker.mjs", { type: "module" }), endpoint, token, {
        serverCertificateHash,
      })
      : new TeleQuickClient(endpoint, token, true, {
        serverCertificateHash,
        log: ({ event }) => log.push(event),
        ...(withClock ? { clock: audio!.clock } : {}),
      });
    void followStatus(client);
    call = await client.dial({ to, trunkId });
    await call.answered();
    connection = audio!.connect(call, { codec });
  },

  state: () => audio?.state,
  level: () => audio!.level(),
  stats: () => audio!.stats(),
  clientStats: () => (client as TeleQuickClient).stats().audio,
  log: () => log.splice(0),
  events: () => JSON.parse(JSON.stringify(events.splice(0))),
  tokensAsked: () => tokensAsked,
  statuses: () => statuses.splice(0),
  muted: () => audio!.muted,
  setMuted: ([on, release]: [boolean, boolean]) => outcome(() => audio!.setMuted(on, { release })),
  setVolume: (volume: number) => audio!.setVolume(volume),
  devices: () => audio!.devices(),
  setMicrophone: (id?: string) => outcome(() => audio!.setMicrophone(id)),
  setSpeaker: (id?: string) => outcome(() => audio!.setSpeaker(id)),
  resume: () => outcome(() => audio!.resume()),
  clear: () => outcome(() => connection!.clear()),
  tracks: () => tracks.map(({ readyState }) => readyState),
  /** The microphone is pulled out. */
  lose() {
    const track = tracks.findLast(({ readyState }) => readyState === "live")!;
    track.stop();
    track.dispatchEvent(new Event("ended"));
  },
  /** Holds the page up for so many milliseconds of each second, for so many seconds. */
  async busy([ms, seconds]: [number, number]) {
    for (let i = 0; i < seconds; i++) {
      const end = performance.now() + ms;
      while (performance.now() < end);
      await new Promise((resolve) => setTimeout(resolve, 1_000 - ms));
    }
  },
  close: () => outcome(() => audio!.close()),
  connect: () => outcome(() => void audio!.connect(call as Call)),
  connectTwice: () => audio!.connect(call!) === connection,
  /** Disconnects the call and connects it again, as an effect of React's does. */
  reconnect: () =>
    outcome(() => {
      void connection![Symbol.asyncDispose]();
      connection = audio!.connect(call!);
    }),
  async dialAnother() {
    const first = connection!;
    const another = await client!.dial({ to: "+15550106", trunkId });
    await another.answered();
    connection = audio!.connect(another);
    await first.done;
    await call!.hangUp();
    call = another;
  },
  verb: ([name, ...values]: [string, ...unknown[]]) =>
    outcome(() =>
      (call as unknown as Record<string, (...all: unknown[]) => unknown>)[name]!(...values)
    ),
  async callEvents() {
    const seen: string[] = [];
    for await (const { status } of call!.events()) seen.push(status);
    return { seen, state: call!.state, cause: (await call!.ended).cause };
  },
  async hangUp() {
    await call!.hangUp();
    await connection!.done;
  },
  closeClient: () => outcome(() => client!.close()),
  /** A client whose Worker serves none. */
  idleWorker: () =>
    outcome(() =>
      new WorkerClient(new Worker("/idle.mjs", { type: "module" }), "https://127.0.0.1:1", token)
        .connect({ signal: AbortSignal.timeout(300) })
    ),
  missingWorker: () =>
    outcome(() =>
      new WorkerClient(new Worker("/missing.mjs", { type: "module" }), "https://127.0.0.1:1", token)
        .connect()
    ),
  /** Opens and closes the audio so many times. */
  async cycle(times: number) {
    for (let i = 0; i < times; i++) await (await openAudio()).close();
  },
  /** Opens it as React's strict mode does: begun, given up, begun again. */
  abortedOpen: () =>
    outcome(async () => {
      const first = new AbortController();
      const opening = openAudio({ signal: first.signal });
      first.abort();
      const second = openAudio();
      await opening.catch(() => {});
      audio = await second;
    }),
};

export type PageFunctions = typeof functions;

Object.assign(globalThis, functions, { ready: true });

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

let audio: BrowserAudio | undefined;
let client: TeleQuickClient | undefined;
let worker: WorkerClient | undefined;
let call: Call | WorkerCall | undefined;
const statuses: string[] = [];
let connection: AudioConnection | undefined;
const events: BrowserAudioEvent[] = [];

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

async function followStatus(from: WorkerClient): Promise<void> {
  for await (const { type } of from.status()) statuses.push(type);
}

const functions = {
  open: (options: OpenAudioOptions) =>
    outcome(async () => {
      audio = await openAudio(options);
      void follow(audio);
      return { state: audio.state, sampleRate: audio.context.sampleRate };
    }),

  async dial({ to = "+15550100", withClock = true, codec = "PCM16", inWorker = false } = {}) {
    const { endpoint, certificateHash: serverCertificateHash } = await (await fetch("/gateway"))
      .json();
    const token = async (): Promise<string> => await (await fetch("/token")).text();
    if (inWorker) {
      const thread = new Worker("/worker.mjs", { type: "module" });
      worker = new WorkerClient(thread, endpoint, token, { serverCertificateHash });
      void followStatus(worker);
    } else {
      client = new TeleQuickClient(endpoint, token, true, {
        serverCertificateHash,
        ...(withClock ? { clock: audio!.clock } : {}),
      });
    }
    call = await (worker ?? client!).dial({ to, trunkId: "acme-trunk" });
    await call.answered();
    connection = audio!.connect(call, { codec: codec as "PCM16" });
  },

  state: () => audio?.state,
  level: () => audio!.level(),
  stats: () => audio!.stats(),
  clientStats: () => client!.stats().audio,
  events: () => events.splice(0),
  setMuted: ([on, release]: [boolean, boolean]) => outcome(() => audio!.setMuted(on, { release })),
  close: () => outcome(() => audio!.close()),
  statuses: () => statuses.splice(0),
  async callEvents() {
    const seen: string[] = [];
    for await (const { status } of call!.events()) seen.push(status);
    return seen;
  },
  async closeClient() {
    await (worker ?? client!).close();
  },
  async hangUp() {
    await call!.hangUp();
    await connection!.done;
  },
};

Object.assign(globalThis, functions, { ready: true });

// What the tests call in the page. Everything that crosses to the test is JSON.
import { type Call, TeleQuickClient, TeleQuickError } from "@telequick/sdk";
import {
  type AudioConnection,
  type BrowserAudio,
  type BrowserAudioEvent,
  openAudio,
  type OpenAudioOptions,
} from "@telequick/sdk/browser";

let audio: BrowserAudio | undefined;
let client: TeleQuickClient | undefined;
let call: Call | undefined;
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

const functions = {
  open: (options: OpenAudioOptions) =>
    outcome(async () => {
      audio = await openAudio(options);
      void follow(audio);
      return { state: audio.state, sampleRate: audio.context.sampleRate };
    }),

  async dial({ to = "+15550100", withClock = true, codec = "PCM16" } = {}) {
    const { endpoint, certificateHash } = await (await fetch("/gateway")).json();
    const token = async (): Promise<string> => await (await fetch("/token")).text();
    client = new TeleQuickClient(endpoint, token, true, {
      serverCertificateHash: certificateHash,
      ...(withClock ? { clock: audio!.clock } : {}),
    });
    call = await client.dial({ to, trunkId: "acme-trunk" });
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
  async hangUp() {
    await call!.hangUp();
    await connection!.done;
  },
};

Object.assign(globalThis, functions, { ready: true });

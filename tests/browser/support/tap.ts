// Records both ends of the page's audio on one clock: what the microphone gives, and what goes to the loudspeaker.

import type {
  AudioContextLike,
  AudioNodeLike,
  MediaStreamLike,
  MediaStreamTrackLike,
} from "@telequick/sdk/browser";

/** A microphone's track. */
export type Track = MediaStreamTrackLike & { dispatchEvent(event: Event): boolean };

interface Stream extends MediaStreamLike {
  getAudioTracks(): Track[];
}

interface TapNode extends AudioNodeLike {
  readonly port: MessagePort;
}

interface SourceNode extends AudioNodeLike {
  connect(destination: AudioNodeLike, output?: number, input?: number): unknown;
}

interface TapContext extends AudioContextLike {
  readonly audioWorklet: { addModule(url: string): Promise<void> };
  createGain(): ReturnType<AudioContextLike["createGain"]> & SourceNode;
  createMediaStreamSource(stream: MediaStreamLike): SourceNode;
}

/** What is used of a page; Deno's types know none of it. */
export interface PageScope {
  readonly navigator: {
    readonly mediaDevices?: { getUserMedia(constraints: unknown): Promise<Stream> };
  };
  readonly AudioContext: new (options: unknown) => TapContext;
  readonly AudioWorkletNode: new (
    context: AudioContextLike,
    name: string,
    options: unknown,
  ) => TapNode;
}

const { navigator, AudioContext, AudioWorkletNode } = globalThis as unknown as PageScope;

/** A context whose loudspeaker is recorded. */
export interface Tap {
  readonly context: AudioContextLike;
  readonly track: Track;
  /** Records for some seconds. */
  record(seconds: number): Promise<Recording>;
}

/** 16-bit samples of the two ends. */
export interface Recording {
  readonly input: Int16Array;
  readonly output: Int16Array;
}

// Two inputs, of which so many samples are posted when they are asked for, ten times a second: the page has its own work to do.
export const tapSource = `registerProcessor("tap", class extends AudioWorkletProcessor {
  #left = 0;
  #heard = new Int16Array(sampleRate / 10);
  #played = new Int16Array(sampleRate / 10);
  #filled = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#left = data;
  }

  process([input, output]) {
    for (let i = 0; i < 128 && this.#left > 0; i++) {
      this.#heard[this.#filled] = Math.round((input[0]?.[i] ?? 0) * 32_767);
      this.#played[this.#filled] = Math.round((output[0]?.[i] ?? 0) * 32_767);
      this.#left--;
      if (++this.#filled < this.#heard.length && this.#left > 0) continue;
      this.port.postMessage([this.#heard.slice(0, this.#filled), this.#played.slice(0, this.#filled)]);
      this.#filled = 0;
    }
    return true;
  }
});`;

/** Opens a microphone and a context with a tap. */
export async function openTap(sampleRate: number): Promise<Tap> {
  const context = new AudioContext({ latencyHint: "interactive", sampleRate });
  const { destination } = context;
  const url = URL.createObjectURL(new Blob([tapSource], { type: "text/javascript" }));
  await context.audioWorklet.addModule(url);
  const constraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices!.getUserMedia({ audio: constraints });
  const tap = new AudioWorkletNode(context, "tap", {
    numberOfInputs: 2,
    channelCount: 1,
    channelCountMode: "explicit",
  });
  context.createMediaStreamSource(stream).connect(tap, 0, 0);
  // What is connected to the destination is recorded, and heard.
  const end = context.createGain();
  end.connect(tap, 0, 1);
  end.connect(destination);
  tap.connect(destination);
  Object.defineProperty(context, "destination", { value: end });
  await context.resume();
  return {
    context,
    track: stream.getAudioTracks()[0]!,
    record: (seconds) => recordFrom(tap.port, Math.round(seconds * sampleRate)),
  };
}

/** Asks a tap for so many samples of both ends. A page that cannot import this is given its text. */
export function recordFrom(port: MessagePort, length: number): Promise<Recording> {
  return new Promise((resolve) => {
    const input = new Int16Array(length);
    const output = new Int16Array(length);
    let at = 0;
    port.onmessage = ({ data: [heard, played] }: MessageEvent<[Int16Array, Int16Array]>) => {
      input.set(heard, at);
      output.set(played, at);
      at += heard.length;
      if (at === length) resolve({ input, output });
    };
    port.postMessage(length);
  });
}

/** Samples in base64. */
export function encode(samples: Int16Array): string {
  const bytes = new Uint8Array(samples.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32_768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  }
  return btoa(text);
}

/**
 * The audio graph: microphone, worklet, volume, loudspeaker, in one AudioContext.
 *
 * @module
 */

import { ignore } from "../base/ignore.ts";
import { sleep } from "../base/signal.ts";
import { audioUnavailable, nameOf } from "./faults.ts";
import type {
  AudioContextLike,
  AudioNodeLike,
  AudioWorkletNodeLike,
  GainNodeLike,
  MediaStreamTrackLike,
  Page,
} from "./page.ts";
import {
  type FromProcessor,
  type Port,
  processorName,
  type ProcessorOptions,
  type ProcessorStatus,
  type ToProcessor,
} from "./worklet/messages.ts";
import { workletSource } from "./worklet_source.ts";

/** Options of {@linkcode openGraph}. */
export interface GraphOptions {
  readonly page: Page;
  /** The page's own context. Default: a new one. */
  readonly context: AudioContextLike | undefined;
  readonly workletUrl: string | undefined;
  readonly slackMs: number;
  /** Takes each status of the processor. */
  readonly onStatus: (status: ProcessorStatus) => void;
  /** The processor threw: it is silent from now on. */
  readonly onFailure: () => void;
}

// The rate of most devices, and a multiple of what the wire carries.
const SAMPLE_RATE = 48_000;
const HIGHEST_RATE = 48_000;
// A processor that runs ends in this time; one in a context that stands never does.
const END_MS = 200;
const SETTLE_MS = 20;
const loading = new WeakMap<AudioContextLike, Promise<void>>();

/** A context with its worklet, from the microphone to the loudspeaker. */
export class AudioGraph {
  readonly context: AudioContextLike;
  readonly #page: Page;
  readonly #isOwn: boolean;
  readonly #node: AudioWorkletNodeLike;
  readonly #volume: GainNodeLike;
  readonly #ended = new AbortController();
  #source: AudioNodeLike | undefined;

  /** Joins the nodes of a context whose worklet is loaded. */
  constructor(context: AudioContextLike, options: GraphOptions) {
    const { page, slackMs, onStatus, onFailure } = options;
    const processorOptions: ProcessorOptions = { slackMs };
    this.context = context;
    this.#page = page;
    this.#isOwn = options.context === undefined;
    this.#node = new page.AudioWorkletNode!(context, processorName, {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [1],
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions,
    });
    this.#node.addEventListener("processorerror", onFailure);
    this.#node.port.onmessage = ({ data }: MessageEvent<FromProcessor>) => {
      if (data === "closed") return this.#ended.abort();
      this.send({ type: "read" });
      onStatus(data);
    };
    this.#volume = context.createGain();
    this.#node.connect(this.#volume);
    this.#volume.connect(context.destination);
  }

  /** Says something to the processor. */
  send(message: ToProcessor, transfer: Port[] = []): void {
    this.#node.port.postMessage(message, transfer);
  }

  /** Sets the volume, 0 to 1. */
  setVolume(volume: number): void {
    this.#volume.gain.value = volume;
  }

  /** Takes sound from another microphone, or from none. */
  setMicrophone(track: MediaStreamTrackLike | undefined): void {
    this.#source?.disconnect();
    this.#source = undefined;
    if (track === undefined) return;
    const stream = new this.#page.MediaStream!([track]);
    this.#source = this.context.createMediaStreamSource(stream);
    this.#source.connect(this.#node);
    this.send({ type: "microphone" });
  }

  /** Ends it; a context of the page's own stays. */
  async close(): Promise<void> {
    this.send({ type: "close" });
    this.#source?.disconnect();
    // Chromium keeps a node for ever whose context is closed before it has heard that the processor has ended.
    await sleep(END_MS, { signal: this.#ended.signal }).catch(ignore);
    await sleep(SETTLE_MS);
    this.#node.disconnect();
    this.#volume.disconnect();
    this.#node.port.close();
    if (this.#isOwn && this.context.state !== "closed") await this.context.close();
  }
}

/**
 * Makes a context, loads the worklet and joins the nodes.
 *
 * @param options What it is made of.
 * @param rate The new context's rate, or the device's own: some browsers take a microphone at no other (Firefox bug 1388586).
 * Default: 48,000 Hz, or the device's own where the browser refuses that.
 */
export async function openGraph(
  options: GraphOptions,
  rate: number | "device" = SAMPLE_RATE,
): Promise<AudioGraph> {
  const context = options.context ?? makeContext(options.page, rate);
  try {
    await loadWorklet(context, options.workletUrl);
    return new AudioGraph(context, options);
  } catch (error) {
    if (options.context === undefined) await context.close();
    throw error;
  }
}

/** Throws `ERR_AUDIO_UNAVAILABLE` where Web Audio is missing. */
export function checkPage({ AudioContext, AudioWorkletNode, isSecureContext }: Page): void {
  if (isSecureContext === false) {
    throw audioUnavailable(
      "the page is not a secure context: serve it over https:, or from localhost",
    );
  }
  if (AudioContext === undefined) {
    throw audioUnavailable("Web Audio is missing: call openAudio() in a browser's page");
  }
  if (AudioWorkletNode === undefined) {
    throw audioUnavailable("this browser has no AudioWorklet: use a newer one");
  }
}

function makeContext(page: Page, rate: number | "device"): AudioContextLike {
  const latencyHint = "interactive";
  if (rate === "device") return checkRate(new page.AudioContext!({ latencyHint }));
  try {
    return new page.AudioContext!({ latencyHint, sampleRate: rate });
  } catch (error) {
    if (nameOf(error) === "NotSupportedError") return makeContext(page, "device");
    throw audioUnavailable(`${String(error)}: close other pages that use audio`, error);
  }
}

function checkRate(context: AudioContextLike): AudioContextLike {
  const { sampleRate } = context;
  if (sampleRate <= HIGHEST_RATE) return context;
  void context.close();
  throw audioUnavailable(
    `the loudspeaker runs at ${sampleRate} Hz, expected at most ${HIGHEST_RATE}: lower it in the system's audio settings`,
  );
}

/** Loads the worklet into a context, once. */
function loadWorklet(context: AudioContextLike, url: string | undefined): Promise<void> {
  let loaded = loading.get(context);
  if (loaded === undefined) {
    loaded = url === undefined ? loadOwnSource(context) : loadFrom(context, url);
    loading.set(context, loaded);
    loaded.catch(() => loading.delete(context));
  }
  return loaded;
}

async function loadFrom(context: AudioContextLike, url: string): Promise<void> {
  try {
    await addModule(context, url);
  } catch (error) {
    throw audioUnavailable(
      `the worklet at ${url} could not be loaded: serve the file @telequick/sdk/browser/worklet.js there as text/javascript`,
      error,
    );
  }
}

async function loadOwnSource(context: AudioContextLike): Promise<void> {
  const blob = URL.createObjectURL(new Blob([workletSource], { type: "text/javascript" }));
  try {
    await addModule(context, blob);
  } catch {
    // Content Security Policies that allow one of the two are known of both kinds.
    try {
      await addModule(context, `data:text/javascript,${encodeURIComponent(workletSource)}`);
    } catch (error) {
      throw audioUnavailable(
        "the page's Content Security Policy forbids the worklet: serve the file @telequick/sdk/browser/worklet.js and pass its address as workletUrl, or add blob: to script-src",
        error,
      );
    }
  } finally {
    URL.revokeObjectURL(blob);
  }
}

async function addModule({ audioWorklet }: AudioContextLike, url: string): Promise<void> {
  if (audioWorklet === undefined) {
    throw audioUnavailable("the context has no AudioWorklet: serve the page over https:");
  }
  await audioWorklet.addModule(url);
}

/**
 * A page whose devices, permission and context do what a test says. The worklet's side of its nodes is the test's.
 *
 * @module
 */

import type {
  AudioContextLike,
  AudioNodeLike,
  AudioWorkletNodeLike,
  DeviceInfoLike,
  EventTargetLike,
  GainNodeLike,
  MediaStreamLike,
  MediaStreamTrackLike,
  Page,
} from "../../../../src/browser/page.ts";
import type { ProcessorStatus, ToProcessor } from "../../../../src/browser/worklet/messages.ts";

class Target implements EventTargetLike {
  readonly #listeners = new Map<string, Set<() => void>>();

  addEventListener(type: string, listener: () => void): void {
    const all = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, all.add(listener));
  }

  removeEventListener(type: string, listener: () => void): void {
    this.#listeners.get(type)?.delete(listener);
  }

  /** How many listen to anything. */
  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  fire(type: string): void {
    for (const listener of [...this.#listeners.get(type) ?? []]) listener();
  }
}

class Node implements AudioNodeLike {
  readonly to = new Set<AudioNodeLike>();

  connect(destination: AudioNodeLike): void {
    this.to.add(destination);
  }

  disconnect(): void {
    this.to.clear();
  }
}

/** A microphone's track. */
export class FakeTrack extends Target implements MediaStreamTrackLike {
  readonly kind = "audio";
  readonly label: string;
  readyState = "live";

  constructor(label: string) {
    super();
    this.label = label;
  }

  getSettings(): { readonly deviceId?: string } {
    return { deviceId: this.label };
  }

  stop(): void {
    this.readyState = "ended";
  }

  /** The device is pulled out. */
  end(): void {
    this.readyState = "ended";
    this.fire("ended");
  }
}

/** A worklet node: the test reads what it received, and sends what the processor would. */
export class FakeNode extends Node implements AudioWorkletNodeLike {
  readonly events = new Target();
  readonly received: ToProcessor[] = [];
  readonly port: MessagePort;
  #hear: ((event: MessageEvent) => void) | null = null;

  constructor() {
    super();
    const port = {
      postMessage: (message: ToProcessor) => {
        this.received.push(message);
        if (message.type === "close") queueMicrotask(() => this.say("closed"));
      },
      close: () => {},
    };
    Object.defineProperty(port, "onmessage", {
      set: (hear: (event: MessageEvent) => void) => this.#hear = hear,
    });
    this.port = port as unknown as MessagePort;
  }

  addEventListener(type: string, listener: () => void): void {
    this.events.addEventListener(type, listener);
  }

  say(data: unknown): void {
    this.#hear?.({ data } as MessageEvent);
  }

  /** Says how everything stands. */
  report(status: Partial<ProcessorStatus> = {}): void {
    const playback = {
      ...{ playedMs: 0, underruns: 0, underrunMs: 0, skippedMs: 0 },
      ...{ bufferedMs: 0, slackMs: 30 },
    };
    const levels = { input: 0, output: 0, zeroMs: 0, absentMs: 0, captured: 0, dropped: 0 };
    this.say({ ...levels, playback, underruns: [], ...status });
  }
}

/** A context: `become` changes its state as a browser does. */
export class FakeContext extends Target implements AudioContextLike {
  readonly page: FakePage;
  readonly sampleRate: number;
  readonly destination = new Node();
  readonly modules: string[] = [];
  readonly sources: Node[] = [];
  state: string;
  currentTime = 0;
  sinkId = "";
  readonly baseLatency = 0.005;
  /** How often it was asked for the device's delay. */
  latencyReads = 0;
  readonly audioWorklet = {
    addModule: (url: string): Promise<void> => {
      this.modules.push(url);
      return this.page.forbidden.some((start) => url.startsWith(start))
        ? Promise.reject(new DOMException("", "AbortError"))
        : Promise.resolve();
    },
  };

  constructor(page: FakePage, sampleRate: number) {
    super();
    this.page = page;
    this.sampleRate = sampleRate;
    this.state = page.startsByItself ? "running" : "suspended";
  }

  createGain(): GainNodeLike {
    return Object.assign(new Node(), { gain: { value: 1 } });
  }

  createMediaStreamSource(): AudioNodeLike {
    if (this.page.onlyRate !== undefined && this.page.onlyRate !== this.sampleRate) {
      throw new DOMException("Different sample rates", "NotSupportedError");
    }
    const source = new Node();
    this.sources.push(source);
    return source;
  }

  get outputLatency(): number {
    this.latencyReads++;
    return 0.02;
  }

  resume(): Promise<void> {
    this.page.resumed++;
    if (this.page.mayResume && this.state === "suspended") this.become("running");
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.become("closed");
    return Promise.resolve();
  }

  setSinkId(id: string): Promise<void> {
    const isThere = id === "" || this.page.devices.some(({ deviceId }) => deviceId === id);
    if (!isThere) return Promise.reject(new DOMException("", "NotFoundError"));
    this.sinkId = id;
    return Promise.resolve();
  }

  become(state: string): void {
    if (this.state === state) return;
    this.state = state;
    this.fire("statechange");
  }
}

/** The page. */
export class FakePage {
  /** What the next questions for the microphone are answered with; then a microphone. */
  readonly refusals: unknown[] = [];
  readonly tracks: FakeTrack[] = [];
  readonly contexts: FakeContext[] = [];
  readonly nodes: FakeNode[] = [];
  readonly media = new Target();
  readonly document = Object.assign(new Target(), { visibilityState: "visible" });
  devices: DeviceInfoLike[] = [
    { kind: "audioinput", deviceId: "built-in", label: "Built-in" },
    { kind: "audioinput", deviceId: "headset", label: "Headset" },
    { kind: "audiooutput", deviceId: "speaker", label: "Speaker" },
    { kind: "audiooutput", deviceId: "headset", label: "Headset" },
  ];
  /** How the addresses of modules begin that its policy forbids. */
  forbidden: string[] = [];
  startsByItself = true;
  mayResume = true;
  resumed = 0;
  /** The one rate at which a microphone can be connected. */
  onlyRate: number | undefined;
  deviceRate = 44_100;
  /** Rates that a context cannot be made with. */
  refusedRates: number[] = [];
  isSecure = true;
  userAgent =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

  /** The globals. */
  get globals(): Page {
    // deno-lint-ignore no-this-alias
    const page = this;
    const mediaDevices = Object.assign(this.media, {
      getUserMedia: ({ audio }: { readonly audio: unknown }): Promise<MediaStreamLike> => {
        const refusal = this.refusals.shift();
        if (refusal !== undefined) return Promise.reject(refusal);
        const { deviceId } = audio as { deviceId?: { exact: string } };
        const wanted = deviceId?.exact ?? "built-in";
        if (!this.devices.some((one) => one.deviceId === wanted)) {
          return Promise.reject(new DOMException("", "OverconstrainedError"));
        }
        const track = new FakeTrack(wanted);
        this.tracks.push(track);
        return Promise.resolve({ getAudioTracks: () => [track] });
      },
      enumerateDevices: () => Promise.resolve(this.devices),
    });
    return {
      isSecureContext: this.isSecure,
      document: this.document,
      navigator: { mediaDevices, userAgent: this.userAgent },
      AudioContext: class extends FakeContext {
        constructor({ sampleRate }: { readonly sampleRate?: number }) {
          if (sampleRate !== undefined && page.refusedRates.includes(sampleRate)) {
            throw new DOMException("", "NotSupportedError");
          }
          super(page, sampleRate ?? page.deviceRate);
          page.contexts.push(this);
        }
      },
      AudioWorkletNode: class extends FakeNode {
        constructor() {
          super();
          page.nodes.push(this);
        }
      },
      MediaStream: class {
        readonly #tracks: MediaStreamTrackLike[];
        constructor(tracks: MediaStreamTrackLike[]) {
          this.#tracks = tracks;
        }
        getAudioTracks(): MediaStreamTrackLike[] {
          return this.#tracks;
        }
      },
    };
  }
}

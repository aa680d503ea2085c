/**
 * The page's audio: the graph, the microphone, the loudspeaker and the call that is connected.
 *
 * @module
 */

import { ignore } from "../base/ignore.ts";
import { Queue } from "../base/queue.ts";
import { type Clock, SharedClock } from "../base/signal.ts";
import type {
  AudioConnectOptions,
  BrowserAudio,
  BrowserAudioEvent,
  BrowserAudioState,
  BrowserAudioStats,
} from "./browser_audio.ts";
import { carry } from "./call_audio.ts";
import { type AudioConnection, type ConnectableCall, LiveConnection } from "./connection.ts";
import { ContextWatch } from "./context_watch.ts";
import { type Devices, listDevices, setSink } from "./devices.ts";
import { audioUnavailable, nameOf } from "./faults.ts";
import { type AudioGraph, type GraphOptions, openGraph } from "./graph.ts";
import { Microphone } from "./microphone.ts";
import { checkText, checkVolume, isTrack, type OpenAudioOptions } from "./options.ts";
import type { Page, PageAudioContext } from "./page.ts";
import { StatsKeeper } from "./stats.ts";

const EVENTS_KEPT = 64;

/** Implements {@linkcode BrowserAudio}. */
export class LiveAudio implements BrowserAudio {
  readonly clock: SharedClock;
  readonly #page: Page;
  readonly #options: OpenAudioOptions;
  readonly #watch: ContextWatch;
  readonly #stats = new StatsKeeper();
  readonly #listeners = new Set<Queue<BrowserAudioEvent>>();
  readonly #microphone: Microphone;
  readonly #onDevices = (): void => void this.#devicesChanged().catch(ignore);
  #graph: AudioGraph | undefined;
  #connection: LiveConnection | undefined;
  #hasMicrophone: boolean;
  #isMuted = false;
  #isReleased = false;
  #volume: number;
  #speakerId: string | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** Makes one that is not open yet. */
  constructor(page: Page, options: OpenAudioOptions, clock: Clock) {
    const { microphone = {}, speaker = {}, context } = options;
    this.#page = page;
    this.#options = options;
    this.clock = new SharedClock(clock);
    this.#hasMicrophone = microphone !== false;
    this.#speakerId = speaker.deviceId;
    this.#volume = speaker.volume ?? 1;
    this.#microphone = new Microphone({
      page,
      clock,
      options: microphone === false || isTrack(microphone) ? {} : microphone,
      use: (track) => this.#graph?.setMicrophone(track),
      report: (change, error) => this.#emit({ type: "microphone", change, error }),
    });
    this.#watch = new ContextWatch({
      page,
      clock,
      isOwn: context === undefined,
      onState: (state) => this.#emit({ type: "state", state }),
      rebuild: () => this.#rebuild(),
      onClosed: () => void this.close(),
    });
  }

  get context(): PageAudioContext {
    return this.#openGraph().context as PageAudioContext;
  }

  get state(): BrowserAudioState {
    return this.#watch.state;
  }

  get muted(): boolean {
    return this.#isMuted;
  }

  /** Opens it. The context is made before anything is waited for: the click that this is called in lets it start. */
  async open(): Promise<void> {
    const { microphone = {}, speaker = {} } = this.#options;
    const { audioSession, mediaDevices } = this.#page.navigator ?? {};
    // Without this, Safari on iOS plays through the receiver, or stops when the microphone starts.
    if (audioSession !== undefined && microphone !== false) audioSession.type = "play-and-record";
    await this.#use(await openGraph(this.#graphOptions()));
    if (microphone !== false && isTrack(microphone)) this.#microphone.adopt(microphone);
    else if (microphone !== false) await this.#openMicrophone();
    if (speaker.deviceId !== undefined) await setSink(this.#openGraph().context, speaker.deviceId);
    this.#refuseIfClosed();
    mediaDevices?.addEventListener("devicechange", this.#onDevices);
    await this.#watch.start();
    this.#refuseIfClosed();
  }

  connect(call: ConnectableCall, options: AudioConnectOptions = {}): AudioConnection {
    checkCall(call);
    this.#refuseIfClosed();
    const { codec = "PCM16" } = options;
    const before = this.#connection;
    if (before?.call === call && before.codec === (options.codec ?? before.codec)) return before;
    const connection: LiveConnection = new LiveConnection({
      call,
      codec,
      sampleRate: this.context.sampleRate,
      onTick: () => this.clock.runDue(),
      attach: (port) => {
        if (port === undefined && this.#connection !== connection) return;
        this.#graph?.send({ type: "connect", port }, port === undefined ? [] : [port]);
      },
      dropPlayback: () => {
        if (this.#connection === connection) this.#graph?.send({ type: "clear" });
      },
      onEnd: () => {
        if (this.#connection === connection) this.#connection = undefined;
      },
    });
    this.#connection = connection;
    void before?.disconnect();
    return connection;
  }

  async resume(): Promise<void> {
    this.#refuseIfClosed();
    await this.#watch.resume();
  }

  setMuted(on: boolean, options: { readonly release?: boolean | undefined } = {}): Promise<void> {
    return this.#inTurn(async () => {
      if (typeof on !== "boolean") {
        throw new TypeError(`Cannot mute: on is ${typeof on}, expected a boolean`);
      }
      if (!on && this.#isReleased) {
        await this.#microphone.open();
        this.#isReleased = false;
      }
      this.#isMuted = on;
      this.#openGraph().send({ type: "mute", isMuted: on });
      if (!on || options.release !== true || !this.#microphone.isOwn) return;
      this.#isReleased = true;
      this.#microphone.release();
    });
  }

  devices(): Promise<Devices> {
    return listDevices(this.#page);
  }

  setMicrophone(deviceId?: string): Promise<void> {
    return this.#inTurn(async () => {
      checkText("deviceId", deviceId);
      if (this.#isReleased) {
        await this.#microphone.choose(deviceId);
      } else {
        await this.#microphone.open(deviceId);
        this.#hasMicrophone = true;
        this.#openGraph().send({ type: "sends", isOn: true });
      }
      this.#emit({ type: "microphone", change: "switched" });
    });
  }

  setSpeaker(deviceId?: string): Promise<void> {
    return this.#inTurn(async () => {
      checkText("deviceId", deviceId);
      await setSink(this.#openGraph().context, deviceId);
      this.#speakerId = deviceId;
      this.#emit({ type: "speaker", change: "switched" });
    });
  }

  setVolume(volume: number): void {
    checkVolume(volume);
    this.#volume = volume;
    this.#graph?.setVolume(volume);
  }

  level(): { readonly input: number; readonly output: number } {
    const { input, output } = this.#stats.level;
    return this.state === "running"
      ? { input: this.#isMuted ? 0 : input, output }
      : { input: 0, output: 0 };
  }

  events(): AsyncIterableIterator<BrowserAudioEvent> {
    const queue: Queue<BrowserAudioEvent> = new Queue({
      capacity: EVENTS_KEPT,
      overflow: "drop-oldest",
      onEnd: () => this.#listeners.delete(queue),
    });
    if (this.#closing === undefined) this.#listeners.add(queue);
    else queue.close();
    return queue;
  }

  stats(): BrowserAudioStats {
    return this.#stats.stats(this.#page, this.#graph?.context);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { audioSession, mediaDevices } = this.#page.navigator ?? {};
    mediaDevices?.removeEventListener("devicechange", this.#onDevices);
    this.#microphone.close();
    await this.#connection?.disconnect();
    this.#watch.stop();
    for (const listener of [...this.#listeners]) listener.close();
    const graph = this.#graph;
    this.#graph = undefined;
    await graph?.close().catch(ignore);
    if (audioSession !== undefined) audioSession.type = "auto";
  }

  #graphOptions(): GraphOptions {
    const { context, workletUrl, slackMs = 30 } = this.#options;
    return {
      page: this.#page,
      context,
      workletUrl: workletUrl?.toString(),
      slackMs,
      onFailure: () => this.#watch.failed(),
      onStatus: (status) => {
        this.#stats.add(status);
        this.clock.runDue();
        if (this.state === "running") this.#microphone.watch(status);
        for (const ms of status.underruns) this.#emit({ type: "underrun", ms: Math.round(ms) });
      },
    };
  }

  /** Takes a graph that was just opened into use, and gives it what the one before it had. */
  async #use(graph: AudioGraph): Promise<void> {
    if (this.#closing !== undefined) await graph.close().catch(ignore);
    this.#refuseIfClosed();
    this.#graph = graph;
    this.#watch.follow(graph.context);
    graph.setVolume(this.#volume);
    graph.send({ type: "mute", isMuted: this.#isMuted });
    graph.send({ type: "sends", isOn: this.#hasMicrophone });
  }

  async #openMicrophone(): Promise<void> {
    try {
      await this.#microphone.open();
    } catch (error) {
      if (nameOf(error) !== "NotSupportedError" || this.#options.context !== undefined) throw error;
      const before = this.#openGraph();
      await this.#use(await openGraph(this.#graphOptions(), "device"));
      await before.close().catch(ignore);
      this.#openGraph().setMicrophone(this.#microphone.track);
    }
  }

  /** Replaces a context that has stopped for good, or a processor that has failed. */
  async #rebuild(): Promise<void> {
    const before = this.#openGraph();
    const graph = await openGraph(this.#graphOptions(), before.context.sampleRate);
    this.#stats.restart();
    await this.#use(graph);
    await before.close().catch(ignore);
    graph.setMicrophone(this.#microphone.track);
    await setSink(graph.context, this.#speakerId).catch(ignore);
    this.#connection?.rejoin();
  }

  async #devicesChanged(): Promise<void> {
    this.#emit({ type: "devices" });
    const { speakers } = await this.devices();
    const isThere = speakers.length === 0 || speakers.some(({ id }) => id === this.#speakerId);
    if (this.#speakerId === undefined || isThere || this.#graph === undefined) return;
    this.#speakerId = undefined;
    await setSink(this.#graph.context, undefined);
    this.#emit({ type: "speaker", change: "lost" });
  }

  /** One change of the devices after another, in the order of the calls. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(() => {
      this.#refuseIfClosed();
      return work();
    });
    this.#turn = done.catch(ignore);
    return done;
  }

  #openGraph(): AudioGraph {
    if (this.#graph !== undefined) return this.#graph;
    throw audioUnavailable("it was closed: call openAudio() again");
  }

  #refuseIfClosed(): void {
    if (this.#closing === undefined) return;
    throw audioUnavailable("it was closed: call openAudio() again");
  }

  #emit(event: BrowserAudioEvent): void {
    for (const listener of this.#listeners) listener.push(event);
  }
}

function checkCall(call: ConnectableCall): void {
  if (call instanceof Promise) {
    throw new TypeError("Cannot connect audio: call is a Promise, await it first");
  }
  const isCall = typeof call === "object" && call !== null && (carry in call || "audio" in call);
  if (isCall) return;
  throw new TypeError("Cannot connect audio: expected a call of dial() or answerIncomingCall()");
}

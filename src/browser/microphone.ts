/**
 * The microphone: asked for, watched, taken again when it is lost, released when its lamp is to go off.
 *
 * @module
 */

import type { TeleQuickError } from "../base/errors.ts";
import { type Clock, sleep } from "../base/signal.ts";
import { listDevices } from "./devices.ts";
import { audioUnavailable, microphoneFault } from "./faults.ts";
import type { MicrophoneOptions } from "./options.ts";
import type { MediaStreamTrackLike, Page } from "./page.ts";

/** What became of the microphone. */
export type MicrophoneChange = "switched" | "lost" | "back" | "silent" | "denied";

/** Options of a {@linkcode Microphone}. */
export interface MicrophoneHost {
  readonly page: Page;
  readonly clock: Clock;
  readonly options: MicrophoneOptions;
  /** Takes the sound of another track, or of none. */
  readonly use: (track: MediaStreamTrackLike | undefined) => void;
  readonly report: (change: MicrophoneChange, error?: TeleQuickError) => void;
}

const RETRY_MS = 1_000;
// A microphone that works gives samples all the time, and is never exactly silent.
const ABSENT_MS = 1_000;
const ZERO_MS = 3_000;

/** One microphone at a time. */
export class Microphone {
  readonly #host: MicrophoneHost;
  #deviceId: string | undefined;
  #track: MediaStreamTrackLike | undefined;
  // A track of the page's own is never stopped here.
  #isOwn = true;
  #isClosed = false;
  #isSilent = false;
  #retrying = new AbortController();
  readonly #onEnded = (): void => this.#lose();

  constructor(host: MicrophoneHost) {
    this.#host = host;
    this.#deviceId = host.options.deviceId;
  }

  /** Whether the device is ours to free. */
  get isOwn(): boolean {
    return this.#isOwn;
  }

  /** The track in use. */
  get track(): MediaStreamTrackLike | undefined {
    return this.#track;
  }

  /** Uses a track of the page's own. */
  adopt(track: MediaStreamTrackLike): void {
    this.#take(track);
    this.#isOwn = false;
  }

  /** Asks for the chosen device, or for the one with `deviceId`, and uses it. Keeps the old one when it is refused. */
  async open(deviceId: string | undefined = this.#deviceId): Promise<void> {
    this.#stopRetrying();
    const track = await this.#request(deviceId);
    this.#deviceId = deviceId;
    this.#drop();
    this.#take(track);
  }

  /** Chooses the browser's default for the next time it is opened, or the device with an id, if there is one. */
  async choose(deviceId: string | undefined): Promise<void> {
    const { microphones } = await listDevices(this.#host.page);
    if (deviceId !== undefined && !microphones.some(({ id }) => id === deviceId)) {
      throw microphoneFault(new DOMException("", "OverconstrainedError"), deviceId);
    }
    this.#deviceId = deviceId;
  }

  /** Frees the device: its lamp goes off. */
  release(): void {
    this.#stopRetrying();
    this.#drop();
    this.#host.use(undefined);
  }

  /** Frees the device for good. */
  close(): void {
    this.#isClosed = true;
    this.#stopRetrying();
    this.#drop();
  }

  /** Takes note of how long nothing, or exact silence, has come from it. */
  watch({ absentMs, zeroMs }: { readonly absentMs: number; readonly zeroMs: number }): void {
    const isSilent = this.#track !== undefined && (absentMs >= ABSENT_MS || zeroMs >= ZERO_MS);
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    if (isSilent) this.#host.report("silent");
    else if (this.#track !== undefined) this.#host.report("back");
  }

  async #request(deviceId: string | undefined): Promise<MediaStreamTrackLike> {
    const { page, options } = this.#host;
    const devices = page.navigator?.mediaDevices;
    if (devices === undefined) {
      throw audioUnavailable(
        "the page has no navigator.mediaDevices: serve it over https:, or from localhost",
      );
    }
    const { echoCancellation, noiseSuppression, autoGainControl } = options;
    const stream = await devices.getUserMedia({
      audio: {
        channelCount: 1,
        echoCancellation: echoCancellation ?? true,
        noiseSuppression: noiseSuppression ?? true,
        autoGainControl: autoGainControl ?? true,
        ...(deviceId === undefined ? {} : { deviceId: { exact: deviceId } }),
      },
    }).catch((error: unknown) => {
      throw microphoneFault(error, deviceId);
    });
    const [track, ...others] = stream.getAudioTracks();
    for (const other of others) other.stop();
    if (track === undefined) throw microphoneFault(new Error("The stream has no audio track"));
    if (!this.#isClosed) return track;
    // It is no longer awaited: the lamp must not stay on.
    track.stop();
    throw audioUnavailable("it was closed meanwhile");
  }

  #take(track: MediaStreamTrackLike): void {
    this.#track = track;
    this.#isOwn = true;
    this.#isSilent = false;
    track.addEventListener("ended", this.#onEnded);
    this.#host.use(track);
  }

  #drop(): void {
    const track = this.#track;
    this.#track = undefined;
    track?.removeEventListener("ended", this.#onEnded);
    if (this.#isOwn) track?.stop();
  }

  #lose(): void {
    const isOwn = this.#isOwn;
    this.#drop();
    this.#host.use(undefined);
    this.#host.report("lost");
    if (isOwn) void this.#retry(this.#retrying.signal);
  }

  /** Takes the browser's default device as soon as there is one. */
  async #retry(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const track = await this.#request(undefined);
        if (signal.aborted) return track.stop();
        this.#deviceId = undefined;
        this.#take(track);
        return this.#host.report("back");
      } catch (error) {
        const fault = error as TeleQuickError;
        if (signal.aborted) return;
        // Asking again would ask the person again, each second.
        if (fault.code === "ERR_MICROPHONE_DENIED") return this.#host.report("denied", fault);
      }
      await sleep(RETRY_MS, { signal, clock: this.#host.clock }).catch(() => {});
    }
  }

  #stopRetrying(): void {
    this.#retrying.abort();
    this.#retrying = new AbortController();
  }
}

/**
 * The page's audio, as its user sees it.
 *
 * @module
 */

import type { TeleQuickError } from "../base/errors.ts";
import type { Clock } from "../base/signal.ts";
import type { AudioCodec } from "../client/mod.ts";
import type { AudioConnection, ConnectableCall } from "./connection.ts";
import type { Devices } from "./devices.ts";
import type { MicrophoneChange } from "./microphone.ts";
import type { PageAudioContext } from "./page.ts";

/**
 * Whether sound goes in and out: `"running"`; `"needs-gesture"`: the browser waits for a click in which `resume()` is called;
 * `"interrupted"`: something else has the device (a phone call on iOS, sleep), it goes on by itself; `"closed"`.
 */
export type BrowserAudioState = "running" | "needs-gesture" | "interrupted" | "closed";

/** Something that happened to the page's audio. */
export type BrowserAudioEvent =
  /** `state` has changed. */
  | { readonly type: "state"; readonly state: BrowserAudioState }
  /** A device was connected or removed: `devices()` has another answer. */
  | { readonly type: "devices" }
  /**
   * `"switched"`: another one is used, as asked. `"lost"`: it was removed, and the browser's default is tried each second. `"back"`:
   * it gives sound again. `"silent"`: it has given no samples for 1 s, or nothing but exact zeros for 3 s (switched off, or held by
   * another program). `"denied"`: the permission was withdrawn (`error`); playback goes on.
   */
  | {
    readonly type: "microphone";
    readonly change: MicrophoneChange;
    readonly error?: TeleQuickError | undefined;
  }
  /** `"switched"`: another one is used, as asked. `"lost"`: it was removed, and the browser's default is used. */
  | { readonly type: "speaker"; readonly change: "switched" | "lost" }
  /** The far end's audio was missing for so long, in milliseconds. */
  | { readonly type: "underrun"; readonly ms: number };

/** What the page's audio has counted since it was opened. */
export interface BrowserAudioStats {
  /** Sound of the microphone handed to calls, in milliseconds. */
  readonly capturedMs: number;
  /** Of this sound, what was dropped because the page did not run for more than a second. */
  readonly capturedDroppedMs: number;
  /** Sound of calls that was played, in milliseconds. */
  readonly playedMs: number;
  /** Times when the far end's audio was due and missing. */
  readonly underruns: number;
  /** How long it was missing, in milliseconds. */
  readonly underrunMs: number;
  /** What was skipped because it came too late to be played in time, in milliseconds. */
  readonly skippedMs: number;
  /** What waits to be played now, in milliseconds. */
  readonly bufferedMs: number;
  /** How much is meant to be left over at the worst moment of each second, in milliseconds: `slackMs`, and more after underruns. */
  readonly slackMs: number;
  /** What the browser and the device add to the delay, in milliseconds, as far as the browser says. Firefox is not asked for the device's part. */
  readonly outputLatencyMs: number;
  /** How often the context was made anew because it had stopped for good. */
  readonly rebuilt: number;
}

/** Options of {@linkcode BrowserAudio.connect}. */
export interface AudioConnectOptions {
  /** How the microphone's sound is sent. Default: `"PCM16"`, 16 kHz. */
  readonly codec?: AudioCodec | undefined;
}

/**
 * The microphone and the loudspeaker of a page. Made by {@linkcode openAudio}; outlives calls, one of which is connected at a time.
 * `close()` frees the devices.
 */
export interface BrowserAudio extends AsyncDisposable {
  /**
   * A clock for the client: its waits run on time in a hidden tab too, where browsers hold timers back to one a second. Without it the
   * voice still leaves on time, but what waits for a timer is late in a hidden page: `play()`, time limits, the renewal of the token.
   */
  readonly clock: Clock;
  /** The context in use; another one after the old one had stopped for good. */
  readonly context: PageAudioContext;
  /** Whether sound goes in and out. */
  readonly state: BrowserAudioState;
  /** Whether the microphone's sound is replaced by silence. */
  readonly muted: boolean;
  /**
   * Connects a call: the microphone is heard there, and its far end here. A call that was connected before is disconnected, not
   * hung up; the connection of a call that is connected already is returned as it is.
   *
   * @throws {TeleQuickError} `ERR_CALL_ENDED` when the call has ended, `ERR_AUDIO_UNAVAILABLE` after `close()`, `ERR_VALUE_INVALID`
   * when the call's audio is open with other options or is read elsewhere.
   */
  connect(call: ConnectableCall, options?: AudioConnectOptions): AudioConnection;
  /**
   * Starts the sound, in a click, where `state` is `"needs-gesture"` or `"interrupted"`. Rejects with `ERR_AUDIO_UNAVAILABLE` when
   * it does not run within a second.
   */
  resume(): Promise<void>;
  /**
   * Sends silence instead of the microphone's sound, or the sound again. With `release` the device is freed while it is muted, and
   * its lamp goes off; unmuting then asks for it again, and rejects with `ERR_MICROPHONE_*` when it is not to be had.
   */
  setMuted(on: boolean, options?: { readonly release?: boolean | undefined }): Promise<void>;
  /** The devices there are. */
  devices(): Promise<Devices>;
  /**
   * Uses another microphone: the one with an id, or the browser's default. Rejects with `ERR_MICROPHONE_*`, and then keeps the old.
   * While it is muted and released, the choice is used when it is unmuted.
   */
  setMicrophone(deviceId?: string): Promise<void>;
  /** Plays on another loudspeaker: the one with an id, or the browser's default. Rejects with `ERR_AUDIO_UNAVAILABLE`. */
  setSpeaker(deviceId?: string): Promise<void>;
  /** Sets the volume of the loudspeaker, 0 to 1. */
  setVolume(volume: number): void;
  /** How loud it is now: RMS, 0 to 1, of the microphone and of what is played. */
  level(): { readonly input: number; readonly output: number };
  /** What happens from now on. Ends with `close()`. 64 events wait for a slow reader, then the oldest are dropped. */
  events(): AsyncIterableIterator<BrowserAudioEvent>;
  /** What was counted so far. */
  stats(): BrowserAudioStats;
  /** Disconnects the call and frees the devices. Further calls wait for the first. */
  close(): Promise<void>;
}

/**
 * Options of the page's audio, checked once.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";
import type { AudioContextLike, MediaStreamTrackLike } from "./page.ts";

/** Which microphone, and how the browser treats its sound. */
export interface MicrophoneOptions {
  /** The device's id, as `devices()` lists it. Default: the browser's default. */
  readonly deviceId?: string | undefined;
  /** Whether the browser removes what the loudspeaker plays from what the microphone hears. Default: `true`. */
  readonly echoCancellation?: boolean | undefined;
  /** Whether the browser removes steady noise. Default: `true`. */
  readonly noiseSuppression?: boolean | undefined;
  /** Whether the browser keeps the voice at one level. Default: `true`. */
  readonly autoGainControl?: boolean | undefined;
}

/** Which loudspeaker, and how loud. */
export interface SpeakerOptions {
  /** The device's id, as `devices()` lists it. Default: the browser's default. */
  readonly deviceId?: string | undefined;
  /** 0 (silent) to 1. Default: 1. */
  readonly volume?: number | undefined;
}

/** Options of {@linkcode openAudio}. */
export interface OpenAudioOptions {
  /**
   * The microphone: which one and how it is treated; a track of the page's own, which is never stopped here; or `false` to listen
   * only. Default: the browser's default microphone with echo cancellation, noise suppression and gain control.
   */
  readonly microphone?: false | MediaStreamTrackLike | MicrophoneOptions | undefined;
  /** The loudspeaker. Default: the browser's default. */
  readonly speaker?: SpeakerOptions | undefined;
  /** A context of the page's own, 8,000 to 48,000 Hz, which is never closed, resumed or replaced here. Default: one of 48,000 Hz. */
  readonly context?: AudioContextLike | undefined;
  /**
   * Where the page serves `@telequick/sdk/browser/worklet.js`: needed under a Content Security Policy whose `script-src` has neither
   * `blob:` nor `data:`. Default: the worklet comes with the package's code.
   */
  readonly workletUrl?: string | URL | undefined;
  /**
   * How much of the far end's audio is left over at the worst moment of each second, in milliseconds, 5 to 120. More delays the
   * sound, less lets it break off when the network or the page is held up. Default: 30.
   */
  readonly slackMs?: number | undefined;
  /** Ends the opening: what was opened by then is closed, and `openAudio` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Throws for options that mean nothing. */
export function checkOptions(options: OpenAudioOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot open audio: options is ${describe(options)}, expected an object`);
  }
  const { microphone, speaker, context, workletUrl, slackMs } = options;
  if (microphone !== undefined && microphone !== false) checkMicrophone(microphone);
  if (speaker !== undefined) {
    checkObject("speaker", speaker);
    checkText("speaker.deviceId", speaker.deviceId);
    checkVolume(speaker.volume);
  }
  if (context !== undefined) checkContext(context);
  if (!(workletUrl instanceof URL)) checkText("workletUrl", workletUrl);
  checkRange("slackMs", slackMs, 5, 120);
}

/** Throws unless `value` is a text that is not empty, or not given. */
export function checkText(name: string, value: unknown): void {
  if (value === undefined || typeof value === "string" && value !== "") return;
  throw new TypeError(
    `Cannot open audio: ${name} is ${describe(value)}, expected a non-empty string`,
  );
}

/** Throws unless a volume is from 0 to 1, or not given. */
export function checkVolume(volume: number | undefined): void {
  checkRange("volume", volume, 0, 1);
}

function checkMicrophone(microphone: MediaStreamTrackLike | MicrophoneOptions): void {
  checkObject("microphone", microphone);
  if (!isTrack(microphone)) {
    checkText("microphone.deviceId", microphone.deviceId);
    for (const name of ["echoCancellation", "noiseSuppression", "autoGainControl"] as const) {
      const value: unknown = microphone[name];
      if (value !== undefined && typeof value !== "boolean") {
        throw new TypeError(
          `Cannot open audio: microphone.${name} is ${describe(value)}, expected a boolean`,
        );
      }
    }
    return;
  }
  if (microphone.kind === "audio" && microphone.readyState === "live") return;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot open audio: microphone is a track of kind ${microphone.kind} that is ${microphone.readyState}, expected a live track of kind audio`,
  );
}

/** Whether a microphone is a track of the page's own. */
export function isTrack(
  microphone: MediaStreamTrackLike | MicrophoneOptions,
): microphone is MediaStreamTrackLike {
  return "readyState" in microphone;
}

function checkContext(context: AudioContextLike): void {
  checkObject("context", context);
  const { state, sampleRate } = context;
  if (state === "closed") {
    throw new TeleQuickError(
      "ERR_AUDIO_UNAVAILABLE",
      "Cannot open audio: the context was closed: pass one that is open, or none",
    );
  }
  checkRange("context.sampleRate", sampleRate, 8_000, 48_000);
}

function checkObject(name: string, value: unknown): void {
  if (typeof value === "object" && value !== null) return;
  throw new TypeError(`Cannot open audio: ${name} is ${describe(value)}, expected an object`);
}

function checkRange(name: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return;
  if (typeof value !== "number") {
    throw new TypeError(`Cannot open audio: ${name} is ${describe(value)}, expected a number`);
  }
  if (value >= least && value <= most) return;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot open audio: ${name} is ${value}, expected ${least} to ${most}`,
  );
}

function describe(value: unknown): string {
  return value === null ? "null" : typeof value;
}

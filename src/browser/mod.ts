/**
 * The microphone and the loudspeaker of a page, for calls.
 *
 * @example In a click: microphone, session, call
 * ```ts no-run
 * import { TeleQuickClient } from "@telequick/sdk";
 * import { openAudio } from "@telequick/sdk/browser";
 *
 * const fetchToken = async () => await (await fetch("/telequick-token")).text();
 * const audio = await openAudio();
 * const client = new TeleQuickClient("https://engine.telequick.dev:9090", fetchToken, true, {
 *   clock: audio.clock,
 * });
 * audio.connect(await client.dial({ to: "+15550100", trunkId: "acme-trunk" }));
 * ```
 *
 * @module
 */

export { openAudio } from "./open.ts";
export type { MicrophoneOptions, OpenAudioOptions, SpeakerOptions } from "./options.ts";
export type {
  AudioConnectOptions,
  BrowserAudio,
  BrowserAudioEvent,
  BrowserAudioState,
  BrowserAudioStats,
} from "./browser_audio.ts";
export type { AudioConnection, ConnectableCall } from "./connection.ts";
export type { WorkerCall } from "./worker/worker_call.ts";
export type { Device, Devices } from "./devices.ts";
export type { MicrophoneChange } from "./microphone.ts";
export type {
  AudioContextLike,
  AudioNodeLike,
  EventTargetLike,
  GainNodeLike,
  MediaStreamLike,
  MediaStreamTrackLike,
  PageAudioContext,
} from "./page.ts";

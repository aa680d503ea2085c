/**
 * The parts of a page that the room uses, structurally: Web Audio, Media Capture and Streams, and the document's visibility.
 *
 * @module
 */

import type { Port } from "./worklet/messages.ts";
/** What fires events (DOM section 2.7). */
export interface EventTargetLike {
  /** Calls `listener` at each event of a type. */
  addEventListener(type: string, listener: () => void): void;
  /** Does so no longer. */
  removeEventListener(type: string, listener: () => void): void;
}

/** The part of a MediaStreamTrack that is used (W3C Media Capture and Streams section 4.3). */
export interface MediaStreamTrackLike extends EventTargetLike {
  /** `"audio"` for a microphone. */
  readonly kind: string;
  /** The device's name. */
  readonly label: string;
  /** `"live"` or `"ended"`. */
  readonly readyState: string;
  /** What was chosen. */
  getSettings(): { readonly deviceId?: string };
  /** Ends it: the device is free again. */
  stop(): void;
}

/** The part of a MediaStream that is used. */
export interface MediaStreamLike {
  /** Its tracks of sound. */
  getAudioTracks(): MediaStreamTrackLike[];
}

/** The part of an AudioNode that is used (W3C Web Audio section 1.5). */
export interface AudioNodeLike {
  /** Sends its sound to another node too. */
  connect(destination: AudioNodeLike): unknown;
  /** Sends its sound nowhere. */
  disconnect(): void;
}

/** A node with a volume. */
export interface GainNodeLike extends AudioNodeLike {
  /** The factor, 1 for no change. */
  readonly gain: { value: number };
}

/** The part of an AudioWorkletNode that is used. */
export interface AudioWorkletNodeLike extends AudioNodeLike {
  readonly port: Port;
  addEventListener(type: string, listener: () => void): void;
}

/** The part of an AudioContext that is used (W3C Web Audio section 1.2). */
export interface AudioContextLike extends EventTargetLike {
  /** `"suspended"`, `"running"`, `"interrupted"` (iOS) or `"closed"`. */
  readonly state: string;
  /** Samples a second. */
  readonly sampleRate: number;
  /** Seconds; stands while nothing is played. */
  readonly currentTime: number;
  /** Seconds from the graph to the device. */
  readonly baseLatency?: number;
  /** Seconds from the device to the ear. */
  readonly outputLatency?: number;
  /** The loudspeaker. */
  readonly destination: AudioNodeLike;
  /** Loads modules onto the audio thread; missing in pages that are not secure contexts. */
  readonly audioWorklet?: { addModule(url: string): Promise<void> };
  /** Makes a node with a volume. */
  createGain(): GainNodeLike;
  /** Makes a node that gives the sound of a stream. */
  createMediaStreamSource(stream: MediaStreamLike): AudioNodeLike;
  /** Starts the sound. */
  resume(): Promise<void>;
  /** Frees the device. */
  close(): Promise<void>;
  /** Where the browser can choose the loudspeaker (W3C Audio Output Devices, AudioContext section). */
  setSinkId?(id: string): Promise<void>;
}

/** A page's own AudioContext where its type is known (the DOM's types are loaded), the part of it that is used elsewhere. */
export type PageAudioContext = typeof globalThis extends
  { AudioContext: { prototype: infer Context extends AudioContextLike } } ? Context
  : AudioContextLike;

/** What an enumerated device says of itself. */
export interface DeviceInfoLike {
  /** `"audioinput"` or `"audiooutput"`, among others. */
  readonly kind: string;
  /** Its id. */
  readonly deviceId: string;
  /** Its name. */
  readonly label: string;
}

/** The part of `navigator.mediaDevices` that is used. */
export interface MediaDevicesLike extends EventTargetLike {
  getUserMedia(constraints: { readonly audio: unknown }): Promise<MediaStreamLike>;
  enumerateDevices(): Promise<DeviceInfoLike[]>;
}

/** The globals of a page; each can be missing. */
export interface Page {
  readonly isSecureContext: boolean | undefined;
  readonly AudioContext: AudioContextConstructor | undefined;
  readonly AudioWorkletNode: AudioWorkletNodeConstructor | undefined;
  readonly MediaStream: (new (tracks: MediaStreamTrackLike[]) => MediaStreamLike) | undefined;
  readonly navigator: NavigatorLike | undefined;
  readonly document: (EventTargetLike & { readonly visibilityState: string }) | undefined;
}

/** Makes a context. */
export type AudioContextConstructor = new (
  options: { readonly latencyHint: string; readonly sampleRate?: number },
) => AudioContextLike;

/** Makes a node of a processor that the context's worklet has registered. */
export type AudioWorkletNodeConstructor = new (
  context: AudioContextLike,
  name: string,
  options: unknown,
) => AudioWorkletNodeLike;

/** The part of `navigator` that is used. */
export interface NavigatorLike {
  /** What the browser says that it is. */
  readonly userAgent?: string;
  readonly mediaDevices?: MediaDevicesLike;
  /** Safari alone (W3C Audio Session). */
  readonly audioSession?: { type: string };
}

/** The globals as they are now. */
export function thisPage(): Page {
  const { isSecureContext, AudioContext, AudioWorkletNode, MediaStream, navigator, document } =
    globalThis as unknown as Page;
  return { isSecureContext, AudioContext, AudioWorkletNode, MediaStream, navigator, document };
}

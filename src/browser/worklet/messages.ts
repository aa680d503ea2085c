/**
 * Messages between the page, the worklet, and the code that carries a call's audio.
 *
 * @module
 */

import type { PlaybackStats } from "./playback.ts";

/** A MessagePort, by the types that the consumer's compiler has: not every one knows the name. */
export type Port = typeof globalThis extends
  { MessageChannel: new () => { readonly port1: infer MessagePort } } ? MessagePort : unknown;

/** What the processor is made with. */
export interface ProcessorOptions {
  /** See `slackMs` of the playback. */
  readonly slackMs: number;
}

/** What the page says to the processor, on the node's own port. */
export type ToProcessor =
  /** The other side of the call's audio is at the end of this port; `undefined`: the call is disconnected. */
  | { readonly type: "connect"; readonly port: Port | undefined }
  /** Whether there is a microphone for the call to hear: otherwise it gets nothing, and no silence either. */
  | { readonly type: "sends"; readonly isOn: boolean }
  | { readonly type: "mute"; readonly isMuted: boolean }
  /** Drop what waits to be played. */
  | { readonly type: "clear" }
  /** Another microphone is connected. */
  | { readonly type: "microphone" }
  /** The last status was read: there may be another. At most one is under way, however long the page sleeps. */
  | { readonly type: "read" }
  | { readonly type: "close" };

/** What the processor says to the page; `"closed"` is the last. */
export type FromProcessor = ProcessorStatus | "closed";

/** How everything stands: sent about every 20 ms. */
export interface ProcessorStatus {
  /** Level of the microphone, RMS, 0 to 1. */
  readonly input: number;
  /** Level of what is played, RMS, 0 to 1. */
  readonly output: number;
  /** For how long the microphone has given exact zeros, in milliseconds. */
  readonly zeroMs: number;
  /** For how long it has given nothing, in milliseconds. */
  readonly absentMs: number;
  /** Blocks of 10 ms handed to the call. */
  readonly captured: number;
  /** Blocks dropped because the other side did not take them. */
  readonly dropped: number;
  /** What was played. */
  readonly playback: PlaybackStats;
  /** How long samples were missing, in milliseconds, of underruns that ended since the last status. */
  readonly underruns: readonly number[];
}

/** What the processor says on the port of the call's audio: 10 ms from the microphone, at the context's rate. */
export type FromMicrophone = Int16Array<ArrayBuffer>;

/** What is said to the processor on that port: samples to play, at the context's rate; or how many blocks were taken so far. */
export type ToSpeaker = Int16Array | number;

/** The processor's name. */
export const processorName = "telequick-voice";

/** How many blocks the microphone's sound is cut into: 10 ms each. */
export const BLOCKS_PER_SECOND = 100;

/** The most blocks in flight to a page that does not take them: one second. */
export const MAX_BLOCKS_AHEAD = 100;

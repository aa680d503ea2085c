/**
 * The inner side of a link: audio without streams. Frames come in by a callback, chunks are handed over by a call; both in the turn
 * in which they are due, with no promise in between. The public streams, the bridges and the browser's player stand on it.
 *
 * @module
 */

import type { AudioCodec } from "../../audio/mod.ts";
import type { TeleQuickError } from "../../base/errors.ts";
import type { AudioLink, ReceivedFrame } from "./audio_link.ts";
import type { AudioChunk } from "./chunk.ts";
import type { PlaybackEnd } from "./speech_track.ts";

/** What comes in. */
export interface AudioReceiver<T> {
  /**
   * Takes a frame, or its samples. Samples belong to it. A frame's payload is a view of what the session is read into, valid until this
   * returns: copy what is kept. Does not throw: it is called by what reads the audio of all calls.
   */
  take(value: T): void;
  /** Nothing more comes. Called once, with the error that ended the link, if one did. */
  end(error: TeleQuickError | undefined): void;
}

/** Both directions of a link. */
export interface AudioPort {
  readonly callSid: string;
  /** The codec of outgoing frames. */
  readonly codec: AudioCodec;
  /** The rate of samples, both ways, in hertz. */
  readonly sampleRate: number;
  /**
   * Sends frames to `receiver` instead of to `readable` and `samples`: at once those that wait there, then each as it comes. Throws
   * `ERR_VALUE_INVALID` when the streams are being read, or another receiver is there. Returns what stops it: then the streams go on.
   */
  receive(receiver: AudioReceiver<ReceivedFrame>): () => void;
  /** The same for samples at `sampleRate`. */
  receiveSamples(receiver: AudioReceiver<Int16Array>): () => void;
  /**
   * Hands a chunk over; it is copied. It is sent in its slots, or dropped: where the link has ended, and where the source is live and a
   * playback has the slots. Throws for what is not audio, and `ERR_LIMIT` when more than ten minutes would wait. A source that is faster
   * than real time looks at `queuedMs`.
   */
  send(chunk: AudioChunk): void;
  /** How long what was handed over and waits for its slot lasts, in milliseconds. */
  readonly queuedMs: number;
  /** Resolves when less than `ms` milliseconds wait to be sent, or the link has ended. */
  queuedBelow(ms: number): Promise<void>;
  /** Drops what waits on this side, without asking the gateway to. Returns what was heard of it. */
  drop(): PlaybackEnd;
  /** Resolves when the link has ended. */
  readonly ended: Promise<void>;
}

/** The key of a link's inner side. */
export const port: unique symbol = Symbol("port");

/** The inner side of a link that a client made. Throws `TypeError` for another object. */
export function audioPort(link: AudioLink): AudioPort {
  const found = (link as AudioLink & { readonly [port]?: AudioPort })[port];
  if (found !== undefined) return found;
  throw new TypeError("Cannot reach the audio of the call: expected an AudioLink of call.audio()");
}

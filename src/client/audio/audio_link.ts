/**
 * The audio of one call, as its user sees it (protocol.md section 6).
 *
 * @module
 */

import type { AudioCodec, JitterStatistics, SampleRate } from "../../audio/mod.ts";
import type { AudioFrame } from "../../wire/mod.ts";

/** Options of {@linkcode Call.audio}. */
export interface AudioOptions {
  /** How outgoing audio is encoded: `PCMU` and `PCMA` at 8 kHz, `PCM16` little-endian at 16 kHz. Default: `"PCMU"`. */
  readonly codec?: AudioCodec | undefined;
  /**
   * The rate of samples written as `Int16Array` and read from `samples`: 8000, 16000, 24000 or 48000. They are resampled to and
   * from what the wire carries. Default: the codec's own rate.
   */
  readonly sampleRate?: SampleRate | undefined;
  /** How much audio may wait to be sent before `writable` asks its writer to wait, in milliseconds, 20 to 10000. Default: 200. */
  readonly leadMs?: number | undefined;
  /** What is sent while nothing is written: nothing (`"pause"`), or frames of silence (`"send"`). Default: `"pause"`. */
  readonly silence?: "pause" | "send" | undefined;
  /**
   * Puts received frames in order: a missing one is waited for this long, in milliseconds, then replaced by what was heard before
   * it, fading out. Default: none, frames are read as they arrive.
   */
  readonly jitterBufferMs?: number | undefined;
  /** How many received frames wait to be read; one more drops the oldest, counted. Default: 100 (2 seconds). */
  readonly receiveCapacity?: number | undefined;
}

/** What a link has sent and received. Counts are frames of 20 ms. */
export interface AudioStats extends JitterStatistics {
  /** Frames handed to the transport, the one that ends the stream included. */
  readonly sent: number;
  /** Outgoing frames dropped because the transport did not take them in time, oldest first. */
  readonly sendDropped: number;
  /** Slots of 20 ms in which a frame was due and the process was too late: the schedule moved on by as many. */
  readonly slotsMissed: number;
  /** Received frames dropped because nobody read them in time, oldest first. */
  readonly unread: number;
}

/** A frame of the far end's audio. */
export interface ReceivedFrame extends AudioFrame {
  /** Whether the frame was lost and `payload` stands in for it; only with `jitterBufferMs`. */
  readonly concealed: boolean;
}

/**
 * Both directions of a call's audio. Made by {@linkcode Call.audio}; ends with the call, with `close()`, or with the client.
 * It survives renewals and reconnects: sequence numbers go on upward.
 */
export interface AudioLink extends AsyncDisposable {
  /** The call that the audio belongs to. */
  readonly callSid: string;
  /** The codec of outgoing frames. */
  readonly codec: AudioCodec;
  /** Frames of the far end, each in the codec that it names. Ends when the far end or the call does. */
  readonly readable: ReadableStream<ReceivedFrame>;
  /** The same audio as samples at `sampleRate`. Read this or `readable`, not both. */
  readonly samples: ReadableStream<Int16Array>;
  /**
   * Takes bytes of the link's codec, or samples at `sampleRate`, in chunks of any size: they leave as one frame each 20 ms.
   * `desiredSize` counts milliseconds and turns negative when more than `leadMs` waits; the next two frames, which are there to make up
   * for a short stall, are not counted. Closing it plays out what waits, then says that the stream has ended; aborting it says so at once.
   */
  readonly writable: WritableStream<Uint8Array | Int16Array>;
  /** What was sent and received so far. */
  stats(): AudioStats;
  /** Drops everything that was written and not yet sent, and asks the gateway to drop what it has not yet played (Barge). */
  clear(): Promise<void>;
  /** Plays out what was written, says that the stream has ended, and stops reading. */
  close(): Promise<void>;
}

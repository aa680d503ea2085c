/**
 * The audio of one call, as its user sees it.
 *
 * @module
 */

import type { AudioCodec, JitterStatistics } from "../../audio/mod.ts";
import type { AudioFrame } from "../../wire/mod.ts";
import type { AudioChunk } from "./chunk.ts";
import type { AudioSource, Playback, PlayOptions } from "./playback.ts";
import type { PlaybackEnd } from "./speech_track.ts";

/** Options of {@linkcode Call.audio}. */
export interface AudioOptions {
  /** How outgoing audio is encoded: `PCMU` and `PCMA` at 8 kHz, `PCM16` little-endian at 16 kHz. Default: `"PCMU"`. */
  readonly codec?: AudioCodec | undefined;
  /**
   * The rate of samples that are written and read, in hertz, an integer from 8000 to 48000. They are resampled to and from what the
   * wire carries. Default: the codec's own rate.
   */
  readonly sampleRate?: number | undefined;
  /**
   * Where outgoing audio comes from. `"speech"`: a model or a file, faster than it is played; all of it is heard, one frame each 20 ms.
   * `"live"`: a microphone or another call; a frame leaves as soon as it is full. What would be heard more than 60 ms late is dropped,
   * the oldest first, and counted, so that a stall does not make everything after it late; where the process is held up again and
   * again, or chunks are longer than that, it can be up to 120 ms. Default: `"speech"`.
   */
  readonly source?: "speech" | "live" | undefined;
  /**
   * Whether audio is sent before the call is answered. Otherwise speech waits for the answer, and its writer with it; a live source is
   * dropped until then, and counted. Default: `false`.
   */
  readonly earlyMedia?: boolean | undefined;
  /** How much audio can wait to be sent before `writable` asks its writer to wait, in milliseconds, 20 to 10000. Default: 200. */
  readonly leadMs?: number | undefined;
  /** What is sent while nothing is written: nothing (`"pause"`), or frames of silence (`"send"`). Default: `"pause"`. */
  readonly silence?: "pause" | "send" | undefined;
  /**
   * Plays received frames at the pace at which they were spoken, this long after their arrival, in milliseconds, 0 to 1000: in order, a
   * lost one replaced by what was heard before it, fading out. After a stall the delay returns to this within 3 seconds. Default:
   * frames are read as they arrive.
   */
  readonly jitterBufferMs?: number | undefined;
  /** How many received frames wait to be read; one more drops the oldest, counted. Default: 100 (2 seconds). */
  readonly receiveCapacity?: number | undefined;
}

/** What a link has sent and received. Counts are frames of 20 ms. */
export interface AudioStats extends JitterStatistics {
  /** Frames handed to the transport, the one that ends the stream included. */
  readonly sent: number;
  /** Outgoing frames dropped, oldest first: the transport did not take them in time, or a live source was ahead or not yet answered. */
  readonly sendDropped: number;
  /** Slots of 20 ms in which a frame was due and the process was too late: the schedule moved on by as many. */
  readonly slotsMissed: number;
  /** Received frames dropped because they were not read in time, oldest first. */
  readonly unread: number;
}

/** The frames of all audio links, those that have ended included. One frame is 20 ms. */
export interface AudioTotals extends Omit<AudioStats, "jitterMs"> {
  /** Links that are open. */
  readonly links: number;
  /** Frames of calls that have no link, dropped: of each call the newest second is kept until `audio()` is called. */
  readonly unrouted: number;
  /** Ticks of the 20 ms schedule that came 200 ms late or more. When they add up, timers are held back, as in a hidden tab. */
  readonly lateTicks: number;
}

type Counted = Omit<AudioStats, "jitterMs">;

/** Adds up what links have sent and received. */
export function sumAudio(all: Iterable<Counted>): Counted {
  const sum: { -readonly [name in keyof Counted]: number } = {
    ...{ received: 0, lost: 0, late: 0, duplicated: 0, dropped: 0, concealed: 0 },
    ...{ sent: 0, sendDropped: 0, slotsMissed: 0, unread: 0 },
  };
  for (const each of all) {
    for (const name of Object.keys(sum) as (keyof Counted)[]) sum[name] += each[name];
  }
  return sum;
}

/** A frame of the far end's audio. */
export interface ReceivedFrame extends AudioFrame {
  /** Whether the frame was lost and `payload` stands in for it; only with `jitterBufferMs`. */
  readonly concealed: boolean;
}

/**
 * Both directions of a call's audio. Made by {@linkcode Call.audio}; ends with the call, with `close()`, or with the client.
 * It survives renewals and reconnects: sequence numbers go on upward.
 *
 * No promise of a link has to be awaited: a call that ends does not end the process.
 */
export interface AudioLink extends AsyncDisposable {
  /** The call that the audio belongs to. */
  readonly callSid: string;
  /** The codec of outgoing frames. */
  readonly codec: AudioCodec;
  /** The rate of samples, both ways, in hertz. */
  readonly sampleRate: number;
  /**
   * Frames of the far end, each in the codec that it names. Ends when the far end or the call does. Read this or `samples`. Cancelling it,
   * as leaving a `for await` loop does, is for good: what comes afterwards is dropped.
   */
  readonly readable: ReadableStream<ReceivedFrame>;
  /** The same audio as samples at `sampleRate`. Read this or `readable`: the one that is read first has it. */
  readonly samples: ReadableStream<Int16Array>;
  /**
   * Takes audio in chunks of any size: it leaves as one frame each 20 ms. A frame that is not full waits for one slot; when nothing
   * followed by then, it leaves completed with silence.
   *
   * A write resolves when its whole frames were sent or cleared, or earlier when another chunk was written meanwhile; it rejects when the
   * link ends before. `desiredSize` counts milliseconds and turns negative when more than `leadMs` waits. Closing it plays out what waits, then says that the stream has
   * ended; aborting it says so at once. After a chunk that was refused, `writable` is another stream, and the link goes on.
   */
  readonly writable: WritableStream<AudioChunk>;
  /** What was sent and received so far. */
  stats(): AudioStats;
  /**
   * Plays an utterance: samples, bytes of the codec, or a source of them, of which no more is taken than is soon to be sent. It comes after
   * what was played or written to `writable` before, and begins with a frame of its own; what is written later waits for it, or is
   * dropped where the source is live. Once the stream of outgoing audio has ended, after `writable` was closed or aborted, nothing is played:
   * it is `interrupted` at once.
   *
   * @throws {TypeError} when `source` is not audio; {@linkcode TeleQuickError} `ERR_VALUE_INVALID` when it is a WAV file's bytes.
   */
  play(source: AudioSource, options?: PlayOptions): Playback;
  /**
   * Drops everything that was written or played and not yet sent, and asks the gateway to drop what it has not yet played (Barge).
   * Nothing of before leaves any more, but for a frame that the transport has already taken.
   *
   * @returns What was heard of what it cut: from the beginning of the utterance, as far as this side knows.
   */
  clear(): Promise<PlaybackEnd>;
  /**
   * Resolves when everything that was written or played so far was handed to the transport, or cleared. Rejects with `ERR_CALL_ENDED`
   * when the link ends before.
   */
  flush(): Promise<void>;
  /** Drops what has come in and was not read: the next that is read is what comes now. Returns how much it dropped, in milliseconds. */
  skipToNow(): number;
  /** Plays out what was written, says that the stream has ended, and stops reading. */
  close(): Promise<void>;
}

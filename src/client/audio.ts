/**
 * The audio of one call: frames in, paced frames out (protocol.md section 6).
 *
 * @module
 */

import { type AudioCodec, audioCodecs, Packetizer, silenceFrame } from "../audio/mod.ts";
import { TeleQuickError } from "../errors.ts";
import { Queue } from "../queue.ts";
import { type AudioFrame, AudioFrameEncoder } from "../wire/mod.ts";
import type { AudioHub } from "./audio_hub.ts";
import { FRAME_MS, type Paced } from "./pacer.ts";
import { ReceiveCounter, type ReceiveStats } from "./receive.ts";
import type { PendingFrame } from "./uplink.ts";

/** Options of {@linkcode Call.audio}. */
export interface AudioOptions {
  /** How outgoing audio is encoded: `PCMU` and `PCMA` at 8 kHz, `PCM16` little-endian at 16 kHz. Default: `"PCMU"`. */
  readonly codec?: AudioCodec | undefined;
  /** How much audio may wait to be sent before `writable` asks its writer to wait, in milliseconds. Default: 200. */
  readonly leadMs?: number | undefined;
  /** What is sent while nothing is written: nothing (`"pause"`), or frames of silence (`"send"`). Default: `"pause"`. */
  readonly silence?: "pause" | "send" | undefined;
  /** How many received frames wait to be read; one more drops the oldest, counted. Default: 100 (2 seconds). */
  readonly receiveCapacity?: number | undefined;
}

/** What a link has sent and received. Counts are frames of 20 ms. */
export interface AudioStats extends ReceiveStats {
  /** Frames handed to the transport. */
  readonly sent: number;
  /** Outgoing frames dropped because the transport did not take them in time, oldest first. */
  readonly sendDropped: number;
  /** Slots in which a frame should have gone out and the process was too late: the schedule moved on by as many. */
  readonly slotsMissed: number;
  /** Received frames dropped because nobody read them in time, oldest first. */
  readonly receiveDropped: number;
}

// Events and audio come on streams of their own: the last frames may be behind the hangup event.
const HANGUP_GRACE_MS = 250;

/** The next sequence number of a call's outgoing audio: it only rises, whatever link or session sends. */
export interface SequenceCounter {
  next: number;
}

// A process that was held up sends at most this many frames at once, then goes on at 50 a second.
const MAX_BURST_FRAMES = 3;

/**
 * Both directions of a call's audio. Made by {@linkcode Call.audio}; ends with the call, with `close()`, or with the client.
 * It survives renewals and reconnects: sequence numbers go on upward.
 */
export class AudioLink implements Paced {
  /** Frames of the far end, in the codec each of them names. Ends when the far end or the call does. */
  readonly readable: ReadableStream<AudioFrame>;
  /**
   * Bytes of the link's codec, in chunks of any size: they leave as one frame each 20 ms. `desiredSize` counts bytes and
   * turns negative when more than `leadMs` waits. Closing it plays out what waits, then says that the stream has ended.
   */
  readonly writable: WritableStream<Uint8Array>;
  /** The codec of outgoing frames. */
  readonly codec: AudioCodec;
  /** The call this audio belongs to. */
  readonly callSid: string;

  readonly #hub: AudioHub;
  readonly #encoder: AudioFrameEncoder;
  readonly #packetizer: Packetizer;
  readonly #silence: Uint8Array | undefined;
  readonly #received: Queue<AudioFrame>;
  readonly #counter = new ReceiveCounter();
  #frames: Uint8Array[] = [];
  // The epoch of every chunk that waits inside `writable`, in order: `clear()` starts a new epoch and drops the older ones.
  #epochs: number[] = [];
  #epoch = 0;
  #sentAll: (() => void) | undefined;
  #slot: number | undefined;
  readonly #sequence: SequenceCounter;
  #sent = 0;
  #sendDropped = 0;
  #slotsMissed = 0;
  #controller: WritableStreamDefaultController | undefined;
  #ended = false;
  #cancelHangup: (() => void) | undefined;

  /** Called by the client; use {@linkcode Call.audio}. */
  constructor(hub: AudioHub, callSid: string, sequence: SequenceCounter, options: AudioOptions) {
    const { codec = "PCMU", leadMs = 200, silence = "pause", receiveCapacity = 100 } = options;
    checkOptions(codec, leadMs, receiveCapacity);
    this.#hub = hub;
    this.#sequence = sequence;
    this.callSid = callSid;
    this.codec = codec;
    this.#encoder = new AudioFrameEncoder({ callSid, codec });
    this.#packetizer = new Packetizer(audioCodecs[codec]);
    this.#silence = silence === "send" ? silenceFrame(codec) : undefined;
    this.#received = new Queue({ capacity: receiveCapacity, overflow: "drop-oldest" });
    this.readable = readableOf(this.#received);
    const leadBytes = Math.round(leadMs / FRAME_MS) * audioCodecs[codec].frameBytes;
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      write: (chunk) => this.#accept(chunk),
      close: () => this.#playOut(),
      abort: () => this.#endOutgoing(),
    }, {
      highWaterMark: leadBytes,
      // Called in the order of the writes, synchronously: the place to note which epoch a chunk was written in.
      size: (chunk) => {
        this.#epochs.push(this.#epoch);
        return chunk instanceof Uint8Array ? chunk.byteLength : 1;
      },
    });
    if (this.#silence !== undefined) hub.pacer.add(this);
  }

  /** What was sent and received so far. */
  stats(): AudioStats {
    return {
      ...this.#counter.stats(),
      sent: this.#sent,
      sendDropped: this.#sendDropped,
      slotsMissed: this.#slotsMissed,
      receiveDropped: this.#received.dropped,
    };
  }

  /** Drops everything that was written and not yet sent, and asks the gateway to drop what it has not yet played (Barge). */
  async clear(): Promise<void> {
    this.#forget();
    await this.#hub.barge(this.callSid);
  }

  /** Plays out what was written, says that the stream has ended, and stops reading. */
  async close(): Promise<void> {
    if (!this.#ended && !this.writable.locked) await this.writable.close();
    else if (!this.#ended) await this.#playOut();
    this.end();
  }

  /** The same as {@linkcode AudioLink.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Takes a frame off the wire. The payload is copied: the caller's buffer is reused. */
  deliver(frame: AudioFrame): void {
    if (this.#received.ended) return;
    if (!this.#counter.accept(frame.sequenceNumber, this.#hub.clock.monotonic())) return;
    this.#received.push({ ...frame, payload: frame.payload.slice() });
    if (!frame.endOfStream) return;
    this.#received.close();
    if (this.#cancelHangup !== undefined) this.end();
  }

  /** Ends both directions at once: the call is over, or the client is. */
  end(error?: TeleQuickError): void {
    this.#cancelHangup?.();
    this.#forget();
    if (!this.#ended) {
      this.#ended = true;
      this.#hub.pacer.remove(this);
      this.#controller?.error(
        error ?? new TeleQuickError("ERR_CALL_ENDED", "Cannot send audio: the call has ended"),
      );
    }
    if (error === undefined) this.#received.close();
    else this.#received.fail(error);
    this.#hub.remove(this);
  }

  /** The call has ended: what is still under way from the far end is read for a moment, then both directions end. */
  hungUp(): void {
    if (this.#received.ended) this.end();
    else this.#cancelHangup ??= this.#hub.clock.schedule(HANGUP_GRACE_MS, () => this.end());
  }

  /** Called by the pacer. */
  tick(slot: number): boolean {
    let due = slot - (this.#slot ?? slot - 1);
    if (due > MAX_BURST_FRAMES) {
      this.#slotsMissed += due - MAX_BURST_FRAMES;
      due = MAX_BURST_FRAMES;
    }
    this.#slot = slot;
    for (; due > 0; due--) {
      const payload = this.#frames.shift() ?? this.#silence;
      if (payload === undefined) break;
      this.#send(payload, false);
    }
    if (this.#frames.length > 0) return true;
    this.#wakeWriter();
    if (this.#silence !== undefined) return true;
    // Stays for one more tick, so that a writer who answers `ready` at once keeps its place in the schedule.
    if (due === 0) return true;
    this.#slot = undefined;
    return false;
  }

  /** Called by the pacer after every tick. */
  flush(): void {
    this.#hub.flush(this);
  }

  #accept(chunk: Uint8Array): Promise<void> {
    const epoch = this.#epochs.shift();
    if (!(chunk instanceof Uint8Array)) {
      throw new TypeError("Cannot send audio: expected a Uint8Array of the link's codec");
    }
    if (this.#ended || epoch !== this.#epoch) return Promise.resolve();
    for (const frame of this.#packetizer.push(chunk)) this.#frames.push(frame);
    return this.#whenSent();
  }

  /** Resolves when no whole frame waits. */
  #whenSent(): Promise<void> {
    if (this.#frames.length === 0 || this.#ended) return Promise.resolve();
    this.#hub.pacer.add(this);
    return new Promise((resolve) => this.#sentAll = resolve);
  }

  async #playOut(): Promise<void> {
    const last = this.#packetizer.flush();
    if (last !== undefined) this.#frames.push(last);
    await this.#whenSent();
    await this.#endOutgoing();
  }

  async #endOutgoing(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#forget();
    this.#hub.pacer.remove(this);
    this.#send(new Uint8Array(0), true);
    await this.#hub.finish(this);
  }

  #send(payload: Uint8Array, endOfStream: boolean): void {
    const bytes = new Uint8Array(this.#encoder.size(payload.length));
    this.#encoder.encodeInto(bytes, 0, payload, this.#sequence.next++, endOfStream);
    this.#sent++;
    const frame: PendingFrame = {
      bytes,
      dropped: () => {
        this.#sent--;
        this.#sendDropped++;
      },
    };
    this.#hub.send(this, frame);
  }

  #forget(): void {
    this.#epoch++;
    this.#frames = [];
    this.#packetizer.clear();
    this.#wakeWriter();
  }

  #wakeWriter(): void {
    const wake = this.#sentAll;
    this.#sentAll = undefined;
    wake?.();
  }
}

function readableOf(frames: Queue<AudioFrame>): ReadableStream<AudioFrame> {
  return new ReadableStream<AudioFrame>({
    async pull(controller) {
      const { value, done } = await frames.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await frames.return();
    },
  }, { highWaterMark: 0 });
}

function checkOptions(codec: string, leadMs: number, receiveCapacity: number): void {
  if (!Object.hasOwn(audioCodecs, codec)) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot open audio: codec is "${codec}", expected one of ${
        Object.keys(audioCodecs).join(", ")
      }`,
    );
  }
  if (!(leadMs >= FRAME_MS && leadMs <= 10_000)) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot open audio: leadMs is ${leadMs}, expected 20 to 10000`,
    );
  }
  if (!(Number.isSafeInteger(receiveCapacity) && receiveCapacity > 0)) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot open audio: receiveCapacity is ${receiveCapacity}, expected a positive number of frames`,
    );
  }
}

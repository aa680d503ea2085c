/**
 * What waits to be pushed to one session: its events, and the audio of its calls. Both bounded.
 *
 * @module
 */

import { concatBytes } from "../../base/bytes.ts";
import {
  type AudioFrameEncoder,
  type CallEvent,
  encodeFrame,
  methods,
  type SessionEnding,
} from "../../wire/mod.ts";
import type { Limits } from "../limits.ts";
import { PayloadPool } from "./payload_pool.ts";
import { PushStream } from "./push.ts";
import type { AudioSource } from "../call/audio_source.ts";
import type { Speech } from "../call/far_end.ts";

/** Options of an {@linkcode Outbox}. */
export interface OutboxOptions {
  readonly limits: Limits;
  /** Opens a one-way stream to the peer. */
  readonly open: () => Promise<WritableStream<Uint8Array>>;
  /** Called once when more events wait than are allowed. */
  readonly onSlow: () => void;
  /** Called with numbers of audio frames: written, and dropped. */
  readonly onAudio: (written: number, dropped: number) => void;
}

interface QueuedFrame extends Speech {
  readonly endOfStream: boolean;
}

// About one write; every call's turn is taken whole.
const BYTES_PER_WRITE = 64 * 1024;

/** The push side of one session. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #eventStream: PushStream;
  readonly #audioStream: PushStream;
  readonly #lanes = new Map<AudioSource, QueuedFrame[]>();
  readonly #payloads = new PayloadPool();
  #events: Uint8Array[] = [];
  #audioBytes = 0;
  #slow = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    const { open } = options;
    this.#eventStream = new PushStream({
      open,
      take: () => this.#takeEvents(),
      onFailure: () => this.#events = [],
    });
    this.#audioStream = new PushStream({
      open,
      take: () => this.#takeAudio(),
      onFailure: () => this.#dropAudio(),
    });
  }

  /** Whether events that are pushed go nowhere: the peer has ended the stream. */
  get isDeaf(): boolean {
    return this.#eventStream.isDead;
  }

  /** Queues an event. */
  event(event: CallEvent): void {
    if (this.#eventStream.isDead || this.#slow) return;
    if (this.#events.length >= this.#options.limits.queuedEvents) {
      this.#slow = true;
      this.#events = [];
      this.#options.onSlow();
      return;
    }
    this.#events.push(encodeFrame(methods.CallEvent, event));
    this.#eventStream.wake();
  }

  /** Queues a packet of a call; it is copied. */
  audio(source: AudioSource, speech: Speech, endOfStream: boolean): void {
    const { limits, onAudio } = this.#options;
    if (this.#audioStream.isDead || this.#audioBytes > limits.queuedAudioBytes) {
      return onAudio(0, 1);
    }
    let lane = this.#lanes.get(source);
    if (lane === undefined) this.#lanes.set(source, lane = []);
    if (lane.length >= limits.queuedAudioFrames) {
      this.#audioBytes -= lane.shift()!.payload.length;
      onAudio(0, 1);
    }
    const { codec, sequenceNumber } = speech;
    const payload = this.#payloads.copy(speech.payload);
    lane.push({ payload, codec, sequenceNumber, endOfStream });
    this.#audioBytes += payload.length;
    this.#audioStream.wake();
  }

  /** Drops the audio of a call that waits. */
  hush(source: AudioSource): void {
    const lane = this.#lanes.get(source);
    if (lane === undefined) return;
    for (const { payload } of lane) this.#audioBytes -= payload.length;
    this.#options.onAudio(0, lane.length);
    this.#lanes.delete(source);
  }

  /** Queues the ending, after the events that wait. Resolves when it is written, or cannot be. */
  async say(ending: SessionEnding): Promise<void> {
    this.#eventStream.revive();
    this.#events.push(encodeFrame(methods.SessionEnding, ending));
    this.#eventStream.wake();
    await this.#eventStream.flushed();
  }

  /** Opens ways that the peer had closed: it subscribes again. */
  revive(): void {
    this.#eventStream.revive();
    this.#audioStream.revive();
  }

  /** Ends both streams and drops what waits. */
  end(): void {
    this.#events = [];
    this.#dropAudio();
    this.#eventStream.end();
    this.#audioStream.end();
  }

  #dropAudio(): void {
    for (const source of [...this.#lanes.keys()]) this.hush(source);
  }

  #takeEvents(): Uint8Array | undefined {
    if (this.#events.length === 0) return undefined;
    const [first, ...more] = this.#events;
    this.#events = [];
    return more.length === 0 ? first : concatBytes([first!, ...more]);
  }

  /** Frames in one buffer, one of each call in turn, so that none waits for another's backlog. */
  #takeAudio(): Uint8Array | undefined {
    const batch: { readonly encoder: AudioFrameEncoder; readonly frame: QueuedFrame }[] = [];
    let size = 0;
    while (this.#lanes.size > 0 && size < BYTES_PER_WRITE) {
      for (const [source, lane] of this.#lanes) {
        const frame = lane.shift()!;
        if (lane.length === 0) this.#lanes.delete(source);
        const encoder = source.encoder(frame.codec);
        batch.push({ encoder, frame });
        size += encoder.size(frame.payload.length);
        this.#audioBytes -= frame.payload.length;
      }
    }
    if (batch.length === 0) return undefined;
    const bytes = new Uint8Array(size);
    let offset = 0;
    for (const { encoder, frame } of batch) {
      const { payload, sequenceNumber, endOfStream } = frame;
      offset = encoder.encodeInto(bytes, offset, payload, sequenceNumber, endOfStream);
      this.#payloads.giveBack(payload);
    }
    this.#options.onAudio(batch.length, 0);
    return bytes;
  }
}

/**
 * One outgoing frame: filled, then numbered and written, or dropped; empty again when its owner gets it back.
 *
 * @module
 */

import type { AudioFrameEncoder } from "../../wire/mod.ts";
import type { PendingFrame } from "./send_stream.ts";
import type { SpeechTrack } from "./speech_track.ts";

/** The next sequence number of a call's outgoing audio: it only rises, over all links and sessions. */
export interface SequenceCounter {
  next: number;
}

/** The sender of a call's frames; it gets each of them back once. */
export interface FrameOwner {
  readonly encoder: AudioFrameEncoder;
  readonly sequence: SequenceCounter;
  /** Its bytes are among those of a write. */
  readonly written: (frame: OutgoingFrame) => void;
  /** The transport did not take it in time. */
  readonly dropped: (frame: OutgoingFrame) => void;
  /** It was taken back before it was written. */
  readonly recalled: (frame: OutgoingFrame) => void;
}

/** One frame of 20 ms. */
export class OutgoingFrame implements PendingFrame {
  endOfStream = false;
  /** What it belongs to; `undefined` for a frame of silence, and for the one that ends the stream. */
  track: SpeechTrack | undefined;
  readonly owner: FrameOwner;
  readonly #payload: Uint8Array;
  #filled = 0;

  constructor(owner: FrameOwner, bytes: number) {
    this.owner = owner;
    this.#payload = new Uint8Array(bytes);
  }

  get isFull(): boolean {
    return this.#filled === this.#payload.length;
  }

  get size(): number {
    return this.owner.encoder.size(this.#filled);
  }

  /** Adds what fits of `chunk`, from `from` on; returns where in the chunk it stopped. */
  add(chunk: Uint8Array, from: number): number {
    const payload = this.#payload;
    const end = Math.min(chunk.length, from + payload.length - this.#filled);
    const isAll = from === 0 && end === chunk.length;
    payload.set(isAll ? chunk : chunk.subarray(from, end), this.#filled);
    this.#filled += end - from;
    return end;
  }

  /** Completes it with silence. */
  pad(silence: number): void {
    this.#payload.fill(silence, this.#filled);
    this.#filled = this.#payload.length;
  }

  /** Numbered here: a frame that was taken back leaves no gap. */
  encodeInto(target: Uint8Array, offset: number): number {
    const { encoder, sequence, written } = this.owner;
    const payload = this.isFull ? this.#payload : this.#payload.subarray(0, this.#filled);
    const end = encoder.encodeInto(target, offset, payload, sequence.next++, this.endOfStream);
    this.empty();
    written(this);
    return end;
  }

  /** Its number is used up: the far end is to know that something is missing. */
  dropped(): void {
    this.owner.sequence.next++;
    this.empty();
    this.owner.dropped(this);
  }

  recalled(): void {
    this.empty();
    this.owner.recalled(this);
  }

  /** Forgets its sound. */
  empty(): void {
    this.#filled = 0;
  }
}

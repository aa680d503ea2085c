/**
 * One outgoing frame: filled, then numbered and written, or dropped; empty again when its owner gets it back.
 *
 * @module
 */

import { audioCodecs } from "../../audio/mod.ts";
import type { AudioFrameEncoder } from "../../wire/mod.ts";
import type { ChunkFormat } from "./chunk.ts";
import type { PendingFrame, WriteRoom } from "./send_stream.ts";
import type { SpeechTrack } from "./speech_track.ts";

/** The next sequence number of a call's outgoing audio: it only rises, over all links and sessions. */
export interface SequenceCounter {
  next: number;
}

/** The sender of a call's frames; it gets each of them back once. */
export interface FrameOwner extends ChunkFormat {
  readonly encoder: AudioFrameEncoder;
  readonly sequence: SequenceCounter;
  /** Where the bytes of its frames are put. */
  readonly room: WriteRoom;
  /** Its bytes are among those of a write. */
  written(frame: OutgoingFrame): void;
  /** The transport did not take it in time. */
  dropped(frame: OutgoingFrame): void;
  /** It was taken back before it was written. */
  recalled(frame: OutgoingFrame): void;
}

const NOTHING = new Uint8Array(0);

/** One frame of 20 ms. */
export class OutgoingFrame implements PendingFrame {
  endOfStream = false;
  /** The one behind it among those that wait for their slots, or among those that are spare. */
  next: OutgoingFrame | undefined;
  /** What it belongs to; `undefined` for a frame of silence, and for the one that ends the stream. */
  track: SpeechTrack | undefined;
  readonly owner: FrameOwner;
  // The whole frame as the wire has it, all but its number: one copy is all that writing it costs.
  readonly #bytes: Uint8Array;
  readonly #payloadStart: number;
  readonly #payloadEnd: number;
  // Where the payload ends so far.
  #filledTo: number;

  constructor(owner: FrameOwner) {
    const { encoder, codec, room } = owner;
    const payloadBytes = audioCodecs[codec].frameBytes;
    this.owner = owner;
    this.#bytes = room.take(encoder.size(payloadBytes));
    encoder.encodeInto(this.#bytes, 0, new Uint8Array(payloadBytes), 0, false);
    this.#payloadStart = this.#filledTo = encoder.payloadOffset;
    this.#payloadEnd = this.#payloadStart + payloadBytes;
  }

  get isFull(): boolean {
    return this.#filledTo === this.#payloadEnd;
  }

  get size(): number {
    return this.isFull ? this.#bytes.length : this.owner.encoder.size(0);
  }

  /** Adds what fits of `chunk`, from `from` on; returns where in the chunk it stopped. */
  add(chunk: Uint8Array, from: number): number {
    const end = Math.min(chunk.length, from + this.#payloadEnd - this.#filledTo);
    const isAll = from === 0 && end === chunk.length;
    this.#bytes.set(isAll ? chunk : chunk.subarray(from, end), this.#filledTo);
    this.#filledTo += end - from;
    return end;
  }

  /** Completes it with silence. */
  pad(silence: number): void {
    this.#bytes.fill(silence, this.#filledTo, this.#payloadEnd);
    this.#filledTo = this.#payloadEnd;
  }

  /** Numbered here: a frame that was taken back leaves no gap. One that is not full has no sound: it says the end. */
  encodeInto(target: Uint8Array, offset: number): number {
    const { owner, endOfStream } = this;
    const { encoder, sequence } = owner;
    const number = sequence.next++;
    let end: number;
    if (this.isFull) {
      end = offset + this.#bytes.length;
      target.set(this.#bytes, offset);
      encoder.renumber(target, end, number);
    } else end = encoder.encodeInto(target, offset, NOTHING, number, endOfStream);
    this.empty();
    owner.written(this);
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
    this.#filledTo = this.#payloadStart;
  }
}

/**
 * One outgoing frame: filled, then numbered and written, or dropped; empty again when its owner gets it back. And frames one after
 * another: those that wait for their slots, and those that wait for a stream.
 *
 * @module
 */

import { audioCodecs } from "../../audio/mod.ts";
import type { ByteRoom } from "../../base/bytes.ts";
import type { AudioFrameEncoder } from "../../wire/mod.ts";
import type { ChunkFormat } from "./chunk.ts";
import type { SpeechTrack } from "./speech_track.ts";

/** A frame that waits to be written. Its bytes are made when it is written, among those of others. */
export interface PendingFrame {
  /** What sent it. */
  readonly owner: unknown;
  /** How many bytes it takes. */
  readonly size: number;
  /** The one after it. */
  next: PendingFrame | undefined;
  /** Writes it into `target` from `offset` on; returns where it ends. */
  encodeInto(target: Uint8Array, offset: number): number;
  /** Called when newer frames took its place. */
  dropped(): void;
  /** Called when its owner took it back. */
  recalled(): void;
}

/** Frames one after another. A frame is in one list at a time, and says itself which one comes after it. */
export class FrameList<F extends { next: F | undefined }> {
  #first: F | undefined;
  #last: F | undefined;
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds a frame after the last. */
  append(frame: F): void {
    if (this.#last === undefined) this.#first = frame;
    else this.#last.next = frame;
    this.#last = frame;
    this.#length++;
  }

  /** Takes the first frame out. */
  shift(): F | undefined {
    const frame = this.#first;
    if (frame === undefined) return undefined;
    this.#first = frame.next;
    if (this.#first === undefined) this.#last = undefined;
    frame.next = undefined;
    this.#length--;
    return frame;
  }
}

/** The next sequence number of a call's outgoing audio: it only rises, over all links and sessions. */
export interface SequenceCounter {
  next: number;
}

/** The sender of a call's frames; it gets each of them back once. */
export interface FrameOwner extends ChunkFormat {
  readonly encoder: AudioFrameEncoder;
  readonly sequence: SequenceCounter;
  /** Where the bytes of its frames are put. */
  readonly room: ByteRoom;
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

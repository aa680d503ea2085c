/**
 * Whole frames that wait for their slots, and the one being filled: chunks of any size in, one frame of 20 ms at a time out.
 *
 * @module
 */

import { audioCodecs, encodeAudio, frameMilliseconds, Resampler } from "../../audio/mod.ts";
import { isBytes } from "../../base/bytes.ts";
import { type AudioChunk, encodeChunk } from "./chunk.ts";
import { FrameList, type FrameOwner, OutgoingFrame } from "./outgoing_frame.ts";
import type { SpeechTrack } from "./speech_track.ts";

// Frames that were written are kept to be used again, so many of each call: what a writer has waiting at the default lead.
const SPARE_FRAMES = 10;

/** Encodes, cuts and queues the audio of one call. */
export class FrameQueue {
  readonly #owner: FrameOwner;
  readonly #frames = new FrameList();
  readonly #spare = new FrameList();
  #filling: OutgoingFrame | undefined;
  // Whether the resampler holds back the end of what was said.
  #hasTail = false;
  // Where the last sound came from.
  #last: SpeechTrack | undefined;
  readonly #resampler: Resampler;

  constructor(owner: FrameOwner) {
    const { sampleRate: inputRate, codec } = owner;
    this.#owner = owner;
    this.#resampler = new Resampler({ inputRate, outputRate: audioCodecs[codec].sampleRate });
  }

  /** How many whole frames wait. */
  get length(): number {
    return this.#frames.length;
  }

  /** Whether nothing is left, not even a part of a frame. */
  get isEmpty(): boolean {
    return this.#frames.length === 0 && this.#filling === undefined && !this.#hasTail;
  }

  /** How long what waits lasts, in milliseconds, the frame being filled counted whole. */
  get queuedMs(): number {
    return (this.#frames.length + (this.#filling === undefined ? 0 : 1)) * frameMilliseconds;
  }

  /** Adds a chunk; it is refused whole, by a throw, when it is not audio. */
  push(chunk: AudioChunk, track: SpeechTrack): void {
    const bytes = encodeChunk(chunk, this.#owner, this.#resampler);
    if (!isBytes(chunk)) this.#hasTail = this.#resampler.delaySamples > 0;
    this.#last = track;
    this.#packetize(bytes, track);
  }

  /** Takes the next whole frame out. */
  shift(): OutgoingFrame | undefined {
    return this.#frames.shift();
  }

  /** The frame that is being filled goes the way of the others, with the resampler's tail, padded. */
  complete(): void {
    if (this.#hasTail && this.#last !== undefined) {
      this.#hasTail = false;
      this.#packetize(encodeAudio(this.#owner.codec, this.#resampler.flush()), this.#last);
    }
    const last = this.#filling;
    if (last === undefined) return;
    this.#pad(last);
    this.#filling = undefined;
    this.#frames.push(last);
  }

  /** Drops the oldest whole frame. */
  dropOldest(): void {
    const oldest = this.#frames.shift();
    if (oldest !== undefined) this.#discard(oldest);
  }

  /** Drops everything. */
  drop(): void {
    while (this.#frames.length > 0) this.dropOldest();
    this.dropRest();
  }

  /** Drops what belongs to one track. */
  cut(track: SpeechTrack): void {
    for (let left = this.#frames.length; left > 0; left--) {
      const frame = this.#frames.shift()!;
      if (frame.track === track) this.#discard(frame);
      else this.#frames.push(frame);
    }
    if (this.#last === track) this.dropRest();
  }

  /** Drops the frame being filled, and what the resampler holds back. */
  dropRest(): void {
    if (this.#filling !== undefined) this.#discard(this.#filling);
    this.#filling = undefined;
    this.#hasTail = false;
    this.#resampler.clear();
  }

  /** A frame of silence that stands in no queue. */
  makeSilence(): OutgoingFrame {
    const frame = this.make();
    this.#pad(frame);
    return frame;
  }

  /** An empty frame: one that was written, where there is one. At 10,000 frames a second it is the allocation that costs. */
  make(): OutgoingFrame {
    return this.#spare.shift() ?? new OutgoingFrame(this.#owner);
  }

  /** Takes back a frame that is empty again. */
  keep(frame: OutgoingFrame): void {
    frame.track = undefined;
    if (this.#spare.length < SPARE_FRAMES) this.#spare.unshift(frame);
  }

  #packetize(bytes: Uint8Array, track: SpeechTrack): void {
    for (let at = 0; at < bytes.length;) {
      let frame = this.#filling;
      if (frame === undefined) {
        frame = this.#filling = this.make();
        frame.track = track;
        track.queue();
      }
      at = frame.add(bytes, at);
      if (!frame.isFull) return;
      this.#frames.push(frame);
      this.#filling = undefined;
    }
  }

  #pad(frame: OutgoingFrame): void {
    frame.pad(audioCodecs[this.#owner.codec].silence);
  }

  /** A frame that was never sent. */
  #discard(frame: OutgoingFrame): void {
    frame.track?.drop();
    frame.empty();
    this.keep(frame);
  }
}

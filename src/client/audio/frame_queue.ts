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

/** Encodes and cuts the audio of one call. The frames in it are whole, and wait for their slots. */
export class FrameQueue extends FrameList<OutgoingFrame> {
  readonly #owner: FrameOwner;
  #filling: OutgoingFrame | undefined;
  // The last one that was written, and those before it.
  #spare: OutgoingFrame | undefined;
  #spares = 0;
  // Whether the resampler holds back the end of what was said.
  #hasTail = false;
  // Where the last sound came from.
  #source: SpeechTrack | undefined;
  readonly #resampler: Resampler;

  constructor(owner: FrameOwner) {
    super();
    const { sampleRate: inputRate, codec } = owner;
    this.#owner = owner;
    this.#resampler = new Resampler({ inputRate, outputRate: audioCodecs[codec].sampleRate });
  }

  /** Whether nothing is left, not even a part of a frame. */
  get isEmpty(): boolean {
    return this.length === 0 && this.#filling === undefined && !this.#hasTail;
  }

  /** How long what waits lasts, in milliseconds, the frame being filled counted whole. */
  get queuedMs(): number {
    return (this.length + (this.#filling === undefined ? 0 : 1)) * frameMilliseconds;
  }

  /** Adds a chunk; it is refused whole, by a throw, when it is not audio. */
  push(chunk: AudioChunk, track: SpeechTrack): void {
    const bytes = encodeChunk(chunk, this.#owner, this.#resampler);
    if (!isBytes(chunk)) this.#hasTail = this.#resampler.delaySamples > 0;
    this.#source = track;
    this.#packetize(bytes, track);
  }

  /** The frame that is being filled goes the way of the others, with the resampler's tail, padded. */
  complete(): void {
    if (this.#hasTail && this.#source !== undefined) {
      this.#hasTail = false;
      this.#packetize(encodeAudio(this.#owner.codec, this.#resampler.flush()), this.#source);
    }
    const last = this.#filling;
    if (last === undefined) return;
    this.#pad(last);
    this.#filling = undefined;
    this.append(last);
  }

  /** Drops the oldest whole frame. */
  dropOldest(): void {
    const oldest = this.shift();
    if (oldest !== undefined) this.#discard(oldest);
  }

  /** Drops everything. */
  drop(): void {
    while (this.length > 0) this.dropOldest();
    this.dropRest();
  }

  /** Drops what belongs to one track. */
  cut(track: SpeechTrack): void {
    for (let left = this.length; left > 0; left--) {
      const frame = this.shift()!;
      if (frame.track === track) this.#discard(frame);
      else this.append(frame);
    }
    if (this.#source === track) this.dropRest();
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
    const frame = this.#spare;
    if (frame === undefined) return new OutgoingFrame(this.#owner);
    this.#spare = frame.next;
    this.#spares--;
    frame.next = undefined;
    return frame;
  }

  /** Takes back a frame that is empty again. */
  keep(frame: OutgoingFrame): void {
    frame.track = undefined;
    if (this.#spares === SPARE_FRAMES) return;
    frame.next = this.#spare;
    this.#spare = frame;
    this.#spares++;
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
      this.append(frame);
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

/**
 * Where pushed audio comes from.
 *
 * @module
 */

import { AudioFrameEncoder } from "../../wire/mod.ts";

/** A call, or the supervision of one: what a session's outgoing audio is queued by. */
export interface AudioSource {
  /** The encoder of this call's frames in a codec. */
  encoder(codec: string): AudioFrameEncoder;
}

/** The encoders of one call's frames. Most calls have one. */
export class FrameEncoders {
  readonly #callSid: string;
  #codec: string | undefined;
  #encoder: AudioFrameEncoder | undefined;
  #others: Map<string, AudioFrameEncoder> | undefined;

  constructor(callSid: string) {
    this.#callSid = callSid;
  }

  /** The encoder of a codec: at once for the codec that was asked for last. */
  of(codec: string): AudioFrameEncoder {
    if (codec === this.#codec) return this.#encoder!;
    if (this.#codec !== undefined) (this.#others ??= new Map()).set(this.#codec, this.#encoder!);
    this.#codec = codec;
    return this.#encoder = this.#others?.get(codec) ??
      new AudioFrameEncoder({ callSid: this.#callSid, codec });
  }
}

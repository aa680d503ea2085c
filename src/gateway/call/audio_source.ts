/**
 * Where pushed audio comes from.
 *
 * @module
 */

import type { AudioFrameEncoder } from "../../wire/mod.ts";

/** A call, or the supervision of one: what a session's outgoing audio is queued by. */
export interface AudioSource {
  /** The encoder of this call's frames in a codec. */
  encoder(codec: string): AudioFrameEncoder;
}

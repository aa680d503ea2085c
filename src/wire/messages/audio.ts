/**
 * Audio (protocol.md sections 5.7 and 6).
 *
 * @module
 */

import { binary, bool, text, u64 } from "../field.ts";
import { type Message, message } from "../message.ts";

/** One packet of a call's audio, usually 20 ms. */
export interface AudioFrame {
  /** The call's id. Default: `""`. */
  readonly callSid: string;
  /** The encoded samples: 160 bytes are 20 ms of PCMU. Decoding gives a view of its input. Default: no bytes. */
  readonly payload: Uint8Array;
  /** `PCMU`, `PCMA` or `PCM16`; trust it frame by frame. Default: `""`. */
  readonly codec: string;
  /** Rises by one with each frame of a call and direction (uint64). Default: 0. */
  readonly sequenceNumber: number;
  /** Whether this is the last frame; its payload may be empty. Default: `false`. */
  readonly endOfStream: boolean;
}

/** One packet of a call's audio, usually 20 ms. */
export const AudioFrame: Message<AudioFrame> = /* @__PURE__ */ message<AudioFrame>(
  "AudioFrame",
  () => ({
    callSid: text,
    payload: binary,
    codec: text,
    sequenceNumber: u64,
    endOfStream: bool,
  }),
);

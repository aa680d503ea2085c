/**
 * Audio (protocol.md sections 5.7 and 6).
 *
 * @module
 */

import { readI32, TWO_32, writeAscii, writeU32, writeU64 } from "../bytes.ts";
import { binary, bool, text, u64 } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import { decodeCached, LONGEST_CACHED_BYTES } from "../text_cache.ts";

/** Fields of {@linkcode AudioFrame}. */
export const audioFrame = {
  /** The call's id. Default: `""`. */
  callSid: text,
  /** The encoded samples: 160 bytes are 20 ms of PCMU. Decoding gives a view of its input. Default: no bytes. */
  payload: binary,
  /** `PCMU`, `PCMA` or `PCM16`; trust it frame by frame. Default: `""`. */
  codec: text,
  /** Rises by one with each frame of a call and direction (uint64). Default: 0. */
  sequenceNumber: u64,
  /** Whether this is the last frame; its payload may be empty. Default: `false`. */
  endOfStream: bool,
} as const;

/** One packet of a call's audio, usually 20 ms. */
export interface AudioFrame extends ValueOf<typeof audioFrame> {}

// Envelope header, three lengths, sequence number, end of stream.
const FIXED_BYTES = 27;

/** Encodes a frame with all its fields and ASCII texts straight into its buffer: the hot path of whoever does not use the encoder. */
function encodeUsual(
  { callSid, payload, codec, sequenceNumber, endOfStream }: Partial<AudioFrame>,
  headroom: number,
): Uint8Array<ArrayBuffer> | undefined {
  if (
    typeof callSid !== "string" || typeof codec !== "string" ||
    !(payload instanceof Uint8Array) || typeof endOfStream !== "boolean" ||
    !Number.isSafeInteger(sequenceNumber) || sequenceNumber! < 0
  ) return undefined;
  const size = FIXED_BYTES + callSid.length + payload.length + codec.length;
  const bytes = new Uint8Array(headroom + size);
  writeU32(bytes, headroom + 2, size - 6);
  const sidEnd = writeAscii(bytes, headroom + 6, callSid);
  if (sidEnd === 0) return undefined;
  writeU32(bytes, sidEnd, payload.length);
  bytes.set(payload, sidEnd + 4);
  const codecEnd = writeAscii(bytes, sidEnd + 4 + payload.length, codec);
  if (codecEnd === 0) return undefined;
  writeU64(bytes, codecEnd, sequenceNumber!);
  bytes[codecEnd + 8] = endOfStream ? 1 : 0;
  return bytes;
}

/** Decodes a frame of this version with an id and a codec, as every live call has them: the hot path of whoever listens. */
function decodeUsual(bytes: Uint8Array): AudioFrame | undefined {
  const sidSize = readI32(bytes, 6);
  const payloadAt = 14 + sidSize;
  const payloadSize = readI32(bytes, payloadAt - 4);
  const codecAt = payloadAt + payloadSize + 4;
  const codecSize = readI32(bytes, codecAt - 4);
  const lastAt = codecAt + codecSize;
  // Texts that the cache takes, and nothing negative: no bit above those that LONGEST_CACHED_BYTES - 1 has.
  const sizes = (sidSize - 1) | (codecSize - 1) | (payloadSize >> 31);
  if (sizes & -LONGEST_CACHED_BYTES || lastAt > bytes.length - 9) return undefined;
  try {
    return {
      callSid: decodeCached(bytes, 10, sidSize),
      payload: new Uint8Array(bytes.buffer, bytes.byteOffset + payloadAt, payloadSize),
      codec: decodeCached(bytes, codecAt, codecSize),
      sequenceNumber: (readI32(bytes, lastAt + 4) >>> 0) * TWO_32 + (readI32(bytes, lastAt) >>> 0),
      endOfStream: bytes[lastAt + 8] !== 0,
    };
  } catch {
    // The fields say which text is malformed.
    return undefined;
  }
}

/** One packet of a call's audio, usually 20 ms. */
export const AudioFrame: Message<AudioFrame> = /* @__PURE__ */ message("AudioFrame", audioFrame, {
  encode: encodeUsual,
  decode: decodeUsual,
});

/** Push, both ways: a packet of audio. */
export const AudioFramePush = {
  name: "AudioFrame",
  id: 2991054320,
  request: AudioFrame,
  reply: undefined,
} as const;

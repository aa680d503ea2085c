/**
 * Audio. See [the protocol](../PROTOCOL.md#9-audio).
 *
 * @module
 */

import { isBytes } from "../../base/bytes.ts";
import { readI32, readU32, TWO_32, writeAscii, writeU32, writeU64 } from "../bytes.ts";
import { ENVELOPE_HEADER_BYTES } from "../reader.ts";
import { binary, bool, shortText, u64 } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import { decodeCached, LONGEST_CACHED_BYTES } from "../text_cache.ts";

/** Fields of {@linkcode AudioFrame}. */
export const audioFrame = {
  /** The call's id. Default: `""`. */
  callSid: shortText,
  /** The encoded samples: 160 bytes are 20 ms of PCMU. Decoding gives a view of its input. Default: no bytes. */
  payload: binary,
  /** `PCMU`, `PCMA` or `PCM16`. It can change from one frame to the next. Default: `""`. */
  codec: shortText,
  /** Rises by one with each frame of a call and direction (uint64). Default: 0. */
  sequenceNumber: u64,
  /** Whether this is the last frame; its payload may be empty. Default: `false`. */
  endOfStream: bool,
} as const;

/** One packet of a call's audio, usually 20 ms. */
export interface AudioFrame extends ValueOf<typeof audioFrame> {}

// Envelope header, three lengths, sequence number, end of stream.
const FIXED_BYTES = 27;
// Sequence number and end of stream, after the texts.
const LAST_BYTES = 9;

/**
 * Encodes a frame with all its fields and ASCII texts straight into its buffer. "AudioFrame, encode into a fresh buffer" in
 * tests/bench/wire_bench.ts takes 1.3 times as long without it.
 */
function encodeUsual(
  frame: Partial<AudioFrame>,
  headroom: number,
): Uint8Array<ArrayBuffer> | undefined {
  const { callSid, payload, codec, sequenceNumber = -1, endOfStream } = frame;
  if (typeof callSid !== "string" || typeof codec !== "string") return undefined;
  if (!isBytes(payload) || typeof endOfStream !== "boolean") return undefined;
  if (!Number.isSafeInteger(sequenceNumber) || sequenceNumber < 0) return undefined;
  const size = FIXED_BYTES + callSid.length + payload.length + codec.length;
  const bytes = new Uint8Array(headroom + size);
  writeU32(bytes, headroom + 2, size - ENVELOPE_HEADER_BYTES);
  const payloadStart = writeAscii(bytes, headroom + ENVELOPE_HEADER_BYTES, callSid);
  if (payloadStart === 0) return undefined;
  writeU32(bytes, payloadStart, payload.length);
  bytes.set(payload, payloadStart + 4);
  const lastStart = writeAscii(bytes, payloadStart + 4 + payload.length, codec);
  if (lastStart === 0) return undefined;
  writeU64(bytes, lastStart, sequenceNumber);
  bytes[lastStart + 8] = endOfStream ? 1 : 0;
  return bytes;
}

/**
 * Decodes a frame of this version with an id and a codec, as every live call has them. "AudioFrame, decode" in
 * tests/bench/wire_bench.ts takes 1.5 times as long without it.
 */
function decodeUsual(bytes: Uint8Array): AudioFrame | undefined {
  const callSidStart = ENVELOPE_HEADER_BYTES + 4;
  const callSidBytes = readI32(bytes, callSidStart - 4);
  const payloadStart = callSidStart + callSidBytes + 4;
  const payloadBytes = readI32(bytes, payloadStart - 4);
  const codecStart = payloadStart + payloadBytes + 4;
  const codecBytes = readI32(bytes, codecStart - 4);
  const lastStart = codecStart + codecBytes;
  if (!isCached(callSidBytes) || !isCached(codecBytes)) return undefined;
  if (payloadBytes < 0 || lastStart + LAST_BYTES > bytes.length) return undefined;
  try {
    return {
      callSid: decodeCached(bytes, callSidStart, callSidBytes),
      payload: new Uint8Array(bytes.buffer, bytes.byteOffset + payloadStart, payloadBytes),
      codec: decodeCached(bytes, codecStart, codecBytes),
      sequenceNumber: readU32(bytes, lastStart + 4) * TWO_32 + readU32(bytes, lastStart),
      endOfStream: bytes[lastStart + 8] !== 0,
    };
  } catch {
    // The fields say which text is malformed.
    return undefined;
  }
}

function isCached(size: number): boolean {
  return size > 0 && size <= LONGEST_CACHED_BYTES;
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

/**
 * Short texts that come again and again: ids, codecs, states. They are looked up by their bytes, so that a text that was decoded
 * before costs a comparison instead of a new string. In tests/bench/wire_bench.ts, "AudioFrame, decode" takes 1.4 times as long
 * without it, "CallEvent, decode" 1.2 times.
 *
 * @module
 */

import { decodeUtf8 } from "../base/bytes.ts";
import { readI32 } from "./bytes.ts";

/** The longest text that is kept, in bytes: a UUID, a `traceparent`. */
export const LONGEST_CACHED_BYTES = 64;

// A table that never grows: each of 512 slots holds one ASCII text, the last one that came to it, as bytes (32 KiB) and as a string.
const SLOT_BITS = 9;
const SLOTS = 2 ** SLOT_BITS;
const slotBytes = /* @__PURE__ */ new Uint8Array(SLOTS * LONGEST_CACHED_BYTES);
const slotTexts: string[] = [];

// Multiplicative hashing (Knuth, volume 3, section 6.4): 2^32 divided by the golden ratio gives similar texts different slots.
const HASH_FACTOR = 0x9e3779b1;

/**
 * Decodes a text of 1 to 64 bytes, which its length precedes.
 *
 * @throws {TypeError} The bytes are not UTF-8.
 */
export function decodeCached(bytes: Uint8Array, at: number, size: number): string {
  const slot = slotOf(bytes, at, size);
  const start = slot * LONGEST_CACHED_BYTES;
  const text = slotTexts[slot];
  if (text !== undefined && text.length === size && isEqual(bytes, at, start, size)) return text;
  // Decoded from the copy in the slot: bytes in shared memory could change between copying and decoding, and the slot's string would
  // then differ from the slot's bytes for every later reader.
  slotTexts[slot] = "";
  const codes = new Array<number>(size);
  let isAscii = true;
  for (let i = 0; i < size; i++) {
    const byte = bytes[at + i]!;
    if (byte > 127) isAscii = false;
    slotBytes[start + i] = byte;
    codes[i] = byte;
  }
  if (!isAscii) return decodeUtf8(bytes.subarray(at, at + size));
  const decoded = String.fromCharCode(...codes);
  slotTexts[slot] = decoded;
  return decoded;
}

/** The slot of a text: by its size and its last four bytes, in which ids of one kind differ. */
function slotOf(bytes: Uint8Array, at: number, size: number): number {
  // A text of fewer than four bytes brings the end of its length into it, which is the same for all texts of its size.
  const last = readI32(bytes, at + size - 4);
  return Math.imul(last ^ size, HASH_FACTOR) >>> (32 - SLOT_BITS);
}

function isEqual(bytes: Uint8Array, at: number, start: number, size: number): boolean {
  for (let i = 0; i < size; i++) {
    if (slotBytes[start + i] !== bytes[at + i]) return false;
  }
  return true;
}

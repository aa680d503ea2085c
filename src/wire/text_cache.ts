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

// A table that never grows: each of 4,096 slots holds one ASCII text, the last one that came to it. With 512 slots a third of 200 calls
// share theirs with another, and their frames take 1.2 times as long to receive ("audio path, receive a tick of 200 calls").
const SLOT_BITS = 12;
const SLOTS = 2 ** SLOT_BITS;
const slotTexts: (string | undefined)[] = /* @__PURE__ */ new Array(SLOTS);

// Multiplicative hashing (Knuth, volume 3, section 6.4): 2^32 divided by the golden ratio gives similar texts different slots.
const HASH_FACTOR = 0x9e3779b1;

/**
 * Decodes a text of 1 to 64 bytes, which its length precedes.
 *
 * @throws {TypeError} The bytes are not UTF-8.
 */
export function decodeCached(bytes: Uint8Array, at: number, size: number): string {
  const slot = slotOf(bytes, at, size);
  const text = slotTexts[slot];
  if (text?.length === size && isEqual(bytes, at, text)) return text;
  const codes = new Array<number>(size);
  for (let i = 0; i < size; i++) {
    const byte = bytes[at + i]!;
    if (byte > 127) return decodeUtf8(bytes.subarray(at, at + size));
    codes[i] = byte;
  }
  return slotTexts[slot] = String.fromCharCode(...codes);
}

/** The slot of a text: by its size and its last four bytes, in which ids of one kind differ. */
function slotOf(bytes: Uint8Array, at: number, size: number): number {
  // A text of fewer than four bytes brings the end of its length into it, which is the same for all texts of its size.
  const last = readI32(bytes, at + size - 4);
  return Math.imul(last ^ size, HASH_FACTOR) >>> (32 - SLOT_BITS);
}

function isEqual(bytes: Uint8Array, at: number, text: string): boolean {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) !== bytes[at + i]) return false;
  }
  return true;
}

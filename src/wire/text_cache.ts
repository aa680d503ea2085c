/**
 * Short texts that come again and again: ids, codecs, states. Looked up by their bytes, so that a text costs a comparison instead of
 * a new string.
 *
 * @module
 */

import { decodeUtf8 } from "../base/bytes.ts";
import { readI32 } from "./bytes.ts";

/** The longest text that is kept, in bytes: a UUID, a `traceparent`. */
export const LONGEST_CACHED_BYTES = 64;

// 512 ASCII texts: 32 KiB, never grown. A place holds one text, the last that came to it.
const kept = /* @__PURE__ */ new Uint8Array(32768);
const texts: string[] = [];

/**
 * Decodes a text of 1 to 64 bytes, which its length precedes.
 *
 * @throws {TypeError} The bytes are not UTF-8.
 */
export function decodeCached(bytes: Uint8Array, at: number, size: number): string {
  // By its length and its last four bytes, in which ids of a kind differ; of a shorter text, with the end of its length.
  const place = Math.imul(readI32(bytes, at + size - 4) ^ size, 0x9e3779b1) >>> 23;
  const start = place * LONGEST_CACHED_BYTES;
  if (texts[place]?.length === size) {
    let i = 0;
    while (i < size && kept[start + i] === bytes[at + i]) i++;
    if (i === size) return texts[place]!;
  }
  // Decoded from a copy: bytes in shared memory could change in between, and the place would then lie to every later reader.
  texts[place] = "";
  const units = new Array<number>(size);
  let high = 0;
  for (let i = 0; i < size; i++) {
    const byte = bytes[at + i]!;
    high |= byte;
    units[i] = kept[start + i] = byte;
  }
  if (high > 127) return decodeUtf8(bytes.subarray(at, at + size));
  return texts[place] = String.fromCharCode.apply(null, units);
}

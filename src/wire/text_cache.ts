/**
 * Short texts that come again and again: ids, codecs, states. Looked up by their bytes, so that a text costs a comparison instead of
 * a new string.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes.ts";

/** The longest text that is kept, in bytes: a UUID, a `traceparent`. */
export const LONGEST_CACHED_BYTES = 64;

// 512 texts of at most 64 bytes: 32 KiB, made on first use and never grown. A place holds one text, the last that came to it.
const PLACES = 512;
const GOLDEN_RATIO = 0x9e3779b1;

interface Cache {
  readonly bytes: Uint8Array;
  readonly sizes: Uint8Array;
  readonly texts: string[];
}

let cache: Cache | undefined;

/**
 * Decodes a text of 1 to 64 bytes.
 *
 * @throws {TypeError} The bytes are not UTF-8.
 */
export function decodeCached(bytes: Uint8Array, at: number, size: number): string {
  cache ??= {
    bytes: new Uint8Array(PLACES * LONGEST_CACHED_BYTES),
    sizes: new Uint8Array(PLACES),
    texts: new Array<string>(PLACES).fill(""),
  };
  const place = placeOf(bytes, at, size);
  const kept = cache.bytes;
  const start = place * LONGEST_CACHED_BYTES;
  if (cache.sizes[place] === size) {
    let i = 0;
    while (i < size && kept[start + i] === bytes[at + i]) i++;
    if (i === size) return cache.texts[place]!;
  }
  // Decoded from the copy: bytes in shared memory could change in between, and the place would then lie to every later reader.
  cache.sizes[place] = 0;
  let high = 0;
  const units = new Array<number>(size);
  for (let i = 0; i < size; i++) {
    const byte = bytes[at + i]!;
    high |= byte;
    kept[start + i] = byte;
    units[i] = byte;
  }
  const text = high < 0x80
    ? String.fromCharCode.apply(null, units)
    : decodeUtf8(kept.subarray(start, start + size));
  cache.texts[place] = text;
  cache.sizes[place] = size;
  return text;
}

/** Where a text goes: by its length, its end and its middle, in which ids of a kind differ. */
function placeOf(bytes: Uint8Array, at: number, size: number): number {
  const last = at + size - 1;
  const sample = bytes[last]! | (bytes[size > 1 ? last - 1 : last]! << 8) |
    (bytes[at + (size >> 1)]! << 16) | (bytes[at]! << 24);
  return Math.imul(sample ^ size, GOLDEN_RATIO) >>> 23;
}

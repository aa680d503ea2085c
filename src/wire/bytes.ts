/**
 * Integers and ASCII texts in bytes: little-endian, at any alignment.
 *
 * @module
 */

/** 2^32: the factor of the high half of a 64-bit integer. */
export const TWO_32 = 4294967296;

/** The signed integer at `at`. */
export function readI32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The unsigned integer at `at`. */
export function readU32(bytes: Uint8Array, at: number): number {
  return readI32(bytes, at) >>> 0;
}

/** Writes an integer, signed or unsigned. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Writes a 64-bit integer, signed or unsigned. The value is a safe integer. */
export function writeU64(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value);
  writeU32(bytes, at + 4, Math.floor(value / TWO_32));
}

/** Writes the length of a text, then the text. Returns the offset after it, or 0 if the text is not ASCII. */
export function writeAscii(bytes: Uint8Array, at: number, text: string): number {
  const { length } = text;
  const start = at + 4;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return 0;
    bytes[start + i] = unit;
  }
  writeU32(bytes, at, length);
  return start + length;
}

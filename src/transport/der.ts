import { concatBytes } from "../base/bytes.ts";

/** Tags of X.690 that a certificate needs. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One DER value: tag, length in its shortest form, contents (X.690 section 10.1). */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [tag];
  if (length < 0x80) {
    head.push(length);
  } else {
    const digits: number[] = [];
    for (let left = length; left > 0; left >>>= 8) digits.unshift(left & 0xff);
    head.push(0x80 | digits.length, ...digits);
  }
  return concatBytes([Uint8Array.from(head), ...parts]);
}

/** A non-negative INTEGER from big-endian bytes of any length. */
export function derInteger(magnitude: Uint8Array): Uint8Array<ArrayBuffer> {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  // A leading zero keeps the sign bit clear (X.690 section 8.3).
  const pad = (digits[0] ?? 0) >= 0x80 || digits.length === 0 ? [Uint8Array.of(0)] : [];
  return der(tags.integer, ...pad, digits);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function derObjectId(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift(0x80 | (left & 0x7f));
    bytes.push(...groups);
  }
  return der(tags.objectId, Uint8Array.from(bytes));
}

/** A BIT STRING that fills its last byte. */
export function derBitString(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return der(tags.bitString, Uint8Array.of(0), bytes);
}

/** A UTCTime, to the second; right until the end of 2049 (RFC 5280 section 4.1.2.5.1). */
export function derUtcTime(unixMs: number): Uint8Array<ArrayBuffer> {
  const text = new Date(unixMs).toISOString().replace(/[-:T]|\.\d+/g, "").slice(2);
  return der(tags.utcTime, new TextEncoder().encode(text));
}

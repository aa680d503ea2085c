/**
 * Random ids.
 *
 * @module
 */

import { encodeHex } from "./bytes.ts";

/**
 * Makes a UUID version 4 (RFC 9562 section 5.4). `crypto.randomUUID` does the same, but only in secure contexts: a page served over
 * plain http has `crypto.getRandomValues` alone.
 */
export function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = 0x40 | bytes[6]! & 0x0f;
  bytes[8] = 0x80 | bytes[8]! & 0x3f;
  const hex = encodeHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
    .join("-");
}

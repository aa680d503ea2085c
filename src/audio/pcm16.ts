/**
 * PCM16: 16-bit linear samples as little-endian bytes, independent of the machine's byte order and the bytes' place in memory.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";
import { checkArray } from "./check.ts";

const littleEndianHost = /* @__PURE__ */ isLittleEndian();

function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}

/**
 * Reads PCM16 bytes (little-endian) as samples.
 *
 * @param bytes An even number of bytes, at any offset of their buffer.
 * @returns A view of the same memory on a little-endian machine when the bytes lie at an even offset, a copy otherwise.
 * What is written to one can therefore show in the other: `slice()` the result to keep it apart.
 * @throws {TypeError} when `bytes` is not a `Uint8Array`.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when half a sample is left.
 */
export function pcm16Samples<B extends ArrayBufferLike>(
  bytes: Uint8Array<B>,
): Int16Array<B | ArrayBuffer> {
  checkArray(bytes, Uint8Array, "read PCM16");
  if (bytes.length % 2 !== 0) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot read PCM16: found ${bytes.length} bytes, expected two for each sample`,
    );
  }
  const length = bytes.length / 2;
  if (littleEndianHost && bytes.byteOffset % 2 === 0) {
    return new Int16Array(bytes.buffer, bytes.byteOffset, length);
  }
  const samples = new Int16Array(length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < length; i++) samples[i] = view.getInt16(i * 2, true);
  return samples;
}

/**
 * Writes samples as PCM16 bytes (little-endian).
 *
 * @param samples Any number of samples.
 * @returns A view of the same memory on a little-endian machine, a copy on another.
 * What is written to one can therefore show in the other: `slice()` the result to keep it apart.
 * @throws {TypeError} when `samples` is not an `Int16Array`.
 */
export function pcm16Bytes<B extends ArrayBufferLike>(
  samples: Int16Array<B>,
): Uint8Array<B | ArrayBuffer> {
  checkArray(samples, Int16Array, "write PCM16");
  if (littleEndianHost) {
    return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  }
  const bytes = new Uint8Array(samples.byteLength);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < samples.length; i++) view.setInt16(i * 2, samples[i]!, true);
  return bytes;
}

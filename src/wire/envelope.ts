/**
 * The serde envelope (protocol.md section 3.2): `u8 version | u8 compat_version | i32 payload size | payload`.
 *
 * @module
 */

import { Fault } from "./fault.ts";

/** Bytes of an envelope's header. */
export const ENVELOPE_HEADER_BYTES = 6;

/** The signed 32-bit integer at `at`; bytes past the end count as 0. */
export function readI32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Writes an unsigned 32-bit integer. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/**
 * Checks that `bytes` are one whole envelope that a reader of `version` and `compat` understands: a writer's compat version must
 * not exceed the reader's version, nor the reader's compat version the writer's version. An older writer's payload is shorter, a
 * newer one's longer.
 */
export function checkEnvelope(bytes: Uint8Array, version: number, compat: number): void {
  if (bytes.length < ENVELOPE_HEADER_BYTES) {
    throw new Fault(
      `envelope is ${bytes.length} bytes, expected at least ${ENVELOPE_HEADER_BYTES}`,
    );
  }
  const size = readI32(bytes, 2);
  if (size !== bytes.length - ENVELOPE_HEADER_BYTES) {
    throw new Fault(
      `payload size is ${size}, expected ${bytes.length - ENVELOPE_HEADER_BYTES} as the bytes show`,
    );
  }
  if (bytes[1]! > version || bytes[0]! < compat) {
    throw new Fault(
      `sender has version ${bytes[0]} and compat version ${
        bytes[1]
      }, expected to fit version ${version} and compat version ${compat}`,
    );
  }
}

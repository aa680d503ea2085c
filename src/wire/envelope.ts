/**
 * The envelope of a message: `u8 version | u8 compat version | i32 payload size | payload`. See [PROTOCOL.md](./PROTOCOL.md#3-the-envelope).
 *
 * @module
 */

import { readI32 } from "./bytes.ts";
import { Fault } from "./fault.ts";

/** Bytes of an envelope's header. */
export const ENVELOPE_HEADER_BYTES = 6;

/**
 * Checks that `bytes` are one whole envelope that a reader of `version` can read: the writer's compat version must not exceed it. The
 * payload of an older writer is shorter, that of a newer one longer. The writer's version is not checked against the reader's compat
 * version, which is 0 in every message.
 */
export function checkEnvelope(bytes: Uint8Array, version: number): void {
  const size = ENVELOPE_HEADER_BYTES + readI32(bytes, 2);
  if (size !== bytes.length) throw new Fault(`${bytes.length} bytes`, `${size}`);
  if (bytes[1]! > version) throw new Fault(`of compat version ${bytes[1]}`, `at most ${version}`);
}

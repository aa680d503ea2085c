/**
 * The serde envelope (protocol.md section 3.2): `u8 version | u8 compat_version | i32 payload size | payload`.
 *
 * @module
 */

import { readI32 } from "./bytes.ts";
import { Fault } from "./fault.ts";

/** Bytes of an envelope's header. */
export const ENVELOPE_HEADER_BYTES = 6;

/**
 * Checks that `bytes` are one whole envelope, and that a reader of `version` may read it: the writer's compat version must not exceed
 * it. An older writer's payload is shorter, a newer one's longer. (That the writer's version must not be below the reader's compat
 * version says nothing here: the protocol's messages all have compat version 0.)
 */
export function checkEnvelope(bytes: Uint8Array, version: number): void {
  const size = ENVELOPE_HEADER_BYTES + readI32(bytes, 2);
  if (size !== bytes.length) throw new Fault(`${bytes.length} bytes`, `${size}`);
  if (bytes[1]! > version) throw new Fault(`of compat version ${bytes[1]}`, `at most ${version}`);
}

/**
 * Reads the bytes of one envelope: `u8 version | u8 compat version | i32 payload size | payload`. See [PROTOCOL.md](./PROTOCOL.md#3-the-envelope).
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

/** The part of a field that a reader uses. */
interface Readable {
  readonly default: unknown;
  readonly read: (reader: Reader) => unknown;
}

/** Reads fields, one after another. Every length is checked against the end of the envelope before it is used. */
export class Reader {
  /** The envelope. */
  readonly bytes: Uint8Array;
  /** Offset of the next field. */
  at: number = ENVELOPE_HEADER_BYTES;
  /** Index of the field that was read last, or failed; -1 before the first. */
  index = -1;
  readonly #types: readonly Readable[];

  constructor(bytes: Uint8Array, types: readonly Readable[]) {
    this.bytes = bytes;
    this.#types = types;
  }

  /** Reads the next field. Bytes that end where it would begin come from an older sender: the field has its default. */
  next<V>(): V {
    const type = this.#types[++this.index]!;
    return (this.at === this.bytes.length ? type.default : type.read(this)) as V;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Moves past `count` bytes and returns their offset. */
  take(count: number): number {
    const at = this.at;
    const end = at + count;
    if (end > this.bytes.length) {
      throw new Fault(`${this.left} bytes left`, `${count}`);
    }
    this.at = end;
    return at;
  }

  /** Moves past an i32 length and the bytes that it counts. Returns their number; the next field begins after them. */
  takeSized(): number {
    const size = readI32(this.bytes, this.take(4));
    if (size < 0) throw new Fault(`${size} bytes`, "at least 0");
    this.take(size);
    return size;
  }
}

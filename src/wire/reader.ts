/**
 * The bytes of one envelope as they are decoded.
 *
 * @module
 */

import { readI32 } from "./bytes.ts";
import { ENVELOPE_HEADER_BYTES } from "./envelope.ts";
import { Fault } from "./fault.ts";

/** What a reader needs to know of a field. */
interface Readable {
  readonly default: unknown;
  readonly read: (reader: Reader) => unknown;
}

/** Where fields are read, one after another. Every length is checked against the end of the envelope before it is used. */
export class Reader {
  /** The envelope. */
  readonly bytes: Uint8Array;
  /** Where the next field begins. */
  at: number = ENVELOPE_HEADER_BYTES;
  /** Which field was read last, or failed; -1 before the first. */
  index = -1;
  readonly #types: readonly Readable[];

  constructor(bytes: Uint8Array, types: readonly Readable[]) {
    this.bytes = bytes;
    this.#types = types;
  }

  /** The next field. Bytes that end where it would begin come from an older sender: it has its default (protocol.md section 3.2). */
  next<V>(): V {
    const type = this.#types[++this.index]!;
    return (this.at === this.bytes.length ? type.default : type.read(this)) as V;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Moves past `count` bytes, and tells where they begin. */
  take(count: number): number {
    const at = this.at;
    const end = at + count;
    if (end > this.bytes.length) {
      throw new Fault(`${this.left} bytes left`, `${count}`);
    }
    this.at = end;
    return at;
  }

  /** Moves past an i32 length and so many bytes, of which it gives the number. They end where the next field begins. */
  takeSized(): number {
    const size = readI32(this.bytes, this.take(4));
    if (size < 0) throw new Fault(`${size} bytes`, "at least 0");
    this.take(size);
    return size;
  }
}

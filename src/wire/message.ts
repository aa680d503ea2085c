/**
 * Messages, each declared once: an object literal whose properties, in order, are the fields on the wire. Encoding runs the literal
 * with a writer, decoding with a reader, and the list of fields comes from running it with a recorder.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";
import { checkEnvelope, ENVELOPE_HEADER_BYTES } from "./envelope.ts";
import { describeType, Fault, wireError } from "./fault.ts";
import type { Field, FieldCodec } from "./field.ts";
import { Reader } from "./reader.ts";
import { recordFields } from "./recorder.ts";
import { Writer } from "./writer.ts";

/** A message of the protocol: its bare envelope, both ways (protocol.md sections 3.2 and 5). */
export interface Message<T> {
  /** The protocol's own name. */
  readonly name: string;
  /** The version that is written, and the highest whose compat version is read. */
  readonly version: number;
  /** The compat version that is written. */
  readonly compat: number;
  /** The fields in wire order. */
  readonly fields: readonly Field[];
  /**
   * Encodes a value as a bare envelope in a fresh buffer.
   *
   * @param value The fields; what is missing or `undefined` takes its documented default.
   * @param headroom Bytes left free before the envelope, for a frame's header. Default: 0.
   * @throws {TypeError} A field has the wrong JavaScript type.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID`: a value does not fit its field or would not survive the round trip.
   */
  encode(value: Partial<T>, headroom?: number): Uint8Array<ArrayBuffer>;
  /**
   * Decodes a bare envelope. Every field is present; binary fields are views of `bytes`.
   *
   * @throws {TeleQuickError} `ERR_WIRE_INVALID`: the bytes are not exactly one envelope of this message.
   */
  decode(bytes: Uint8Array): T;
}

/** What a message is declared with. */
export interface MessageOptions<T> {
  /** The version that is written. Default: 0. */
  readonly version?: number;
  /**
   * The last fields, when they are written only if one of them differs from its default: older receivers do not know them.
   * Only `bool`, 32-bit numbers, texts and lists, with the defaults of their type. Default: none.
   */
  readonly optional?: readonly (keyof T & string)[];
}

/** The declaration proper: the fields in wire order, each given to the codec and taken back from it. */
export type Shape<T> = (io: FieldCodec, value: Partial<T>) => T;

const writer = /* @__PURE__ */ new Writer();
// What a reader is given in place of a value. It looks at none of it.
const NOTHING = {};

/** Declares a message. */
export function message<T extends object>(
  name: string,
  shape: Shape<T>,
  options: MessageOptions<T> = {},
): Message<T> {
  return new DeclaredMessage(name, shape, options);
}

class DeclaredMessage<T extends object> implements Message<T> {
  readonly name: string;
  readonly version: number;
  readonly compat = 0;
  readonly #shape: Shape<T>;
  readonly #optional: readonly (keyof T & string)[];
  #fields: readonly Field[] | undefined;

  constructor(name: string, shape: Shape<T>, options: MessageOptions<T>) {
    this.name = name;
    this.version = options.version ?? 0;
    this.#shape = shape;
    this.#optional = options.optional ?? [];
  }

  get fields(): readonly Field[] {
    return this.#fields ??= recordFields(this.#shape, this.#optional);
  }

  encode(value: Partial<T>, headroom = 0): Uint8Array<ArrayBuffer> {
    if (typeof value !== "object" || value === null) {
      throw new TypeError(
        `Cannot encode ${this.name}: value is ${describeType(value)}, expected an object`,
      );
    }
    // A getter of the value may itself encode: then that encoding begins where this one has come to, and ends there.
    const start = writer.skip(headroom + ENVELOPE_HEADER_BYTES);
    try {
      const written = this.#shape(writer, value);
      const omit = this.#optional.length === 0 ? 0 : this.#omittable(written);
      writer.envelope(start + headroom, this.version, this.compat, omit);
      return writer.copy(start, omit);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const found = `Cannot encode ${this.name}: ${this.#locate(writer, value)}${error.text}`;
      throw error.wrongType ? new TypeError(found) : new TeleQuickError("ERR_VALUE_INVALID", found);
    } finally {
      writer.rewind(start);
    }
  }

  decode(bytes: Uint8Array): T {
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot decode ${this.name}: input is ${describeType(bytes)}, expected a Uint8Array`,
      );
    }
    let begun = false;
    try {
      checkEnvelope(bytes, this.version, this.compat);
      begun = true;
      return this.#shape(new Reader(bytes, ENVELOPE_HEADER_BYTES), NOTHING);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const where = begun ? this.#locate(new Reader(bytes, ENVELOPE_HEADER_BYTES), NOTHING) : "";
      throw wireError(`Cannot decode ${this.name}`, where + error.text);
    }
  }

  /** How many bytes at the end are an optional tail that says nothing. */
  #omittable(written: T): number {
    let bytes = 0;
    for (const name of this.#optional) {
      const value: unknown = written[name];
      if (Array.isArray(value) ? value.length > 0 : Boolean(value)) return 0;
      bytes += typeof value === "boolean" ? 1 : 4;
    }
    return bytes;
  }

  /** Finds the field that fails, by running the list one by one: only errors pay for names. */
  #locate(io: FieldCodec, value: Partial<T>): string {
    for (const { name, type, default: fallback, element } of this.fields) {
      try {
        const run = io[type] as (value: unknown, fallback: unknown) => unknown;
        run.call(io, value[name as keyof T], element ?? fallback);
      } catch {
        return `${name} `;
      }
    }
    return "";
  }
}

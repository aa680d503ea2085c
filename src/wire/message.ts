/**
 * Messages, each declared once as an ordered list of fields. Encoding and decoding walk that list.
 *
 * @module
 */

import { checkEnvelope, ENVELOPE_HEADER_BYTES } from "./envelope.ts";
import { writeU32 } from "./bytes.ts";
import { describe, Fault, requireBytes, typeError, valueError, wireError } from "./fault.ts";
import type { FieldInfo, FieldType } from "./field.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** A field of a message. */
export interface Field extends FieldInfo {
  /** The camelCase form of the protocol's name. */
  readonly name: string;
}

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

/** A declaration: the fields by name, in wire order. */
export type Fields<T> = { readonly [K in keyof T]-?: FieldType<T[K]> };

const writer = /* @__PURE__ */ new Writer();

/** Options of {@linkcode message}. The last two make hot messages faster, and change nothing else. */
export interface MessageOptions<T> {
  /** The version that is written. Default: 0. The compat version is 0 in all of the protocol. */
  readonly version?: number;
  /**
   * Makes the decoded value as an object literal whose properties, in wire order, are what `next()` gives. The object then has its
   * final shape at once; engines are slow to add many properties one by one. Default: they are added one by one.
   */
  readonly construct?: (reader: Reader) => T | undefined;
  /** Encodes usual values as the fields would; `undefined` for all others, which the fields then encode or refuse. Default: none. */
  readonly encode?: (value: Partial<T>, headroom: number) => Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Declares a message.
 *
 * @param name The protocol's own name.
 * @param declare Gives the fields in wire order; asked once, when the message is first used.
 * @param options The version, and what makes hot messages faster.
 */
export function message<T extends object>(
  name: string,
  declare: () => Fields<T>,
  options: MessageOptions<T> = {},
): Message<T> {
  return new DeclaredMessage(name, declare, options);
}

class DeclaredMessage<T extends object> implements Message<T> {
  readonly name: string;
  readonly version: number;
  readonly compat = 0;
  readonly #declare: () => Fields<T>;
  readonly #options: MessageOptions<T>;
  #names: readonly (string & keyof T)[] | undefined;
  #types: readonly FieldType<unknown>[] = [];

  constructor(name: string, declare: () => Fields<T>, options: MessageOptions<T>) {
    this.name = name;
    this.version = options.version ?? 0;
    this.#declare = declare;
    this.#options = options;
  }

  get fields(): readonly Field[] {
    const names = this.#names ?? this.#list();
    return names.map((name, index) => ({ ...this.#types[index]!, name }));
  }

  encode(value: Partial<T>, headroom = 0): Uint8Array<ArrayBuffer> {
    if (typeof value !== "object" || value === null) {
      throw typeError(`encode ${this.name}: value`, describe(value), "an object");
    }
    const usual = this.#options.encode?.(value, headroom);
    if (usual !== undefined) return usual;
    const names = this.#names ?? this.#list();
    const types = this.#types;
    // A getter of the value may itself encode: that encoding then begins where this one has come to, and ends there.
    const start = writer.at;
    let index = 0;
    let tail = 0;
    let tailSays = false;
    try {
      const header = writer.take(headroom + ENVELOPE_HEADER_BYTES) + headroom;
      // What other messages left there stays here.
      writer.bytes.fill(0, start, header);
      for (; index < names.length; index++) {
        const type = types[index]!;
        let given: unknown = value[names[index]!];
        if (given === undefined) given = type.default;
        if (type.optional) {
          tail ||= writer.at;
          tailSays ||= !isEmpty(given);
        }
        type.write(writer, given);
      }
      if (tail > 0 && !tailSays) writer.at = tail;
      const { bytes, at } = writer;
      bytes[header] = this.version;
      bytes[header + 1] = this.compat;
      writeU32(bytes, header + 2, at - header - ENVELOPE_HEADER_BYTES);
      return bytes.slice(start, at);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      throw (error.wrongType ? typeError : valueError)(
        `encode ${this.name}: ${names[index]}`,
        error.found,
        error.expected,
      );
    } finally {
      writer.rewind(start);
    }
  }

  decode(bytes: Uint8Array): T {
    requireBytes(bytes, "decode", this.name);
    const names = this.#names ?? this.#list();
    const reader = new Reader(bytes, this.#types);
    try {
      checkEnvelope(bytes, this.version);
      const made = this.#options.construct?.(reader);
      if (made !== undefined) return made;
      const value: Partial<T> = {};
      for (const name of names) value[name] = reader.next();
      return value as T;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const subject = names[reader.index] ?? "envelope";
      throw wireError(`decode ${this.name}: ${subject}`, error.found, error.expected);
    }
  }

  #list(): readonly (string & keyof T)[] {
    const fields = this.#declare();
    this.#types = Object.values(fields);
    return this.#names = Object.keys(fields) as (string & keyof T)[];
  }
}

/** Whether a value is the default of its type: nothing that a reader would miss. */
function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : !value;
}

/**
 * Messages, each declared once as an ordered list of fields. Encoding and decoding follow that list.
 *
 * @module
 */

import { writeU32 } from "./bytes.ts";
import { describe, Fault, requireBytes, typeError, valueError, wireError } from "./fault.ts";
import type { FieldCodec, FieldInfo, FieldType } from "./field.ts";
import { checkEnvelope, ENVELOPE_HEADER_BYTES, Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** A field of a message. */
export interface Field extends FieldInfo {
  /** The camelCase form of the protocol's name. */
  readonly name: string;
  /** Whether it belongs to the optional tail, which is written only when one of its fields differs from its default. */
  readonly optional: boolean;
}

/** A message of the protocol: encodes and decodes its envelope. [PROTOCOL.md](./PROTOCOL.md#6-messages) lists all of them. */
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
   * @param value The fields. A field that is missing or `undefined` has its documented default.
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

/** Fields by name, in wire order: the one declaration of a message, from which its type is derived. */
export type Fields = Readonly<Record<string, FieldInfo>>;

/** The values that fields hold. */
export type ValueOf<F> = {
  readonly [K in keyof F]: F[K] extends FieldType<infer T> ? T : never;
};

const writer = /* @__PURE__ */ new Writer();

/** Options of {@linkcode message}. */
export interface MessageOptions<T> {
  /** The version that is written. Default: 0. The compat version of every message is 0. */
  readonly version?: number;
  /**
   * The first field of the optional tail: from it on, fields are written only when one of them differs from its default.
   * Default: every field is written.
   */
  readonly optionalFrom?: string & keyof T;
  /** A faster way to decode usual bytes, with the result that the fields give; `undefined` for other bytes. */
  readonly decode?: (bytes: Uint8Array) => T | undefined;
  /** A faster way to encode usual values, with the result that the fields give; `undefined` for other values. */
  readonly encode?: (value: Partial<T>, headroom: number) => Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Declares a message.
 *
 * @param name The protocol's own name.
 * @param fields The fields in wire order.
 * @param options The version, the optional tail, and faster ways for hot messages.
 */
export function message<F extends Fields>(
  name: string,
  fields: F,
  options: MessageOptions<ValueOf<F>> = {},
): Message<ValueOf<F>> {
  return new DeclaredMessage<ValueOf<F>>(name, fields, options);
}

class DeclaredMessage<T extends object> implements Message<T> {
  readonly name: string;
  readonly version: number;
  readonly compat = 0;
  readonly #options: MessageOptions<T>;
  readonly #names: readonly (string & keyof T)[];
  readonly #types: readonly FieldCodec<unknown>[];
  // Index of the first field of the optional tail.
  readonly #tail: number;
  readonly #blank: Partial<T>;

  constructor(name: string, fields: Fields, options: MessageOptions<T>) {
    this.name = name;
    this.version = options.version ?? 0;
    this.#options = options;
    this.#names = Object.keys(fields) as (string & keyof T)[];
    this.#types = Object.values(fields) as FieldCodec<unknown>[];
    const { optionalFrom } = options;
    this.#tail = optionalFrom === undefined ? Infinity : this.#names.indexOf(optionalFrom);
    this.#blank = blankOf(this.#names);
  }

  get fields(): readonly Field[] {
    return this.#names.map((name, index) => ({
      ...this.#types[index]!,
      name,
      optional: index >= this.#tail,
    }));
  }

  encode(value: Partial<T>, headroom = 0): Uint8Array<ArrayBuffer> {
    if (typeof value !== "object" || value === null) {
      throw typeError(`encode ${this.name}: value`, describe(value), "an object");
    }
    const usual = this.#options.encode?.(value, headroom);
    if (usual !== undefined) return usual;
    const names = this.#names;
    const types = this.#types;
    // A getter of the value can itself encode a message: that message then begins after the bytes that are written here so far.
    const start = writer.at;
    let index = 0;
    let tailStart = 0;
    let isTailEmpty = true;
    try {
      const header = writer.take(headroom + ENVELOPE_HEADER_BYTES) + headroom;
      // The buffer still holds bytes of earlier messages: none of them may reach the headroom.
      writer.bytes.fill(0, start, header);
      for (; index < names.length; index++) {
        const type = types[index]!;
        let given: unknown = value[names[index]!];
        if (given === undefined) given = type.default;
        if (index === this.#tail) tailStart = writer.at;
        if (index >= this.#tail && !isEmpty(given)) isTailEmpty = false;
        type.write(writer, given);
      }
      if (tailStart > 0 && isTailEmpty) writer.at = tailStart;
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
    const names = this.#names;
    let reader: Reader | undefined;
    try {
      checkEnvelope(bytes, this.version);
      const usual = this.#options.decode?.(bytes);
      if (usual !== undefined) return usual;
      reader = new Reader(bytes, this.#types);
      const value = { ...this.#blank };
      for (const name of names) value[name] = reader.next();
      return value as T;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const subject = names[reader?.index ?? -1] ?? "envelope";
      throw wireError(`decode ${this.name}: ${subject}`, error.found, error.expected);
    }
  }
}

/**
 * An object that has every field, to be copied and filled: "CallEvent, decode" in tests/bench/wire_bench.ts takes 1.7 times as long
 * when the properties are added one by one. It is parsed from JSON since engines lay such an object out like a literal, whereas one
 * with this many properties that were added by computed names becomes a hash table.
 */
function blankOf<T>(names: readonly (string & keyof T)[]): Partial<T> {
  return JSON.parse(`{${names.map((name) => `"${name}":null`).join(",")}}`);
}

/** Whether a value is the default of its kind, so that a reader gets the same value without it. */
export function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : !value;
}

/**
 * What a field can be on the wire (protocol.md section 3.1), as the interface that a message's declaration speaks to.
 *
 * @module
 */

/** How a field is encoded. `secret` is `text` that is kept out of caches and logs; all integers and doubles are little-endian. */
export type FieldType =
  | "bool"
  | "u8"
  | "u16"
  | "u32"
  | "i32"
  | "i64"
  | "u64"
  | "f64"
  | "text"
  | "secret"
  | "binary"
  | "texts"
  | "list";

/** One field of a message, as its declaration says. */
export interface Field {
  /** The camelCase form of the protocol's name. */
  readonly name: string;
  /** How it is encoded. */
  readonly type: FieldType;
  /** What encoding takes when the value leaves it out, and decoding when the sender did. */
  readonly default: unknown;
  /** Whether it belongs to the optional tail: written only when a field of that tail differs from its default. */
  readonly optional: boolean;
  /** The message that each element of a `list` is. */
  readonly element: ElementCodec<unknown> | undefined;
}

/** What a `list` needs to know of its elements: a message. */
export interface ElementCodec<T> {
  /** The protocol's name of the element's type. */
  readonly name: string;
  /** Encodes one element with its own envelope. */
  encode(value: Partial<T>): Uint8Array<ArrayBuffer>;
  /** Decodes one element from its own envelope. */
  decode(bytes: Uint8Array): T;
}

/**
 * One method per field type. A writer writes the value and returns it; a reader ignores it and returns what it read;
 * either takes the default for what is absent. So one declaration serves both directions.
 */
export interface FieldCodec {
  /** u8, 0 or 1; any other byte reads as `true`. Default: `false`. */
  bool(value: boolean | undefined, fallback?: boolean): boolean;
  /** Unsigned 8-bit integer. Default: 0. */
  u8(value: number | undefined, fallback?: number): number;
  /** Unsigned 16-bit integer. Default: 0. */
  u16(value: number | undefined, fallback?: number): number;
  /** Unsigned 32-bit integer. Default: 0. */
  u32(value: number | undefined, fallback?: number): number;
  /** Signed 32-bit integer; enums are written so. Default: 0. */
  i32(value: number | undefined, fallback?: number): number;
  /** Signed 64-bit integer as a number; reads beyond 2^53 - 1 are rounded to the nearest double. Default: 0. */
  i64(value: number | undefined, fallback?: number): number;
  /** Unsigned 64-bit integer as a number; reads beyond 2^53 - 1 are rounded to the nearest double. Default: 0. */
  u64(value: number | undefined, fallback?: number): number;
  /** IEEE 754 double. Default: 0. */
  f64(value: number | undefined, fallback?: number): number;
  /** i32 byte length and strict UTF-8. Default: `""`. */
  text(value: string | undefined, fallback?: string): string;
  /** As `text`, for tokens and passwords. Default: `""`. */
  secret(value: string | undefined, fallback?: string): string;
  /** i32 byte length and bytes, untouched; reads are views of the input. Default: no bytes. */
  binary(value: Uint8Array | undefined, fallback?: Uint8Array): Uint8Array;
  /** u32 count and that many texts. Default: none. */
  texts(value: readonly string[] | undefined, fallback?: readonly string[]): readonly string[];
  /** u32 count and that many messages, each with its own envelope. Default: none. */
  list<T>(value: readonly T[] | undefined, element: ElementCodec<T>): readonly T[];
}

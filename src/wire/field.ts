/**
 * The kinds of fields. All numbers are little-endian. See [PROTOCOL.md](./PROTOCOL.md#2-values).
 *
 * @module
 */

import { decodeUtf8, isBytes } from "../base/bytes.ts";
import { readI32, TWO_32, writeAscii, writeU32, writeU64 } from "./bytes.ts";
import { describe, Fault, mistyped } from "./fault.ts";
import type { Reader } from "./reader.ts";
import { decodeCached, LONGEST_CACHED_BYTES } from "./text_cache.ts";
import type { Writer } from "./writer.ts";

/** How a field is encoded. `secret` is `text` that no cache keeps; `vector` and `message` contain other fields. */
export type FieldKind =
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
  | "vector"
  | "message";

/** What a field is. */
export interface FieldInfo {
  /** How it is encoded. */
  readonly kind: FieldKind;
  /** The value that is encoded when a value lacks the field, and decoded when the bytes of an older sender do. */
  readonly default: unknown;
  /** Smallest size in bytes. */
  readonly least: number;
  /** The elements of a vector; `undefined` for every other kind. */
  readonly element: FieldInfo | undefined;
}

/** A field by the type of its values. */
export interface FieldType<T> extends FieldInfo {
  /** See {@linkcode FieldInfo.default}. */
  readonly default: T;
}

/** How the values of a field are written and read. */
export interface FieldCodec<T> extends FieldType<T> {
  /** Writes a value; throws a `Fault` when it does not fit. */
  readonly write: (writer: Writer, value: T) => void;
  /** Reads a value; throws a `Fault` when the bytes are not one. */
  readonly read: (reader: Reader) => T;
}

/** The part of a message that a vector uses. */
interface ElementMessage<T> {
  encode(value: Partial<T>): Uint8Array<ArrayBuffer>;
  decode(bytes: Uint8Array): T;
}

const encoder = /* @__PURE__ */ new TextEncoder();
const doubleBytes = /* @__PURE__ */ new Uint8Array(8);
const double = /* @__PURE__ */ new DataView(doubleBytes.buffer);

// All codecs are made here, so that engines give them one hidden class: the loops over fields are hot.
function define<T>(
  kind: FieldKind,
  zero: T,
  least: number,
  write: (writer: Writer, value: T) => void,
  read: (reader: Reader) => T,
  element?: FieldInfo,
): FieldCodec<T> {
  return { kind, default: zero, least, write, read, element };
}

function checkInteger(value: number, lowest: number, highest: number): void {
  if (Number.isInteger(value) && value >= lowest && value <= highest) return;
  const expected = `an integer from ${lowest} to ${highest}`;
  throw new Fault(describe(value), expected, typeof value !== "number");
}

/** An unsigned integer of one or two bytes. */
function small(kind: FieldKind, size: number): FieldCodec<number> {
  return define(kind, 0, size, (writer, value) => {
    checkInteger(value, 0, 256 ** size - 1);
    const at = writer.take(size);
    for (let i = 0; i < size; i++) writer.bytes[at + i] = value >>> (8 * i);
  }, (reader) => {
    const at = reader.take(size);
    return reader.bytes[at]! | (size > 1 ? reader.bytes[at + 1]! << 8 : 0);
  });
}

function integer(
  kind: FieldKind,
  size: number,
  lowest: number,
  highest: number,
): FieldCodec<number> {
  return define(kind, 0, size, (writer, value) => {
    checkInteger(value, lowest, highest);
    const at = writer.take(size);
    if (size > 4) writeU64(writer.bytes, at, value);
    else writeU32(writer.bytes, at, value);
  }, (reader) => {
    const at = reader.take(size);
    const { bytes } = reader;
    const low = readI32(bytes, at);
    if (size === 4) return lowest < 0 ? low : low >>> 0;
    const high = readI32(bytes, at + 4);
    // Only the sum is rounded: the result is the nearest double, as JSON.parse gives it.
    return (lowest < 0 ? high : high >>> 0) * TWO_32 + (low >>> 0);
  });
}

/** Unsigned 8-bit integer. Default: 0. */
export const u8: FieldCodec<number> = /* @__PURE__ */ small("u8", 1);
/** Unsigned 16-bit integer. Default: 0. */
export const u16: FieldCodec<number> = /* @__PURE__ */ small("u16", 2);
/** Unsigned 32-bit integer. Default: 0. */
export const u32: FieldCodec<number> = /* @__PURE__ */ integer("u32", 4, 0, 4294967295);
/** Signed 32-bit integer; enums are written so. Default: 0. */
export const i32: FieldCodec<number> = /* @__PURE__ */ integer("i32", 4, -2147483648, 2147483647);
/** Signed 64-bit integer as a number: a safe integer when written, rounded to the nearest double when read. Default: 0. */
export const i64: FieldCodec<number> = /* @__PURE__ */ integer(
  "i64",
  8,
  -9007199254740991,
  9007199254740991,
);
/** Unsigned 64-bit integer as a number: a safe integer when written, rounded to the nearest double when read. Default: 0. */
export const u64: FieldCodec<number> = /* @__PURE__ */ integer("u64", 8, 0, 9007199254740991);

/** u8, 0 or 1; any other byte reads as `true`. Default: `false`. */
export const bool: FieldCodec<boolean> = /* @__PURE__ */ define(
  "bool",
  false,
  1,
  (writer, value) => {
    if (typeof value !== "boolean") throw mistyped(value, "a boolean");
    const at = writer.take(1);
    writer.bytes[at] = value ? 1 : 0;
  },
  (reader) => reader.bytes[reader.take(1)] !== 0,
);

/** IEEE 754 double. Default: 0. */
export const f64: FieldCodec<number> = /* @__PURE__ */ define("f64", 0, 8, (writer, value) => {
  if (typeof value !== "number") throw mistyped(value, "a number");
  const at = writer.take(8);
  double.setFloat64(0, value, true);
  writer.bytes.set(doubleBytes, at);
}, (reader) => {
  const at = reader.take(8);
  for (let i = 0; i < 8; i++) doubleBytes[i] = reader.bytes[at + i]!;
  return double.getFloat64(0, true);
});

function writeText(writer: Writer, value: string): void {
  if (typeof value !== "string") throw mistyped(value, "a string");
  // UTF-8 takes at most three bytes for each UTF-16 code unit.
  const at = writer.take(4 + value.length * 3);
  const { bytes } = writer;
  writer.at = writeAscii(bytes, at, value);
  if (writer.at > 0) return;
  if (!value.isWellFormed()) throw new Fault("text with a lone surrogate", "well-formed Unicode");
  const { written } = encoder.encodeInto(value, bytes.subarray(at + 4));
  writeU32(bytes, at, written);
  writer.at = at + 4 + written;
}

/** Text of at most `mostBytes` bytes of UTF-8. */
function boundedText(kind: FieldKind, mostBytes: number, mostCached: number): FieldCodec<string> {
  return define(kind, "", 4, (writer, value) => {
    const start = writer.at;
    writeText(writer, value);
    checkTextSize(writer.at - start - 4, mostBytes);
  }, (reader) => readText(reader, mostBytes, mostCached));
}

function checkTextSize(size: number, mostBytes: number): void {
  if (size > mostBytes) throw new Fault(`${size} bytes of text`, `at most ${mostBytes}`);
}

function readText(reader: Reader, mostBytes: number, mostCached: number): string {
  const size = reader.takeSized();
  if (size === 0) return "";
  checkTextSize(size, mostBytes);
  const at = reader.at - size;
  try {
    return size > mostCached
      ? decodeUtf8(reader.bytes.subarray(at, reader.at))
      : decodeCached(reader.bytes, at, size);
  } catch {
    throw new Fault("malformed", "UTF-8");
  }
}

/** i32 byte length and strict UTF-8. Default: `""`. */
export const text: FieldCodec<string> = /* @__PURE__ */ boundedText(
  "text",
  Infinity,
  LONGEST_CACHED_BYTES,
);

/**
 * As {@linkcode text}, of at most 1 KiB: ids, states and names in what a gateway pushes. A peer can send it without being asked, and the other side
 * keeps it. Default: `""`.
 */
export const shortText: FieldCodec<string> = /* @__PURE__ */ boundedText(
  "text",
  1_024,
  LONGEST_CACHED_BYTES,
);

/** The same for URLs: at most 16 KiB. Default: `""`. */
export const urlText: FieldCodec<string> = /* @__PURE__ */ boundedText(
  "text",
  16_384,
  LONGEST_CACHED_BYTES,
);

/** As {@linkcode text}, for tokens and passwords: no cache keeps them. Default: `""`. */
export const secret: FieldCodec<string> = /* @__PURE__ */ boundedText("secret", Infinity, -1);

/** i32 byte length and bytes; a value that is read is a view of the input. Default: no bytes. */
export const binary: FieldCodec<Uint8Array> = /* @__PURE__ */ define<Uint8Array>(
  "binary",
  /* @__PURE__ */ new Uint8Array(0),
  4,
  (writer, value) => {
    if (!isBytes(value)) throw mistyped(value, "a Uint8Array");
    const at = writer.take(4 + value.length);
    writeU32(writer.bytes, at, value.length);
    writer.bytes.set(value, at + 4);
  },
  (reader) => {
    const { bytes } = reader;
    const size = reader.takeSized();
    // Not `subarray`, which on a Node.js `Buffer` gives a `Buffer`.
    return new Uint8Array(bytes.buffer, bytes.byteOffset + reader.at - size, size);
  },
);

/** u32 count and that many elements. Default: none. */
export function vector<T>(element: FieldCodec<T>): FieldCodec<readonly T[]> {
  return define<readonly T[]>("vector", Object.freeze([]), 4, (writer, values) => {
    if (!Array.isArray(values)) throw mistyped(values, "an array");
    u32.write(writer, values.length);
    for (const value of values) element.write(writer, value);
  }, (reader) => {
    const count = u32.read(reader);
    if (count * element.least > reader.left) {
      throw new Fault(`${count} elements`, `no more than ${reader.left} bytes hold`);
    }
    const values: T[] = [];
    for (let i = 0; i < count; i++) values.push(element.read(reader));
    return values;
  }, element);
}

/** A message with its own envelope. */
export function nested<T>(message: ElementMessage<T>): FieldCodec<T> {
  return define<T>("message", undefined as T, 6, (writer, value) => {
    const bytes = message.encode(value);
    const at = writer.take(bytes.length);
    writer.bytes.set(bytes, at);
  }, (reader) => {
    const at = reader.take(2);
    reader.takeSized();
    return message.decode(reader.bytes.subarray(at, reader.at));
  });
}

/** A field with another default. */
export function withDefault<T>(type: FieldCodec<T>, value: T): FieldCodec<T> {
  return { ...type, default: Object.freeze(value) as T };
}

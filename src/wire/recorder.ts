/**
 * A declaration to the list of its fields.
 *
 * @module
 */

import type { ElementCodec, Field, FieldCodec, FieldType } from "./field.ts";

/** Runs a declaration once and tells what it asked for, in order. */
export function recordFields<T extends object>(
  shape: (io: FieldCodec, value: Partial<T>) => T,
  optional: readonly string[],
): readonly Field[] {
  const calls: Omit<Field, "name" | "optional">[] = [];
  const record = (type: FieldType, zero: unknown) => (_value: unknown, given?: unknown): never => {
    const element = type === "list" ? given as ElementCodec<unknown> : undefined;
    const fallback = element === undefined && given !== undefined ? given : zero;
    calls.push({ type, default: fallback, element });
    return fallback as never;
  };
  const recorder: FieldCodec = {
    bool: record("bool", false),
    u8: record("u8", 0),
    u16: record("u16", 0),
    u32: record("u32", 0),
    i32: record("i32", 0),
    i64: record("i64", 0),
    u64: record("u64", 0),
    f64: record("f64", 0),
    text: record("text", ""),
    secret: record("secret", ""),
    binary: record("binary", new Uint8Array(0)),
    texts: record("texts", []),
    list: record("list", []),
  };
  // An object literal's properties are evaluated, and listed, in the order in which they are written.
  return Object.keys(shape(recorder, {})).map((name, index) => ({
    name,
    ...calls[index]!,
    optional: optional.includes(name),
  }));
}

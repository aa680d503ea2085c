import fc from "fast-check";
import type { Field, FieldInfo } from "../../../../src/wire/mod.ts";
import { type AnyMessage, elementOf } from "./model.ts";

/** Any well-formed text, with a taste for what breaks encoders: NUL, byte order marks, emoji, long and short ones. */
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme-ascii", minLength: 60, maxLength: 70 }),
  fc.constantFrom(
    "",
    "\0",
    "a\0b",
    "\ufeffbom-first",
    "\u{10ffff}",
    "CA7f3c9e1204b84d5f9a6e0c1d2b3a4f55",
  ),
);

/** Any value of a field that can be encoded. */
function fieldArbitrary(field: Field, type: FieldInfo): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case "bool":
      return fc.boolean();
    case "u8":
      return fc.nat(255);
    case "u16":
      return fc.nat(65535);
    case "u32":
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
    case "i32":
      return fc.integer();
    case "i64":
      return fc.maxSafeInteger();
    case "u64":
      return fc.maxSafeNat();
    case "f64":
      return fc.double();
    case "text":
    case "secret":
      return text;
    case "binary":
      return fc.uint8Array({ maxLength: 200 });
    case "vector":
      return fc.array(fieldArbitrary(field, type.element!), { maxLength: 5 });
    case "message":
      return valueArbitrary(elementOf(field));
  }
}

/** Any value of a message with all its fields. */
export function valueArbitrary(message: AnyMessage): fc.Arbitrary<Record<string, unknown>> {
  const fields = message.fields.map((field) => [field.name, fieldArbitrary(field, field)] as const);
  return fc.record(Object.fromEntries(fields), { noNullPrototype: true });
}

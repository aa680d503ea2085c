import type { Field, FieldInfo, Message } from "../../../../src/wire/mod.ts";
import { BucketInfo, IncomingCallInfo, messages } from "../../../../src/wire/mod.ts";

/** A message whose fields are not known by their types. */
export type AnyMessage = Message<Record<string, unknown>>;

/** Every message. The namespace holds methods, lists of fields and constants too. */
export const everyMessage: readonly AnyMessage[] = Object.values<unknown>(messages).filter(
  (value): value is AnyMessage => typeof value === "object" && value !== null && "decode" in value,
);

/** The messages that vectors hold, by the field that holds them. */
const elements: Readonly<Record<string, unknown>> = {
  calls: IncomingCallInfo,
  buckets: BucketInfo,
};

/** The message that a field's elements are. */
export function elementOf(field: Field): AnyMessage {
  return elements[field.name] as AnyMessage;
}

/**
 * Encodes an envelope as sections 2 and 3 of src/wire/PROTOCOL.md describe it, field by field into an array of numbers: slow, plain, and
 * sharing nothing with the library. All fields are written, an optional tail too.
 */
export function modelEncode(message: AnyMessage, value: Record<string, unknown>): Uint8Array {
  const payload: number[] = [];
  for (const field of message.fields) writeField(payload, field, field, value[field.name]);
  return Uint8Array.from([message.version, message.compat, ...word(payload.length), ...payload]);
}

function writeField(out: number[], field: Field, type: FieldInfo, value: unknown): void {
  switch (type.kind) {
    case "bool":
      out.push(value === true ? 1 : 0);
      break;
    case "u8":
      out.push(value as number);
      break;
    case "u16":
      out.push(...bytesOf(2, (view) => view.setUint16(0, value as number, true)));
      break;
    case "u32":
      out.push(...bytesOf(4, (view) => view.setUint32(0, value as number, true)));
      break;
    case "i32":
      out.push(...word(value as number));
      break;
    case "i64":
      out.push(...bytesOf(8, (view) => view.setBigInt64(0, BigInt(value as number), true)));
      break;
    case "u64":
      out.push(...bytesOf(8, (view) => view.setBigUint64(0, BigInt(value as number), true)));
      break;
    case "f64":
      out.push(...bytesOf(8, (view) => view.setFloat64(0, value as number, true)));
      break;
    case "text":
    case "secret": {
      const bytes = new TextEncoder().encode(value as string);
      out.push(...word(bytes.length), ...bytes);
      break;
    }
    case "binary":
      out.push(...word((value as Uint8Array).length), ...(value as Uint8Array));
      break;
    case "vector":
      out.push(...word((value as unknown[]).length));
      for (const one of value as unknown[]) writeField(out, field, type.element!, one);
      break;
    case "message":
      out.push(...modelEncode(elementOf(field), value as Record<string, unknown>));
  }
}

function word(value: number): number[] {
  return bytesOf(4, (view) => view.setInt32(0, value, true));
}

function bytesOf(size: number, write: (view: DataView) => void): number[] {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return [...bytes];
}

import { readFileSync } from "node:fs";
import { type Message, messages } from "../../../../src/wire/mod.ts";
import type { Field } from "../../../../src/wire/mod.ts";

/** One golden vector: what the platform's own encoder wrote, with the fields as it names them. */
export interface Vector {
  readonly id: string;
  readonly type: string;
  readonly kind: "rpc" | "envelope" | "frame";
  readonly method_id: number | null;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly hex: string;
  readonly decode_only?: boolean;
}

/** All golden vectors. */
export const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("../../../vectors/messages.json", import.meta.url), "utf8"),
);

/** The bytes of hexadecimal digits. */
export function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** The message that a vector is of. */
export function messageOf(vector: Vector): Message<Record<string, unknown>> {
  return (messages as unknown as Record<string, Message<Record<string, unknown>>>)[vector.type]!;
}

/** The envelope inside a vector's bytes. */
export function envelopeOf(vector: Vector): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(vector.hex);
  return vector.kind === "envelope" ? bytes : bytes.slice(8);
}

/** A vector's fields as this library names and types them. Names the vector lacks are left out. */
export function valueOf(vector: Vector): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const field of messageOf(vector).fields) {
    const name = snake(field);
    if (name in vector.fields) value[field.name] = typed(field, vector.fields[name]);
  }
  return value;
}

/** Whether every 64-bit field of a vector is a safe integer, so that it can be encoded. */
export function isEncodable(vector: Vector): boolean {
  return messageOf(vector).fields.every((field) =>
    !(field.kind === "i64" || field.kind === "u64") ||
    Number.isSafeInteger(Number(vector.fields[snake(field)] ?? 0))
  );
}

function snake(field: Field): string {
  const name = field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return field.kind === "binary" ? `${name}_hex` : name;
}

function typed(field: Field, value: unknown): unknown {
  if (field.kind === "binary") return bytesOf(value as string);
  return field.kind === "i64" || field.kind === "u64" ? Number(value) : value;
}

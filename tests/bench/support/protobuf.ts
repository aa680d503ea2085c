/**
 * The wire's messages as protobuf-es has them: the same fields with the same types, from a descriptor made at run time, which is what
 * its generated code holds too.
 *
 * @module
 */

import {
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import type { Field, FieldKind, Message } from "../../../src/wire/mod.ts";

const TYPES: Partial<Record<FieldKind, FieldDescriptorProto_Type>> = {
  bool: FieldDescriptorProto_Type.BOOL,
  i32: FieldDescriptorProto_Type.INT32,
  u32: FieldDescriptorProto_Type.UINT32,
  i64: FieldDescriptorProto_Type.INT64,
  u64: FieldDescriptorProto_Type.UINT64,
  f64: FieldDescriptorProto_Type.DOUBLE,
  text: FieldDescriptorProto_Type.STRING,
  binary: FieldDescriptorProto_Type.BYTES,
};

/** A message in protobuf's encoding. */
export interface ProtobufPeer {
  /** Makes a message of plain values and encodes it: what a caller who has plain values does. */
  encode(value: Readonly<Record<string, unknown>>): Uint8Array;
  /** Decodes a message. */
  decode(bytes: Uint8Array): unknown;
  /** The values with `bigint` for 64-bit integers, as protobuf-es wants them. */
  valuesOf(value: object): Record<string, unknown>;
}

/** The same message for protobuf-es. */
export function protobufPeer(message: Message<unknown>): ProtobufPeer {
  const desc = descriptorOf(message);
  return {
    encode: (value) => toBinary(desc, create(desc, value)),
    decode: (bytes) => fromBinary(desc, bytes),
    valuesOf: (value) => {
      const converted: Record<string, unknown> = { ...value };
      for (const { name, kind } of message.fields) {
        if (kind === "i64" || kind === "u64") converted[name] = BigInt(converted[name] as number);
      }
      return converted;
    },
  };
}

function descriptorOf(message: Message<unknown>): DescMessage {
  const file = {
    name: `${message.name}.proto`,
    package: "peer",
    syntax: "proto3",
    messageType: [{
      name: message.name,
      field: message.fields.map((field, index) => descriptorOfField(field, index + 1)),
    }],
  };
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  const desc = registry.getMessage(`peer.${message.name}`);
  if (desc === undefined) throw new Error(`No descriptor of ${message.name}`);
  return desc;
}

function descriptorOfField(field: Field, number: number): object {
  const type = TYPES[field.kind];
  if (type === undefined) throw new Error(`No protobuf type for ${field.kind}`);
  return {
    name: field.name,
    jsonName: field.name,
    number,
    type,
    label: FieldDescriptorProto_Label.OPTIONAL,
  };
}

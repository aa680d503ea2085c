import {
  encodeFrame,
  encodeRequest,
  type Field,
  FRAME_LIMIT_BYTES,
  FrameReader,
  type Message,
  messages,
  methodById,
  methods,
  pushById,
  ReplyReader,
} from "@telequick/sdk/wire";
import { type Check, equal, ok, refused } from "./check.ts";
import vectors from "../vectors/messages.json" with { type: "json" };

interface Vector {
  readonly id: string;
  readonly type: string;
  readonly kind: string;
  readonly method_id: number | null;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly hex: string;
  readonly decode_only?: boolean;
}

const golden = vectors as unknown as readonly Vector[];

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

function messageOf({ type }: Vector): Message<Record<string, unknown>> {
  return (messages as unknown as Record<string, Message<Record<string, unknown>>>)[type]!;
}

function envelopeOf({ kind, hex }: Vector): Uint8Array<ArrayBuffer> {
  return bytesOf(hex).slice(kind === "envelope" ? 0 : 8);
}

/** The fields of a vector that it has, by our names and in our types. */
function valueOf(vector: Vector): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const { name, kind } of messageOf(vector).fields) {
    const theirs = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const given = vector.fields[kind === "binary" ? `${theirs}_hex` : theirs];
    if (given === undefined) continue;
    if (kind === "binary") value[name] = bytesOf(given as string);
    else value[name] = kind === "i64" || kind === "u64" ? Number(given) : given;
  }
  return value;
}

function isSafe(value: unknown, { kind }: Field): boolean {
  return !(kind === "i64" || kind === "u64") || value === undefined || Number.isSafeInteger(value);
}

export const wireChecks: readonly Check[] = [
  {
    title: "decode() reads the platform's own bytes",
    run() {
      for (const vector of golden) {
        const message = messageOf(vector);
        const decoded = message.decode(envelopeOf(vector));
        const expected = valueOf(vector);
        for (const { name, default: byDefault } of message.fields) {
          const value = name in expected ? expected[name] : byDefault;
          equal(decoded[name], value, `${vector.id}: ${name}`);
        }
      }
    },
  },
  {
    title: "encode() writes the platform's own bytes",
    async run() {
      let written = 0;
      for (const vector of golden) {
        if (vector.decode_only === true) continue;
        const message = messageOf(vector);
        const value = valueOf(vector);
        if (message.fields.every((field) => isSafe(value[field.name], field))) {
          equal(message.encode(value), envelopeOf(vector), vector.id);
          written++;
        } else {
          await refused(() => message.encode(value), { code: "ERR_VALUE_INVALID" });
        }
      }
      ok(written > 60, `most of the ${golden.length} can be written, ${written} were`);
    },
  },
  {
    title: "FrameReader reads the platform's frames, wherever they are cut",
    run() {
      for (const vector of golden) {
        if (vector.kind === "envelope") continue;
        const [rule, byId] = vector.kind === "rpc"
          ? ["request", methodById] as const
          : ["push", pushById] as const;
        const bytes = bytesOf(vector.hex);
        for (const cut of new Set([1, 3, 14, 100, bytes.length])) {
          const reader = new FrameReader({ rule });
          const frames = [];
          for (let at = 0; at < bytes.length; at += cut) {
            frames.push(...reader.push(bytes.subarray(at, at + cut)));
          }
          reader.end();
          equal(frames.length, 1, `${vector.id} in chunks of ${cut}: frames`);
          equal(byId(frames[0]!.methodId)?.request.name, vector.type, vector.id);
          equal(frames[0]!.envelope.slice(), envelopeOf(vector), vector.id);
        }
      }
    },
  },
  {
    title: "encodeRequest() and encodeFrame() write the platform's frames",
    run() {
      let written = 0;
      for (const vector of golden) {
        const value = valueOf(vector);
        const isWritable = messageOf(vector).fields.every((field) =>
          isSafe(value[field.name], field)
        );
        if (vector.kind === "envelope" || vector.decode_only === true || !isWritable) continue;
        const frame = vector.kind === "rpc"
          ? encodeRequest(methodById(vector.method_id!)!, value)
          : encodeFrame(pushById(vector.method_id!)!, value);
        equal(frame, bytesOf(vector.hex), vector.id);
        written++;
      }
      ok(written > 20, `${written} frames were written`);
    },
  },
  {
    title: "ReplyReader reads a reply bare and framed, byte by byte",
    run() {
      const reply = { callSid: "c-1", status: "QUEUED", errorCode: 0 };
      const bare = methods.Originate.reply!.encode(reply);
      const framed = new Uint8Array([...new Uint8Array(8), ...bare]);
      const view = new DataView(framed.buffer);
      view.setUint32(0, 4 + bare.length, true);
      view.setUint32(4, methods.Originate.id, true);
      for (const bytes of [bare, framed]) {
        const reader = new ReplyReader(methods.Originate);
        const read = Array.from(bytes, (byte) => reader.push(Uint8Array.of(byte)))
          .filter((value) => value !== undefined);
        equal(read.length, 1, "replies");
        equal(read[0]!.callSid, "c-1");
      }
    },
  },
  {
    title: "FrameReader refuses a length above its limit before the frame is there",
    async run() {
      const head = new Uint8Array(8);
      new DataView(head.buffer).setUint32(0, FRAME_LIMIT_BYTES + 1, true);
      await refused(() => new FrameReader().push(head), { code: "ERR_WIRE_INVALID" });
    },
  },
  {
    title: "text is strict UTF-8 both ways",
    async run() {
      const text = "\u0000 \uFEFF \u00E9 \u20AC \u{1F4DE}";
      const encoded = messages.TerminateRequest.encode({ callSid: text });
      equal(messages.TerminateRequest.decode(encoded).callSid, text);
      await refused(() => messages.TerminateRequest.encode({ callSid: "\uD800" }), {
        code: "ERR_VALUE_INVALID",
      });
      const broken = messages.TerminateRequest.encode({ callSid: "ab" });
      broken[broken.length - 1] = 0xff;
      await refused(() => messages.TerminateRequest.decode(broken), { code: "ERR_WIRE_INVALID" });
    },
  },
];

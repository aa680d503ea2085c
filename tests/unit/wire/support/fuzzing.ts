import { existsSync, readdirSync, readFileSync } from "node:fs";
import { encodeHex, equalBytes } from "../../../../src/base/bytes.ts";
import { TeleQuickError } from "../../../../src/base/errors.ts";
import {
  FrameReader,
  type Method,
  methodById,
  methods,
  pushById,
  ReplyReader,
} from "../../../../src/wire/mod.ts";
import { costOf } from "./cost.ts";
import { valueOrRefusal } from "./errors.ts";
import { type AnyMessage, everyMessage as every } from "./model.ts";
import { bytesOf, vectors } from "./vectors.ts";

/** Random numbers that a seed repeats (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Spread the seed's bits; a state of 0 would stay 0.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
  }

  /** An integer of 0 to `below` - 1. */
  below(below: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % below;
  }

  /** One of some values. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

const table = Object.values<Method<unknown, unknown>>({ ...methods });
const requests = table.filter((method) => method.reply !== undefined);

/** What mutation begins with: bytes, and where in them the envelope starts. */
interface Seed {
  readonly bytes: Uint8Array;
  readonly header: 0 | 8;
}

// The golden vectors, and each message with its defaults.
const seeds: readonly Seed[] = [
  ...vectors.map(({ hex, kind }): Seed => ({
    bytes: bytesOf(hex),
    header: kind === "envelope" ? 0 : 8,
  })),
  ...every.map((message): Seed => ({ bytes: message.encode({}), header: 0 })),
];

const WORDS = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 6, 10, 14, 255, 256, 65535, 65536, 0x00100001];
const BYTES = [0, 1, 0x7f, 0x80, 0xc3, 0xff];

/** Changes bytes in one to four ways, and at times mends the sizes so that the change gets past them. */
function mutate(random: Random, { bytes: original, header }: Seed): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (let left = 1 + random.below(3); left > 0; left--) bytes = mutateOnce(random, bytes);
  if (random.below(4) > 0) mend(random, bytes, header);
  return bytes;
}

function mutateOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (random.below(8)) {
    case 0:
      if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = random.pick(BYTES);
      return bytes;
    case 2:
      if (at + 4 <= bytes.length) view.setInt32(at, random.pick(WORDS), true);
      return bytes;
    case 3:
      if (at + 4 <= bytes.length) {
        view.setInt32(at, view.getInt32(at, true) + random.below(9) - 4, true);
      }
      return bytes;
    case 4:
      return bytes.slice(0, at);
    case 5:
      return joined(bytes.subarray(0, at), noise(random), bytes.subarray(at));
    case 6: {
      const other = random.pick(seeds).bytes;
      return joined(bytes.subarray(0, at), other.subarray(random.below(other.length + 1)));
    }
    default:
      return joined(bytes.subarray(0, at), bytes.subarray(at + random.below(12)));
  }
}

function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(12) }, () => random.below(256));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Makes the sizes of an envelope, or of a frame and its envelope, fit the bytes. */
function mend(random: Random, bytes: Uint8Array, header: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < header + 6) return;
  bytes[header + 1] = 0;
  view.setInt32(header + 2, bytes.length - header - 6, true);
  if (header > 0) view.setUint32(0, bytes.length - 8 + random.pick([4, 8]), true);
}

/** How bytes are read. */
export type Reading = "envelope" | "any envelope" | "frames" | "requests" | "reply";
const READINGS: readonly Reading[] = ["envelope", "any envelope", "frames", "requests", "reply"];

/** What a run of the fuzzer has seen. */
export interface Tally {
  /** Inputs that gave a value. */
  values: number;
  /** Inputs that were refused with `ERR_WIRE_INVALID`. */
  refusals: number;
  /** Values that were encoded and decoded again. */
  roundTrips: number;
  /** Inputs whose buffers were counted. */
  measured: number;
}

/** An input that broke a rule. */
export class FuzzFailure extends Error {
  /** The input. */
  readonly bytes: Uint8Array;

  constructor(what: string, bytes: Uint8Array, cause?: unknown) {
    const shown = bytes.length > 400 ? ` (of ${bytes.length} bytes, the first 400)` : "";
    super(`${what}: ${encodeHex(bytes.subarray(0, 400))}${shown}`, { cause });
    this.bytes = bytes;
  }
}

/** One input, and how it is read. */
interface Input {
  readonly bytes: Uint8Array;
  readonly reading: Reading;
  /** The message of `any envelope`. */
  readonly message: AnyMessage;
  /** The method of `reply`. */
  readonly method: Method<unknown, unknown>;
  /** Where the stream is cut. */
  readonly cuts: readonly number[];
  /** Whether the buffers that are made are counted, which takes long. */
  readonly isMeasured: boolean;
}

/** Reads `count` mutated inputs; throws a {@linkcode FuzzFailure} for the first that breaks a rule. */
export function fuzz(seed: number, count: number): Tally {
  const random = new Random(seed);
  const tally = { values: 0, refusals: 0, roundTrips: 0, measured: 0 };
  for (let i = 0; i < count; i++) {
    const bytes = mutate(random, random.pick(seeds));
    const cuts = [random.below(bytes.length + 1), random.below(bytes.length + 1)];
    checkInput({
      bytes,
      reading: random.pick(READINGS),
      message: random.pick(every),
      method: random.pick(requests),
      cuts: cuts.sort((a, b) => a - b),
      isMeasured: random.below(16) === 0,
    }, tally);
  }
  return tally;
}

/** Reads one input and holds it against the rules. */
function checkInput(input: Input, tally: Tally): void {
  const { bytes, reading, message, isMeasured } = input;
  let value: unknown;
  const run = (): void => {
    value = valueOrRefusal(() => read(input));
  };
  try {
    if (isMeasured) {
      tally.measured++;
      const { allocated, largest } = costOf(run);
      // A buffer that grows is twice what has arrived and 64 KiB; those that it grew out of come to no more than that twice again.
      const times = reading.endsWith("envelope") ? 2 : 4;
      if (largest > 2 * bytes.length + 65536 || allocated > times * bytes.length + 65536) {
        const sizes = `${allocated} bytes, the largest of ${largest}`;
        throw new FuzzFailure(`${reading} made buffers of ${sizes}`, bytes);
      }
    } else {
      run();
    }
  } catch (error) {
    if (error instanceof FuzzFailure) throw error;
    throw new FuzzFailure(`${reading} threw ${String(error)}`, bytes, error);
  }
  if (value === undefined) {
    tally.refusals++;
    return;
  }
  tally.values++;
  if (reading === "any envelope") roundTrip(message, value, bytes, tally);
}

function read({ bytes, reading, message, method, cuts }: Input): unknown {
  if (reading === "any envelope") return message.decode(bytes);
  if (reading === "envelope") return readEnvelope(bytes);
  const chunks = [0, ...cuts].map((from, i) => bytes.subarray(from, cuts[i] ?? bytes.length));
  if (reading === "reply") {
    const reader = new ReplyReader(method);
    for (const chunk of chunks) {
      const reply = reader.push(chunk);
      if (reply !== undefined) return reply;
    }
    return reader.end();
  }
  const isRequest = reading === "requests";
  const reader = new FrameReader({ rule: isRequest ? "request" : "push" });
  const values = chunks.flatMap((chunk) => reader.push(chunk)).map(({ methodId, envelope }) =>
    (isRequest ? methodById : pushById)(methodId)?.request.decode(envelope)
  );
  reader.end();
  return values;
}

/** Reads the envelope of a frame with its own message and ignores the frame's length. Bare bytes are read with one of the messages. */
function readEnvelope(bytes: Uint8Array): unknown {
  if (bytes.length >= 14) {
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
    const method = pushById(id) ?? methodById(id);
    if (method !== undefined) return method.request.decode(bytes.subarray(8));
  }
  return every[bytes.length % every.length]!.decode(bytes);
}

/** A decoded value encodes to bytes that decode and encode to themselves, unless it holds a number that is not a safe integer. */
function roundTrip(message: AnyMessage, value: unknown, bytes: Uint8Array, tally: Tally): void {
  let encoded;
  try {
    encoded = message.encode(value as Record<string, unknown>);
  } catch (error) {
    if (error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID") return;
    throw new FuzzFailure(`${message.name} cannot be encoded again`, bytes, error);
  }
  tally.roundTrips++;
  if (!equalBytes(message.encode(message.decode(encoded)), encoded)) {
    throw new FuzzFailure(`${message.name} changes in a round trip`, bytes);
  }
}

/** Where inputs are kept that once broke a rule, in hexadecimal, one a file. */
export const corpusFolder: URL = new URL("../../../vectors/corpus/", import.meta.url);

/** Every kept input, by its file. */
export function readCorpus(): ReadonlyMap<string, Uint8Array> {
  const inputs = new Map<string, Uint8Array>();
  if (!existsSync(corpusFolder)) return inputs;
  for (const file of readdirSync(corpusFolder)) {
    if (!file.endsWith(".hex")) continue;
    inputs.set(file, bytesOf(readFileSync(new URL(file, corpusFolder), "utf8").trim()));
  }
  return inputs;
}

/** Reads one input in every way, with every message and method. */
export function checkEverywhere(bytes: Uint8Array): void {
  const tally = { values: 0, refusals: 0, roundTrips: 0, measured: 0 };
  const cuts = [Math.floor(bytes.length / 3), Math.floor(bytes.length / 2)];
  for (const reading of READINGS) {
    for (const message of reading === "any envelope" ? every : every.slice(0, 1)) {
      for (const method of reading === "reply" ? requests : requests.slice(0, 1)) {
        for (const isMeasured of [false, true]) {
          checkInput({ bytes, reading, message, method, cuts, isMeasured }, tally);
        }
      }
    }
  }
}

import { type Clock, systemClock } from "../../base/signal.ts";

/** What a WebTransport stream begins with (draft-ietf-webtrans-http3-16 sections 4.2 and 4.3). */
export const streamType = { bidirectional: 0x41, unidirectional: 0x54 } as const;

/** The beginning of a stream: its type, and the session that it belongs to. */
export interface StreamHeader {
  readonly type: number;
  /** The session's number; -1 for a stream that is not WebTransport's. */
  readonly sessionId: number;
  /** All bytes that were read: the whole header, of another stream up to three bytes. */
  readonly head: Uint8Array;
}

/** Options of {@linkcode readStreamHeader}. */
export interface StreamHeaderOptions {
  /** How long the peer may take, in milliseconds; `Infinity` sets no limit. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

const TIMEOUT_MS = 5_000;
// Both types take two bytes and a session number takes at least one: reading three never takes a byte of the contents.
const SHORTEST_HEADER = 3;

/** Encodes a QUIC variable-length integer (RFC 9000 section 16) below 2^53. */
export function encodeVarint(value: number): Uint8Array<ArrayBuffer> {
  if (value < 0x40) return Uint8Array.of(value);
  if (value < 0x4000) return Uint8Array.of(0x40 | (value >> 8), value & 0xff);
  if (value >= 0x40000000) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value) | (3n << 62n));
    return bytes;
  }
  return Uint8Array.of(
    0x80 | (value >>> 24),
    (value >>> 16) & 0xff,
    (value >>> 8) & 0xff,
    value & 0xff,
  );
}

/** Decodes a QUIC variable-length integer; `undefined` when bytes are missing. Numbers above 2^53 lose digits. */
export function decodeVarint(
  bytes: Uint8Array,
  offset = 0,
): { readonly value: number; readonly end: number } | undefined {
  const first = bytes[offset];
  if (first === undefined) return undefined;
  const end = offset + (1 << (first >> 6));
  if (bytes.length < end) return undefined;
  let value = first & 0x3f;
  for (let i = offset + 1; i < end; i++) value = value * 256 + bytes[i]!;
  return { value, end };
}

/**
 * Reads the header of a stream that the peer opened and leaves the stream at its contents.
 *
 * @param readable A byte stream.
 * @returns `undefined` when the stream ended or failed before its header was whole, or the time was over.
 */
export async function readStreamHeader(
  readable: ReadableStream<Uint8Array>,
  options: StreamHeaderOptions = {},
): Promise<StreamHeader | undefined> {
  const { timeoutMs = TIMEOUT_MS, clock = systemClock } = options;
  const reader = readable.getReader({ mode: "byob" });
  const cancel = timeoutMs === Infinity
    ? undefined
    : clock.schedule(timeoutMs, () => void reader.cancel().catch(() => {}));
  let bytes = new Uint8Array(16);
  let length = 0;
  try {
    while (true) {
      const head = bytes.subarray(0, length);
      const type = decodeVarint(head);
      if (type !== undefined) {
        if (type.value !== streamType.bidirectional && type.value !== streamType.unidirectional) {
          return { type: type.value, sessionId: -1, head };
        }
        const session = decodeVarint(head, type.end);
        if (session !== undefined) return { type: type.value, sessionId: session.value, head };
      }
      const missing = Math.max(
        1,
        SHORTEST_HEADER - length,
        type === undefined ? 0 : sizeOf(head, type.end) - length,
      );
      const { value, done } = await reader.read(new Uint8Array(bytes.buffer, length, missing));
      if (done) return undefined;
      bytes = new Uint8Array(value.buffer);
      length += value.length;
    }
  } catch {
    return undefined;
  } finally {
    cancel?.();
    reader.releaseLock();
  }
}

/** Where the integer at `offset` ends, as far as is known. */
function sizeOf(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset];
  return offset + (first === undefined ? 1 : 1 << (first >> 6));
}

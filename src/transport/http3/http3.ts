import { concatBytes } from "../../base/bytes.ts";
import { ignore } from "../../base/ignore.ts";
import { type Clock, sleep, systemClock } from "../../base/signal.ts";
import { decodeRequestHeader, encodeResponseHeader, type RequestHeader } from "./qpack.ts";
import type { QuicConnection, SessionControl } from "./quic.ts";
import { decodeVarint, encodeVarint } from "./stream_header.ts";
import type { CloseInfo } from "../types.ts";

const frameType = { data: 0x00, headers: 0x01, settings: 0x04 } as const;
const CONTROL_STREAM = 0x00;
const CLOSE_SESSION = 0x2843;
const DRAFT02 = "draft02";

// What makes each client send its CONNECT: the settings of RFC 9220 and RFC 9297, and those that the WebTransport drafts 02 and 07 call for.
const SETTINGS: readonly (readonly [id: number, value: number])[] = [
  [0x08, 1], // extended CONNECT
  [0x33, 1], // datagrams
  [0x2b603742, 1], // WebTransport, draft 02
];
// One session per connection (draft 07). Its id needs all eight bytes of a varint.
const MAX_SESSIONS = [0xc0, 0, 0, 0, 0xc6, 0x71, 0x70, 0x6a, 1];

// A read that waits for the session's end holds its buffer for as long as the session lasts.
const READ_BYTES = 512;
const LARGEST_HEADER = 16_384;
const LONGEST_REASON = 1_024;
const LARGEST_CAPSULE = 4 + LONGEST_REASON;
// A DATA frame holds the capsule with its head: type and length, two varints.
const LARGEST_FRAME = LARGEST_CAPSULE + 2 * 8;
// What else may come there in a session's life is a handful of capsules. Empty frames without end would take a whole core.
const MOST_FRAMES = 1_000;
// How long the connection outlives the farewell, so that both leave, in this order.
const FAREWELL_MS = 20;

/** A CONNECT request that waits for its answer. */
export interface SessionRequest {
  /** Host and port, as the client wrote them. */
  readonly authority: string;
  /** Path and query, as the client wrote them. */
  readonly path: string;
  /** The `Origin` header: browsers send one, other clients do not. */
  readonly origin?: string;
}

/** A request with the means to answer it. */
export interface PendingSession {
  readonly request: SessionRequest;
  /** Answers 200: the session is established. */
  accept(): Promise<SessionControl>;
  /** Answers with another HTTP status. */
  reject(status: number): Promise<void>;
}

/**
 * Takes the server's part of the HTTP/3 handshake of WebTransport on a fresh connection: sends the settings and reads the CONNECT request
 * (RFC 9114, RFC 9220, draft-ietf-webtrans-http3). Every request that is none is answered with 404.
 *
 * @returns `undefined` when the peer asked for something else, or for nothing intelligible.
 */
export async function acceptRequest(
  connection: QuicConnection,
  options: { readonly clock?: Clock } = {},
): Promise<PendingSession | undefined> {
  const { clock = systemClock } = options;
  const settings = concatBytes([
    ...SETTINGS.flatMap((pair) => pair.map(encodeVarint)),
    Uint8Array.from(MAX_SESSIONS),
  ]);
  const control = await connection.createUnidirectionalStream({ waitUntilAvailable: true });
  const controlWriter = control.getWriter();
  await controlWriter.write(
    concatBytes([encodeVarint(CONTROL_STREAM), frame(frameType.settings, settings)]),
  );

  const streams = connection.incomingBidirectionalStreams.getReader();
  const { value: stream } = await streams.read();
  streams.releaseLock();
  if (stream === undefined) return undefined;
  const frames = new FrameSource(stream.readable);
  const header = await readRequest(frames);
  const writer = stream.writable.getWriter();
  const answer = (status: number, fields: Record<string, string> = {}): Promise<void> =>
    writer.write(frame(frameType.headers, encodeResponseHeader(status, fields)));
  const reject = async (status: number): Promise<void> => {
    await answer(status);
    await writer.close();
  };
  if (header?.method !== "CONNECT" || header.protocol !== "webtransport") {
    await reject(404);
    return undefined;
  }
  const { authority = "", path = "/", origin, draft02 } = header;
  return {
    request: { authority, path, ...(origin === undefined ? {} : { origin }) },
    reject,
    async accept() {
      await answer(200, draft02 === undefined ? {} : { "sec-webtransport-http3-draft": DRAFT02 });
      return new ConnectStream(connection, frames, writer, controlWriter, clock);
    },
  };
}

/** The CONNECT stream of an established session: its end is the session's. */
class ConnectStream implements SessionControl {
  readonly ended: Promise<CloseInfo>;
  readonly #connection: QuicConnection;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  // Held on to: the control stream has to stay open, and the runtime closes what it collects.
  readonly #control: WritableStreamDefaultWriter<Uint8Array>;
  readonly #clock: Clock;

  constructor(
    connection: QuicConnection,
    frames: FrameSource,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    control: WritableStreamDefaultWriter<Uint8Array>,
    clock: Clock,
  ) {
    this.#connection = connection;
    this.#writer = writer;
    this.#control = control;
    this.#clock = clock;
    this.ended = this.#watch(frames);
  }

  async close(info: CloseInfo): Promise<void> {
    const { closeCode = 0, reason = "" } = info;
    try {
      this.#writer.write(frame(frameType.data, closeCapsule(closeCode, reason))).catch(ignore);
      this.#writer.close().catch(ignore);
      await sleep(FAREWELL_MS, { clock: this.#clock });
    } finally {
      this.#control.releaseLock();
      this.#connection.close({ closeCode, reason });
    }
  }

  async #watch(frames: FrameSource): Promise<CloseInfo> {
    // Capsules travel inside DATA frames, cut at will (RFC 9297 section 3.1); some clients write them bare.
    let data: Uint8Array = new Uint8Array(0);
    for (let count = 0; count < MOST_FRAMES; count++) {
      const next = await frames.next(LARGEST_FRAME);
      if (next === undefined) break;
      // It ends the session by itself, whether a FIN follows or not (draft-ietf-webtrans-http3 section 6).
      if (next.type === CLOSE_SESSION) return readCloseCapsule(next.payload);
      if (next.type === frameType.data) data = concatBytes([data, next.payload]);
      for (let capsule = takeFrame(data); capsule; capsule = takeFrame(data)) {
        data = capsule.rest;
        if (capsule.type === CLOSE_SESSION) return readCloseCapsule(capsule.payload);
      }
      if (data.length > 2 * LARGEST_FRAME) break;
    }
    return { closeCode: 0, reason: "" };
  }
}

interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Reads frames (RFC 9114 section 7.1) one by one; ends at the end of the stream, and at the first frame above the limit. */
class FrameSource {
  readonly #reader: ReadableStreamBYOBReader;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(readable: ReadableStream<Uint8Array>) {
    this.#reader = readable.getReader({ mode: "byob" });
  }

  async next(limit: number): Promise<Frame | undefined> {
    while (true) {
      const head = frameHead(this.#bytes);
      if (head !== undefined && head.length > limit) return undefined;
      const taken = takeFrame(this.#bytes);
      if (taken !== undefined) {
        this.#bytes = taken.rest;
        return taken;
      }
      try {
        const { value, done } = await this.#reader.read(new Uint8Array(READ_BYTES));
        if (done) return undefined;
        this.#bytes = concatBytes([this.#bytes, value]);
      } catch {
        return undefined;
      }
    }
  }
}

async function readRequest(frames: FrameSource): Promise<RequestHeader | undefined> {
  // Frames of unknown types may come first (RFC 9114 section 9); a few are let pass.
  for (let count = 0; count < 8; count++) {
    const next = await frames.next(LARGEST_HEADER);
    if (next === undefined || next.type === frameType.data) return undefined;
    if (next.type === frameType.headers) return decodeRequestHeader(next.payload);
  }
  return undefined;
}

function frame(type: number, payload: Uint8Array): Uint8Array {
  return concatBytes([encodeVarint(type), encodeVarint(payload.length), payload]);
}

function frameHead(
  bytes: Uint8Array,
): { readonly type: number; readonly start: number; readonly length: number } | undefined {
  const type = decodeVarint(bytes);
  const length = type && decodeVarint(bytes, type.end);
  return length && type && { type: type.value, start: length.end, length: length.value };
}

/** The first frame of `bytes` and what follows it; `undefined` when it is not whole. Capsules have the same form (RFC 9297 section 3.2). */
function takeFrame(bytes: Uint8Array): (Frame & { readonly rest: Uint8Array }) | undefined {
  const head = frameHead(bytes);
  const end = head && head.start + head.length;
  if (head === undefined || end === undefined || bytes.length < end) return undefined;
  return { type: head.type, payload: bytes.subarray(head.start, end), rest: bytes.subarray(end) };
}

function closeCapsule(closeCode: number, reason: string): Uint8Array {
  const code = new Uint8Array(4);
  new DataView(code.buffer).setUint32(0, closeCode);
  // Cut between characters: half of one is no UTF-8, and a strict reader takes nothing of it.
  const words = new Uint8Array(LONGEST_REASON);
  const { written } = new TextEncoder().encodeInto(reason, words);
  return frame(CLOSE_SESSION, concatBytes([code, words.subarray(0, written)]));
}

function readCloseCapsule(payload: Uint8Array): CloseInfo {
  if (payload.length < 4) return { closeCode: 0, reason: "" };
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return {
    closeCode: view.getUint32(0),
    reason: new TextDecoder().decode(payload.subarray(4)),
  };
}

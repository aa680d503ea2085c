import { concatBytes } from "../../base/bytes.ts";
import { ignore } from "../../base/ignore.ts";
import { type Clock, systemClock } from "../../base/signal.ts";
import { applicationCode } from "../fault.ts";
import {
  encodeVarint,
  readStreamHeader,
  type StreamHeaderOptions,
  streamType,
} from "./stream_header.ts";
import type { BidirectionalStream, CloseInfo, DatagramsLike, WebTransportLike } from "../types.ts";

/** The part of Deno's `QuicConn` that is used, structurally: it is unstable there, and unknown to other runtimes' types. */
export interface QuicConnection {
  readonly closed: Promise<{ readonly closeCode: number; readonly reason: string }>;
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  readonly maxDatagramSize: number;
  createBidirectionalStream(
    options: { waitUntilAvailable: boolean },
  ): Promise<BidirectionalStream>;
  createUnidirectionalStream(
    options: { waitUntilAvailable: boolean },
  ): Promise<WritableStream<Uint8Array>>;
  sendDatagram(bytes: Uint8Array): Promise<void>;
  close(info: { closeCode: number; reason: string }): void;
}

/** The CONNECT stream of a session, on which its end is said. */
export interface SessionControl {
  /** Resolves when the peer ends the session there. */
  readonly ended: Promise<CloseInfo>;
  /** Says the end there, then closes the connection. */
  close(info: CloseInfo): Promise<void>;
}

/** Options of {@linkcode QuicSession}. */
export interface QuicSessionOptions {
  /** The CONNECT stream, where it is in our hands. Default: none; then the connection's end is the session's. */
  readonly control?: SessionControl | undefined;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

// One session per connection, and its CONNECT request is the client's first stream: number 0.
const SESSION_ID = encodeVarint(0);
const BIDIRECTIONAL_HEADER = concatBytes([encodeVarint(streamType.bidirectional), SESSION_ID]);
const UNIDIRECTIONAL_HEADER = concatBytes([encodeVarint(streamType.unidirectional), SESSION_ID]);
// What is thrown away is read into a small buffer, which waits for as long as the stream lasts, or a larger one while much comes.
const IDLE_BYTES = 64;
const BUSY_BYTES = 8_192;
// Of streams that are none of the session's an honest peer opens a handful, and now and then gives one up before its header is out.
const MOST_FOREIGN = 1_000;
const FOREIGN_MS = 60_000;
// Settings and a few frames are all that comes on one of them.
const MOST_BYTES = 1_048_576;
// H3_EXCESSIVE_LOAD (RFC 9114 section 8.1).
const EXCESSIVE_LOAD = 0x107;

/**
 * The W3C shape over the streams of a QUIC connection on which a WebTransport session is established.
 * Deno's own wrapper neither ends its streams nor returns their credit; the streams underneath do (runtimes.md section 3).
 * What they cannot do is reset: an abort reaches the peer as a FIN, and a cancel without its code.
 */
export class QuicSession implements WebTransportLike {
  readonly ready: Promise<void> = Promise.resolve();
  readonly closed: Promise<CloseInfo>;
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  readonly datagrams: DatagramsLike;
  readonly keepsAlive = true;
  readonly #connection: QuicConnection;
  readonly #control: SessionControl | undefined;
  #over = false;

  constructor(connection: QuicConnection, options: QuicSessionOptions = {}) {
    const { clock = systemClock } = options;
    this.#connection = connection;
    this.#control = options.control;
    this.closed = new Promise((resolve, reject) => {
      connection.closed.then(({ closeCode, reason }) => {
        resolve({ closeCode: applicationCode(closeCode), reason });
      }, reject);
      this.#control?.ended.then((info) => {
        resolve(info);
        if (!this.#over) connection.close({ closeCode: 0, reason: "" });
        this.#over = true;
      });
    });
    this.closed.catch(ignore);
    const onFlood = (): void =>
      this.close({ closeCode: EXCESSIVE_LOAD, reason: "too much that is none of the session's" });
    const turnAway = counted(clock, onFlood);
    this.incomingBidirectionalStreams = admitted(
      () => connection.incomingBidirectionalStreams,
      async (stream) => {
        if (await isOurs(stream.readable, streamType.bidirectional, { clock })) return stream;
        void discard(stream.readable, onFlood);
        stream.writable.abort().catch(ignore);
        return turnAway();
      },
    );
    this.incomingUnidirectionalStreams = admitted(
      () => connection.incomingUnidirectionalStreams,
      async (stream) => {
        // No time limit: browsers open their QPACK streams and never send on them, and giving one up would end the connection.
        const options = { clock, timeoutMs: Infinity };
        if (await isOurs(stream, streamType.unidirectional, options)) return stream;
        // HTTP/3's own (control, QPACK) live as long as the connection: what comes on them is thrown away.
        void discard(stream, onFlood);
        return turnAway();
      },
    );
    this.datagrams = {
      get maxDatagramSize() {
        return connection.maxDatagramSize - SESSION_ID.length;
      },
      writable: new WritableStream({
        async write(chunk) {
          if (chunk.length > connection.maxDatagramSize - SESSION_ID.length) return;
          await connection.sendDatagram(concatBytes([SESSION_ID, chunk]));
        },
      }),
    };
  }

  async createBidirectionalStream(): Promise<BidirectionalStream> {
    const stream = await this.#connection.createBidirectionalStream({ waitUntilAvailable: true });
    announce(stream.writable, BIDIRECTIONAL_HEADER);
    return stream;
  }

  async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    const stream = await this.#connection.createUnidirectionalStream({ waitUntilAvailable: true });
    announce(stream, UNIDIRECTIONAL_HEADER);
    return stream;
  }

  close(info: CloseInfo = {}): void {
    if (this.#over) return;
    this.#over = true;
    // An unsigned long of Web IDL: the runtime throws on a negative one, and the connection would stay.
    const closeCode = (info.closeCode ?? 0) >>> 0;
    const { reason = "" } = info;
    if (this.#control !== undefined) this.#control.close({ closeCode, reason }).catch(ignore);
    else this.#connection.close({ closeCode, reason });
  }
}

/** Writes the header without waiting for it, so that it leaves in one packet with what follows. */
function announce(writable: WritableStream<Uint8Array>, header: Uint8Array): void {
  const writer = writable.getWriter();
  writer.write(header).catch(ignore);
  writer.releaseLock();
}

async function isOurs(
  readable: ReadableStream<Uint8Array>,
  type: number,
  options: StreamHeaderOptions,
): Promise<boolean> {
  const header = await readStreamHeader(readable, options);
  return header?.type === type && header.sessionId === 0;
}

/** Counts streams that are turned away, and tells when they are a flood: nobody above sees them, so nothing else bounds them. */
function counted(clock: Clock, onFlood: () => void): () => undefined {
  let since = clock.monotonic();
  let count = 0;
  return () => {
    const now = clock.monotonic();
    if (now - since > FOREIGN_MS) [since, count] = [now, 0];
    if (++count > MOST_FOREIGN) onFlood();
  };
}

async function discard(readable: ReadableStream<Uint8Array>, onFlood: () => void): Promise<void> {
  // With a buffer of its own for each read the runtime would hold 64 KiB for every stream that waits.
  const reader = readable.getReader({ mode: "byob" });
  try {
    let buffer = new Uint8Array(IDLE_BYTES);
    for (let bytes = 0; bytes <= MOST_BYTES;) {
      const { value, done } = await reader.read(buffer);
      if (done) return;
      bytes += value.length;
      // Who sends much costs a read for every few kilobytes, not for every few bytes.
      const size = value.length < IDLE_BYTES ? IDLE_BYTES : BUSY_BYTES;
      buffer = value.buffer.byteLength === size
        ? new Uint8Array(value.buffer)
        : new Uint8Array(size);
    }
  } catch {
    // The stream is over.
    return;
  }
  onFlood();
}

/**
 * Streams of `source` that `admit` lets in. Their headers are awaited side by side: a peer may open a stream long before it sends on it.
 * The number of streams in waiting is bounded by the stream credit that the connection grants.
 */
function admitted<T>(
  source: () => ReadableStream<T>,
  admit: (stream: T) => Promise<T | undefined>,
): ReadableStream<T> {
  let reader: ReadableStreamDefaultReader<T> | undefined;
  let over = false;
  // Not a loop in an async function: while that waits it holds on to the last stream, and to the 64 KiB that it was last read into.
  const pump = (
    reader: ReadableStreamDefaultReader<T>,
    controller: ReadableStreamDefaultController<T>,
  ): void => {
    const end = (): void => {
      if (over) return;
      over = true;
      controller.close();
    };
    // A failed read means that the connection is gone, which `closed` tells.
    reader.read().then(({ value, done }) => {
      if (done) return end();
      admit(value).then((stream) => {
        if (stream !== undefined && !over) controller.enqueue(stream);
      }, ignore);
      pump(reader, controller);
    }, end);
  };
  return new ReadableStream<T>({
    pull(controller) {
      if (reader !== undefined) return;
      reader = source().getReader();
      pump(reader, controller);
    },
    async cancel() {
      over = true;
      await reader?.cancel().catch(ignore);
    },
  }, { highWaterMark: 0 });
}

import { ignore } from "../../base/ignore.ts";
import { type Clock, within } from "../../base/signal.ts";
import { Arrivals } from "./arrivals.ts";
import { type ConnectionErrorHandler, http3Code } from "./codes.ts";
import { ownStreamType, readControl, type Settings } from "./control_stream.ts";
import type { QuicConnection } from "./connection.ts";
import { decodeVarint, readStreamHeader, type StreamHeader, streamType } from "./stream_header.ts";
import type { BidirectionalStream } from "../types.ts";

// What is thrown away is read into a small buffer, which waits for as long as the stream lasts, or a larger one while much comes.
const IDLE_BYTES = 64;
const BUSY_BYTES = 8_192;
// An honest peer opens a handful of streams that are not the session's, and now and then gives one up before its header is out.
const MOST_FOREIGN = 1_000;
const FOREIGN_MS = 60_000;
// Settings and a few frames are all that comes on one of them.
const MOST_BYTES = 1_048_576;
const REQUEST_MS = 5_000;

/** A request stream that the peer opened: what was read of it, and the rest. */
export interface RequestStream {
  readonly stream: BidirectionalStream;
  /** The bytes at its beginning that were read already. */
  readonly head: Uint8Array;
}

/** Options of {@linkcode PeerStreams}. */
export interface PeerStreamsOptions {
  /** Which side of the connection this is. */
  readonly role: "client" | "server";
  /** Ends the connection. */
  readonly onError: ConnectionErrorHandler;
  /** Where time comes from. */
  readonly clock: Clock;
}

/**
 * Sorts the streams that the peer opens on an HTTP/3 connection with one WebTransport session, number 0: the session's own are handed
 * out, those of HTTP/3 are read here, all others are turned away. Their headers are read side by side, because a peer may open a stream
 * long before it sends on it; how many wait at a time is bounded by the stream credit that the connection grants.
 */
export class PeerStreams {
  /** The session's bidirectional streams, at their contents. */
  readonly bidirectional: Arrivals<BidirectionalStream>;
  /** The session's one-way streams, at their contents. */
  readonly unidirectional: Arrivals<ReadableStream<Uint8Array>>;
  /** The peer's settings. Never settles when they do not come. */
  readonly settings: Promise<Settings>;
  /** Resolves when the peer sends GOAWAY (RFC 9114 section 5.2); otherwise never. */
  readonly goaway: Promise<void>;
  readonly #options: PeerStreamsOptions;
  readonly #turnAway: () => void;
  // Kept for as long as the connection: runtimes close streams that they collect, and a closed control stream ends the connection.
  readonly #critical = new Map<number, ReadableStream<Uint8Array>>();
  readonly #requests: RequestStream[] = [];
  #awaitRequest: ((request: RequestStream) => void) | undefined;
  #onRequest: ((request: RequestStream) => Promise<void>) | undefined;
  #isOver = false;
  #onSettings!: (settings: Settings) => void;
  #onGoaway!: () => void;

  constructor(connection: QuicConnection, options: PeerStreamsOptions) {
    this.#options = options;
    this.#turnAway = counted(options.clock, () => this.#flood());
    this.settings = new Promise((resolve) => this.#onSettings = resolve);
    this.goaway = new Promise((resolve) => this.#onGoaway = resolve);
    this.bidirectional = new Arrivals(
      connection.incomingBidirectionalStreams,
      (stream) => this.#sortBidirectional(stream),
    );
    this.unidirectional = new Arrivals(
      connection.incomingUnidirectionalStreams,
      (stream) => this.#sortUnidirectional(stream),
    );
  }

  /** The first request that the peer makes. To be asked once. */
  firstRequest(): Promise<RequestStream> {
    const request = this.#requests.shift();
    if (request !== undefined) return Promise.resolve(request);
    return new Promise((resolve) => this.#awaitRequest = resolve);
  }

  /** From now on each request goes to `handler`, within {@linkcode REQUEST_MS}; those that came before, too. */
  onRequest(handler: (request: RequestStream) => Promise<void>): void {
    this.#onRequest = handler;
    for (const request of this.#requests.splice(0)) this.#handle(request);
  }

  /** The session is over: the end of HTTP/3's own streams is no longer an error. */
  stop(): void {
    this.#isOver = true;
  }

  async #sortBidirectional(stream: BidirectionalStream): Promise<BidirectionalStream | undefined> {
    const { role, clock } = this.#options;
    const header = await readStreamHeader(stream.readable, { clock });
    if (header?.type === streamType.bidirectional) {
      if (this.#isOfSession(header)) return stream;
    } else if (header !== undefined && role === "server") {
      this.#request({ stream, head: header.head });
      return undefined;
    } else if (header !== undefined) {
      // RFC 9114 section 6.1: only WebTransport lets a server open bidirectional streams.
      this.#fail(http3Code.streamCreationError, "a bidirectional stream that is not the session's");
    }
    void this.#discard(stream.readable);
    stream.writable.abort().catch(ignore);
    this.#turnAway();
    return undefined;
  }

  async #sortUnidirectional(
    stream: ReadableStream<Uint8Array>,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    // No time limit: browsers open their QPACK streams and never send on them, and giving one up would end the connection.
    const { clock } = this.#options;
    const header = await readStreamHeader(stream, { clock, timeoutMs: Infinity });
    if (header === undefined) {
      this.#turnAway();
      return undefined;
    }
    const { type, head } = header;
    if (type === streamType.unidirectional) {
      if (this.#isOfSession(header)) return stream;
    } else if (type === ownStreamType.push) {
      // A server that was granted no push must not push (RFC 9114 section 4.6), a client never may (section 6.2.2).
      const { role } = this.#options;
      const code = role === "client" ? http3Code.idError : http3Code.streamCreationError;
      this.#fail(code, "a push stream");
    } else if (type <= ownStreamType.decoder) {
      void this.#readOwn(type, stream, head);
      return undefined;
    }
    void this.#discard(stream);
    this.#turnAway();
    return undefined;
  }

  /** Reads a stream that lives as long as the connection (RFC 9114 section 6.2.1, RFC 9204 section 4.2). */
  async #readOwn(
    type: number,
    stream: ReadableStream<Uint8Array>,
    head: Uint8Array,
  ): Promise<void> {
    if (this.#critical.has(type)) {
      return this.#fail(http3Code.streamCreationError, `a second stream of type ${type}`);
    }
    this.#critical.set(type, stream);
    if (type === ownStreamType.control) {
      return await readControl(stream, head.subarray(decodeVarint(head)!.end), {
        onSettings: this.#onSettings,
        onGoaway: this.#onGoaway,
        onError: (code, reason) => this.#fail(code, reason),
      });
    }
    // The peer was granted no dynamic table: what comes on its QPACK streams changes nothing.
    const isEnd = await this.#discard(stream);
    if (isEnd) this.#fail(http3Code.closedCriticalStream, "a QPACK stream was closed");
  }

  #isOfSession({ sessionId }: StreamHeader): boolean {
    // Not the number of a stream that a client opens in both directions (draft-ietf-webtrans-http3-16 section 4).
    if (sessionId % 4 !== 0) this.#fail(http3Code.idError, `there is no session ${sessionId}`);
    return sessionId === 0;
  }

  #request(request: RequestStream): void {
    if (this.#awaitRequest !== undefined) {
      this.#awaitRequest(request);
      this.#awaitRequest = undefined;
    } else if (this.#onRequest !== undefined) {
      this.#turnAway();
      this.#handle(request);
    } else this.#requests.push(request);
  }

  #handle(request: RequestStream): void {
    const { clock } = this.#options;
    within(() => this.#onRequest!(request), {
      timeoutMs: REQUEST_MS,
      clock,
      onTimeout: () => new Error("request timeout"),
    }).catch(() => {
      request.stream.writable.abort().catch(ignore);
    }).finally(() => {
      if (!request.stream.readable.locked) void this.#discard(request.stream.readable);
    });
  }

  #fail(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onError(code, reason);
  }

  #flood(): void {
    this.#fail(http3Code.excessiveLoad, "too much that is not of the session");
  }

  /** Reads a stream away. Returns whether it ended, rather than sent too much. */
  async #discard(readable: ReadableStream<Uint8Array>): Promise<boolean> {
    // With a buffer of its own for each read the runtime would hold 64 KiB for every stream that waits.
    const reader = readable.getReader({ mode: "byob" });
    try {
      let buffer = new Uint8Array(IDLE_BYTES);
      for (let bytes = 0; bytes <= MOST_BYTES;) {
        const { value, done } = await reader.read(buffer);
        if (done) return true;
        bytes += value.length;
        // A peer that sends much costs a read for every few kilobytes, not for every few bytes.
        const size = value.length < IDLE_BYTES ? IDLE_BYTES : BUSY_BYTES;
        buffer = value.buffer.byteLength === size
          ? new Uint8Array(value.buffer)
          : new Uint8Array(size);
      }
    } catch {
      // The stream was reset, or the connection is over.
      return true;
    }
    this.#flood();
    return false;
  }
}

/** Counts streams that are turned away, and reports a flood: nothing above sees them, so nothing else bounds them. */
function counted(clock: Clock, onFlood: () => void): () => void {
  let since = clock.monotonic();
  let count = 0;
  return () => {
    const now = clock.monotonic();
    if (now - since > FOREIGN_MS) [since, count] = [now, 0];
    if (++count > MOST_FOREIGN) onFlood();
  };
}

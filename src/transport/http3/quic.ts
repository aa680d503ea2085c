import { ignore } from "../../base/ignore.ts";
import { concatBytes } from "../../base/bytes.ts";
import { applicationCode } from "../fault.ts";
import type { QuicConnection } from "./connection.ts";
import { http3Code } from "./codes.ts";
import type { ConnectStream } from "./connect_stream.ts";
import type { PeerStreams } from "./peer_streams.ts";
import { encodeVarint, streamType } from "./stream_header.ts";
import type { BidirectionalStream, CloseInfo, DatagramsLike, WebTransportLike } from "../types.ts";

/** Parts of a {@linkcode QuicSession}. */
export interface QuicSessionParts {
  /** The streams that the peer opens. */
  readonly streams: PeerStreams;
  /** The CONNECT stream, on which the session's end is said. */
  readonly connect: ConnectStream;
  /** Called when our side asks for an orderly end. Default: nothing more is done than to ask on the CONNECT stream. */
  readonly onDrain?: () => void;
  /** What has to be kept for as long as the session. Default: nothing. */
  readonly keep?: readonly unknown[];
}

// One session per connection, and its CONNECT request is the client's first stream: number 0.
const SESSION_ID = encodeVarint(0);
const BIDIRECTIONAL_HEADER = concatBytes([encodeVarint(streamType.bidirectional), SESSION_ID]);
const UNIDIRECTIONAL_HEADER = concatBytes([encodeVarint(streamType.unidirectional), SESSION_ID]);
// From this code on a close comes from HTTP/3, not from the application (RFC 9114 section 8.1).
const NOTHING_WRONG: number = http3Code.noError;

/**
 * The W3C shape over a QUIC connection on which a WebTransport session is established. How a stream is reset or stopped is the
 * connection's: Deno's sends a FIN for an abort, and no code.
 */
export class QuicSession implements WebTransportLike {
  readonly ready: Promise<void> = Promise.resolve();
  readonly closed: Promise<CloseInfo>;
  readonly keepsAlive = true;
  /** Resolves when the connection is over, too, which is a moment after the session; never rejects. */
  readonly gone: Promise<void>;
  readonly #connection: QuicConnection;
  readonly #parts: QuicSessionParts;
  // Made when they are asked for: a gateway's idle sessions are many.
  #draining: Promise<void> | undefined;
  #datagrams: DatagramsLike | undefined;
  #isOver = false;

  constructor(connection: QuicConnection, parts: QuicSessionParts) {
    const { connect } = parts;
    this.#connection = connection;
    this.#parts = parts;
    this.gone = connection.closed.then(ignore, ignore);
    this.closed = new Promise((resolve, reject) => {
      connection.closed.then(({ closeCode, reason }) => {
        this.#finish();
        const code = closeCode === NOTHING_WRONG ? 0 : applicationCode(closeCode);
        resolve({ closeCode: code, reason });
      }, (error) => {
        this.#finish();
        reject(error);
      });
      connect.ended.then((end) => {
        const { closeCode = 0, reason = "" } = end;
        resolve({ closeCode, reason });
        if (this.#finish()) connect.answer(end);
      });
    });
    this.closed.catch(ignore);
  }

  get incomingBidirectionalStreams(): ReadableStream<BidirectionalStream> {
    return this.#parts.streams.bidirectional.stream;
  }

  get incomingUnidirectionalStreams(): ReadableStream<ReadableStream<Uint8Array>> {
    return this.#parts.streams.unidirectional.stream;
  }

  takeBidirectional(take: (stream: BidirectionalStream) => void | Promise<void>): void {
    this.#parts.streams.bidirectional.give({ take, end: ignore });
  }

  takeUnidirectional(take: (stream: ReadableStream<Uint8Array>) => void | Promise<void>): void {
    this.#parts.streams.unidirectional.give({ take, end: ignore });
  }

  /** Resolves when the peer asks for an orderly end; otherwise never. */
  get draining(): Promise<void> {
    const { connect, streams } = this.#parts;
    return this.#draining ??= Promise.race([connect.draining, streams.goaway]);
  }

  /** Datagrams of the session. */
  get datagrams(): DatagramsLike {
    return this.#datagrams ??= datagramsOf(this.#connection);
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

  /** Asks the peer for an orderly end; the session goes on (draft-ietf-webtrans-http3-16 section 4.7). */
  drain(): void {
    if (this.#isOver) return;
    this.#parts.connect.drain();
    this.#parts.onDrain?.();
  }

  close(info: CloseInfo = {}): void {
    if (!this.#finish()) return;
    // An unsigned long of Web IDL: a runtime throws on a negative one, and the connection would stay.
    const closeCode = (info.closeCode ?? 0) >>> 0;
    const { reason = "" } = info;
    this.#parts.connect.close({ closeCode, reason }).catch(ignore);
  }

  /** Ends the session for this side. Returns whether it was not over before. */
  #finish(): boolean {
    const wasOver = this.#isOver;
    this.#isOver = true;
    this.#parts.streams.stop();
    return !wasOver;
  }
}

/** Writes the header without waiting for it, so that it leaves in one packet with what follows. */
function announce(writable: WritableStream<Uint8Array>, header: Uint8Array): void {
  const writer = writable.getWriter();
  writer.write(header).catch(ignore);
  writer.releaseLock();
}

function datagramsOf(connection: QuicConnection): DatagramsLike {
  return {
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

/**
 * The part of the W3C WebTransport interface that the SDK uses, structurally, so that any implementation of it fits:
 * the runtime's own, a package's, or the in-memory pair. (W3C WebTransport, sections 6 to 8.)
 *
 * @module
 */

/** What a session ended with (W3C `WebTransportCloseInfo`). No code survives all implementations: a hint, never a decision. */
export interface CloseInfo {
  /** Application code, 0 by default. */
  readonly closeCode?: number;
  /** UTF-8 text of at most 1,024 bytes. */
  readonly reason?: string;
}

/** Both halves of a bidirectional stream (W3C `WebTransportBidirectionalStream`). */
export interface BidirectionalStream {
  /** What the peer writes. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What we write. */
  readonly writable: WritableStream<Uint8Array>;
}

/** A bidirectional stream as one request needs it: it says all at once, reads the answer, or is given up as a whole. */
export interface RequestStream {
  /** Sends these bytes and ends our side. Rejects when the peer does not take them. */
  send(bytes: Uint8Array): Promise<void>;
  /** The next bytes of the answer. One read at a time. */
  read(): Promise<
    | { readonly done: false; readonly value: Uint8Array }
    | { readonly done: true; readonly value?: Uint8Array | undefined }
  >;
  /** Gives up both sides; a read that is under way ends as at the end of the stream. */
  abort(reason?: unknown): void;
}

/** Unreliable datagrams (W3C `WebTransportDatagramDuplexStream`), used for nothing but keeping a session alive. */
export interface DatagramsLike {
  /** Largest datagram in bytes; an oversize one breaks some implementations. */
  readonly maxDatagramSize?: number;
  /** Sends datagrams. */
  readonly writable?: WritableStream<Uint8Array>;
}

/** A session, as W3C WebTransport shapes it. */
export interface WebTransportLike {
  /** Settles when the session is established or has failed. */
  readonly ready: Promise<unknown>;
  /** Settles, either way and with anything, when the session is over. */
  readonly closed: Promise<unknown>;
  /** Streams that the peer opened. */
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  /** One-way streams that the peer opened. */
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  /** Ours, not W3C's: calls `take` with each of `incomingBidirectionalStreams`, in place of that stream; the next is asked for when what it returned has resolved. Absent: read the stream. */
  takeBidirectional?(take: (stream: BidirectionalStream) => void | Promise<void>): void;
  /** Ours, not W3C's: calls `take` with each of `incomingUnidirectionalStreams`, in place of that stream; the next is asked for when what it returned has resolved. Absent: read the stream. */
  takeUnidirectional?(take: (stream: ReadableStream<Uint8Array>) => void | Promise<void>): void;
  /** Datagrams, where the implementation has them. */
  readonly datagrams?: DatagramsLike | undefined;
  /**
   * Ours, not W3C's: how many more bidirectional streams this side can open, where streams never return their credit.
   * Absent or `undefined`: no such limit.
   */
  readonly streamsLeft?: number | undefined;
  /** Ours, not W3C's: whether an idle session is kept alive without our help. Absent: no. */
  readonly keepsAlive?: boolean;
  /** Ours, not W3C's: why the gateway refused the token, in its own words; only in memory, where both sides are one program's. */
  readonly refusalReason?: string | undefined;
  /** Resolves when the peer asks for an orderly end (W3C `draining`). Absent where the implementation does not show it. */
  readonly draining?: Promise<unknown>;
  /** Ours, not W3C's: asks the peer for an orderly end; the session goes on. Absent where the implementation cannot. */
  drain?(): void;
  /** Opens a stream. Waits for stream credit or rejects at once, by implementation. */
  createBidirectionalStream(): Promise<BidirectionalStream>;
  /** Ours, not W3C's: opens a bidirectional stream for one request, where streams of the web would cost more than the request. Absent: `createBidirectionalStream`. */
  createRequestStream?(): Promise<RequestStream>;
  /**
   * Opens a one-way stream. Waits for stream credit or rejects at once, by implementation. What is written to it can be a part of a
   * buffer of which other streams get other parts: it is read or copied, its buffer not transferred.
   */
  createUnidirectionalStream(): Promise<WritableStream<Uint8Array>>;
  /** Ends the session at once: what was written and not yet sent is lost. */
  close(info?: CloseInfo): void;
}

/** A certificate hash that a session accepts in place of a CA's signature (W3C `WebTransportHash`). */
export interface CertificateHash {
  /** Always `"sha-256"`. */
  readonly algorithm: "sha-256";
  /** 32 bytes: the SHA-256 of the certificate's DER. */
  readonly value: Uint8Array<ArrayBuffer>;
}

/** Options of a WebTransport constructor that the SDK passes. */
export interface WebTransportOptionsLike {
  /** Certificates to accept by their hash; left out when it is missing. */
  serverCertificateHashes?: CertificateHash[];
}

/** A WebTransport constructor: `globalThis.WebTransport`, a package's, or one of ours. */
export type WebTransportConstructor = new (
  url: string,
  options?: WebTransportOptionsLike,
) => WebTransportLike;

/** A session that a listener accepted, with what the runtime reports about its peer. */
export interface IncomingSession {
  /** The session itself. */
  readonly session: WebTransportLike;
  /** The peer's IP address, where the runtime shows it. */
  readonly address?: string;
  /** Path and query of the CONNECT request, where the runtime shows them; `/` otherwise. */
  readonly path?: string;
  /** The `Origin` header, where the runtime shows it. */
  readonly origin?: string;
  /** Takes the reason, in the gateway's own words, when the session's token is refused: for tests in memory. Never sent to a peer. */
  readonly onRefused?: (reason: string) => void;
}

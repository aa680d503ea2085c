import type { BidirectionalStream } from "../types.ts";

/** A QUIC connection with streams as the web has them: the part of Deno's `QuicConn` that is used, structurally. */
export interface QuicConnection {
  /** Resolves when the connection was closed with a code by either side, rejects when it was lost. */
  readonly closed: Promise<{ readonly closeCode: number; readonly reason: string }>;
  /** Streams that the peer opens; both halves are byte streams. */
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  /** One-way streams that the peer opens: byte streams. */
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  /** In bytes. */
  readonly maxDatagramSize: number;
  createBidirectionalStream(
    options: { waitUntilAvailable: boolean },
  ): Promise<BidirectionalStream>;
  createUnidirectionalStream(
    options: { waitUntilAvailable: boolean },
  ): Promise<WritableStream<Uint8Array>>;
  sendDatagram(bytes: Uint8Array): Promise<void>;
  /** Closes the connection; one that is over stays as it is. */
  close(info: { closeCode: number; reason: string }): void;
}

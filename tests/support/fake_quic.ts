import { concatBytes } from "../../src/base/bytes.ts";
import type { QuicConnection } from "../../src/transport/http3/connection.ts";
import type { BidirectionalStream } from "../../src/transport/types.ts";

/** One stream as its peer sees it: what the peer sends, and what became of our end. */
export class PeerStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Whether our side ended its half with a FIN. */
  finished = false;
  /** Whether our side gave up its half. */
  aborted = false;
  /** Whether our side stopped reading. */
  cancelled = false;
  readonly #written: Uint8Array[] = [];
  #controller!: ReadableByteStreamController;

  constructor() {
    // A byte stream, as the runtime's are.
    this.readable = new ReadableStream({
      type: "bytes",
      start: (controller) => void (this.#controller = controller),
      cancel: () => void (this.cancelled = true),
    });
    this.writable = new WritableStream({
      write: (chunk) => void this.#written.push(chunk.slice()),
      close: () => void (this.finished = true),
      abort: () => void (this.aborted = true),
    });
  }

  /** The peer sends. */
  send(...bytes: number[]): void {
    this.#controller.enqueue(Uint8Array.from(bytes));
  }

  /** The peer ends its half. */
  fin(): void {
    this.#controller.close();
    this.#controller.byobRequest?.respond(0);
  }

  /** The peer gives its half up. */
  reset(error: Error = new Error("stream reset by peer: error 0")): void {
    this.#controller.error(error);
  }

  /** How many bytes our side's waiting read takes at the most; 0 when none waits. */
  get awaited(): number {
    return this.#controller.byobRequest?.view?.byteLength ?? 0;
  }

  /** What our side wrote so far. */
  get written(): Uint8Array {
    return concatBytes(this.#written);
  }
}

/** A scripted QUIC connection: a test opens the peer's streams and looks at ours. */
export class FakeQuic implements QuicConnection {
  readonly closed: Promise<{ closeCode: number; reason: string }>;
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  readonly maxDatagramSize = 1_200;
  /** Streams that our side opened. */
  readonly opened: PeerStream[] = [];
  /** Datagrams that our side sent. */
  readonly datagrams: Uint8Array[] = [];
  /** What our side closed the connection with. */
  closedWith: { closeCode: number; reason: string } | undefined;
  #isOver = false;
  #bidirectional!: ReadableStreamDefaultController<BidirectionalStream>;
  #unidirectional!: ReadableStreamDefaultController<ReadableStream<Uint8Array>>;
  #resolve!: (info: { closeCode: number; reason: string }) => void;
  #reject!: (error: Error) => void;

  constructor() {
    this.closed = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.closed.catch(() => {});
    this.incomingBidirectionalStreams = new ReadableStream({
      start: (controller) => void (this.#bidirectional = controller),
    });
    this.incomingUnidirectionalStreams = new ReadableStream({
      start: (controller) => void (this.#unidirectional = controller),
    });
  }

  /** The peer opens a bidirectional stream. */
  peerOpensBidirectional(): PeerStream {
    const stream = new PeerStream();
    this.#bidirectional.enqueue(stream);
    return stream;
  }

  /** The peer opens a one-way stream. */
  peerOpensUnidirectional(): PeerStream {
    const stream = new PeerStream();
    this.#unidirectional.enqueue(stream.readable);
    return stream;
  }

  /** The peer closes the connection. */
  peerCloses(closeCode: number, reason: string): void {
    this.#resolve({ closeCode, reason });
    this.#end();
  }

  /** The connection is lost. */
  lose(error: Error = new Error("timed out")): void {
    this.#reject(error);
    this.#end(error);
  }

  // deno-lint-ignore require-await
  async createBidirectionalStream(): Promise<BidirectionalStream> {
    const stream = new PeerStream();
    this.opened.push(stream);
    return stream;
  }

  // deno-lint-ignore require-await
  async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    const stream = new PeerStream();
    this.opened.push(stream);
    return stream.writable;
  }

  // deno-lint-ignore require-await
  async sendDatagram(bytes: Uint8Array): Promise<void> {
    this.datagrams.push(bytes);
  }

  close(info: { closeCode: number; reason: string }): void {
    if (this.#isOver) return;
    this.closedWith = info;
    this.#resolve(info);
    this.#end();
  }

  #end(error?: Error): void {
    this.#isOver = true;
    for (const controller of [this.#bidirectional, this.#unidirectional]) {
      if (error === undefined) controller.close();
      else controller.error(error);
    }
  }
}

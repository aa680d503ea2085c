import { ignore } from "../../base/ignore.ts";
import type { Clock } from "../../base/signal.ts";
import { TransportFault } from "../fault.ts";
import type { BidirectionalStream, CloseInfo, DatagramsLike, WebTransportLike } from "../types.ts";
import { connectSession } from "./client.ts";
import { nothingWrong } from "./codes.ts";
import type { QuicConnection } from "./connection.ts";
import type { QuicSession } from "./quic.ts";

/** Options of a {@linkcode DialledSession}. */
export interface DialledSessionOptions {
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Aborted when the session is closed while its connection is still being dialled. Default: none; then that goes on, and is closed. */
  readonly dialled?: { abort(reason: unknown): void };
}

/** A client's session from its first packet on, in the W3C shape, over a QUIC connection that is being dialled. */
export class DialledSession implements WebTransportLike {
  readonly ready: Promise<void>;
  readonly closed: Promise<unknown>;
  readonly draining: Promise<void>;
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  readonly keepsAlive = true;
  readonly #session: Promise<QuicSession>;
  readonly #dialled: DialledSessionOptions["dialled"];
  #established: QuicSession | undefined;
  #connection: QuicConnection | undefined;
  #isClosed = false;

  /**
   * @param url Where to.
   * @param connection Is dialled already. One that comes when the session was closed meanwhile is closed.
   */
  constructor(
    url: string,
    connection: Promise<QuicConnection>,
    options: DialledSessionOptions = {},
  ) {
    this.#dialled = options.dialled;
    this.#session = this.#establish(new URL(url), connection, options);
    this.ready = this.#session.then(() => {});
    this.ready.catch(ignore);
    this.closed = this.#session.then((session) => session.closed);
    this.closed.catch(ignore);
    this.draining = new Promise((resolve) => {
      this.#session.then((session) => session.draining.then(resolve), ignore);
    });
    this.incomingBidirectionalStreams = later(async () =>
      (await this.#session).incomingBidirectionalStreams
    );
    this.incomingUnidirectionalStreams = later(async () =>
      (await this.#session).incomingUnidirectionalStreams
    );
  }

  get datagrams(): DatagramsLike | undefined {
    return this.#established?.datagrams;
  }

  async createBidirectionalStream(): Promise<BidirectionalStream> {
    return await (await this.#session).createBidirectionalStream();
  }

  async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    return await (await this.#session).createUnidirectionalStream();
  }

  /** Asks the peer for an orderly end; see {@linkcode QuicSession.drain}. */
  drain(): void {
    this.#established?.drain();
  }

  close(info: CloseInfo = {}): void {
    if (this.#established !== undefined) return this.#established.close(info);
    this.#isClosed = true;
    if (this.#connection !== undefined) this.#connection.close(nothingWrong);
    else this.#dialled?.abort(new TransportFault("The session was closed before it was ready"));
  }

  async #establish(
    url: URL,
    dialled: Promise<QuicConnection>,
    options: DialledSessionOptions,
  ): Promise<QuicSession> {
    const connection = await dialled;
    this.#connection = connection;
    connection.closed.catch(ignore);
    if (this.#isClosed) connection.close(nothingWrong);
    const session = await connectSession(connection, url, options);
    if (this.#isClosed) {
      session.close();
      throw new TransportFault("The session was closed before it was ready");
    }
    this.#established = session;
    return session;
  }
}

/** A stream whose source is known only later. Ends when the source ends or never comes. */
export function later<T>(source: () => Promise<ReadableStream<T>>): ReadableStream<T> {
  let reader: ReadableStreamDefaultReader<T> | undefined;
  return new ReadableStream<T>({
    async pull(controller) {
      try {
        reader ??= (await source()).getReader();
        const { value, done } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        controller.close();
      }
    },
    async cancel(reason) {
      await reader?.cancel(reason).catch(ignore);
    },
  }, { highWaterMark: 0 });
}

import { ignore } from "../../base/ignore.ts";
import type { Clock } from "../../base/signal.ts";
import { type QuicConnection, QuicSession } from "../http3/quic.ts";
import type {
  BidirectionalStream,
  CloseInfo,
  DatagramsLike,
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "../types.ts";

/** Options of {@linkcode denoWebTransport}. */
export interface DenoWebTransportOptions {
  /** Whether to use the QUIC streams inside the session where they are found. Default: `true`; `false` is for tests. */
  readonly innerStreams?: boolean;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

// A Deno peer grants 100 bidirectional streams and never more of them; the CONNECT request takes one (runtimes.md section 3).
const STREAMS_PER_SESSION = 99;

interface DenoGlobal {
  readonly QuicConn?: { readonly prototype: QuicConnection };
}

/** Tells whether this is Deno. */
export function isDeno(): boolean {
  return "Deno" in globalThis;
}

/**
 * Wraps Deno's WebTransport constructor: the same shape, over the QUIC streams inside, which end properly and return their credit.
 * Where these are not found (another version of Deno) the runtime's own streams are used, and `streamsLeft` counts down.
 *
 * @param native Deno's `WebTransport`.
 * @param options Switches the inner streams off.
 */
export function denoWebTransport(
  native: WebTransportConstructor,
  options: DenoWebTransportOptions = {},
): WebTransportConstructor {
  return class DenoWebTransport implements WebTransportLike {
    readonly ready: Promise<void>;
    readonly closed: Promise<unknown>;
    readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
    readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
    readonly keepsAlive = true;
    // Kept for as long as this object: the session ends when the runtime collects its own.
    readonly #outer: WebTransportLike;
    #inner: WebTransportLike | undefined;
    #isReady = false;
    #opened = 0;

    constructor(url: string, init?: WebTransportOptionsLike) {
      this.#outer = new native(url, init);
      this.ready = this.#outer.ready.then(() => {
        this.#isReady = true;
        const connection = options.innerStreams === false
          ? undefined
          : innerConnection(this.#outer);
        if (connection !== undefined) this.#inner = new QuicSession(connection, options);
      });
      this.ready.catch(ignore);
      // Rejects with the connection also where the inner one is used, and nobody else would look.
      this.#outer.closed.catch(ignore);
      this.closed = this.ready.then(
        () => (this.#inner ?? this.#outer).closed,
        () => this.#outer.closed,
      );
      this.closed.catch(ignore);
      this.incomingBidirectionalStreams = later(async () =>
        (await this.#streams()).incomingBidirectionalStreams
      );
      this.incomingUnidirectionalStreams = later(async () =>
        (await this.#streams()).incomingUnidirectionalStreams
      );
    }

    get datagrams(): DatagramsLike | undefined {
      return this.#outer.datagrams;
    }

    get streamsLeft(): number | undefined {
      return this.#isReady && this.#inner === undefined
        ? Math.max(0, STREAMS_PER_SESSION - this.#opened)
        : undefined;
    }

    createBidirectionalStream(): Promise<BidirectionalStream> {
      return this.#inner?.createBidirectionalStream() ?? this.#createCounted();
    }

    async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
      return await (await this.#streams()).createUnidirectionalStream();
    }

    close(info: CloseInfo = {}): void {
      // Deno refuses to close a session that is not ready, and opens it nevertheless.
      if (this.#isReady) this.#outer.close(info);
      else this.ready.then(() => this.#outer.close(info)).catch(ignore);
    }

    async #createCounted(): Promise<BidirectionalStream> {
      const stream = await (await this.#streams()).createBidirectionalStream();
      this.#opened++;
      return stream;
    }

    async #streams(): Promise<WebTransportLike> {
      await this.ready;
      return this.#inner ?? this.#outer;
    }
  };
}

/**
 * The QUIC connection inside an established session of Deno, if it can be found: `datagrams.maxDatagramSize` asks it for its own
 * `maxDatagramSize`, so a getter put there for the length of that one synchronous call sees it, and nothing else can come between.
 */
function innerConnection(outer: WebTransportLike): QuicConnection | undefined {
  const prototype = (globalThis as { Deno?: DenoGlobal }).Deno?.QuicConn?.prototype;
  const name = "maxDatagramSize";
  const original = prototype && Object.getOwnPropertyDescriptor(prototype, name);
  if (!prototype || !original?.get || !original.configurable) return undefined;
  const { get } = original;
  let found: QuicConnection | undefined;
  Object.defineProperty(prototype, name, {
    ...original,
    get(this: QuicConnection) {
      found = this;
      return get.call(this);
    },
  });
  try {
    void outer.datagrams?.maxDatagramSize;
  } catch {
    return undefined;
  } finally {
    Object.defineProperty(prototype, name, original);
  }
  const usable = found !== undefined && typeof found.createBidirectionalStream === "function" &&
    typeof found.createUnidirectionalStream === "function";
  return usable ? found : undefined;
}

/** A stream of which the source is known only later. Ends when the source ends or never comes. */
function later<T>(source: () => Promise<ReadableStream<T>>): ReadableStream<T> {
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

import { TransportFault } from "./fault.ts";
import { createPipe, type Pipe } from "./pipe.ts";
import type {
  BidirectionalStream,
  CloseInfo,
  DatagramsLike,
  IncomingSession,
  WebTransportConstructor,
  WebTransportLike,
} from "./types.ts";

/** Options of {@linkcode createSessionPair}. */
export interface SessionPairOptions {
  /** The client's address, as the accepting side sees it. Default: `127.0.0.1`. */
  readonly address?: string;
  /** Path and query of the request, as the accepting side sees them. Default: `/`. */
  readonly path?: string;
  /** The `Origin` header, as the accepting side sees it. Default: none. */
  readonly origin?: string;
  /** Bytes on their way in a stream from which on a write waits for the reader. Default: 65,536. */
  readonly highWaterMark?: number;
  /** The longest chunk that a reader gets, in bytes, however it was written. Default: no limit. */
  readonly chunkBytes?: number;
  /** How many streams of each kind a side may have open at once; one more is refused. Default: 100. */
  readonly maxStreams?: number;
  /** Whether the sessions claim to keep alive by themselves. Default: `true`. */
  readonly keepsAlive?: boolean;
}

/** Two linked sessions. */
export interface SessionPair {
  /** The side that dialled. */
  readonly client: WebTransportLike;
  /** The side that accepted. */
  readonly server: WebTransportLike;
  /** The accepting side with what it knows of the client, as a listener hands it out. */
  readonly incoming: IncomingSession;
  /** Loses the connection as a dead network does: both sides end with an error, without a code. */
  sever(): void;
}

/**
 * Makes two linked sessions in memory, as strict as the strictest real implementation: chunks are copied and may be cut, writes wait for the
 * reader, a stream counts against the limit until both its directions have been read to the end or given up, and closing a session loses what is on its way.
 *
 * @param options What the accepting side sees, and the limits.
 */
export function createSessionPair(options: SessionPairOptions = {}): SessionPair {
  const client = new PairSession(options);
  const server = new PairSession(options);
  client.link(server);
  server.link(client);
  const { address = "127.0.0.1", path = "/", origin } = options;
  return {
    client,
    server,
    incoming: { session: server, address, path, ...(origin === undefined ? {} : { origin }) },
    sever() {
      const fault = new TransportFault("Connection lost");
      client.end(undefined, fault);
      server.end(undefined, fault);
    },
  };
}

/**
 * Makes a WebTransport constructor of which each session is one half of a pair; the other half is handed to `accept`.
 *
 * @param accept Takes the accepting side, as a gateway's `serve` does.
 * @param options As for {@linkcode createSessionPair}; the path comes from the URL.
 */
export function createPairTransport(
  accept: (incoming: IncomingSession, pair: SessionPair) => void,
  options: Omit<SessionPairOptions, "path"> = {},
): WebTransportConstructor {
  function PairTransport(url: string): WebTransportLike {
    const { pathname, search } = new URL(url);
    const pair = createSessionPair({ ...options, path: pathname + search });
    accept(pair.incoming, pair);
    return pair.client;
  }
  // A function that returns an object can be called with `new` (ECMA-262 section 10.2.2), which its type does not say.
  return PairTransport as unknown as WebTransportConstructor;
}

type StreamKind = "bidirectional" | "unidirectional";

class PairSession implements WebTransportLike {
  readonly ready: Promise<void> = Promise.resolve();
  readonly closed: Promise<unknown>;
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  readonly datagrams: DatagramsLike = { maxDatagramSize: 1_200, writable: new WritableStream() };
  readonly keepsAlive: boolean;
  readonly #options: SessionPairOptions;
  readonly #live = new Set<Pipe>();
  readonly #credit: Record<StreamKind, number>;
  #peer!: PairSession;
  #over = false;
  #resolveClosed!: (info: unknown) => void;
  #rejectClosed!: (error: unknown) => void;
  #bidirectional!: ReadableStreamDefaultController<BidirectionalStream>;
  #unidirectional!: ReadableStreamDefaultController<ReadableStream<Uint8Array>>;

  constructor(options: SessionPairOptions) {
    this.#options = options;
    this.keepsAlive = options.keepsAlive ?? true;
    const { maxStreams = 100 } = options;
    this.#credit = { bidirectional: maxStreams, unidirectional: maxStreams };
    this.closed = new Promise((resolve, reject) => {
      this.#resolveClosed = resolve;
      this.#rejectClosed = reject;
    });
    this.closed.catch(() => {});
    this.incomingBidirectionalStreams = new ReadableStream({
      start: (controller) => void (this.#bidirectional = controller),
    });
    this.incomingUnidirectionalStreams = new ReadableStream({
      start: (controller) => void (this.#unidirectional = controller),
    });
  }

  link(peer: PairSession): void {
    this.#peer = peer;
  }

  // deno-lint-ignore require-await
  async createBidirectionalStream(): Promise<BidirectionalStream> {
    const release = this.#takeCredit("bidirectional");
    let open = 2;
    const onDone = (): void => {
      if (--open === 0) release();
    };
    const there = this.#pipe(onDone);
    const back = this.#pipe(onDone);
    this.#peer.#admit(this.#peer.#bidirectional, {
      readable: there.readable,
      writable: back.writable,
    });
    return { readable: back.readable, writable: there.writable };
  }

  // deno-lint-ignore require-await
  async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    const pipe = this.#pipe(this.#takeCredit("unidirectional"));
    this.#peer.#admit(this.#peer.#unidirectional, pipe.readable);
    return pipe.writable;
  }

  close(info: CloseInfo = {}): void {
    const { closeCode = 0, reason = "" } = info;
    this.end({ closeCode, reason });
    this.#peer.end({ closeCode, reason });
  }

  end(info: CloseInfo | undefined, fault?: TransportFault): void {
    if (this.#over) return;
    this.#over = true;
    for (const pipe of [...this.#live]) {
      pipe.fail(fault ?? new TransportFault("The session is closed"));
    }
    for (const incoming of [this.#bidirectional, this.#unidirectional]) {
      try {
        if (fault === undefined) incoming.close();
        else incoming.error(fault);
      } catch {
        // Its reader has cancelled it.
      }
    }
    if (fault === undefined) this.#resolveClosed(info);
    else this.#rejectClosed(fault);
  }

  #takeCredit(kind: StreamKind): () => void {
    if (this.#over) throw new TransportFault("The session is closed");
    if (this.#credit[kind] === 0) {
      throw new RangeError(`The peer's maximum number of concurrent ${kind} streams is reached`);
    }
    this.#credit[kind]--;
    return () => void this.#credit[kind]++;
  }

  #pipe(onDone: () => void): Pipe {
    const { highWaterMark = 65_536, chunkBytes = Infinity } = this.#options;
    const pipe = createPipe({
      highWaterMark,
      chunkBytes,
      onDone: () => {
        this.#live.delete(pipe);
        onDone();
      },
    });
    this.#live.add(pipe);
    return pipe;
  }

  #admit<T>(controller: ReadableStreamDefaultController<T>, stream: T): void {
    try {
      controller.enqueue(stream);
    } catch {
      // The peer takes no more streams: this one stays open and unread, as on a network.
    }
  }
}

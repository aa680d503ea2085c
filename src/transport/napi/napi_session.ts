import { encodeBase64 } from "../../base/base64.ts";
import { ignore } from "../../base/ignore.ts";
import { TransportFault } from "../fault.ts";
import { takeEach } from "../incoming.ts";
import type {
  BidirectionalStream,
  CertificateHash,
  CloseInfo,
  DatagramsLike,
  RequestStream,
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "../types.ts";
import {
  Held,
  type NapiReceive,
  NapiRequestStream,
  type NapiSend,
  wrapReceive,
  wrapSend,
} from "./napi_streams.ts";

/** Both halves; each can be taken once. */
export interface NapiBidirectional {
  takeSend(): NapiSend;
  takeRecv(): NapiReceive;
}

/** An established session. */
export interface NapiSession {
  acceptUni(): Promise<NapiReceive>;
  acceptBi(): Promise<NapiBidirectional>;
  openUni(): Promise<NapiSend>;
  openBi(): Promise<NapiBidirectional>;
  sendDatagram(bytes: Uint8Array): void;
  maxDatagramSize(): number;
  close(code: number, reason: string): void;
  closed(): Promise<{ readonly closeCode: number; readonly reason: string }>;
}

/** What dials. */
export interface NapiClient {
  connect(url: string): Promise<NapiSession>;
}

/** A request that waits for its answer. */
export interface NapiRequest {
  readonly url: Promise<string>;
  ok(): Promise<NapiSession>;
  reject(status: number): Promise<void>;
}

/** What listens. */
export interface NapiServer {
  /** `null` when it is closed. */
  accept(): Promise<NapiRequest | null>;
  close(): void;
}

/** The addon's classes, structurally: it is an optional package of the user's, not a dependency. */
export interface NapiAddon {
  readonly NapiClient: {
    withSystemRoots(): NapiClient;
    withCertificateHashes(hashes: Uint8Array[]): NapiClient;
  };
  readonly NapiServer: {
    bind(address: string, certificatePem: Uint8Array, privateKeyPem: Uint8Array): NapiServer;
  };
}

interface SharedClient {
  readonly addon: NapiAddon;
  /** The hashes that it pins. */
  readonly pins: string;
  readonly client: NapiClient;
}

// The addon frees a client's socket, its TLS set-up and the memory of both only when the engine collects the client. One that sessions
// share is enough: each has a QUIC connection of its own over its socket.
let shared: SharedClient | undefined;

/**
 * The client that all sessions share which pin these hashes, or without hashes trust the system's roots; and what
 * makes the next session take a fresh one. That is for a connection that failed or was lost: a network that drops what comes from one
 * port may let another pass.
 */
function sharedClient(
  addon: NapiAddon,
  hashes: readonly CertificateHash[],
): { readonly client: NapiClient; readonly forget: () => void } {
  // W3C's hashes can be buffers of any kind, and can change later.
  const values = hashes.map(({ value }) => new Uint8Array(value));
  const pins = [values.length, ...values.map(encodeBase64)].join();
  if (shared?.addon !== addon || shared.pins !== pins) {
    const { NapiClient } = addon;
    const client = values.length === 0
      ? NapiClient.withSystemRoots()
      : NapiClient.withCertificateHashes(values);
    shared = { addon, pins, client };
  }
  const used = shared;
  return {
    client: used.client,
    forget() {
      if (shared === used) shared = undefined;
    },
  };
}

/** Makes the W3C constructor over the addon's client. */
export function napiWebTransport(addon: NapiAddon): WebTransportConstructor {
  return class NapiWebTransport extends NapiTransport {
    #onGivenUp: () => void;

    constructor(url: string, options: WebTransportOptionsLike = {}) {
      const { client, forget } = sharedClient(addon, options.serverCertificateHashes ?? []);
      super(client.connect(url));
      this.closed.catch(forget);
      this.#onGivenUp = forget;
      this.ready.then(() => this.#onGivenUp = ignore, ignore);
    }

    /** One that was not ready in time has failed, which the addon says after 30 s. */
    override close(info?: CloseInfo): void {
      this.#onGivenUp();
      super.close(info);
    }
  };
}

/** The W3C shape over a session of the addon, for both sides; carries the reset and stop codes that the package's own wrapper drops. */
export class NapiTransport implements WebTransportLike {
  readonly ready: Promise<void>;
  readonly closed: Promise<CloseInfo>;
  // An idle session dies after 30 s unless the peer keeps it alive.
  readonly keepsAlive = false;
  // What the addon made is let go at the end: it holds the socket, and others may hold this session for as long as a call lasts.
  #session: Promise<NapiSession> | undefined;
  #established: NapiSession | undefined;
  #incomingBidirectional: ReadableStream<BidirectionalStream> | undefined;
  #incomingUnidirectional: ReadableStream<ReadableStream<Uint8Array>> | undefined;
  #datagrams: DatagramsLike | undefined;
  readonly #sending = new Set<Held<NapiSend>>();
  #closing: CloseInfo | undefined;

  constructor(session: Promise<NapiSession>) {
    this.#session = session.then((established) => {
      if (this.#closing !== undefined) {
        closeSession(established, this.#closing);
        throw new TransportFault("The session was closed before it was ready");
      }
      this.#established = established;
      return established;
    });
    this.ready = this.#session.then(() => {});
    this.ready.catch(ignore);
    this.closed = this.#session.then((established) => established.closed()).then((info) =>
      this.#closing ?? readClosed(info)
    );
    const release = (): void => this.#release();
    this.closed.then(release, release);
  }

  get incomingBidirectionalStreams(): ReadableStream<BidirectionalStream> {
    return this.#incomingBidirectional ??= streamOf(
      () => this.#acceptBidirectional(),
      ({ readable, writable }) => {
        readable.cancel().catch(ignore);
        writable.abort().catch(ignore);
      },
    );
  }

  get incomingUnidirectionalStreams(): ReadableStream<ReadableStream<Uint8Array>> {
    return this.#incomingUnidirectional ??= streamOf(
      () => this.#acceptUnidirectional(),
      (readable) => void readable.cancel().catch(ignore),
    );
  }

  takeBidirectional(take: (stream: BidirectionalStream) => void | Promise<void>): void {
    takeEach(() => this.#acceptBidirectional(), take);
  }

  takeUnidirectional(take: (stream: ReadableStream<Uint8Array>) => void | Promise<void>): void {
    takeEach(() => this.#acceptUnidirectional(), take);
  }

  /** Made when it is asked for: a session needs it only when it has been idle. */
  get datagrams(): DatagramsLike {
    return this.#datagrams ??= new NapiDatagrams(this.ready, () => this.#established);
  }

  async createBidirectionalStream(): Promise<BidirectionalStream> {
    return this.#wrapBidirectional(await (await this.#live()).openBi());
  }

  async createRequestStream(): Promise<RequestStream> {
    const stream = await (await this.#live()).openBi();
    return new NapiRequestStream(stream.takeRecv(), this.#hold(stream.takeSend()));
  }

  async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    return wrapSend(this.#hold(await (await this.#live()).openUni()));
  }

  close(info: CloseInfo = {}): void {
    if (this.#closing !== undefined) return;
    this.#closing = { closeCode: info.closeCode ?? 0, reason: info.reason ?? "" };
    if (this.#established !== undefined) closeSession(this.#established, this.#closing);
  }

  async #acceptBidirectional(): Promise<BidirectionalStream> {
    return this.#wrapBidirectional(await (await this.#live()).acceptBi());
  }

  async #acceptUnidirectional(): Promise<ReadableStream<Uint8Array>> {
    return wrapReceive(await (await this.#live()).acceptUni());
  }

  /** The addon's session, until it is over. */
  async #live(): Promise<NapiSession> {
    if (this.#session === undefined) throw new TransportFault("The session is over");
    return await this.#session;
  }

  #wrapBidirectional(stream: NapiBidirectional): BidirectionalStream {
    return {
      readable: wrapReceive(stream.takeRecv()),
      writable: wrapSend(this.#hold(stream.takeSend())),
    };
  }

  /** A sending half that is let go when it is over, or the session is. */
  #hold(half: NapiSend): Held<NapiSend> {
    const held: Held<NapiSend> = new Held(half, () => void this.#sending.delete(held));
    this.#sending.add(held);
    return held;
  }

  #release(): void {
    // One that was never established holds nothing, and has the better reason.
    if (this.#established === undefined) return;
    this.#established = undefined;
    this.#session = undefined;
    for (const half of this.#sending) half.release();
  }
}

/** What a peer opens, as a stream. */
function streamOf<T>(accept: () => Promise<T>, discard: (stream: T) => void): ReadableStream<T> {
  let isCancelled = false;
  return new ReadableStream<T>({
    async pull(controller) {
      try {
        const stream = await accept();
        if (isCancelled) discard(stream);
        else controller.enqueue(stream);
      } catch {
        // The session is over, which `closed` reports.
        controller.close();
      }
    },
    cancel() {
      isCancelled = true;
    },
  }, { highWaterMark: 0 });
}

/** Datagrams of a session. */
class NapiDatagrams implements DatagramsLike {
  readonly writable: WritableStream<Uint8Array>;
  readonly #established: () => NapiSession | undefined;

  /** @param established The session, from the time at which it is ready until it is over. */
  constructor(ready: Promise<void>, established: () => NapiSession | undefined) {
    this.#established = established;
    this.writable = new WritableStream({
      write: async (chunk) => {
        await ready;
        // One that is too large is dropped, as elsewhere: the addon would fail, and the stream with it.
        if (chunk.length <= this.maxDatagramSize) established()?.sendDatagram(chunk);
      },
    });
  }

  get maxDatagramSize(): number {
    return this.#established()?.maxDatagramSize() ?? 0;
  }
}

function closeSession(session: NapiSession, { closeCode = 0, reason = "" }: CloseInfo): void {
  session.close(closeCode, reason);
}

/** What the addon says at the end: W3C's close info, or for a bare QUIC close and for every failure a text with code 0. */
function readClosed({ closeCode, reason }: { closeCode: number; reason: string }): CloseInfo {
  const text = /^connection error: ([^]*)$/.exec(reason)?.[1];
  if (text === undefined) return { closeCode, reason };
  const byPeer = /closed by peer: ([^]*?) ?\(code (\d+)\)$/.exec(text);
  if (byPeer !== null) return { closeCode: Number(byPeer[2]), reason: byPeer[1] ?? "" };
  if (/^closed/.test(text)) return { closeCode: 0, reason: "" };
  throw new TransportFault(text);
}

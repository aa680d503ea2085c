/**
 * The back door of the transport: accepts sessions. Apart from the front door, so that no client bundle contains it.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";
import { Queue } from "../queue.ts";
import { type Clock, sleep, systemClock, within } from "../signal.ts";
import { type QuicConnection, QuicSession } from "./quic.ts";
import type { CloseInfo, IncomingSession, WebTransportLike } from "./types.ts";

export type { CloseInfo, IncomingSession, WebTransportLike } from "./types.ts";
export type { Clock } from "../signal.ts";

/** Options of {@linkcode listenQuic}. */
export interface ListenOptions {
  /** Address to bind. Default: `127.0.0.1`. */
  readonly hostname?: string;
  /** UDP port; 0 takes a free one. Default: 0. */
  readonly port?: number;
  /** The certificate with its chain, PEM. */
  readonly certificatePem: string;
  /** Its private key, PKCS#8 PEM. */
  readonly privateKeyPem: string;
  /** How long a handshake may take, in milliseconds. Default: 5,000. */
  readonly handshakeTimeoutMs?: number;
  /** How long a silent peer is believed to live, in milliseconds. Default: 15,000. */
  readonly idleTimeoutMs?: number;
  /** How often an idle session is kept alive, in milliseconds. Default: 5,000. */
  readonly keepAliveMs?: number;
  /** How many streams of each kind a peer may have open at once in a session. Default: 100. */
  readonly maxStreams?: number;
  /** How many accepted sessions wait for `accept()` at the most; more are closed at once. Default: 256. */
  readonly backlog?: number;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** A bound UDP port that accepts sessions. Its owner closes it. */
export interface Listener {
  /** The address that it is bound to. */
  readonly hostname: string;
  /** The UDP port that it is bound to. */
  readonly port: number;
  /** Sessions as they come, each established. Ends when the listener is closed. */
  accept(): AsyncIterable<IncomingSession>;
  /** Ends all sessions, tells their peers, and frees the port. */
  close(info?: CloseInfo): Promise<void>;
}

interface QuicAddress {
  readonly hostname: string;
  readonly port: number;
}

interface QuicIncoming {
  // Its own `remoteAddr` is not asked: reading it makes `accept` fail.
  accept(): Promise<QuicConnection & { readonly remoteAddr: QuicAddress }>;
}

interface QuicListener {
  incoming(): Promise<QuicIncoming>;
}

interface QuicEndpoint {
  readonly addr: QuicAddress;
  listen(options: {
    readonly cert: string;
    readonly key: string;
    readonly alpnProtocols: string[];
    readonly keepAliveInterval: number;
    readonly maxIdleTimeout: number;
    readonly maxConcurrentBidirectionalStreams: number;
    readonly maxConcurrentUnidirectionalStreams: number;
  }): QuicListener;
  close(info: { closeCode: number; reason: string }): void;
}

interface DenoGlobal {
  readonly QuicEndpoint?: new (address: QuicAddress) => QuicEndpoint;
  readonly upgradeWebTransport?: (
    connection: QuicConnection,
  ) => Promise<WebTransportLike & { readonly url: string }>;
}

/**
 * Binds a UDP port and accepts WebTransport sessions on it, with Deno's QUIC.
 *
 * @param options Address, port, certificate and limits.
 * @throws {TeleQuickError} `ERR_TRANSPORT_UNAVAILABLE` where the runtime cannot listen, `ERR_VALUE_INVALID` when the certificate and key are not usable or the port cannot be bound.
 */
// deno-lint-ignore require-await
export async function listenQuic(options: ListenOptions): Promise<Listener> {
  const { hostname = "127.0.0.1", port = 0, clock = systemClock } = options;
  const { QuicEndpoint, upgradeWebTransport } =
    (globalThis as unknown as { Deno?: DenoGlobal }).Deno ?? {};
  if (QuicEndpoint === undefined || upgradeWebTransport === undefined) {
    throw new TeleQuickError(
      "ERR_TRANSPORT_UNAVAILABLE",
      "Cannot listen: this runtime has no QUIC listener, expected Deno with --unstable-net",
    );
  }
  const endpoint = new QuicEndpoint({ hostname, port });
  const listener = endpoint.listen({
    cert: options.certificatePem,
    key: options.privateKeyPem,
    alpnProtocols: ["h3"],
    keepAliveInterval: options.keepAliveMs ?? 5_000,
    maxIdleTimeout: options.idleTimeoutMs ?? 15_000,
    maxConcurrentBidirectionalStreams: options.maxStreams ?? 100,
    maxConcurrentUnidirectionalStreams: options.maxStreams ?? 100,
  });
  const sessions = new Queue<IncomingSession>({
    capacity: options.backlog ?? 256,
    overflow: "drop-newest",
  });
  // The session's own object is kept while its connection lives: the session ends when the runtime collects it.
  const kept = new Map<QuicConnection, WebTransportLike>();

  const establish = async (incoming: QuicIncoming): Promise<void> => {
    const connection = await incoming.accept();
    try {
      const outer = await within(() => upgradeWebTransport(connection), {
        timeoutMs: options.handshakeTimeoutMs ?? 5_000,
        clock,
        onTimeout: () => new Error("handshake timeout"),
      });
      outer.ready.catch(ignore);
      outer.closed.catch(ignore);
      kept.set(connection, outer);
      const session = new QuicSession(connection, { clock });
      session.closed.then(() => kept.delete(connection), () => kept.delete(connection));
      const { pathname, search } = new URL(outer.url);
      if (
        !sessions.push({
          session,
          address: connection.remoteAddr.hostname,
          path: pathname + search,
        })
      ) {
        session.close({ reason: "too many sessions are waiting" });
      }
    } catch {
      connection.close({ closeCode: 0, reason: "handshake failed" });
    }
  };

  const run = async (): Promise<void> => {
    try {
      while (true) establish(await listener.incoming()).catch(ignore);
    } catch {
      sessions.close();
    }
  };
  run();

  return {
    hostname: endpoint.addr.hostname,
    port: endpoint.addr.port,
    accept: () => sessions,
    async close(info: CloseInfo = {}) {
      sessions.close();
      endpoint.close({ closeCode: info.closeCode ?? 0, reason: info.reason ?? "" });
      // The farewell leaves in the next turns of the event loop.
      await sleep(0, { clock });
    },
  };
}

function ignore(): void {}

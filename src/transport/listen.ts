/**
 * The back door of the transport: accepts sessions. Apart from the front door, so that no client bundle contains it.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";
import { Queue } from "../queue.ts";
import { type Clock, sleep, systemClock, within } from "../signal.ts";
import { acceptRequest, type SessionRequest } from "./http3.ts";
import { type QuicConnection, QuicSession } from "./quic.ts";
import type { CloseInfo, IncomingSession } from "./types.ts";

export type { Clock } from "../signal.ts";
export type { SessionRequest } from "./http3.ts";
export type { CloseInfo, IncomingSession, WebTransportLike } from "./types.ts";

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
  /**
   * Looks at a request before there is a session: the HTTP status to answer with; 200 takes it.
   * No client tells its user more of another status than "handshake failed". Default: takes every request.
   */
  readonly admit?: (request: SessionRequest) => number;
  /** How long a peer may take from its first packet to an established session, in milliseconds. Default: 5,000. */
  readonly handshakeTimeoutMs?: number;
  /** How long a silent peer is believed to live, in milliseconds. Default: 15,000. */
  readonly idleTimeoutMs?: number;
  /** How often an idle session is kept alive, in milliseconds. Default: 5,000. */
  readonly keepAliveMs?: number;
  /** How many streams of each kind a peer may have open at once in a session. Default: 100. */
  readonly maxStreams?: number;
  /** How many accepted sessions wait for `accept()` at the most; one more is closed at once. Default: 256. */
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
  /** Ends all sessions, tells their peers, and takes no more. Deno frees the port only when it collects its endpoint. */
  close(info?: CloseInfo): Promise<void>;
}

interface QuicAddress {
  readonly hostname: string;
  readonly port: number;
}

type AcceptedConnection = QuicConnection & { readonly remoteAddr: QuicAddress };

interface QuicListener {
  // The address of what this resolves to is not asked: reading it makes its `accept` fail.
  incoming(): Promise<{ accept(): Promise<AcceptedConnection> }>;
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
}

/**
 * Binds a UDP port and accepts WebTransport sessions on it, over Deno's QUIC.
 *
 * @param options Address, port, certificate and limits.
 * @throws {TeleQuickError} `ERR_TRANSPORT_UNAVAILABLE` where the runtime cannot listen, `ERR_VALUE_INVALID` when the address cannot be bound or the certificate and its key are not usable.
 */
// deno-lint-ignore require-await
export async function listenQuic(options: ListenOptions): Promise<Listener> {
  const { handshakeTimeoutMs = 5_000, backlog = 256, clock = systemClock } = options;
  const { endpoint, listener } = bind(options);
  const sessions = new Queue<IncomingSession>({ capacity: backlog, overflow: "drop-newest" });
  const live = new Set<QuicSession>();

  const establish = async (connection: AcceptedConnection): Promise<void> => {
    const pending = await acceptRequest(connection, { clock });
    const status = pending === undefined ? 404 : options.admit?.(pending.request) ?? 200;
    if (pending === undefined || status !== 200) {
      await pending?.reject(status);
      await sleep(FAREWELL_MS, { clock });
      return connection.close(NOTHING_SAID);
    }
    const session = new QuicSession(connection, { control: await pending.accept(), clock });
    live.add(session);
    const forget = (): void => void live.delete(session);
    session.closed.then(forget, forget);
    const { path, origin } = pending.request;
    const address = connection.remoteAddr.hostname;
    const incoming = { session, address, path, ...(origin === undefined ? {} : { origin }) };
    if (!sessions.push(incoming)) session.close({ reason: "too many sessions are waiting" });
  };

  const welcome = async (incoming: { accept(): Promise<AcceptedConnection> }): Promise<void> => {
    const connection = await incoming.accept();
    connection.closed.catch(ignore);
    try {
      await within(() => establish(connection), {
        timeoutMs: handshakeTimeoutMs,
        clock,
        onTimeout: () => new Error("handshake timeout"),
      });
    } catch {
      connection.close(NOTHING_SAID);
    }
  };

  const run = async (): Promise<void> => {
    try {
      while (true) welcome(await listener.incoming()).catch(ignore);
    } catch {
      // The endpoint is closed.
      sessions.close();
    }
  };
  run();

  const { hostname, port } = endpoint.addr;
  return {
    hostname,
    port,
    accept: () => sessions,
    async close(info: CloseInfo = {}) {
      sessions.close();
      const { closeCode = 0, reason = "" } = info;
      if (live.size > 0) {
        for (const session of live) session.close(info);
        await sleep(2 * FAREWELL_MS, { clock });
      }
      endpoint.close({ closeCode, reason });
      // The last packets leave in the next turns of the event loop.
      await sleep(0, { clock });
    },
  };
}

const FAREWELL_MS = 20;
const NOTHING_SAID = { closeCode: 0, reason: "" } as const;

function bind(
  options: ListenOptions,
): { readonly endpoint: QuicEndpoint; readonly listener: QuicListener } {
  const { hostname = "127.0.0.1", port = 0, maxStreams = 100 } = options;
  const { QuicEndpoint } = (globalThis as { Deno?: DenoGlobal }).Deno ?? {};
  if (QuicEndpoint === undefined) {
    throw new TeleQuickError(
      "ERR_TRANSPORT_UNAVAILABLE",
      "Cannot listen: this runtime has no QUIC listener, expected Deno with --unstable-net",
    );
  }
  let endpoint: QuicEndpoint;
  try {
    endpoint = new QuicEndpoint({ hostname, port });
  } catch (cause) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot listen: ${hostname}, UDP port ${port}, cannot be bound, expected a free port of this machine (0 takes one)`,
      { cause },
    );
  }
  try {
    const listener = endpoint.listen({
      cert: options.certificatePem,
      key: options.privateKeyPem,
      alpnProtocols: ["h3"],
      keepAliveInterval: options.keepAliveMs ?? 5_000,
      maxIdleTimeout: options.idleTimeoutMs ?? 15_000,
      maxConcurrentBidirectionalStreams: maxStreams,
      maxConcurrentUnidirectionalStreams: maxStreams,
    });
    return { endpoint, listener };
  } catch {
    endpoint.close(NOTHING_SAID);
    // The runtime's own error may quote the key: it goes no further.
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      "Cannot listen: the certificate and its private key are not usable, expected a PEM certificate and the PKCS#8 PEM of its key",
    );
  }
}

function ignore(): void {}

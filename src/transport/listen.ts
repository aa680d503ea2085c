/**
 * The back door of the transport: accepts sessions. Apart from the front door, so that no client bundle contains it.
 *
 * @module
 */

import { ignore } from "../base/ignore.ts";
import { Queue } from "../base/queue.ts";
import { sleep, systemClock, within } from "../base/signal.ts";
import { nothingWrong } from "./http3/codes.ts";
import { LONGEST_LINGER_MS } from "./http3/connect_stream.ts";
import { acceptRequest } from "./http3/server.ts";
import {
  cannotBind,
  certificateUnusable,
  type Listener,
  type ListenerCertificate,
  type ListenOptions,
} from "./listener.ts";
import { unavailable } from "./advice.ts";
import { freePort } from "./napi/free_port.ts";
import { loadAddon } from "./napi/napi.ts";
import { listenAddon } from "./napi/napi_listen.ts";
import type { NapiAddon } from "./napi/napi_session.ts";
import type { QuicConnection } from "./http3/connection.ts";
import type { QuicSession } from "./http3/quic.ts";
import type { CloseInfo, IncomingSession } from "./types.ts";

export type { Clock } from "../base/signal.ts";
export type { SessionRequest } from "./http3/server.ts";
export { isBindFault } from "./listener.ts";
export type { Listener, ListenerCertificate, ListenOptions } from "./listener.ts";
export type { CloseInfo, IncomingSession, WebTransportLike } from "./types.ts";

// How long a connection stays open after its last message, for it to leave: time of the network, not of the injected clock.
const LINGER_MS = 20;
const PORT_ATTEMPTS = 5;

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

type EndpointConstructor = new (address: QuicAddress) => QuicEndpoint;

interface DenoGlobal {
  readonly QuicEndpoint?: EndpointConstructor;
}

/**
 * Binds a UDP port and accepts WebTransport sessions on it: over Deno's QUIC, or over the addon of `@moq/web-transport` on Bun and Node.
 *
 * @param options Address, port, certificate and limits.
 * @throws {TeleQuickError} `ERR_TRANSPORT_UNAVAILABLE` where the runtime cannot listen, `ERR_VALUE_INVALID` when the address cannot be bound or the certificate and its key are not usable.
 */
export async function listenQuic(options: ListenOptions): Promise<Listener> {
  const { QuicEndpoint } = (globalThis as { Deno?: DenoGlobal }).Deno ?? {};
  if (QuicEndpoint !== undefined) return listenDeno(QuicEndpoint, options);
  const addon = loadAddon("listen");
  if (addon.value === undefined) throw addon.fault ?? unavailable("listen");
  return await listenAddonSomewhere(addon.value, options);
}

/** The addon does not say which port it took, so a free one is looked for where none is given. */
async function listenAddonSomewhere(addon: NapiAddon, options: ListenOptions): Promise<Listener> {
  const { hostname = "127.0.0.1", port = 0 } = options;
  if (port !== 0) return listenAddon(addon, options);
  for (let attempt = 1;; attempt++) {
    const free = await freePort(hostname).catch((cause: unknown) => {
      throw cannotBind(hostname, port, cause);
    });
    try {
      return listenAddon(addon, { ...options, port: free ?? 0 });
    } catch (error) {
      // Another program was faster.
      if (free === undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function listenDeno(QuicEndpoint: EndpointConstructor, options: ListenOptions): Listener {
  const { handshakeTimeoutMs = 5_000, backlog = 256, clock = systemClock } = options;
  const endpoint = bind(QuicEndpoint, options);
  // The newest one's certificate is shown. All are kept: when Deno collects one, its endpoint stops listening.
  const listeners: QuicListener[] = [];
  try {
    listeners.push(listenOn(endpoint, options, options));
  } catch (error) {
    endpoint.close(nothingWrong);
    throw error;
  }
  const sessions = new Queue<IncomingSession>({ capacity: backlog, overflow: "drop-newest" });
  const live = new Set<QuicSession>();

  const establish = async (connection: AcceptedConnection): Promise<void> => {
    connection.closed.catch(ignore);
    const pending = await acceptRequest(connection, { clock });
    const status = pending === undefined ? 404 : options.admit?.(pending.request) ?? 200;
    if (pending === undefined || status !== 200) {
      await pending?.reject(status);
      await sleep(LINGER_MS);
      return connection.close(nothingWrong);
    }
    const session = await pending.accept();
    live.add(session);
    session.gone.then(() => live.delete(session));
    const { path, origin } = pending.request;
    const address = connection.remoteAddr.hostname;
    const incoming = { session, address, path, ...(origin === undefined ? {} : { origin }) };
    if (!sessions.push(incoming)) session.close({ reason: "the listener takes no more sessions" });
  };

  const welcome = async (incoming: { accept(): Promise<AcceptedConnection> }): Promise<void> => {
    const accepted = incoming.accept();
    try {
      await within(async () => await establish(await accepted), {
        timeoutMs: handshakeTimeoutMs,
        clock,
        onTimeout: () => new Error("handshake timeout"),
      });
    } catch {
      accepted.then((connection) => connection.close(nothingWrong), ignore);
    }
  };

  const run = async (): Promise<void> => {
    try {
      // Connections of every certificate come out of the first.
      while (true) welcome(await listeners[0]!.incoming());
    } catch (error) {
      // The endpoint is gone. Where it was closed, the queue has ended already.
      sessions.fail(error);
    }
  };
  run();

  const { hostname, port } = endpoint.addr;
  return {
    hostname,
    port,
    accept: () => sessions,
    replaceCertificate(certificate) {
      return Promise.resolve().then(() => {
        listeners.push(listenOn(endpoint, options, certificate));
      });
    },
    async close(info: CloseInfo = {}) {
      sessions.close();
      const { closeCode = 0, reason = "" } = info;
      if (live.size > 0) {
        for (const session of live) session.close(info);
        const gone = Promise.all([...live].map((session) => session.gone));
        await Promise.race([gone, sleep(LONGEST_LINGER_MS)]);
        await sleep(LINGER_MS);
      }
      endpoint.close({ closeCode, reason });
      // The last packets leave in the next turns of the event loop.
      await sleep(0);
    },
  };
}

function bind(QuicEndpoint: EndpointConstructor, options: ListenOptions): QuicEndpoint {
  const { hostname = "127.0.0.1", port = 0 } = options;
  try {
    return new QuicEndpoint({ hostname, port });
  } catch (cause) {
    throw cannotBind(hostname, port, cause);
  }
}

function listenOn(
  endpoint: QuicEndpoint,
  options: ListenOptions,
  { certificatePem, privateKeyPem }: ListenerCertificate,
): QuicListener {
  const { maxStreams = 100 } = options;
  try {
    return endpoint.listen({
      cert: certificatePem,
      key: privateKeyPem,
      alpnProtocols: ["h3"],
      keepAliveInterval: options.keepAliveMs ?? 5_000,
      maxIdleTimeout: options.idleTimeoutMs ?? 15_000,
      maxConcurrentBidirectionalStreams: maxStreams,
      maxConcurrentUnidirectionalStreams: maxStreams,
    });
  } catch {
    // The runtime's own error may quote the key: it goes no further.
    throw certificateUnusable();
  }
}

import { ignore } from "../base/ignore.ts";
import { type Clock, systemClock, within } from "../base/signal.ts";
import { resolveWebTransport } from "./dial.ts";
import { checkEndpoint, parseEndpoint } from "./endpoint.ts";
import { connectTimeout, fromTransport } from "./fault.ts";
import { abandon, Session } from "./session.ts";
import type { CertificateHash, WebTransportConstructor, WebTransportLike } from "./types.ts";

/** Options of {@linkcode openSession}. */
export interface OpenSessionOptions {
  /** The constructor to use. Default: the runtime's own, else an installed package's (see {@linkcode resolveWebTransport}). */
  readonly webTransport?: WebTransportConstructor | undefined;
  /** Certificates to accept by their hash in place of a known authority's signature. Default: none. */
  readonly certificateHashes?: readonly CertificateHash[];
  /** How long connecting may take, in milliseconds. Default: 10,000. */
  readonly connectTimeoutMs?: number;
  /** Ends the wait: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

const CONNECT_TIMEOUT_MS = 10_000;
// Attempts in a row that failed, by endpoint: browsers give no reason, and their number is a hint. Only the latest endpoints are counted.
const failures = new Map<string, number>();
const MOST_ENDPOINTS = 64;

/**
 * Opens a session: resolves once it is established, with nothing said on it yet.
 *
 * @param endpoint Where to; text is read by {@linkcode parseEndpoint}.
 * @param options The constructor, certificate hashes, the time limit and a signal.
 * @throws {TeleQuickError} `ERR_ENDPOINT_INVALID` before any packet leaves, `ERR_TRANSPORT_UNAVAILABLE` when the runtime has no WebTransport, `ERR_CONNECT_FAILED` for everything that the network or the peer does.
 */
export async function openSession(
  endpoint: URL | string,
  options: OpenSessionOptions = {},
): Promise<Session> {
  const { certificateHashes = [], connectTimeoutMs = CONNECT_TIMEOUT_MS, clock = systemClock } =
    options;
  const url = typeof endpoint === "string" ? parseEndpoint(endpoint) : checkEndpoint(endpoint);
  options.signal?.throwIfAborted();
  const pinned = certificateHashes.length > 0;
  let transport: WebTransportLike | undefined;
  let Constructor: WebTransportConstructor | undefined;
  try {
    return await within(async (signal) => {
      Constructor = await resolveWebTransport(options.webTransport);
      // Given up while a package was loading: nothing is opened any more.
      signal.throwIfAborted();
      // An empty list is refused by some implementations, so it is left out; and some constructors throw.
      transport = new Constructor(
        url.href,
        pinned ? { serverCertificateHashes: [...certificateHashes] } : {},
      );
      transport.closed.catch(ignore);
      // On some implementations this fails with the session.
      transport.draining?.catch(ignore);
      await transport.ready;
      failures.delete(url.origin);
      return new Session(transport, { clock });
    }, {
      signal: options.signal,
      timeoutMs: connectTimeoutMs,
      clock,
      onTimeout: () => connectTimeout(url, connectTimeoutMs),
    });
  } catch (error) {
    if (transport !== undefined) abandon(transport);
    if (Constructor === undefined) throw error;
    if (options.signal?.aborted && error === options.signal.reason) throw error;
    const count = countFailure(url.origin);
    throw fromTransport(error, { action: "connect", endpoint: url, pinned, failures: count });
  }
}

function countFailure(origin: string): number {
  const count = (failures.get(origin) ?? 0) + 1;
  failures.delete(origin);
  failures.set(origin, count);
  const [oldest] = failures.keys();
  if (failures.size > MOST_ENDPOINTS && oldest !== undefined) failures.delete(oldest);
  return count;
}

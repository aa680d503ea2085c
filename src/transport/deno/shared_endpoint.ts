import type { QuicConnection } from "../http3/connection.ts";
import type { CertificateHash, WebTransportOptionsLike } from "../types.ts";

interface QuicEndpoint {
  readonly addr: unknown;
}

/** `Deno.connectQuic`, structurally: it is unstable there. */
export type ConnectQuic = (options: {
  readonly hostname: string;
  readonly port: number;
  readonly alpnProtocols: string[];
  readonly keepAliveInterval: number;
  readonly maxIdleTimeout: number;
  readonly serverCertificateHashes?: CertificateHash[];
  readonly endpoint?: QuicEndpoint;
}) => Promise<QuicConnection & { readonly endpoint: QuicEndpoint }>;

// What Deno's own WebTransport uses.
const KEEP_ALIVE_MS = 4_000;
const IDLE_MS = 10_000;

// Deno frees an endpoint's socket, and 400 KB of memory with it, only when it collects the endpoint. One that all sessions share is enough.
// It is the first session's own, because a fresh one would need the permission to listen.
let shared: QuicEndpoint | undefined;

/**
 * Dials over the endpoint that all sessions share. After a connection that failed or was lost the next session takes a fresh one: a
 * network that drops what comes from one port may let another pass.
 */
export async function dialShared(
  connectQuic: ConnectQuic,
  { hostname, port }: URL,
  { serverCertificateHashes }: WebTransportOptionsLike,
): Promise<QuicConnection> {
  const endpoint = shared;
  const forget = (used: QuicEndpoint | undefined): void => {
    if (shared === used) shared = undefined;
  };
  try {
    const connection = await connectQuic({
      // The brackets are the URL's, not the address's.
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 443),
      alpnProtocols: ["h3"],
      keepAliveInterval: KEEP_ALIVE_MS,
      maxIdleTimeout: IDLE_MS,
      ...(serverCertificateHashes === undefined ? {} : { serverCertificateHashes }),
      ...(endpoint === undefined ? {} : { endpoint }),
    });
    shared ??= connection.endpoint;
    const used = endpoint ?? connection.endpoint;
    connection.closed.catch(() => forget(used));
    return connection;
  } catch (error) {
    forget(endpoint);
    throw error;
  }
}

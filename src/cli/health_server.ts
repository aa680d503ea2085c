/**
 * Says over HTTP whether a gateway admits sessions, and nothing else.
 *
 * @module
 */

import { createServer } from "node:http";

/** Options of {@linkcode openHealthServer}. */
export interface HealthServerOptions {
  readonly hostname: string;
  readonly port: number;
  /** Whether sessions are admitted. */
  readonly isReady: () => boolean;
}

/** A server that answers. */
export interface HealthServer {
  /** Its port. */
  readonly port: number;
  /** Ends it. */
  close(): Promise<void>;
}

// A load balancer asks once a second; a peer that sends nothing is cut.
const REQUEST_MS = 5_000;
const CONNECTIONS = 64;

/** Answers every GET and HEAD with 200 while sessions are admitted, and 503 otherwise. */
export async function openHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { hostname, port, isReady } = options;
  const server = createServer((request, response) => {
    const isAsked = request.method === "GET" || request.method === "HEAD";
    const ready = isReady();
    response.writeHead(!isAsked ? 405 : ready ? 200 : 503, {
      "content-type": "text/plain",
      "cache-control": "no-store",
      "connection": "close",
    });
    response.end(!isAsked || request.method === "HEAD" ? "" : ready ? "ready\n" : "not ready\n");
  });
  server.requestTimeout = REQUEST_MS;
  server.headersTimeout = REQUEST_MS;
  server.maxConnections = CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  const address = server.address() as { readonly port: number };
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

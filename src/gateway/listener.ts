/**
 * The gateway on a UDP port: a certificate of its own, and every accepted session handed on.
 *
 * @module
 */

import { encodeBase64 } from "../base/base64.ts";
import type { Clock } from "../base/signal.ts";
import { listenQuic } from "../transport/listen.ts";
import { certificateHash, createCertificate, type IncomingSession } from "../transport/mod.ts";

/** Options of a gateway's `listen`. */
export interface GatewayListenOptions {
  /** Address to bind. Default: `127.0.0.1`, so that no other host reaches it. */
  readonly hostname?: string;
  /** UDP port; 0 takes a free one. Default: 0. */
  readonly port?: number;
  /**
   * The certificate to show, PEM, with its private key (PKCS#8 PEM): clients that pin a hash then survive a restart. Browsers take
   * ECDSA P-256 for at most 14 days, as `createCertificate` makes it. Default: a fresh one for this listener.
   */
  readonly certificate?: { readonly certificatePem: string; readonly privateKeyPem: string };
}

/** A gateway's bound port. */
export interface GatewayListener {
  /** What a client dials: `https://host:port`. */
  readonly endpoint: string;
  /** What a client pins: base64 of the SHA-256 of the certificate. One made for this listener lasts 13 days. */
  readonly certificateHash: string;
  /** Ends its sessions and frees the port. */
  close(): Promise<void>;
}

/** Options of {@linkcode startListener}. */
export interface StartListenerOptions extends GatewayListenOptions {
  readonly clock: Clock;
  /** How many streams of each kind a session may have open at a time. */
  readonly maxStreams: number;
  /** Takes a session. */
  readonly serve: (incoming: IncomingSession) => void;
  /** Called once when it is closed. */
  readonly onClosed: () => void;
}

/** Binds a port and accepts sessions until it is closed. */
export async function startListener(options: StartListenerOptions): Promise<GatewayListener> {
  const { hostname = "127.0.0.1", port = 0, maxStreams, serve, onClosed } = options;
  const local = ["localhost", "127.0.0.1", "::1"];
  const { certificatePem, privateKeyPem } = options.certificate ?? await createCertificate({
    hostnames: local.includes(hostname) ? local : [...local, hostname],
    now: options.clock.now(),
  });
  const hash = await certificateHash(certificatePem);
  const listener = await listenQuic({ hostname, port, certificatePem, privateKeyPem, maxStreams });
  const accepting = acceptAll(listener.accept(), serve);
  const host = listener.hostname.includes(":") ? `[${listener.hostname}]` : listener.hostname;
  let closing: Promise<void> | undefined;
  return {
    endpoint: `https://${host}:${listener.port}`,
    certificateHash: encodeBase64(hash.value),
    close: () =>
      closing ??= listener.close().then(() => accepting).then(() => {
        onClosed();
      }),
  };
}

async function acceptAll(
  sessions: AsyncIterable<IncomingSession>,
  serve: (incoming: IncomingSession) => void,
): Promise<void> {
  try {
    for await (const incoming of sessions) serve(incoming);
  } catch {
    // The port is gone.
  }
}

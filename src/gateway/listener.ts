/**
 * The gateway on a UDP port: a certificate of its own, and every accepted session handed on.
 *
 * @module
 */

import { encodeBase64 } from "../base/base64.ts";
import type { Clock } from "../base/signal.ts";
import { type ListenerCertificate, listenQuic } from "../transport/listen.ts";
import { certificateHash, createCertificate, type IncomingSession } from "../transport/mod.ts";

/** Options of a gateway's `listen`. */
export interface GatewayListenOptions {
  /** Address to bind. Default: `127.0.0.1`, so that no other host reaches it. */
  readonly hostname?: string;
  /** UDP port; 0 takes a free one. Default: 0. */
  readonly port?: number;
  /**
   * The certificate to show, PEM, with its private key (PKCS#8 PEM): clients that pin a hash then survive a restart. Browsers take
   * ECDSA P-256 for at most 14 days, as `createCertificate` makes it. A gateway that runs for longer changes it with `replaceCertificate`.
   * Default: a fresh one for this listener.
   */
  readonly certificate?: ListenerCertificate;
}

/** A gateway's bound port. */
export interface GatewayListener {
  /** What a client dials: `https://host:port`. */
  readonly endpoint: string;
  /** What a client pins: base64 of the SHA-256 of the certificate that is shown now. One made for this listener lasts 13 days. */
  readonly certificateHash: string;
  /**
   * Shows another certificate from now on, at the same port. Clients that pinned both hashes beforehand live through it: on Deno their
   * sessions go on, on Bun and Node they end and are opened again; calls go on everywhere. Rejects with `ERR_VALUE_INVALID` when the
   * certificate is not usable; the old one then stays.
   */
  replaceCertificate(certificate: ListenerCertificate): Promise<void>;
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
  /** Called once when the port is lost: no further session comes. */
  readonly onLost: (endpoint: string, error: unknown) => void;
  /** Called once when it is closed. */
  readonly onClosed: () => void;
}

/** Binds a port and accepts sessions until it is closed. */
export async function startListener(options: StartListenerOptions): Promise<GatewayListener> {
  const { hostname = "127.0.0.1", port = 0, maxStreams, serve, onLost, onClosed } = options;
  const local = ["localhost", "127.0.0.1", "::1"];
  const { certificatePem, privateKeyPem } = options.certificate ?? await createCertificate({
    hostnames: local.includes(hostname) ? local : [...local, hostname],
    now: options.clock.now(),
  });
  let shown = await hashOf(certificatePem);
  const listener = await listenQuic({ hostname, port, certificatePem, privateKeyPem, maxStreams });
  const host = listener.hostname.includes(":") ? `[${listener.hostname}]` : listener.hostname;
  const endpoint = `https://${host}:${listener.port}`;
  const accepting = acceptAll(listener.accept(), serve)
    .catch((error) => onLost(endpoint, error));
  let closing: Promise<void> | undefined;
  return {
    endpoint,
    get certificateHash() {
      return shown;
    },
    async replaceCertificate(certificate) {
      const next = await hashOf(certificate.certificatePem);
      await listener.replaceCertificate(certificate);
      shown = next;
    },
    close: () =>
      closing ??= listener.close().then(() => accepting).then(() => {
        onClosed();
      }),
  };
}

async function hashOf(certificatePem: string): Promise<string> {
  return encodeBase64((await certificateHash(certificatePem)).value);
}

async function acceptAll(
  sessions: AsyncIterable<IncomingSession>,
  serve: (incoming: IncomingSession) => void,
): Promise<void> {
  for await (const incoming of sessions) serve(incoming);
}

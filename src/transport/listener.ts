import { TeleQuickError } from "../base/errors.ts";
import type { Clock } from "../base/signal.ts";
import type { SessionRequest } from "./http3/server.ts";
import type { CloseInfo, IncomingSession } from "./types.ts";

/** A certificate and its private key. The key is a secret. */
export interface ListenerCertificate {
  /** The certificate with its chain, PEM. */
  readonly certificatePem: string;
  /** Its private key, PKCS#8 PEM. */
  readonly privateKeyPem: string;
}

/** Options of `listenQuic`. */
export interface ListenOptions extends ListenerCertificate {
  /** Address to bind. Default: `127.0.0.1`. */
  readonly hostname?: string;
  /** UDP port; 0 takes a free one, on Deno. Default: 0. */
  readonly port?: number;
  /**
   * Looks at a request before there is a session: the HTTP status to answer with; 200 takes it.
   * No client reports more to its user of another status than "handshake failed". Default: takes every request.
   */
  readonly admit?: (request: SessionRequest) => number;
  /** How long a peer may take from its first packet to an established session, in milliseconds. Default: 5,000. */
  readonly handshakeTimeoutMs?: number;
  /** How long a silent peer is believed to live, in milliseconds. Default: 15,000; the addon of Bun and Node has its own 30,000. */
  readonly idleTimeoutMs?: number;
  /** How often an idle session is kept alive, in milliseconds. Default: 5,000; the addon of Bun and Node never does. */
  readonly keepAliveMs?: number;
  /** How many streams of each kind a peer may have open at once in a session. Default: 100, which is also the addon's. */
  readonly maxStreams?: number;
  /** How many accepted sessions wait for `accept()` at the most; one more is closed at once. Default: 256. */
  readonly backlog?: number;
  /** Where the time of its limits comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** A bound UDP port that accepts sessions. Its owner closes it. */
export interface Listener {
  /** The address that it is bound to. */
  readonly hostname: string;
  /** The UDP port that it is bound to. */
  readonly port: number;
  /**
   * Sessions as they come, each established. Ends when the listener is closed; leaving the loop accepts no more of them. Fails when the port
   * is lost, for instance during a change of the certificate.
   */
  accept(): AsyncIterable<IncomingSession>;
  /**
   * Shows another certificate from now on, at the same port. On Deno the sessions that there are go on; the addon of Bun and Node has to
   * bind its port again, so that they end and their peers come back. Rejects with `ERR_VALUE_INVALID` when the certificate is not usable:
   * then nothing changes. It also rejects, now and later, when the addon cannot bind the port again: then the listener has ended.
   */
  replaceCertificate(certificate: ListenerCertificate): Promise<void>;
  /** Ends all sessions, informs their peers, and takes no more. Deno frees the port only when it collects its endpoint. */
  close(info?: CloseInfo): Promise<void>;
}

/** The error of an address that is not to be had. */
export function cannotBind(hostname: string, port: number, cause: unknown): TeleQuickError {
  return new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot listen: ${hostname}, UDP port ${port}, cannot be bound, expected a free port of this machine (0 takes one)`,
    { cause },
  );
}

/** Whether an error is that of {@linkcode cannotBind}: most often the port is taken. */
export function isBindFault(error: unknown): boolean {
  return error instanceof TeleQuickError && / cannot be bound, /.test(error.message);
}

/** The error of a certificate that is not taken. Without a cause: a foreign error may quote the key. */
export function certificateUnusable(): TeleQuickError {
  return new TeleQuickError(
    "ERR_VALUE_INVALID",
    "Cannot listen: the certificate and its private key are not usable, expected a PEM certificate and the PKCS#8 PEM of its key",
  );
}

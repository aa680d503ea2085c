/**
 * Options of the client, checked once.
 *
 * @module
 */

import { randomUuid } from "../base/uuid.ts";
import { type Clock, systemClock } from "../base/signal.ts";
import type { CertificateHash, WebTransportConstructor } from "../transport/mod.ts";
import type { Handshake } from "./session/open_connection.ts";
import type { LogRecord } from "./log.ts";
import { duration, durationOrZero, flag, found, oneOf, text } from "./option_checks.ts";

/** Options of {@linkcode TeleQuickClient}. */
export interface ClientOptions {
  /** The WebTransport constructor to use. Default: the runtime's own, else an installed package's. */
  readonly webTransport?: WebTransportConstructor | undefined;
  /**
   * A certificate to accept by its hash: base64 of the SHA-256 of its DER, as the local gateway prints it; or the certificate
   * itself in PEM. Several are separated by commas, as for a gateway that has announced its next certificate. Empty or `"none"`: none.
   * Default: certificates are checked against the CAs the runtime trusts.
   */
  readonly serverCertificateHash?: string | undefined;
  /** Several such certificates, for one that is being replaced. */
  readonly serverCertificateHashes?: readonly (string | CertificateHash)[] | undefined;
  /** This instance's id at the gateway: events and audio of a call go to the instance that dialled it. Default: a UUID v4. */
  readonly clientId?: string | undefined;
  /** How long a connect may take, from asking for a token to the subscription, in milliseconds. Default: 10000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long an RPC may take, a connect or reconnect included, in milliseconds. Default: 10000. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long `close()` waits for what is under way, in milliseconds. Default: 5000. */
  readonly drainTimeoutMs?: number | undefined;
  /** Whether sessions are renewed before their token ends, and replaced when they are lost. Default: `true`. */
  readonly reconnect?: boolean | undefined;
  /**
   * How long the client tries to come back after it has lost its session, in milliseconds; 0: it ends with the first attempt that
   * fails; `Infinity`: it never gives up. What kind of failure it is does not matter, and time in which this program does not run
   * does not count. A first `connect()` fails at once, and so does a plain token that is over. Default: 300000, 5 minutes.
   */
  readonly giveUpAfterMs?: number | undefined;
  /**
   * After how long without anything received an idle session is probed by a small request, in milliseconds, at least 1000. A session
   * with a call is probed after 15 s, and every session when a request ran into its limit with nothing received since: unanswered for
   * 5 s, another session is opened beside it; 15 s after the probe it is given up. Default: `Infinity`, idle sessions are not probed.
   */
  readonly probeIdleMs?: number | undefined;
  /** Whether the credentials file is looked at every 30 s, and the session renewed when it has changed. Default: `false`. */
  readonly watchCredentials?: boolean | undefined;
  /**
   * Whether tokens are minted by the gateway's time where this machine's clock is wrong by at most 10 minutes, as the gateway's answer to
   * the last token showed. It changes what a service account mints, nothing else. Default: `false`.
   */
  readonly correctClock?: boolean | undefined;
  /**
   * Whether a service account is used although this is a browser page, where everyone who opens it could read the key: for tests in
   * jsdom, happy-dom and the like. Default: `false`.
   */
  readonly allowInBrowser?: boolean | undefined;
  /** How the token is presented. Default: `"stream"`. */
  readonly handshake?: Handshake | undefined;
  /** Whether a request's length counts itself (every known gateway) or not (its documentation). Default: `"inclusive"`. */
  readonly requestLength?: "inclusive" | "exclusive" | undefined;
  /** Whether each call's outgoing audio has a stream of its own, or all share one. Default: `"call"`. */
  readonly audioStreams?: "call" | "shared" | undefined;
  /** Receives structured records of what happens. The library itself never prints. */
  readonly log?: ((record: LogRecord) => void) | undefined;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/** {@linkcode ClientOptions} with every default in its place. */
export interface ResolvedOptions {
  readonly webTransport: WebTransportConstructor | undefined;
  readonly certificates: readonly (string | CertificateHash)[];
  readonly clientId: () => string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly reconnect: boolean;
  readonly giveUpAfterMs: number;
  readonly probeIdleMs: number;
  readonly watchCredentials: boolean;
  readonly correctClock: boolean;
  readonly allowInBrowser: boolean;
  readonly handshake: Handshake;
  readonly requestLength: "inclusive" | "exclusive";
  readonly audioStreams: "call" | "shared";
  readonly log: ((record: LogRecord) => void) | undefined;
  readonly clock: Clock;
}

/** Checks options and fills in defaults. A plain string is the certificate hash, as the existing SDK had it. */
export function resolveOptions(options: ClientOptions | string = {}): ResolvedOptions {
  if (typeof options === "string") return resolveOptions({ serverCertificateHash: options });
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Cannot create client: options must be an object or a certificate hash");
  }
  const { serverCertificateHash: one, serverCertificateHashes: several = [] } = options;
  if (!Array.isArray(several)) {
    throw new TypeError(
      `Option serverCertificateHashes is ${found(several)}, expected an array`,
    );
  }
  if (options.log !== undefined && typeof options.log !== "function") {
    throw new TypeError(`Option log is ${found(options.log)}, expected a function`);
  }
  let clientId = text("clientId", options.clientId);
  const certificates = [...(one === undefined ? [] : [one]), ...several]
    .filter((hash) => hash !== "" && hash !== "none");
  return {
    webTransport: options.webTransport,
    certificates,
    // Made when it is first read: where a Worker's module is loaded, randomness is not allowed.
    clientId: () => clientId ??= randomUuid(),
    connectTimeoutMs: duration("connectTimeoutMs", options.connectTimeoutMs, 10_000),
    requestTimeoutMs: duration("requestTimeoutMs", options.requestTimeoutMs, 10_000),
    drainTimeoutMs: duration("drainTimeoutMs", options.drainTimeoutMs, 5_000),
    reconnect: flag("reconnect", options.reconnect, true),
    giveUpAfterMs: durationOrZero("giveUpAfterMs", options.giveUpAfterMs, 300_000),
    probeIdleMs: Math.max(1_000, duration("probeIdleMs", options.probeIdleMs, Infinity)),
    watchCredentials: flag("watchCredentials", options.watchCredentials, false),
    correctClock: flag("correctClock", options.correctClock, false),
    allowInBrowser: flag("allowInBrowser", options.allowInBrowser, false),
    handshake: handshakeOf(options.handshake ?? "stream"),
    requestLength: oneOf("requestLength", options.requestLength, ["inclusive", "exclusive"]),
    audioStreams: oneOf("audioStreams", options.audioStreams, ["call", "shared"]),
    log: options.log,
    clock: options.clock ?? systemClock,
  };
}

function handshakeOf(handshake: Handshake): Handshake {
  if (typeof handshake === "function") return handshake;
  return oneOf<"stream" | "query">("handshake", handshake, ["stream", "query"]);
}

/**
 * The only place of the client that knows how a connection comes about: token, session, presentation, subscription
 * (its mirror is the gateway's admission).
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import { type Clock, raceSignal, within } from "../../base/signal.ts";
import {
  type CertificateHash,
  openSession,
  type Session,
  type WebTransportConstructor,
} from "../../transport/mod.ts";
import { ErrorCode, methods } from "../../wire/mod.ts";
import { Connection, type Principal } from "./connection.ts";
import { isExpiry } from "./end_errors.ts";
import type { OpenRequest } from "./session_effects.ts";
import type { PresentedToken, TokenSupply } from "./token_supply.ts";
import { callRpc } from "../rpc/rpc.ts";

/** How the SDK names itself in `Authenticate`. */
export const SDK_NAME: string = `telequick-sdk/${VERSION}`;

/**
 * How the token reaches the gateway. `"stream"`: as the first message of the session. `"query"`: as `token=` in the URL
 * of the CONNECT request, for gateways that want it before the session exists; URLs end up in logs. A function does the
 * step itself on the fresh session, and rejects to refuse it.
 */
export type Handshake =
  | "stream"
  | "query"
  | ((session: Session, token: string) => Promise<void>);

/** Everything that a connection is made from. */
export interface ConnectOptions {
  readonly endpoint: URL;
  readonly tokens: TokenSupply;
  readonly clock: Clock;
  readonly clientId: string;
  readonly connectTimeoutMs: number;
  readonly handshake: Handshake;
  readonly requestLength: "inclusive" | "exclusive";
  readonly webTransport: WebTransportConstructor | undefined;
  readonly certificateHashes: () => Promise<readonly CertificateHash[]>;
  /** Called with the connection before the gateway may push anything on it. */
  readonly onReady: (connection: Connection) => void;
  /** Called when the gateway may have subscribed a connection that is given up: what it pushed there is lost. */
  readonly onFailed: (connection: Connection) => void;
}

/** How far a connect has come. */
interface Progress {
  /** What has not happened yet, in words. */
  step: string;
  session?: Session;
}

/** Opens a session, presents a fresh token, subscribes to events. Closes the session when any step fails. */
export async function openConnection(
  request: OpenRequest,
  options: ConnectOptions,
): Promise<Connection> {
  const { clock, connectTimeoutMs, endpoint } = options;
  const at: Progress = { step: "no token was given" };
  try {
    return await within((signal) => connect({ ...request, signal }, options, at), {
      signal: request.signal,
      timeoutMs: connectTimeoutMs,
      clock,
      onTimeout: () =>
        new TeleQuickError(
          "ERR_CONNECT_FAILED",
          `Cannot connect to ${endpoint.origin}: ${at.step} within ${connectTimeoutMs} ms`,
          { retryable: true },
        ),
    });
  } catch (error) {
    // Given up when the last step was done already: nobody else has the session.
    at.session?.close();
    throw error;
  }
}

async function connect(
  request: OpenRequest,
  options: ConnectOptions,
  at: Progress,
): Promise<Connection> {
  const { signal } = request;
  const presented = await options.tokens.get(request);
  request.onToken();
  at.step = "nothing answered (is a gateway listening there, and may UDP pass?)";
  const url = new URL(options.endpoint);
  if (options.handshake === "query") url.searchParams.set("token", presented.token);
  const session = await openSession(url, {
    signal,
    clock: options.clock,
    connectTimeoutMs: options.connectTimeoutMs,
    certificateHashes: await options.certificateHashes(),
    ...(options.webTransport !== undefined && { webTransport: options.webTransport }),
  });
  at.session = session;
  let connection: Connection | undefined;
  try {
    at.step = "the gateway did not answer the token";
    const principal = await present(session, presented, signal, options);
    connection = new Connection(session, principal, { ...options, skewMs: presented.skewMs });
    options.onReady(connection);
    at.step = "the gateway did not answer the subscription to events";
    await connection.call(methods.StreamEvents, { clientId: options.clientId }, {
      signal,
      timeoutMs: options.connectTimeoutMs,
    });
    signal.throwIfAborted();
    return connection;
  } catch (error) {
    if (connection !== undefined) options.onFailed(connection);
    session.close();
    throw failed(error, options.endpoint);
  }
}

async function present(
  session: Session,
  { token, keyId, expiresAtMs, expired }: PresentedToken,
  signal: AbortSignal,
  options: ConnectOptions,
): Promise<Principal> {
  const { handshake } = options;
  if (typeof handshake === "function") {
    // What it throws is a refusal too, and one that need not wait may be no promise.
    await raceSignal((async () => await handshake(session, token))(), signal);
    return { tenantId: "", keyId, expiresAtMs };
  }
  if (handshake === "query") return { tenantId: "", keyId, expiresAtMs };
  const reply = await callRpc(session, methods.Authenticate, {
    token,
    clientId: options.clientId,
    sdk: SDK_NAME,
  }, { ...options, signal, timeoutMs: options.connectTimeoutMs });
  if (reply.errorCode !== ErrorCode.SUCCESS) {
    const error = refusalOf(reply.errorCode, reply.errorMessage, session.refusalReason);
    throw isExpiry(error) && expired || error;
  }
  return { tenantId: reply.tenantId, keyId, expiresAtMs: reply.expiresAtMs || expiresAtMs };
}

const ADVICE = {
  expired: "the token has expired: mint a fresh one, and compare this machine's clock",
  "not yet valid": "the token begins in the future: compare this machine's clock",
  lifetime:
    "the token lives longer than the gateway allows: at most 3600 s, for a browser token 300 s",
  revoked: "the key was revoked: put the service-account file of a current key in place",
  rejected:
    "check that tenant_id, private_key and private_key_id belong together and that the public key is registered at this gateway",
} as const;

function refusalOf(errorCode: number, reason: string, inWords: string | undefined): TeleQuickError {
  if (errorCode === ErrorCode.ERR_RATE_LIMITED) {
    return new TeleQuickError(
      "ERR_LIMIT",
      "Cannot sign in: the gateway has no room for one more session",
      { retryable: true, rpcCode: errorCode },
    );
  }
  const refusal = Object.hasOwn(ADVICE, reason) ? reason as keyof typeof ADVICE : "rejected";
  return new TeleQuickError(
    "ERR_UNAUTHORIZED",
    `Cannot sign in: the gateway refused the token as ${refusal} (${ADVICE[refusal]})`,
    { refusal, rpcCode: errorCode, ...inWords !== undefined && { cause: new Error(inWords) } },
  );
}

/** A session that breaks off before it is open is a failed connect, not a lost session. */
function failed(error: unknown, endpoint: URL): unknown {
  if (!(error instanceof TeleQuickError) || error.code !== "ERR_SESSION_CLOSED") return error;
  return new TeleQuickError(
    "ERR_CONNECT_FAILED",
    `Cannot connect to ${endpoint.origin}: the gateway closed the session while signing in`,
    { retryable: true, cause: error },
  );
}

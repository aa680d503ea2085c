/**
 * The only place of the client that knows how a connection comes about: token, session, presentation, subscription
 * (its mirror is the gateway's admission).
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { type Clock, raceSignal, within } from "../../base/signal.ts";
import { VERSION } from "../../base/version.ts";
import {
  type CertificateHash,
  openSession,
  type Session,
  type WebTransportConstructor,
} from "../../transport/mod.ts";
import { ErrorCode, methods } from "../../wire/mod.ts";
import { callRpc } from "../rpc/rpc.ts";
import type { ClockSkew } from "../sign_in/clock_skew.ts";
import { Connection, type Principal } from "./connection.ts";
import { isExpiry } from "./end_errors.ts";
import { pageOrigin } from "../sign_in/page.ts";
import { judgeToken, type PresentedToken } from "../sign_in/presented_token.ts";
import type { OpenRequest } from "./session_effects.ts";
import { refusedSignIn } from "../sign_in/refusal.ts";
import type { ClientTokens, TokenRequest } from "../sign_in/token_provider.ts";

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

/** Everything that a token is fetched and judged with. */
export interface TokenOptions {
  readonly tokens: ClientTokens;
  readonly skew: ClockSkew;
  readonly clock: Clock;
  readonly handshake: Handshake;
  readonly webTransport: WebTransportConstructor | undefined;
}

/** Everything that a connection is made from. */
export interface ConnectOptions extends TokenOptions {
  readonly endpoint: URL;
  readonly clientId: () => string;
  readonly connectTimeoutMs: number;
  readonly requestLength: "inclusive" | "exclusive";
  readonly certificateHashes: () => Promise<readonly CertificateHash[]>;
  /** Called with the connection before the gateway can push anything on it. */
  readonly onReady: (connection: Connection) => void;
  /** Called when the gateway may have subscribed a connection that is given up: what it pushed there is lost. */
  readonly onFailed: (connection: Connection) => void;
}

/** How far a connect has come. */
interface Progress {
  /** What has not happened yet, in words. Absent: no token has come. */
  step?: string;
  session?: Session;
  /** Whether tokens are minted by another time since the token that was presented. */
  hasCorrected: boolean;
}

/** Opens a session, presents a fresh token, subscribes to events. Closes the session when any step fails. */
export async function openConnection(
  request: OpenRequest,
  options: ConnectOptions,
): Promise<Connection> {
  const { clock, connectTimeoutMs, endpoint } = options;
  const at: Progress = { hasCorrected: false };
  try {
    return await within((signal) => connectCorrected({ ...request, signal }, options, at), {
      signal: request.signal,
      timeoutMs: connectTimeoutMs,
      clock,
      onTimeout: () =>
        new TeleQuickError(
          "ERR_CONNECT_FAILED",
          `Cannot connect to ${endpoint.origin}: ${
            at.step ?? tokenStep(request, options)
          } within ${connectTimeoutMs} ms`,
          { retryable: true },
        ),
    });
  } catch (error) {
    // Given up when the last step was done already: nothing else has the session.
    at.session?.close();
    throw error;
  }
}

/** Fetches a token and judges it. */
export async function fetchToken(
  request: TokenRequest,
  { tokens, skew, clock, handshake, webTransport }: TokenOptions,
): Promise<PresentedToken> {
  const given = await tokens.provide(request);
  return judgeToken(given, {
    origin: tokens.origin,
    nowMs: clock.now(),
    correctionMs: tokens.origin === "account" ? skew.correctionMs : 0,
    mustBeCompact: handshake === "stream",
    // Another transport than the page's own does not send its origin.
    pageOrigin: webTransport === undefined ? pageOrigin() : undefined,
  });
}

/** Connects; once more where the gateway's refusal shows by which time its tokens are to be minted. */
async function connectCorrected(
  request: OpenRequest,
  options: ConnectOptions,
  at: Progress,
): Promise<Connection> {
  try {
    return await connect(request, options, at);
  } catch (error) {
    const isOfTime = error instanceof TeleQuickError &&
      (isExpiry(error) || error.refusal === "not yet valid");
    if (!at.hasCorrected || !isOfTime || options.tokens.origin !== "account") throw error;
    return await connect(request, options, at);
  }
}

async function connect(
  request: OpenRequest,
  options: ConnectOptions,
  at: Progress,
): Promise<Connection> {
  const { signal } = request;
  const presented = await fetchToken(request, options);
  request.onToken();
  at.step = "nothing answered (is a gateway listening there, and does UDP reach it?)";
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
    const principal = await present(session, presented, signal, options, at);
    const skewMs = options.skew.correctionMs || presented.skewMs;
    connection = new Connection(session, principal, { ...options, skewMs });
    options.onReady(connection);
    at.step = "the gateway did not answer the subscription to events";
    await connection.call(methods.StreamEvents, { clientId: options.clientId() }, {
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
  presented: PresentedToken,
  signal: AbortSignal,
  options: ConnectOptions,
  at: Progress,
): Promise<Principal> {
  const { clock, handshake, skew } = options;
  const { token, keyId, expiresAtMs } = presented;
  if (typeof handshake === "function") {
    // What it throws is a refusal too, and one that need not wait may be no promise.
    await raceSignal((async () => await handshake(session, token))(), signal);
    return { tenantId: "", keyId, expiresAtMs, clockSkewMs: undefined };
  }
  if (handshake === "query") return { tenantId: "", keyId, expiresAtMs, clockSkewMs: undefined };
  const sentAtMs = clock.now();
  const reply = await callRpc(session, methods.Authenticate, {
    token,
    clientId: options.clientId(),
    sdk: SDK_NAME,
  }, { ...options, signal, timeoutMs: options.connectTimeoutMs });
  at.hasCorrected = skew.learn(reply.serverTimeMs, sentAtMs);
  if (reply.errorCode !== ErrorCode.SUCCESS) {
    const error = refusedSignIn(reply, presented, {
      aheadMs: skew.aheadMs,
      inWords: session.refusalReason,
    });
    throw isExpiry(error) && presented.expired || error;
  }
  return {
    tenantId: reply.tenantId,
    keyId,
    expiresAtMs: reply.expiresAtMs || expiresAtMs,
    clockSkewMs: skew.aheadMs,
  };
}

/** What has not happened yet while the token is waited for. */
function tokenStep({ waiting }: OpenRequest, { tokens }: ConnectOptions): string {
  if (tokens.origin !== "function") return "no token was made";
  const count = waiting();
  const cause = count === 0
    ? "is its backend reachable?"
    : `${count} ${
      count === 1 ? "call of this client waits" : "calls of this client wait"
    } for its token: a connect() or dial() that is awaited inside the token function waits for itself`;
  return `the token function did not settle (${cause})`;
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

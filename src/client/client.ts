/**
 * The client: one tenant's connection to a gateway, and every call on it.
 *
 * @module
 */

import type { ServiceAccount } from "../credentials/mod.ts";
import { TeleQuickError } from "../base/errors.ts";
import type { Clock } from "../base/signal.ts";
import type { CallEvent, Method } from "../wire/mod.ts";
import type { Call } from "./call/call.ts";
import type { DrainOptions, DrainResult } from "./call/drain.ts";
import type { InboundHandler, InboundService, ServeInboundOptions } from "./call/inbound.ts";
import type { SuperviseOptions, Supervision } from "./call/supervision.ts";
import type { Warning } from "./call/warnings.ts";
import { checkClient, type CheckReport } from "./check.ts";
import { ClientEngine } from "./engine.ts";
import { readEnvironment } from "./environment.ts";
import { type ClientOptions, resolveOptions } from "./options.ts";
import { ClientMethods, send } from "./rpc/methods.ts";
import { type AnswerOptions, type DialOptions, required } from "./rpc/requests.ts";
import type { RequestOptions } from "./rpc/rpc.ts";
import type { ClientStatus } from "./session/status.ts";
import type { TokenProvider } from "./sign_in/token_provider.ts";
import type { ClientStats } from "./stats.ts";

/**
 * One tenant's connection to a TeleQuick gateway.
 *
 * The token is presented once per session, before anything else, and no RPC carries it. A session
 * is renewed before its token ends and replaced when it is lost; calls belong to the tenant, so none drops.
 *
 * @example A server: the service-account file that `TELEQUICK_CREDENTIALS` names
 * ```ts no-run
 * import { TeleQuickClient } from "@telequick/sdk";
 *
 * await using client = new TeleQuickClient("https://engine.telequick.dev:9090");
 * const call = await client.dial({ to: "+15550100", trunkId: "trunk-1" });
 * for await (const event of call.events()) console.log(event.status);
 * ```
 *
 * @example A page: a short-lived token that the page's own backend mints
 * ```ts no-run
 * import { TeleQuickClient } from "@telequick/sdk";
 *
 * const fetchToken = async () => await (await fetch("/telequick-token")).text();
 * const client = new TeleQuickClient("https://engine.telequick.dev:9090", fetchToken, true);
 * ```
 */
export class TeleQuickClient extends ClientMethods {
  readonly #clock: Clock;
  readonly #engine: ClientEngine;

  /**
   * Makes a client. Nothing is sent before `connect()` or the first RPC, no timer is started and no randomness is drawn, so that one can
   * be made at module scope of a Worker.
   *
   * In Deno, Bun and Node environment variables stand in for what is not given: `TELEQUICK_ENDPOINT`; `TELEQUICK_CERTIFICATE_HASH` (one or
   * several, separated by commas), where the endpoint comes from the environment too; `TELEQUICK_CREDENTIALS`; and `TELEQUICK_TRUNK`, the
   * trunk of `dial()`.
   *
   * @param endpoint `https://host:9090` or `quic://host:9090`, port 9090 by default. `http:` and anything else is refused with `ERR_ENDPOINT_INVALID`. Default: `TELEQUICK_ENDPOINT`.
   * @param credentials Path of a service-account file (default: `TELEQUICK_CREDENTIALS`), a {@linkcode ServiceAccount}, or a function that gives a token. With `isBrowserToken`: the token, or a function that fetches one.
   * @param isBrowserToken Whether `credentials` is (or gives) a short-lived token that a backend minted. A plain token cannot be renewed: a function can. The options can stand in its place.
   * @param options See {@linkcode ClientOptions}; a plain string is the certificate's hash.
   */
  constructor(
    endpoint?: string,
    credentials?: string | ServiceAccount | TokenProvider,
    isBrowserToken: boolean | ClientOptions = false,
    options?: ClientOptions | string,
  ) {
    super();
    const isOptions = typeof isBrowserToken === "object" && isBrowserToken !== null;
    if (!isOptions && typeof isBrowserToken !== "boolean") {
      throw new TypeError("Cannot create client: isBrowserToken must be a boolean, or the options");
    }
    if (isOptions && options !== undefined) {
      throw new TypeError("Cannot create client: options were given twice");
    }
    const environment = readEnvironment();
    const resolved = resolveOptions(isOptions ? isBrowserToken : options);
    const { certificateHash } = environment;
    // A hash that was left over must not stand in for the authorities that an endpoint of the program's own is checked against.
    const isPinned = endpoint === undefined && certificateHash !== undefined &&
      resolved.certificates.length === 0;
    this.#clock = resolved.clock;
    this.#engine = new ClientEngine({
      endpoint: endpoint ?? environment.endpoint ?? noEndpoint(environment.isClosed),
      credentials,
      isBrowserToken: isBrowserToken === true,
      options: isPinned ? { ...resolved, certificates: [certificateHash] } : resolved,
      trunkId: environment.trunkId,
      client: this,
    });
  }

  /** This instance's id at the gateway (a UUID v4 unless given), the same across reconnects. */
  get clientId(): string {
    return this.#engine.clientId;
  }

  /**
   * Opens the first session, if none is open: resolves when the gateway has accepted the token and the subscription to events.
   *
   * Rejects with `ERR_CREDENTIALS_*`, `ERR_KEY_UNSUPPORTED` or `ERR_TOKEN_*` before a packet leaves; `ERR_TRANSPORT_UNAVAILABLE`
   * where the runtime has no WebTransport; `ERR_CONNECT_FAILED` when nothing answers within `connectTimeoutMs`, or the certificate
   * is not the one expected; `ERR_UNAUTHORIZED` (with `refusal`) when the gateway refuses the token. What a token function gives is
   * `ERR_TOKEN_EXPIRED` only where the gateway finds so too: this machine's clock may be wrong.
   *
   * @param options A signal that ends the wait.
   */
  async connect(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#engine.sessions.connection(options.signal);
  }

  /** What the connection is doing now. */
  get state(): ClientStatus {
    return this.#engine.sessions.status;
  }

  /** What the connection is doing, from now on: the current status first, the last one `closed`. */
  status(): AsyncIterableIterator<ClientStatus> {
    return this.#engine.sessions.statuses();
  }

  /**
   * Replaces the session by one with a fresh token while the old one works; what is under way is not disturbed.
   * Resolves when the new session has taken over; while none can be opened it is tried again, as long as the old one lasts and longer.
   *
   * @param options A signal that ends the wait; the renewal goes on.
   */
  async renew(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#engine.sessions.renew("requested", options.signal);
  }

  /**
   * Places a call and resolves when the gateway has accepted it; it is not answered yet.
   *
   * A dial is never sent twice by itself. After `ERR_TIMEOUT` or `ERR_SESSION_CLOSED` its outcome is unknown: give `callSid`
   * beforehand to look for the call's events; an id that this client has a live call of gives that same call. Rejects with `ERR_VALUE_INVALID` before anything is sent, and with
   * `ERR_RPC_REJECTED` and the wire's `rpcCode` when the gateway refuses; a trunk of another tenant
   * is refused as one that does not exist (1). When the signal aborts after the request was sent, the call is hung up as soon as the
   * gateway has answered.
   *
   * @param options Whom to call and how.
   * @param request A signal and a time limit.
   */
  async dial(options: DialOptions, request?: RequestOptions): Promise<Call> {
    return await this.#engine.placer.dial(options, request);
  }

  /**
   * Answers a call that waits on a trunk (see `getIncomingCalls`), and hands it to this instance or to an AI bridge. When the signal
   * aborts after the request was sent, the call is hung up if the gateway's reply says that this client has it; where another client was
   * faster, its call goes on.
   *
   * @param incoming The call's id, and the bridge if there is to be one.
   * @param request A signal and a time limit.
   */
  async answerIncomingCall(incoming: AnswerOptions, request?: RequestOptions): Promise<Call> {
    return await this.#engine.placer.answer(incoming, request);
  }

  /**
   * Answers the calls that come in on a trunk, beside other clients that do the same: a fleet of workers. Each waits before it answers, in
   * proportion to its load (up to 200 ms) and by lot among equals (16 round trips, 40 to 400 ms), so that calls spread over the fleet and
   * few answers come second. Calls that ring already are found, after a reconnect too. The trunk's rule has to leave calls waiting
   * (`InboundRule.NOTIFY_AND_HANGUP`), and the token needs no scope, or `call.answer`.
   *
   * What goes wrong with one call ends neither the service nor the process; see {@linkcode ServeInboundOptions.onError}. Throws
   * `ERR_VALUE_INVALID` and `TypeError` for arguments that are not usable, and `ERR_SESSION_CLOSED` once the client closes or drains.
   *
   * @param trunkId The trunk; the tenant must own it.
   * @param handler Serves one call.
   * @param options How many calls at once, what ends the service, who hears of errors.
   *
   * @example A worker that ends with its last call when it is asked to
   * ```ts no-run
   * import { TeleQuickClient } from "@telequick/sdk";
   *
   * const client = new TeleQuickClient();
   * client.serveInbound("acme-trunk", async (call) => {
   *   await call.audio().play(new Int16Array(8_000)).finished;
   *   await call.hangUp();
   * }, { capacity: 20 });
   * process.once("SIGTERM", () => void client.drain({ deadlineMs: 60_000 }));
   * ```
   */
  serveInbound(
    trunkId: string,
    handler: InboundHandler,
    options: ServeInboundOptions = {},
  ): InboundService {
    this.#engine.checkOpen();
    required("serve calls", "trunkId", trunkId);
    return this.#engine.inbound.serve(trunkId, handler, options);
  }

  /**
   * A call of the tenant by its id, also one that this client did not dial: after a restart, or for a supervisor. Nothing is sent; a call
   * that is gone shows at the first verb, as one that does not exist. Its events and audio come from now on, where this client has the
   * `clientId` that the call was dialled for, or no client has it; its state is `"dialing"` until the first event.
   *
   * @param callSid The call's id.
   */
  call(callSid: string): Call {
    this.#engine.checkOpen();
    required("find call", "callSid", callSid);
    return this.#engine.calls.find(callSid);
  }

  /**
   * Joins a live call of the tenant: hears both sides, and speaks as the mode says. Rejects with `ERR_RPC_REJECTED` when the gateway
   * does not let it in; a call of another tenant is refused as one that does not exist.
   *
   * @param options The call, the mode, and how audio goes.
   * @param request A signal and a time limit.
   */
  async supervise(options: SuperviseOptions, request: RequestOptions = {}): Promise<Supervision> {
    return await this.#engine.supervise(options, request);
  }

  /**
   * Warnings of every call with open audio and of the client itself, each raised and cleared: those that are raised now, then as they
   * come. Ends when the client closes. The client looks once a second while something listens.
   */
  warnings(): AsyncIterableIterator<Warning> {
    return this.#engine.warnings.listen();
  }

  /**
   * Every event of the tenant's calls that the gateway sends this instance, from now on. Ends when the client closes; throws
   * the error that ended it, if one did. 4,096 events wait for a slow reader, then the oldest are dropped.
   */
  events(): AsyncIterableIterator<CallEvent> {
    return this.#engine.events.listen();
  }

  /** What was counted so far: sessions, RPCs and how long they took, frames, events. */
  stats(): ClientStats {
    return this.#engine.stats();
  }

  /**
   * A verdict before a call: connects, if need be, measures round trips and compares clocks. For the latter the gateway is asked
   * to hang up a call that does not exist. Rejects only when the signal aborts: what is wrong is in the report.
   *
   * @param options A signal that ends the wait.
   */
  check(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<CheckReport> {
    return checkClient({
      clock: this.#clock,
      clientId: this.clientId,
      connection: (signal) => this.#engine.sessions.connection(signal),
      send: (method, request, sending) => this[send](method, request, sending),
    }, options.signal);
  }

  /**
   * Ends the client with its calls: from now on it dials and answers none, what it has in hand goes on until it ends or the deadline
   * passes, then the client closes as by `close()`. What serves calls ends too. Resolves with the calls that are left: they go on at the
   * gateway unless `atDeadline` is `"hang-up"`. A successor that has this client's `clientId` takes them over with `call(callSid)`; open it
   * after this client has closed, as events and audio go to the last client that has connected with an id.
   *
   * Further calls of `drain()` wait for the first; `close()` cuts it short.
   *
   * @param options How long, and what becomes of the calls that are left.
   */
  async drain(options: DrainOptions = {}): Promise<DrainResult> {
    return await this.#engine.inbound.drain(options);
  }

  /**
   * Ends the client: no new work, what is under way is finished within `drainTimeoutMs`, audio ends with its last frame,
   * the session closes. Calls go on at the gateway; hang up those that should not. Further calls of `close()` wait for the first.
   */
  close(): Promise<void> {
    return this.#engine.close();
  }

  /** The same as {@linkcode TeleQuickClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Sends a request on the open session, or on the next. Only what asks and changes nothing is sent again after a loss. */
  async [send]<Q, R>(
    method: Method<Q, R>,
    request: Partial<Q>,
    options?: RequestOptions,
  ): Promise<R> {
    this.#engine.checkOpen();
    return await this.#engine.requests.send(method, request, options);
  }
}

function noEndpoint(isClosed: boolean): never {
  const found = isClosed
    ? "there is no endpoint, and this program is not allowed to read the environment (run with: --allow-env=TELEQUICK_ENDPOINT,TELEQUICK_CERTIFICATE_HASH,TELEQUICK_CREDENTIALS,TELEQUICK_TRUNK, or pass the endpoint)"
    : "there is no endpoint, expected one as the first argument, such as https://engine.telequick.dev:9090, or in the environment variable TELEQUICK_ENDPOINT";
  throw new TeleQuickError("ERR_ENDPOINT_INVALID", `Cannot create client: ${found}`);
}

/**
 * The client: one tenant's connection to a gateway, and every call on it.
 *
 * @module
 */

import type { ServiceAccount } from "../credentials/mod.ts";
import { TeleQuickError } from "../base/errors.ts";
import { ignore } from "../base/ignore.ts";
import { certificateHash, parseEndpoint } from "../transport/mod.ts";
import { LateAbortController, raceSignal } from "../base/signal.ts";
import { type CallEvent, ErrorCode, type Method, methods } from "../wire/mod.ts";
import { AudioHub } from "./audio/audio_hub.ts";
import type { Call } from "./call/call.ts";
import { CallRegistry } from "./call/call_registry.ts";
import type { CallFacts } from "./call/live_call.ts";
import { checkClient, type CheckReport } from "./check.ts";
import { type ConnectOptions, fetchToken, openConnection } from "./session/open_connection.ts";
import type { Connection } from "./session/connection.ts";
import { EventHub } from "./call/event_hub.ts";
import { type PushHandlers, routePushes } from "./session/push_router.ts";
import { keepAlive } from "./session/keep_alive.ts";
import { SessionManager } from "./session/session_manager.ts";
import { createLogger, type Logger } from "./log.ts";
import { type ClientOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { ClockSkew } from "./session/clock_skew.ts";
import {
  type ClientTokens,
  createClientTokens,
  type TokenProvider,
} from "./session/token_provider.ts";
import {
  accepted,
  type AnswerOptions,
  answerRequest,
  type DialOptions,
  originateRequest,
  required,
} from "./rpc/requests.ts";
import { ClientMethods, send } from "./rpc/methods.ts";
import type { RequestOptions } from "./rpc/rpc.ts";
import { RequestSender } from "./session/request_sender.ts";
import type { ClientStats } from "./stats.ts";
import type { ClientStatus } from "./session/status.ts";
import { LiveSupervision, type SuperviseOptions, type Supervision } from "./call/supervision.ts";
import { type Warning, Warnings, type WatchedLink } from "./call/warnings.ts";
import { watchCredentials } from "./session/credentials_watch.ts";

// How often a watched credentials file is looked at.
const WATCH_MS = 30_000;

/**
 * One tenant's connection to a TeleQuick gateway.
 *
 * The token is presented once per session, before anything else, and no RPC carries it (protocol.md section 2.4). A session
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
  /** This instance's id at the gateway (a UUID v4 unless given), the same across reconnects. */
  get clientId(): string {
    return this.#options.clientId();
  }
  readonly #options: ResolvedOptions;
  readonly #log: Logger;
  readonly #tokens: ClientTokens;
  readonly #connectOptions: ConnectOptions;
  readonly #sessions: SessionManager;
  readonly #requests: RequestSender;
  readonly #events = new EventHub();
  readonly #audio: AudioHub;
  readonly #calls: CallRegistry;
  readonly #warnings: Warnings;
  readonly #supervisions = new Set<LiveSupervision>();
  readonly #watch = new LateAbortController();
  #sessionsOpened = 0;
  #openedAt = 0;
  #isWatching = false;
  #closing: Promise<void> | undefined;

  /**
   * Makes a client. Nothing is read and nothing is sent before `connect()` or the first RPC.
   *
   * @param endpoint `https://host:9090` or `quic://host:9090`, port 9090 by default. `http:` and anything else is refused with `ERR_ENDPOINT_INVALID`.
   * @param credentials Path of a service-account file (default: `TELEQUICK_CREDENTIALS`), a {@linkcode ServiceAccount}, or a function that gives a token. With `isBrowserToken`: the token, or a function that fetches one.
   * @param isBrowserToken Whether `credentials` is (or gives) a short-lived token that a backend minted. A plain token cannot be renewed: a function can.
   * @param options See {@linkcode ClientOptions}; a plain string is the certificate's hash.
   */
  constructor(
    endpoint: string,
    credentials?: string | ServiceAccount | TokenProvider,
    isBrowserToken = false,
    options: ClientOptions | string = {},
  ) {
    super();
    if (typeof isBrowserToken !== "boolean") {
      throw new TypeError("Cannot create client: isBrowserToken must be a boolean");
    }
    const resolved = resolveOptions(options);
    this.#options = resolved;
    const { clock, connectTimeoutMs, allowInBrowser } = resolved;
    this.#log = createLogger(resolved.log, () => clock.now());
    const skew = new ClockSkew(clock, resolved.correctClock);
    this.#tokens = createClientTokens(credentials, isBrowserToken, {
      clock: skew.mintingClock,
      timeoutMs: connectTimeoutMs,
      allowInBrowser,
    });
    this.#connectOptions = {
      ...resolved,
      endpoint: parseEndpoint(endpoint),
      tokens: this.#tokens,
      skew,
      certificateHashes: () =>
        Promise.all(
          resolved.certificates.map((one) => typeof one === "string" ? certificateHash(one) : one),
        ),
      onReady: (connection) => void routePushes(connection.session, this.#inbox(connection), clock),
      onFailed: (connection) => this.#sessions.miss(connection),
    };
    this.#sessions = new SessionManager({
      clock,
      log: this.#log,
      reconnect: resolved.reconnect,
      giveUpAfterMs: resolved.giveUpAfterMs,
      renewable: this.#tokens.renewable,
      random: Math.random,
      open: (request) => openConnection(request, this.#connectOptions),
      onOpen: (connection) => this.#opened(connection),
      onClosed: (error) => this.#ended(error),
    });
    this.#requests = new RequestSender(this.#sessions, resolved);
    this.#audio = new AudioHub({
      clock,
      streams: resolved.audioStreams,
      connection: () => this.#sessions.connection(),
      barge: (callSid) => this.barge(callSid),
      onThrottled: () => this.#log("warn", "audio.timers-throttled"),
    });
    this.#warnings = new Warnings({
      clock,
      links: () => this.#watchedLinks(),
      tokenEndsAtMs: () => this.#sessions.current?.expiresAtMs ?? 0,
      lateTicks: () => this.#audio.pacer.lateTicks,
    });
    this.#calls = new CallRegistry({
      events: this.#events,
      audio: this.#audio,
      warnings: this.#warnings,
      methods: this,
    });
    void this.#watchGaps();
  }

  /**
   * Opens the first session, if none is open: resolves when the gateway has accepted the token and the subscription to events.
   *
   * Rejects with `ERR_CREDENTIALS_*`, `ERR_KEY_UNSUPPORTED` or `ERR_TOKEN_*` before a packet leaves; `ERR_TRANSPORT_UNAVAILABLE`
   * where the runtime has no WebTransport; `ERR_CONNECT_FAILED` when nobody answers within `connectTimeoutMs`, or the certificate
   * is not the one expected; `ERR_UNAUTHORIZED` (with `refusal`) when the gateway refuses the token. What a token function gives is
   * `ERR_TOKEN_EXPIRED` only where the gateway finds so too: this machine's clock may be wrong.
   *
   * @param options A signal that ends the wait.
   */
  async connect(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#sessions.connection(options.signal);
  }

  /** What the connection is doing, from now on: the current status first, the last one `closed`. */
  status(): AsyncIterableIterator<ClientStatus> {
    return this.#sessions.statuses();
  }

  /**
   * Replaces the session by one with a fresh token while the old one works; what is under way is not disturbed.
   * Resolves when the new session has taken over; while none can be opened it is tried again, as long as the old one lasts and longer.
   *
   * @param options A signal that ends the wait; the renewal goes on.
   */
  async renew(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#sessions.renew("requested", options.signal);
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
    const originate = originateRequest(options, this);
    const { callSid } = originate;
    const facts: CallFacts = {
      ...{ to: options.to, from: options.callFrom, trunkId: options.trunkId },
      direction: "outbound",
      awaitsAnswer: originate.clientId === this.clientId,
    };
    const call = this.#calls.claim(callSid, facts);
    try {
      const reply = await this.#place(methods.Originate, originate, request, (late) => {
        this.#calls.disclaim(call);
        // Without a reply the call may be there all the same. One that something else has is left alone.
        if (late !== undefined && late.errorCode !== ErrorCode.SUCCESS) return;
        if (call.claims === 0) this.terminate(late?.callSid || callSid).catch(ignore);
      });
      accepted("dial", reply);
      const isAnother = reply.callSid !== "" && reply.callSid !== callSid;
      if (isAnother) this.#calls.disclaim(call);
      return this.#calls.keep(isAnother ? this.#calls.claim(reply.callSid, facts) : call);
    } catch (error) {
      if (!(error instanceof Cancelled)) this.#calls.disclaim(call);
      throw error instanceof Cancelled ? error.reason : error;
    }
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
    const answer = answerRequest(incoming, this);
    const call = this.#calls.claim(answer.callSid, { direction: "inbound" });
    try {
      const reply = await this.#place(methods.AnswerIncomingCall, answer, request, (late) => {
        this.#calls.disclaim(call);
        // Only the reply tells whether this client won the call: another one's is not to be ended.
        if (late?.errorCode !== ErrorCode.SUCCESS || call.claims > 0) return;
        this.terminate(answer.callSid).catch(ignore);
      });
      accepted("answer call", reply);
      return this.#calls.keep(call);
    } catch (error) {
      if (!(error instanceof Cancelled)) this.#calls.disclaim(call);
      throw error instanceof Cancelled ? error.reason : error;
    }
  }

  /**
   * A call of the tenant by its id, also one that this client did not dial: after a restart, or for a supervisor. Nothing is sent; a call
   * that is gone shows at the first verb, as one that does not exist. Its events and audio come from now on, where this client has the
   * `clientId` that the call was dialled for, or no client has it.
   *
   * @param callSid The call's id.
   */
  call(callSid: string): Call {
    this.#refuseIfClosing();
    required("find call", "callSid", callSid);
    return this.#calls.find(callSid);
  }

  /**
   * Joins a live call of the tenant: hears both sides, and speaks as the mode says. Rejects with `ERR_RPC_REJECTED` when the gateway
   * does not let it in; a call of another tenant is refused as one that does not exist.
   *
   * @param options The call, the mode, and how audio goes.
   * @param request A signal and a time limit.
   */
  async supervise(options: SuperviseOptions, request: RequestOptions = {}): Promise<Supervision> {
    this.#refuseIfClosing();
    const { clock, requestLength } = this.#options;
    const timeoutMs = this.#requests.limit(request.timeoutMs);
    const supervision = new LiveSupervision({
      clock,
      timeoutMs,
      requestLength,
      hub: this.#audio,
      clientId: this.clientId,
      token: async (signal) =>
        (await fetchToken({ reason: "supervise", signal }, this.#connectOptions)).token,
      onEnd: (ended) => this.#supervisions.delete(ended),
    }, options);
    try {
      const action = methods.SuperviseSubscribe.name;
      const connection = await this.#requests.connection(timeoutMs, request.signal, action);
      await supervision.join(connection, request.signal);
      this.#supervisions.add(supervision);
      // Replaced in the meantime: those who were there have moved already.
      const { current } = this.#sessions;
      if (current !== undefined && current !== connection) await supervision.move(current);
      return supervision;
    } catch (error) {
      supervision.end(error);
      throw error;
    }
  }

  /**
   * Warnings of every call with open audio and of the client itself, each raised and cleared: those that are raised now, then as they
   * come. Ends when the client closes. The client looks once a second while something listens.
   */
  warnings(): AsyncIterableIterator<Warning> {
    return this.#warnings.listen();
  }

  /**
   * Every event of the tenant's calls that the gateway sends this instance, from now on. Ends when the client closes; throws
   * the error that ended it, if one did. 4,096 events wait for a slow reader, then the oldest are dropped.
   */
  events(): AsyncIterableIterator<CallEvent> {
    return this.#events.listen();
  }

  /** What was counted so far: sessions, RPCs and how long they took, frames, events. */
  stats(): ClientStats {
    const { current, status } = this.#sessions;
    const { tenantId = "", keyId = "", expiresAtMs = 0 } = current?.principal ?? {};
    return {
      session: {
        status: status.type,
        ...{ tenantId, keyId, expiresAtMs },
        openMs: current === undefined ? 0 : this.#options.clock.monotonic() - this.#openedAt,
        opened: this.#sessionsOpened,
        streamsLeft: current?.session.streamsLeft,
      },
      rpc: this.#requests.rpcs.stats(),
      audio: this.#audio.totals(),
      events: this.#events.counts(),
    };
  }

  /**
   * A verdict before a call: connects, if need be, measures round trips and compares clocks. For the latter the gateway is asked
   * to hang up a call that does not exist. Rejects only when the signal aborts: what is wrong is in the report.
   *
   * @param options A signal that ends the wait.
   */
  check(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<CheckReport> {
    return checkClient({
      clock: this.#options.clock,
      clientId: this.clientId,
      connection: (signal) => this.#sessions.connection(signal),
      send: (method, request, sending) => this[send](method, request, sending),
    }, options.signal);
  }

  /**
   * Ends the client: no new work, what is under way is finished within `drainTimeoutMs`, audio ends with its last frame,
   * the session closes. Calls go on at the gateway; hang up those that should not. Further calls of `close()` wait for the first.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#drainAndClose();
  }

  /** The same as {@linkcode TeleQuickClient.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #drainAndClose(): Promise<void> {
    this.#watch.abort();
    await this.#sessions.close(async () => {
      const connection = this.#sessions.current;
      await this.#audio.close();
      // Streams are not ordered among each other: one answered RPC tells that the gateway has come this far.
      await connection?.call(methods.GetActiveBuckets, {}, {
        signal: undefined,
        timeoutMs: this.#options.drainTimeoutMs,
      }).catch(ignore);
      await connection?.drained();
    }, this.#options.drainTimeoutMs);
  }

  /** Sends a request on the open session, or on the next. Only what asks and changes nothing is sent again after a loss. */
  async [send]<Q, R>(
    method: Method<Q, R>,
    request: Partial<Q>,
    options?: RequestOptions,
  ): Promise<R> {
    this.#refuseIfClosing();
    return await this.#requests.send(method, request, options);
  }

  /**
   * Sends a request that makes a call. When the signal aborts after it was sent, rejects with {@linkcode Cancelled}, and `onLate` gets
   * the reply, or `undefined` for none.
   */
  async #place<Q, R>(
    method: Method<Q, R>,
    request: Partial<Q>,
    { signal, timeoutMs }: RequestOptions = {},
    onLate: (reply: R | undefined) => void,
  ): Promise<R> {
    this.#refuseIfClosing();
    const { clock } = this.#options;
    const limitMs = this.#requests.limit(timeoutMs);
    const startedAt = clock.monotonic();
    await this.#requests.connection(limitMs, signal, method.name);
    signal?.throwIfAborted();
    const leftMs = Math.max(1, Math.ceil(limitMs - (clock.monotonic() - startedAt)));
    const sending = this[send](method, request, { timeoutMs: leftMs });
    try {
      return await raceSignal(sending, signal);
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      void sending.then(onLate, () => onLate(undefined));
      throw new Cancelled(signal.reason);
    }
  }

  #refuseIfClosing(): void {
    if (this.#closing === undefined) return;
    throw new TeleQuickError("ERR_SESSION_CLOSED", "Client is closed: make a new one");
  }

  #inbox(connection: Connection): PushHandlers {
    return {
      speaks: () => connection.speaks(),
      heard: () => connection.heard(),
      lastHeard: () => connection.heardAt,
      event: (event) => this.#events.accept(event),
      audio: (frame, now) => this.#audio.accept(frame, now, connection),
      ending: (ending) => this.#sessions.announce(connection, ending),
      unknown: (methodId) => this.#log("debug", "push.unknown", { methodId }),
      malformed: (error) =>
        this.#log("warn", "push.malformed", {
          error: error instanceof Error ? error.message : String(error),
        }),
      broken: (end) => void this.#sessions.suspect(connection, end).catch(ignore),
    };
  }

  #opened(connection: Connection): void {
    this.#sessionsOpened++;
    this.#openedAt = this.#options.clock.monotonic();
    this.#audio.move();
    for (const supervision of this.#supervisions) void supervision.move(connection);
    void keepAlive(connection, this.#options.clock);
    this.#watchCredentials();
  }

  *#watchedLinks(): Generator<WatchedLink> {
    for (const link of this.#audio.links()) {
      const { callSid, heardAt } = link;
      const isTalking = this.#calls.get(callSid)?.state === "answered";
      yield { callSid, heardAt, isTalking, stats: () => link.stats() };
    }
  }

  /** An answer may be among the events that were missed: speech does not wait for it for ever. */
  async #watchGaps(): Promise<void> {
    try {
      for await (const { type } of this.#sessions.statuses()) {
        if (type === "events-may-be-missing") this.#calls.assumeAnswered();
      }
    } catch {
      // The client has ended; its other parts say why.
    }
  }

  #watchCredentials(): void {
    const { clock } = this.#options;
    const { isStale } = this.#tokens;
    if (!this.#options.watchCredentials || isStale === undefined || this.#isWatching) return;
    this.#isWatching = true;
    void watchCredentials(isStale, {
      clock,
      intervalMs: WATCH_MS,
      signal: this.#watch.signal,
      onStale: () => void this.#sessions.renew("credentials-changed").catch(ignore),
    });
  }

  #ended(error: TeleQuickError | undefined): void {
    this.#watch.abort();
    const end = error ?? new TeleQuickError("ERR_SESSION_CLOSED", "Client was closed");
    this.#calls.abandon(end);
    for (const supervision of this.#supervisions) supervision.end(error);
    this.#audio.end(error);
    this.#warnings.end();
    this.#events.end(error);
  }
}

/** The signal of a request aborted while the gateway had the request. */
class Cancelled {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

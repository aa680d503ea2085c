/**
 * What a client is made of, wired together: sessions, requests, events, audio, calls.
 *
 * @module
 */

import type { ServiceAccount } from "../credentials/mod.ts";
import { TeleQuickError } from "../base/errors.ts";
import { messageOf } from "../base/text/message.ts";
import { ignore } from "../base/ignore.ts";
import { LateAbortController } from "../base/signal.ts";
import { certificateHashes, parseEndpoint } from "../transport/mod.ts";
import { type AudioFrame, type CallEvent, methods, type SessionEnding } from "../wire/mod.ts";
import { AudioHub } from "./audio/audio_hub.ts";
import { CallRegistry } from "./call/call_registry.ts";
import { EventHub } from "./call/event_hub.ts";
import { InboundServices } from "./call/inbound_services.ts";
import { CallPlacer } from "./call/place_call.ts";
import { LiveSupervision, type SuperviseOptions, type Supervision } from "./call/supervision.ts";
import { Warnings, type WatchedLink } from "./call/warnings.ts";
import { createLogger, type Logger } from "./log.ts";
import type { ResolvedOptions } from "./options.ts";
import type { ClientMethods } from "./rpc/methods.ts";
import type { RequestOptions } from "./rpc/rpc.ts";
import { ClockSkew } from "./sign_in/clock_skew.ts";
import type { Connection } from "./session/connection.ts";
import { watchCredentials } from "./sign_in/credentials_watch.ts";
import { closedError } from "./session/end_errors.ts";
import { keepAlive } from "./session/keep_alive.ts";
import { type ConnectOptions, fetchToken, openConnection } from "./session/open_connection.ts";
import { type BrokenStream, type PushHandlers, routePushes } from "./session/push_router.ts";
import { RequestSender } from "./session/request_sender.ts";
import { SessionManager } from "./session/session_manager.ts";
import {
  type ClientTokens,
  createClientTokens,
  type TokenProvider,
} from "./sign_in/token_provider.ts";
import type { ClientStats } from "./stats.ts";

// How often a watched credentials file is looked at.
const WATCH_MS = 30_000;

/** What a client is made from. */
export interface EngineOptions {
  readonly endpoint: string;
  readonly credentials: string | ServiceAccount | TokenProvider | undefined;
  readonly isBrowserToken: boolean;
  readonly options: ResolvedOptions;
  /** The trunk that calls leave by where `dial` is not given one. */
  readonly trunkId: string | undefined;
  /** The client, whose methods its calls use. */
  readonly client: ClientMethods;
}

/** The parts of a client. */
export class ClientEngine {
  /** Sessions. */
  readonly sessions: SessionManager;
  /** RPCs. */
  readonly requests: RequestSender;
  /** Events. */
  readonly events: EventHub = new EventHub();
  /** Audio. */
  readonly audio: AudioHub;
  /** Calls. */
  readonly calls: CallRegistry;
  /** What makes calls. */
  readonly placer: CallPlacer;
  /** What answers calls. */
  readonly inbound: InboundServices;
  /** Warnings. */
  readonly warnings: Warnings;
  readonly #options: ResolvedOptions;
  readonly #log: Logger;
  readonly #tokens: ClientTokens;
  readonly #connectOptions: ConnectOptions;
  readonly #supervisions = new Set<LiveSupervision>();
  readonly #watch = new LateAbortController();
  #sessionsOpened = 0;
  #openedAt = 0;
  #isWatching = false;
  #closing: Promise<void> | undefined;

  constructor({ endpoint, credentials, isBrowserToken, options, trunkId, client }: EngineOptions) {
    const { clock, connectTimeoutMs, allowInBrowser } = options;
    this.#options = options;
    this.#log = createLogger(options.log, () => clock.now());
    const skew = new ClockSkew(clock, options.correctClock);
    this.#tokens = createClientTokens(credentials, isBrowserToken, {
      clock: skew.mintingClock,
      timeoutMs: connectTimeoutMs,
      allowInBrowser,
    });
    this.#connectOptions = {
      ...options,
      endpoint: parseEndpoint(endpoint),
      tokens: this.#tokens,
      skew,
      certificateHashes: async () =>
        (await Promise.all(
          options.certificates.map((one) =>
            typeof one === "string" ? certificateHashes(one) : [one]
          ),
        )).flat(),
      onReady: (connection) =>
        routePushes(connection.session, new Pushes(this, this.#log, connection), clock),
      onFailed: (connection) => this.sessions.miss(connection),
    };
    this.sessions = new SessionManager({
      clock,
      log: this.#log,
      reconnect: options.reconnect,
      giveUpAfterMs: options.giveUpAfterMs,
      probeIdleMs: options.probeIdleMs,
      hasCalls: () => this.calls.hasLive,
      renewable: this.#tokens.renewable,
      random: Math.random,
      open: (request) => openConnection(request, this.#connectOptions),
      onOpen: (connection) => this.#opened(connection),
      onClosed: (error) => this.#ended(error),
    });
    this.requests = new RequestSender(this.sessions, options);
    this.audio = new AudioHub({
      clock,
      streams: options.audioStreams,
      connection: () => this.sessions.connection(),
      barge: (callSid) => client.barge(callSid),
      onThrottled: () => this.#log("warn", "audio.timers-throttled"),
    });
    this.warnings = new Warnings({
      clock,
      links: () => this.#watchedLinks(),
      tokenEndsAtMs: () => this.sessions.current?.expiresAtMs ?? 0,
      lateTicks: () => this.audio.pacer.lateTicks,
    });
    const { audio, events, warnings } = this;
    this.calls = new CallRegistry({ events, audio, warnings, methods: client });
    const { calls, requests, sessions } = this;
    const own = new OwnIds(this, trunkId);
    this.placer = new CallPlacer({
      ...{ clock, calls, requests, own },
      checkOpen: () => {
        this.checkOpen();
        this.inbound.checkTakesCalls();
      },
      terminate: (callSid) => client.terminate(callSid),
    });
    this.inbound = new InboundServices({
      ...{ clock, calls, own, log: this.#log, random: Math.random },
      events: () => events.listen(),
      statuses: () => sessions.statuses(),
      list: (trunkId) => client.getIncomingCalls(trunkId),
      answer: (callSid, facts) => this.placer.answer({ callSid }, {}, facts),
    }, () => this.close());
    void this.#watchGaps();
  }

  /** This instance's id at the gateway: made when it is first needed. */
  get clientId(): string {
    return this.#options.clientId();
  }

  /** Throws when the client is closing. */
  checkOpen(): void {
    if (this.#closing !== undefined) throw closedError(undefined);
  }

  /** Joins a live call. */
  async supervise(options: SuperviseOptions, request: RequestOptions): Promise<Supervision> {
    this.checkOpen();
    const { clock, requestLength } = this.#options;
    const timeoutMs = this.requests.limit(request.timeoutMs);
    const supervision = new LiveSupervision({
      clock,
      timeoutMs,
      requestLength,
      hub: this.audio,
      clientId: this.clientId,
      token: async (signal) =>
        (await fetchToken({ reason: "supervise", signal }, this.#connectOptions)).token,
      onEnd: (ended) => this.#supervisions.delete(ended),
    }, options);
    try {
      const action = methods.SuperviseSubscribe.name;
      const connection = await this.requests.connection(timeoutMs, request.signal, action);
      await supervision.join(connection, request.signal);
      this.#supervisions.add(supervision);
      // Replaced in the meantime: those who were there have moved already.
      const { current } = this.sessions;
      if (current !== undefined && current !== connection) await supervision.move(current);
      return supervision;
    } catch (error) {
      supervision.end(error);
      throw error;
    }
  }

  /** What was counted so far. */
  stats(): ClientStats {
    const { current, status } = this.sessions;
    const { tenantId = "", keyId = "", expiresAtMs = 0 } = current?.principal ?? {};
    return {
      session: {
        status: status.type,
        ...{ tenantId, keyId, expiresAtMs },
        openMs: current === undefined ? 0 : this.#options.clock.monotonic() - this.#openedAt,
        opened: this.#sessionsOpened,
        streamsLeft: current?.session.streamsLeft,
      },
      rpc: this.requests.rpcs.stats(),
      audio: this.audio.totals(),
      events: this.events.counts(),
    };
  }

  /** Finishes what is under way, within a limit, and ends the client. Later calls wait for the first. */
  close(): Promise<void> {
    return this.#closing ??= this.#drainAndClose();
  }

  async #drainAndClose(): Promise<void> {
    this.#watch.abort();
    await this.sessions.close(async () => {
      const connection = this.sessions.current;
      await this.audio.close();
      // Streams are not ordered among each other: one answered RPC shows that the gateway has come this far.
      await connection?.call(methods.GetActiveBuckets, {}, {
        signal: undefined,
        timeoutMs: this.#options.drainTimeoutMs,
      }).catch(ignore);
      await connection?.drained();
    }, this.#options.drainTimeoutMs);
  }

  #opened(connection: Connection): void {
    this.#sessionsOpened++;
    this.#openedAt = this.#options.clock.monotonic();
    this.audio.move();
    for (const supervision of this.#supervisions) void supervision.move(connection);
    void keepAlive(connection);
    void connection.session.draining.then(() => this.sessions.drain(connection));
    this.#watchCredentials();
  }

  *#watchedLinks(): Generator<WatchedLink> {
    for (const link of this.audio.links()) {
      const { callSid, heardAt } = link;
      const isTalking = this.calls.get(callSid)?.state === "answered";
      yield { callSid, heardAt, isTalking, stats: () => link.stats() };
    }
  }

  /** An answer can be among the events that were missed: speech does not wait for it for ever. */
  async #watchGaps(): Promise<void> {
    try {
      for await (const { type } of this.sessions.statuses()) {
        if (type === "events-may-be-missing") this.calls.assumeAnswered();
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
      onStale: () => void this.sessions.renew("credentials-changed").catch(ignore),
    });
  }

  #ended(error: TeleQuickError | undefined): void {
    this.#watch.abort();
    const end = error ?? new TeleQuickError("ERR_SESSION_CLOSED", "Client was closed");
    this.calls.abandon(end);
    for (const supervision of this.#supervisions) supervision.end(error);
    this.audio.end(error);
    this.warnings.end();
    this.events.end(error);
  }
}

/** Where what is pushed on a session goes. */
class Pushes implements PushHandlers {
  readonly #engine: ClientEngine;
  readonly #log: Logger;
  readonly #connection: Connection;

  constructor(engine: ClientEngine, log: Logger, connection: Connection) {
    this.#engine = engine;
    this.#log = log;
    this.#connection = connection;
  }

  speaks(): number {
    return this.#connection.speaks();
  }

  heard(): number {
    return this.#connection.heard();
  }

  lastHeard(): number {
    return this.#connection.heardAt;
  }

  event(event: CallEvent): void {
    this.#engine.events.accept(event);
  }

  audio(frame: AudioFrame, now: number): void {
    this.#engine.audio.accept(frame, now, this.#connection);
  }

  ending(ending: SessionEnding): void {
    this.#engine.sessions.announce(this.#connection, ending);
  }

  unknown(methodId: number): void {
    this.#log("debug", "push.unknown", { methodId });
  }

  malformed(error: unknown): void {
    this.#log("warn", "push.malformed", { error: messageOf(error) });
  }

  broken(end: BrokenStream): void {
    this.#engine.sessions.suspect(this.#connection, end).catch(ignore);
  }
}

/** What requests name of their own client. */
class OwnIds {
  readonly trunkId: string | undefined;
  readonly #engine: ClientEngine;

  constructor(engine: ClientEngine, trunkId: string | undefined) {
    this.#engine = engine;
    this.trunkId = trunkId;
  }

  get clientId(): string {
    return this.#engine.clientId;
  }
}

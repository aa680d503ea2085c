/**
 * One session from its first byte to its last: admission, then RPCs and audio in, events and audio out, then the ending.
 *
 * @module
 */

import { ByteBudget } from "../../base/unfinished.ts";
import { Canceller, sleep } from "../../base/signal.ts";
import { type BidirectionalStream, type IncomingSession, Session } from "../../transport/mod.ts";
import { type CallEvent, ErrorCode, type SessionEnding } from "../../wire/mod.ts";
import { Access } from "../auth/access.ts";
import { type Admitted, cannotCheck, type Refused, stillHolds } from "../auth/admit.ts";
import { RateLimit } from "../rate_limit.ts";
import type { Call } from "../call/call.ts";
import { endings } from "./endings.ts";
import type { Expiring } from "../auth/expiry.ts";
import { Handshake } from "./handshake.ts";
import type { GatewayContext } from "../context.ts";
import type { PendingSessions, Waiting } from "./pending_sessions.ts";
import { count, type LogDetails } from "../log.ts";
import { Outbox } from "./outbox.ts";
import type { AudioSource } from "../call/audio_source.ts";
import { endOf, isLive, type KeyEntry, type KeyHolder } from "../auth/key_entry.ts";
import type { RpcContext, RpcSession, SupervisorVoice } from "../methods/route.ts";
import type { SessionSnapshot } from "../observe/records.ts";
import { serveRpc } from "./rpc.ts";
import type { Speech } from "../call/far_end.ts";
import { ignore } from "../../base/ignore.ts";
import { receiveAudio } from "./audio_receiver.ts";

/** Where a session stands. `open` is the only state in which anything of it is carried out. */
type State = "handshake" | "refused" | "open" | "ending" | "over";

const RPC_BURST_SECONDS = 4;

/** A session, as the gateway has it. */
export class Connection implements RpcSession, KeyHolder, Expiring, Waiting {
  readonly address: string | undefined;
  readonly clientIds: Set<string> = new Set();
  readonly supervisions: Map<Call, SupervisorVoice> = new Map();
  readonly #gateway: GatewayContext;
  readonly #pending: PendingSessions;
  readonly #session: Session;
  readonly #number: number;
  readonly #openedAt: number;
  readonly #outbox: Outbox;
  readonly #rate: RateLimit;
  readonly #patience: RateLimit;
  readonly #stops = new Set<() => void>();
  readonly #over = new Canceller();
  readonly #handshake: Handshake;
  readonly #onRefused: ((reason: string) => void) | undefined;
  #state: State = "handshake";
  #access: Access | undefined;
  #unfinished: ByteBudget | undefined;
  #context: RpcContext | undefined;
  #key: KeyEntry | undefined;
  #leaveKey: () => void = ignore;

  constructor(
    incoming: IncomingSession,
    gateway: GatewayContext,
    pending: PendingSessions,
    number: number,
  ) {
    const { clock, limits, counters } = gateway;
    this.address = incoming.address;
    this.#gateway = gateway;
    this.#pending = pending;
    this.#number = number;
    this.#openedAt = clock.monotonic();
    this.#session = new Session(incoming.session, { clock });
    this.#handshake = new Handshake(gateway, incoming);
    this.#onRefused = incoming.onRefused;
    const { rpcsPerSecond, strikes } = limits;
    const burst = rpcsPerSecond * RPC_BURST_SECONDS;
    this.#rate = new RateLimit({ perSecond: rpcsPerSecond, burst, clock });
    this.#patience = new RateLimit({ perSecond: strikes / 60, burst: strikes, clock });
    this.#outbox = new Outbox({
      limits,
      open: () => this.#session.openUnidirectional({ signal: this.#over }),
      onSlow: () => this.end(endings.slow),
      onAudio: (written, dropped) => {
        counters.audioSent += written;
        counters.audioDropped += dropped;
      },
    });
  }

  /** Whether it is authenticated and not ending. */
  get isLive(): boolean {
    return this.#state === "open";
  }

  /** What it can do. */
  get access(): Access {
    return this.#access!;
  }

  /** The tenant that it is pinned to; `undefined` before its token is accepted. */
  get tenantId(): string | undefined {
    return this.#context?.principal.tenantId;
  }

  /** When it ends by itself, in Unix milliseconds. */
  get endsAtMs(): number {
    const { principal } = this.#context!;
    const tokenEnd = this.#gateway.rules.sessionExpiry === "token"
      ? principal.expiresAtMs
      : Infinity;
    return Math.min(tokenEnd, endOf(this.#key!));
  }

  /** Serves it to its end. Never rejects. */
  async run(): Promise<void> {
    this.#pending.enter(this);
    void this.#session.closed.then(() => this.#handshake.breach("The peer went away"));
    // A token in the URL is checked before any stream is looked at; otherwise it comes on the first one.
    const isShown = this.#handshake.hasToken;
    if (!isShown) this.#acceptStreams();
    const outcome = await this.#handshake.outcome();
    this.#pending.leave(this);
    if (!this.#session.isClosed) {
      if ("principal" in outcome) this.#enter(outcome);
      else if ("unavailable" in outcome) void this.#postpone(outcome.unavailable);
      else void this.#refuse(outcome);
      if (isShown) this.#acceptStreams();
    }
    await this.#session.closed;
    this.#cleanUp();
  }

  #acceptStreams(): void {
    this.#session.acceptBidirectional((it) => this.#inTurn(() => this.#onRequest(it)));
    this.#session.acceptUnidirectional((it) => this.#inTurn(() => this.#onUplink(it)));
  }

  /** Ends a live session: says why, gives that time to arrive, closes. */
  end(ending: SessionEnding): void {
    if (this.#state !== "open") return;
    const { counters, log } = this.#gateway;
    this.#leave("ending");
    count(counters.ended, ending.reason);
    log("session.ending", { ...this.#ids, code: ending.code, reason: ending.reason });
    void this.#outbox.say(ending);
    void this.#closeAfterGrace(ending.code, ending.reason);
  }

  /** Loses it, as an outage does: its peer gets no reason. */
  drop(): void {
    this.#gateway.log("session.dropped", { ...this.#ids, reason: "faults" });
    this.#session.close();
  }

  /** What it is at this moment; `undefined` unless it is authenticated. */
  get snapshot(): SessionSnapshot | undefined {
    if (this.#context === undefined || this.#state !== "open") return undefined;
    const { tenantId, keyId, kind, scope, endUser } = this.#context.principal;
    const { endsAtMs } = this;
    return {
      ...{ session: this.#number, tenantId, keyId, kind },
      ...(scope !== undefined && { scope: [...scope] }),
      ...(endUser !== undefined && { endUser }),
      ...(endsAtMs !== Infinity && { endsAtMs }),
    };
  }

  /** Ends it because the gateway goes: a live one as {@linkcode Connection.end} does, any other at once. */
  shutDown(): void {
    const { code, reason } = endings.shutdown;
    // For implementations that know nothing of ours: GOAWAY, and the capsule of draft-ietf-webtrans-http3-16 section 4.7.
    this.#session.drain();
    if (this.#state === "open") this.end(endings.shutdown);
    else if (this.#state === "handshake") this.#session.close({ closeCode: code, reason });
  }

  evict(): void {
    const { counters, log } = this.#gateway;
    counters.evicted++;
    log("limit.reached", { session: this.#number, reason: "handshakes" });
    this.#session.close({ closeCode: 429, reason: "too many sessions without a token" });
  }

  keyChanged(): void {
    const { clock, expiry } = this.#gateway;
    if (isLive(this.#key!, clock.now())) expiry.watch(this);
    else this.end(endings.revoked);
  }

  warn(): void {
    this.#gateway.log("session.expiring", this.#ids);
  }

  expire(): void {
    const isKey = !isLive(this.#key!, this.#gateway.clock.now());
    this.end(isKey ? endings.revoked : endings.expired);
  }

  subscribe(clientId: string): boolean {
    const { limits } = this.#gateway;
    if (!this.clientIds.has(clientId) && this.clientIds.size >= limits.subscriptions) return false;
    this.clientIds.add(clientId);
    this.access.show(clientId);
    this.#outbox.revive();
    this.#context!.tenant.subscriptions.add(this, clientId);
    return true;
  }

  event(event: CallEvent): void {
    this.#outbox.event(event);
  }

  audio(source: AudioSource, speech: Speech, endOfStream: boolean): void {
    this.#outbox.audio(source, speech, endOfStream);
  }

  hush(source: AudioSource): void {
    this.#outbox.hush(source);
  }

  get #ids(): LogDetails {
    return this.#context?.ids ?? { session: this.#number };
  }

  /** Looks at a stream when it is its tenant's turn. Until then the next one is not asked for: it stays with the connection, and so does the peer's credit. */
  #inTurn(look: () => void): void | Promise<void> {
    const { turns } = this.#gateway;
    return this.#state === "open" ? turns.join(this.#context!.tenant).then(look) : look();
  }

  #onRequest(stream: BidirectionalStream): void {
    const { counters, limits } = this.#gateway;
    if (this.#state === "handshake" && this.#handshake.offer(stream)) return;
    if (this.#state === "open" && this.#stops.size < limits.streams) {
      const isFast = !this.#rate.take();
      if (isFast) this.#strike();
      const isLimited = isFast || !this.#context!.tenant.rpcRate.take();
      if (isLimited) counters.limited++;
      void serveRpc(stream, this.#context!, {
        ...{ isLimited, track: this.#track, unfinished: this.#unfinished! },
      });
      return;
    }
    stream.readable.cancel().catch(ignore);
    stream.writable.abort().catch(ignore);
    this.#onUnwanted();
  }

  #onUplink(stream: ReadableStream<Uint8Array>): void {
    const { limits } = this.#gateway;
    if (this.#state === "open" && this.#stops.size < limits.streams && this.#rate.take()) {
      void receiveAudio(stream, this.#context!, {
        ...{ track: this.#track, unfinished: this.#unfinished! },
      });
      return;
    }
    stream.cancel().catch(ignore);
    this.#onUnwanted();
  }

  /** A stream that has no place: before the token is accepted it ends the session, later it is one too many. */
  #onUnwanted(): void {
    if (this.#state === "handshake") {
      this.#handshake.breach("Another stream came before the token was accepted");
    } else if (this.#state === "open") {
      this.#gateway.counters.limited++;
      this.#strike();
    }
  }

  #strike(): void {
    if (!this.#patience.take()) this.end(endings.flood);
  }

  readonly #track = (stop: () => void): () => void => {
    this.#stops.add(stop);
    return () => void this.#stops.delete(stop);
  };

  /** Takes the principal for the session's life. All in one turn: nothing can be revoked between the check and the entry. */
  #enter(admitted: Admitted): void {
    const { clock, counters, expiry, faults, limits, log, registry, sessions, tenants } =
      this.#gateway;
    const { principal, key } = admitted;
    const doubt = registry.doubt(key);
    if (doubt !== undefined) return void this.#postpone(doubt);
    const refusal = stillHolds(admitted, clock.now());
    if (refusal !== undefined) {
      return void this.#refuse({ refusal, reason: `It was ${refusal} in the meantime` });
    }
    if (faults.of(principal)?.dropSessions === true) return this.drop();
    const tenant = tenants.of(principal);
    if (sessions.size >= limits.sessions || tenant.sessions >= limits.sessionsPerTenant) {
      log("limit.reached", { ...this.#ids, code: 429, reason: "sessions" });
      return void this.#turnAway(429, ErrorCode.ERR_RATE_LIMITED, "Too many sessions");
    }
    const { tenantId, keyId, expiresAtMs } = principal;
    const ids = { session: this.#number, tenantId, keyId };
    this.#context = { gateway: this.#gateway, principal, tenant, session: this, ids };
    this.#access = new Access(principal, this.#number);
    this.#unfinished = new ByteBudget(limits.unfinishedBytes, tenant.unfinished);
    this.#key = key;
    this.#state = "open";
    this.#leaveKey = this.#gateway.registry.hold(key, this);
    tenant.sessions++;
    sessions.add(this);
    counters.accepted++;
    expiry.watch(this);
    log("session.accepted", { ...ids, durationMs: clock.monotonic() - this.#openedAt });
    void this.#handshake.reply({ status: "OK", tenantId, expiresAtMs }, this.#track);
  }

  async #refuse({ refusal, reason }: Refused): Promise<void> {
    this.#onRefused?.(reason);
    const { counters, log } = this.#gateway;
    counters.refused[refusal]++;
    log("session.refused", { ...this.#ids, code: 401, refusal, reason });
    await this.#turnAway(401, ErrorCode.ERR_UNAUTHORIZED, refusal);
  }

  /** The token can be neither accepted nor refused now: the peer is asked to come again. */
  async #postpone(reason: string): Promise<void> {
    this.#gateway.log("session.refused", { ...this.#ids, code: 503, reason });
    await this.#turnAway(503, cannotCheck.code, cannotCheck.message);
  }

  async #turnAway(closeCode: number, errorCode: number, errorMessage: string): Promise<void> {
    this.#state = "refused";
    void this.#handshake.reply({ status: "ERROR", errorCode, errorMessage }, this.#track);
    await this.#closeAfterGrace(closeCode, errorMessage);
  }

  async #closeAfterGrace(closeCode: number, reason: string): Promise<void> {
    const { clock, limits } = this.#gateway;
    await sleep(limits.graceMs, { clock, signal: this.#over }).catch(ignore);
    this.#session.close({ closeCode, reason });
  }

  /** Leaves every list: from here on it hears nothing and nothing of it is carried out. */
  #leave(state: "ending" | "over"): void {
    const wasOpen = this.#state === "open";
    this.#state = state;
    if (!wasOpen) return;
    const { expiry, sessions } = this.#gateway;
    const { tenant } = this.#context!;
    tenant.subscriptions.remove(this);
    tenant.sessions--;
    this.#leaveKey();
    sessions.delete(this);
    expiry.forget(this);
  }

  #cleanUp(): void {
    const { clock, log } = this.#gateway;
    this.#leave("over");
    this.#over.abort(undefined);
    for (const stop of this.#stops) stop();
    this.#handshake.stop();
    this.#outbox.end();
    log("session.closed", { ...this.#ids, durationMs: clock.monotonic() - this.#openedAt });
  }
}

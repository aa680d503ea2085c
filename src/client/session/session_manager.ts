/**
 * Keeps a session alive: the first connect, renewal, reconnect with back-off, the end. The one owner of retries.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import type { Queue } from "../../base/queue.ts";
import { type Clock, raceSignal, sleep, within } from "../../base/signal.ts";
import type { SessionEnding } from "../../wire/mod.ts";
import { backoffMs } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import {
  endingError,
  expiredError,
  hopelessness,
  isExpiry,
  lossOf,
  UNAUTHORIZED,
} from "./end_errors.ts";
import type { BrokenStream } from "./push_router.ts";
import type { Logger } from "../log.ts";
import type { TokenReason } from "./token_supply.ts";
import { scheduleRenewal, settled } from "./renewal.ts";
import { LOSS_GRACE_MS } from "../rpc/rpc.ts";
import { type ClientStatus, type RenewalReason, StatusBoard, type StatusOpen } from "./status.ts";

/** Options of a {@linkcode SessionManager}. */
export interface SessionManagerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Opens one connection; rejects when it cannot. */
  readonly open: (
    request: { readonly reason: TokenReason; readonly signal: AbortSignal },
  ) => Promise<Connection>;
  /** Whether a lost session is replaced. */
  readonly reconnect: boolean;
  /** Whether asking for a token again can give another. */
  readonly renewable: boolean;
  /** Called when a connection takes over, before anything waits on it. */
  readonly onOpen: (connection: Connection) => void;
  /** Called once, at the end; with the error that ended the client, if one did. */
  readonly onClosed: (error: TeleQuickError | undefined) => void;
  /** Random numbers from 0 up to 1, for the jitter. */
  readonly random: () => number;
}

// A session that lasted this long was a success: the next loss starts the back-off anew.
const LASTED_MS = 10_000;
// Streams that are kept for what is under way when a runtime does not give their credit back.
const STREAM_RESERVE = 16;

/** One state machine: `idle`, `connecting`, `open`, `renewing`, `reconnecting`, `closed`. */
export class SessionManager {
  readonly #options: SessionManagerOptions;
  readonly #stop = new AbortController();
  readonly #statuses = new StatusBoard();
  readonly #retiring = new Set<Connection>();
  #current: Connection | undefined;
  #opening: Promise<Connection> | undefined;
  #isDialling = false;
  // How often a token was asked for, and which of them the connection in use was opened with.
  #asked = 0;
  #taken = 0;
  #endings = new WeakMap<Connection, { readonly said: SessionEnding; readonly heardAt: number }>();
  #cancelRenewal: (() => void) | undefined;
  #openedAt = 0;
  #failures = 0;
  #hurried = 0;
  #replacing: Connection | undefined;
  #openStatus: StatusOpen | undefined;
  // When the gateway was last heard before something was lost that has not been told; on the monotonic clock.
  #lostSince: number | undefined;
  #closedBy: { readonly error: TeleQuickError | undefined } | undefined;

  constructor(options: SessionManagerOptions) {
    this.#options = options;
  }

  /** What the client is doing now. */
  get status(): ClientStatus {
    return this.#statuses.current;
  }

  /** The connection in use, if there is one that works. */
  get current(): Connection | undefined {
    return this.#current?.session.isClosed === false ? this.#current : undefined;
  }

  /** The connection in use, if an RPC can be sent on it at once. */
  get ready(): Connection | undefined {
    const { current } = this;
    return current === undefined || this.#isExhausted(current) ? undefined : current;
  }

  /** The open connection; or the one being opened; or the first, which this opens. */
  connection(signal?: AbortSignal): Promise<Connection> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    // A loss that has not been told yet is a loss all the same.
    if (this.#current?.session.isClosed === true) this.#lose(this.#current);
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedError());
    if (this.ready !== undefined) return Promise.resolve(this.ready);
    return raceSignal(this.#opening ?? this.#connectFirst(), signal);
  }

  /** Statuses from the current one on; ends after `closed`. */
  statuses(): Queue<ClientStatus> {
    return this.#statuses.listen();
  }

  /**
   * Replaces the session while it works: make before break. Resolves when one has taken over whose token was asked for since: what is
   * being opened already may have an older one.
   */
  async renew(reason: RenewalReason, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw signal.reason;
    const asked = this.#asked;
    do {
      if (this.#closedBy !== undefined) throw this.#closedError();
      if (this.current === undefined) await this.connection(signal);
      else await raceSignal(this.#reopen(reason, undefined), signal);
    } while (this.#taken <= asked);
  }

  /** The gateway announced the end of a session. */
  announce(connection: Connection, ending: SessionEnding): void {
    this.#options.log("info", "session.ending", { code: ending.code, reason: ending.reason });
    this.#endings.set(connection, { said: ending, heardAt: connection.heard() });
    if (connection !== this.#current || !this.#options.reconnect) return;
    // A token or key that is over is no reason to give up where another can be had.
    const again = ending.reconnect || (ending.code === UNAUTHORIZED && this.#options.renewable);
    if (again) void this.#replace(connection, "session-ending").catch(ignore);
  }

  /**
   * A stream of events broke off on a session: events may be missing. Unless that session turns out to be over, it is deaf from now
   * on, and a fresh one takes over.
   */
  async suspect(connection: Connection, end: BrokenStream): Promise<void> {
    const { session } = connection;
    const isFirst = !session.isClosed;
    const wasCurrent = connection === this.#current;
    if (isFirst) {
      if (!this.#options.reconnect) return;
      await this.#pause(LOSS_GRACE_MS, connection.lost);
    }
    if (session.isClosed && (!isFirst || wasCurrent || this.#endings.has(connection))) {
      // The end of a session is told as such; an event that was under way had been for longer.
      if (end.isMidFrame) await this.#missSince(end.heardAt);
      return;
    }
    if (this.#closedBy !== undefined) return;
    this.#options.log("warn", "push.broken");
    void this.#missSince(end.heardAt);
    if (connection === this.#current) await this.#replace(connection, "stream-failed");
  }

  /** A session is given up that may have been subscribed: what the gateway has pushed there since it was last heard may be lost. */
  miss(connection: Connection): void {
    void this.#missSince(connection.heardAt);
  }

  /** A gateway that ends one fresh session after the other is met with the same back-off as one that is not there. */
  async #replace(connection: Connection, reason: RenewalReason): Promise<void> {
    if (this.#replacing === connection) return;
    this.#replacing = connection;
    const lasted = this.#options.clock.monotonic() - this.#openedAt >= LASTED_MS;
    this.#hurried = lasted ? 0 : this.#hurried + 1;
    if (this.#hurried > 1) {
      await this.#pause(backoffMs(this.#hurried - 1, this.#options.random), connection.lost);
    }
    if (this.#current === connection) await this.#reopen(reason, undefined);
  }

  /** Ends the client after `drain`, which is given `timeoutMs`. Nothing of the sessions is left afterwards. */
  async close(drain: () => Promise<void>, timeoutMs: number): Promise<void> {
    if (this.#closedBy !== undefined) return;
    const connections = [...this.#retiring];
    if (this.current !== undefined) {
      connections.push(this.current);
      await within(drain, {
        timeoutMs,
        clock: this.#options.clock,
        onTimeout: () => new TeleQuickError("ERR_TIMEOUT", "Drain is over"),
      }).catch((error: unknown) => {
        this.#options.log("warn", "close.drain-incomplete", { error: messageOf(error) });
      });
    }
    this.#end(undefined);
    await Promise.all(connections.map((connection) => connection.session.closed));
  }

  /** Looks whether stream credit runs low; then a fresh session takes over. */
  checkCredit(connection: Connection): void {
    if (connection !== this.#current || !this.#isLow(connection)) return;
    void this.#reopen("stream-credit", undefined).catch(ignore);
  }

  #connectFirst(): Promise<Connection> {
    this.#set({ type: "connecting" });
    return this.#single(async () => {
      try {
        return await this.#attempt("connect");
      } catch (error) {
        if (this.#closedBy === undefined) this.#set({ type: "idle" });
        throw error;
      }
    });
  }

  #reopen(reason: RenewalReason | undefined, cause: unknown): Promise<Connection> {
    return this.#single(() => this.#reopenUntilOpen(reason, cause));
  }

  /** One opening at a time, whoever asks for it. */
  #single(open: () => Promise<Connection>): Promise<Connection> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = open().finally(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    opening.catch(ignore);
    this.#opening = opening;
    return opening;
  }

  async #reopenUntilOpen(reason: RenewalReason | undefined, lost: unknown): Promise<Connection> {
    let cause = lost;
    const isHopeless = hopelessness(this.#options.renewable);
    let renewals = 0;
    while (true) {
      const alive = this.current;
      if (alive !== undefined) {
        if (renewals++ === 0) this.#set({ type: "renewing", reason: reason ?? "requested" });
        else {
          await this.#pause(backoffMs(renewals - 1, this.#options.random), alive.lost);
          if (this.current === undefined && this.#closedBy === undefined) continue;
        }
      } else {
        this.#failures++;
        const delayMs = backoffMs(this.#failures, this.#options.random);
        this.#set({ type: "reconnecting", attempt: this.#failures, delayMs, cause });
        await this.#pause(delayMs);
      }
      if (this.#closedBy !== undefined) throw this.#closedError();
      try {
        return await this.#attempt(this.current === undefined ? "reconnect" : "renew");
      } catch (error) {
        if (this.#closedBy !== undefined) throw this.#closedError();
        cause = error;
        this.#options.log("warn", "session.open-failed", { error: messageOf(error) });
        // What a token function throws is no verdict on the credentials: it may need the very network that is gone.
        if (!(error instanceof TeleQuickError)) continue;
        const hopeless = isHopeless(error);
        // While the old session lives it carries everything: whoever mends the credentials in time loses nothing.
        if (hopeless && this.current === undefined) {
          this.#end(!this.#options.renewable && isExpiry(error) ? expiredError() : error);
          throw this.#closedError();
        }
      }
    }
  }

  async #attempt(reason: TokenReason): Promise<Connection> {
    const { clock, open } = this.#options;
    const startedAt = clock.monotonic();
    const asked = ++this.#asked;
    this.#isDialling = true;
    const connection = await open({ reason, signal: this.#stop.signal })
      .finally(() => this.#isDialling = false);
    if (this.#closedBy !== undefined || connection.session.isClosed) {
      this.miss(connection);
      connection.session.close();
      throw this.#closedBy === undefined ? lossOf(connection) : this.#closedError();
    }
    this.#taken = asked;
    this.#promote(connection, clock.monotonic() - startedAt);
    return connection;
  }

  #promote(connection: Connection, connectMs: number): void {
    const previous = this.#current;
    this.#current = connection;
    this.#openedAt = this.#options.clock.monotonic();
    void connection.session.closed.then(() => this.#lose(connection));
    this.#armRenewal(connection);
    this.#options.onOpen(connection);
    // What is announced comes last: what happened from then on, nobody was told.
    const ending = previous && this.#endings.get(previous);
    if (ending !== undefined) void this.#missSince(ending.heardAt);
    this.#openStatus = { type: "open", ...connection.principal, connectMs };
    this.#tellOpen();
    if (previous?.session.isClosed === false) void this.#retire(previous);
  }

  #tellOpen(): void {
    const since = this.#lostSince;
    this.#lostSince = undefined;
    if (since !== undefined) {
      const { clock } = this.#options;
      // The wall clock as it is now: it may have been set since.
      const sinceMs = Math.floor(clock.now() - (clock.monotonic() - since));
      this.#set({ type: "events-may-be-missing", sinceMs });
    }
    if (this.#openStatus !== undefined) this.#set(this.#openStatus);
  }

  /** Tells that events may be missing: when the next session is open, or soon when none is being opened or lost. */
  async #missSince(heardAt: number): Promise<void> {
    // Before the first session is open nothing is promised.
    if (this.#closedBy !== undefined || this.#openStatus === undefined) return;
    this.#lostSince = Math.min(this.#lostSince ?? Infinity, heardAt);
    await this.#pause(LOSS_GRACE_MS);
    if (this.#closedBy !== undefined || this.current === undefined) return;
    // A session that is being replaced may be deaf: the one that takes over tells it.
    if (this.#opening !== undefined || this.current === this.#replacing) return;
    if (this.#lostSince !== undefined) this.#tellOpen();
  }

  #lose(connection: Connection): void {
    // Where the end was announced, that counts (see `#promote`).
    if (this.#retiring.delete(connection) && !this.#endings.has(connection)) this.miss(connection);
    if (connection !== this.#current || this.#closedBy !== undefined) return;
    const { clock, reconnect } = this.#options;
    this.#current = undefined;
    this.#cancelRenewal?.();
    this.miss(connection);
    if (clock.monotonic() - this.#openedAt >= LASTED_MS) this.#failures = 0;
    const ending = this.#endings.get(connection)?.said;
    const loss = endingError(ending) ?? lossOf(connection);
    this.#options.log("info", "session.lost", { error: loss.message });
    const isFinal = ending !== undefined && !ending.reconnect && ending.code !== UNAUTHORIZED;
    const isStale = !this.#options.renewable && this.#hasExpired(connection);
    if (isStale) this.#end(expiredError());
    else if (!reconnect || isFinal) this.#end(loss);
    else {
      // A renewal on its way to the gateway is an attempt to come back from now on, and may take as long.
      if (this.#isDialling) {
        this.#set({ type: "reconnecting", attempt: ++this.#failures, delayMs: 0, cause: loss });
      }
      void this.#reopen(undefined, loss).catch(ignore);
    }
  }

  /** Lets a replaced session finish what is under way on it, then closes it. */
  async #retire(connection: Connection): Promise<void> {
    this.#retiring.add(connection);
    await settled(connection, { clock: this.#options.clock, stop: this.#stop.signal });
    this.#retiring.delete(connection);
    connection.session.close();
  }

  #armRenewal({ expiresAtMs }: Connection): void {
    this.#cancelRenewal?.();
    const { renewable, reconnect } = this.#options;
    const isDue = renewable && reconnect && expiresAtMs !== 0;
    this.#cancelRenewal = isDue
      ? scheduleRenewal(expiresAtMs, this.#options, () => {
        void this.#reopen("token-lifetime", undefined).catch(ignore);
      })
      : undefined;
  }

  #end(error: TeleQuickError | undefined): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = { error };
    this.#cancelRenewal?.();
    this.#stop.abort(this.#closedError());
    this.#current?.session.close();
    for (const connection of this.#retiring) connection.session.close();
    this.#current = undefined;
    this.#set({
      type: "closed",
      code: error?.code,
      reason: error?.message ?? "closed by its user",
    });
    this.#options.onClosed(error);
  }

  #set(status: ClientStatus): void {
    this.#options.log("debug", "status", { status: status.type });
    this.#statuses.set(status);
  }

  #closedError(): TeleQuickError {
    return this.#closedBy?.error ??
      new TeleQuickError("ERR_SESSION_CLOSED", "Client is closed: make a new one");
  }

  async #pause(ms: number, until?: AbortSignal): Promise<void> {
    const stop = this.#stop.signal;
    const signal = until === undefined ? stop : AbortSignal.any([stop, until]);
    await sleep(ms, { signal, clock: this.#options.clock }).catch(ignore);
  }

  #isLow({ session }: Connection): boolean {
    return session.streamsLeft !== undefined && session.streamsLeft <= STREAM_RESERVE;
  }

  #isExhausted({ session }: Connection): boolean {
    return this.#opening !== undefined && session.streamsLeft !== undefined &&
      session.streamsLeft <= 1;
  }

  #hasExpired({ expiresAtMs }: Connection): boolean {
    return expiresAtMs !== 0 && expiresAtMs <= this.#options.clock.now();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

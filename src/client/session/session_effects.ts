/**
 * Carries out what a transition between the states of a client's sessions does.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { messageOf } from "../../base/text/message.ts";
import { ignore } from "../../base/ignore.ts";
import { type Clock, LateAbortController, sleep } from "../../base/signal.ts";
import type { Logger } from "../log.ts";
import { LOSS_GRACE_MS } from "../rpc/rpc.ts";
import type { AnnouncedEnds } from "./announced_ends.ts";
import type { Connection } from "./connection.ts";
import { closedError, lossOf } from "./end_errors.ts";
import { EventGap } from "./event_gap.ts";
import { scheduleRenewal } from "./renewal.ts";
import { RetiredSessions } from "./retired_sessions.ts";
import { RetryPolicy } from "./retry_policy.ts";
import { probe, type SilenceOptions, watchSilence } from "./silence_watch.ts";
import { endOf, reasonOf, StateMachine, type Step } from "./state_machine.ts";
import type { Effect, SessionEvent, SessionState } from "./states.ts";
import { type ClientStatus, StatusBoard, type StatusOpen } from "./status.ts";
import type { TokenReason } from "../sign_in/token_provider.ts";

/** What a session is opened for. */
export interface OpenRequest {
  readonly reason: TokenReason;
  /** Aborted when the client closes. */
  readonly signal: AbortSignal;
  /** Called when the token has come: a renewal that is asked for from now on needs another. */
  readonly onToken: () => void;
  /** How many calls have begun to wait for this session since its token was asked for. */
  readonly waiting: () => number;
}

/** Options of {@linkcode SessionEffects}. */
export interface SessionEffectsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Opens one connection; rejects when it cannot. */
  readonly open: (request: OpenRequest) => Promise<Connection>;
  /** Whether a lost session is replaced. */
  readonly reconnect: boolean;
  /** Whether asking for a token again can give another. */
  readonly renewable: boolean;
  /** Whether a call is up. */
  readonly hasCalls: () => boolean;
  /** After how long a silent session without a call is probed, in milliseconds; `Infinity`: never. */
  readonly probeIdleMs: number;
  /** Called when a connection takes over, before anything waits on it. */
  readonly onOpen: (connection: Connection) => void;
  /** Called once, at the end; with the error that ended the client, if one did. */
  readonly onClosed: (error: TeleQuickError | undefined) => void;
  /** How long attempts to come back go on after a session was lost, in milliseconds; `Infinity`: without end. */
  readonly giveUpAfterMs: number;
  /** Random numbers from 0 up to 1, for the jitter. */
  readonly random: () => number;
}

/** The machine, and what its transitions work on. */
export class SessionEffects {
  /** The states. */
  readonly machine: StateMachine;
  /** What is reported of them. */
  readonly statuses: StatusBoard = new StatusBoard();
  /** When to try again. */
  readonly retry: RetryPolicy;
  /** Sessions that were replaced. */
  readonly retired: RetiredSessions;
  /** How many tokens have come. */
  tokens = 0;
  /** Which of the tokens the session in use was opened with. */
  tokenInUse = 0;
  /** How many calls wait for a session whose token is being asked for, without the one that asked; `undefined` when none is. */
  waiting: number | undefined;
  readonly #options: SessionEffectsOptions;
  readonly #ends: AnnouncedEnds;
  readonly #gap: EventGap;
  readonly #silence: SilenceOptions;
  readonly #stop = new LateAbortController();
  #cancelRenewal: () => void = ignore;
  #openStatus: StatusOpen | undefined;

  constructor(options: SessionEffectsOptions, ends: AnnouncedEnds) {
    const { clock } = options;
    this.#options = options;
    this.#ends = ends;
    this.machine = new StateMachine(clock, (effect, step) => this.#run(effect, step));
    this.retry = new RetryPolicy(options);
    this.retired = new RetiredSessions(clock, this.#stop);
    this.#gap = new EventGap(clock);
    this.#silence = this.#silenceOptions();
  }

  /** What was sent after `heardAt` may be missing: reported when the next session is open, or soon when none is being opened. */
  async missSince(heardAt: number): Promise<void> {
    // Before the first session is open nothing is promised.
    if (this.#openStatus === undefined || this.machine.state.type === "closed") return;
    this.#gap.extend(heardAt);
    await this.pause(LOSS_GRACE_MS);
    const { state, connection } = this.machine;
    // A session that is being replaced may hear nothing: the one that takes over reports it.
    if (state.type !== "open" || connection?.session.isClosed !== false) return;
    if (this.#gap.isOpen) this.#reportOpen();
  }

  /** A session is over: where it was in use, that is the next event. */
  lose(connection: Connection): void {
    // Where the end was announced, that counts (see `#promote`).
    const isAnnounced = this.#ends.heardAt(connection) !== undefined;
    if (this.retired.forget(connection) && !isAnnounced) void this.missSince(connection.heardAt);
    if (connection === this.machine.connection) {
      this.machine.dispatch(this.#ends.lossOf(connection));
    }
  }

  /** Waits `ms` milliseconds, until a signal aborts or the client ends. Never rejects. */
  async pause(ms: number, until?: AbortSignal): Promise<void> {
    const stop = this.#stop.signal;
    const signal = until === undefined ? stop : AbortSignal.any([stop, until]);
    await sleep(ms, { signal, clock: this.#options.clock }).catch(ignore);
  }

  #run(effect: Effect, step: Step): void {
    const { from, event } = step;
    switch (effect) {
      case "report-connecting":
        return this.#report({ type: "connecting" });
      case "report-idle":
        return this.#report({ type: "idle" });
      case "report-renewing":
        return this.#report({ type: "renewing", reason: reasonOf(step) });
      case "report-lost":
        return this.#reportReconnecting(this.retry.nextAttempt().attempt, 0, event);
      case "note-loss":
        return this.#noteLoss(step);
      case "dial":
        return this.#dial();
      case "pause-deferred":
        return this.machine.pause("open-deferred", "delayMs" in event ? event.delayMs : 0);
      case "pause-renewal":
        return this.machine.pause("renewing-paused", this.retry.renewalDelay());
      case "pause-reconnect": {
        const { attempt, delayMs } = this.retry.nextAttempt();
        this.#reportReconnecting(attempt, delayMs, event);
        return this.machine.pause("reconnecting-paused", delayMs);
      }
      case "promote":
        return this.#promote(step);
      case "discard":
        return "connection" in event ? event.connection.session.close() : undefined;
      case "reject-waiting":
        return "opening" in from && "error" in event ? from.opening.reject(event.error) : undefined;
      case "end":
        return this.#end(step);
    }
  }

  #dial(): void {
    const reason = dialReasonOf(this.machine.state);
    if (reason === undefined) return;
    const { clock, log, open } = this.#options;
    const startedAt = clock.monotonic();
    let token = 0;
    const onToken = (): void => {
      token = ++this.tokens;
      this.waiting = undefined;
    };
    const failed = (error: unknown): void => {
      this.waiting = undefined;
      if (reason !== "connect") log("warn", "session.open-failed", { error: messageOf(error) });
      const last = this.retry.giveUp(error);
      this.machine.dispatch(last ? { type: "gave-up", error: last } : { type: "failed", error });
    };
    const waiting = (): number => this.waiting ?? 0;
    this.waiting = 0;
    open({ reason, signal: this.#stop.signal, onToken, waiting }).then((connection) => {
      if (connection.session.isClosed) {
        void this.missSince(connection.heardAt);
        return failed(lossOf(connection));
      }
      this.tokenInUse = token;
      const connectMs = clock.monotonic() - startedAt;
      this.machine.dispatch({ type: "opened", connection, connectMs });
    }, failed);
  }

  #promote({ from, event }: Step): void {
    if (event.type !== "opened") return;
    const { connection, connectMs } = event;
    const previous = "connection" in from ? from.connection : undefined;
    this.retry.opened();
    void connection.session.closed.then(() => this.lose(connection));
    this.#armRenewal(connection);
    this.#watchSilence(connection);
    this.#options.onOpen(connection);
    // What the old session announced came last on it: what happened from then on it did not hear.
    const heardAt = previous && this.#ends.heardAt(previous);
    if (heardAt !== undefined) this.#gap.extend(heardAt);
    this.#openStatus = { type: "open", ...connection.principal, connectMs };
    this.#reportOpen();
    if (previous?.session.isClosed === false) void this.retired.retire(previous);
    if ("opening" in from) from.opening.resolve(connection);
  }

  #noteLoss({ from, event }: Step): void {
    if (!("connection" in from) || !("error" in event)) return;
    this.#cancelRenewal();
    void this.missSince(from.connection.heardAt);
    this.retry.lost();
    this.#options.log("info", "session.lost", { error: messageOf(event.error) });
  }

  #end({ from, event }: Step): void {
    const error = endOf(event);
    this.#cancelRenewal();
    this.#stop.abort(closedError(error));
    if ("connection" in from) from.connection.session.close();
    this.retired.close();
    if ("opening" in from) from.opening.reject(closedError(error));
    const reason = error?.message ?? "closed by its user";
    this.#report({ type: "closed", code: error?.code, reason });
    this.#options.onClosed(error);
  }

  #armRenewal({ expiresAtMs }: Connection): void {
    this.#cancelRenewal();
    this.#cancelRenewal = ignore;
    const { renewable, reconnect } = this.#options;
    if (!renewable || !reconnect || expiresAtMs === 0) return;
    this.#cancelRenewal = scheduleRenewal(expiresAtMs, this.#options, () => {
      this.machine.dispatch({ type: "renew", reason: "token-lifetime" });
    });
  }

  /** Make before break: the session that does not answer carries on until another is accepted, or 15 s are over. */
  #watchSilence(connection: Connection): void {
    connection.whenUnanswered(() => void probe(connection, this.#silence).catch(ignore));
    void watchSilence(connection, this.#silence);
  }

  #silenceOptions(): SilenceOptions {
    const { clock, hasCalls, log, probeIdleMs, reconnect } = this.#options;
    return {
      ...{ clock, hasCalls, probeIdleMs },
      onSilent: (connection) => {
        log("warn", "session.silent");
        if (!reconnect || connection !== this.machine.connection) return;
        this.machine.dispatch({ type: "renew", reason: "no-answer" });
      },
      onDead: (connection, silentMs) => {
        const seconds = Math.round(silentMs / 1_000);
        connection.session.close({ reason: `nothing was received for ${seconds} s` });
      },
    };
  }

  #reportOpen(): void {
    const gap = this.#gap.take();
    if (gap !== undefined) this.#report(gap);
    if (this.#openStatus !== undefined) this.#report(this.#openStatus);
  }

  #reportReconnecting(attempt: number, delayMs: number, event: SessionEvent): void {
    const cause = "error" in event ? event.error : undefined;
    const refusal = cause instanceof TeleQuickError ? cause.refusal : undefined;
    this.#report({ type: "reconnecting", attempt, delayMs, cause, refusal });
  }

  #report(status: ClientStatus): void {
    this.#options.log("debug", "status", { status: status.type });
    this.statuses.set(status);
  }
}

/** What a token is asked for in a state in which a session is being opened; `undefined` in every other. */
function dialReasonOf(state: SessionState): "connect" | "renew" | "reconnect" | undefined {
  switch (state.type) {
    case "connecting":
      return "connect";
    case "renewing":
      return "renew";
    case "reconnecting":
      return "reconnect";
    default:
      return undefined;
  }
}

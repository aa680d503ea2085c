/**
 * One authenticated session and what is under way on it.
 *
 * @module
 */

import { TeleQuickError, type TeleQuickErrorCode } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import {
  type Cancellation,
  Canceller,
  type Clock,
  LateAbortController,
  SharedClock,
  sleep,
} from "../../base/signal.ts";
import type { Session } from "../../transport/mod.ts";
import type { Method } from "../../wire/mod.ts";
import { peerText } from "../log.ts";
import { callRpc } from "../rpc/rpc.ts";

/** The tenant and key that the gateway accepted, pinned to a session for its life. */
export interface Principal {
  readonly tenantId: string;
  /** The `kid` of the accepted token, empty when it was not readable. */
  readonly keyId: string;
  /** When the token ends, in Unix milliseconds; 0 when unknown. */
  readonly expiresAtMs: number;
  /** How far this machine's clock is ahead of the gateway's, in milliseconds; `undefined` when the gateway did not say its time. */
  readonly clockSkewMs: number | undefined;
}

/** Options of a {@linkcode Connection}. */
export interface ConnectionOptions {
  readonly clock: Clock;
  readonly requestLength: "inclusive" | "exclusive";
  /** How far this machine's clock is ahead of that by which the token ends, in milliseconds. */
  readonly skewMs: number;
}

/** A session that has presented its token. Counts its RPCs, so that it can be drained; rejects them when it is lost. */
export class Connection {
  /** The session underneath. */
  readonly session: Session;
  /** The tenant and key that the session is pinned to. */
  readonly principal: Principal;
  /** When the token ends by this machine's clock, in Unix milliseconds; 0 when unknown. */
  readonly expiresAtMs: number;
  /** Whether it is being looked at whether the session is alive. */
  isProbed = false;
  readonly #options: ConnectionOptions;
  readonly #lost = new LateAbortController();
  // Cancels each RPC when the session is over; and the time for all of them.
  readonly #over = new Canceller();
  readonly #clock: SharedClock;
  #onUnanswered: () => void = ignore;
  #inFlight = 0;
  #spokeAt = -Infinity;
  #heardAt: number;
  #idle: (() => void)[] | undefined;

  constructor(session: Session, principal: Principal, options: ConnectionOptions) {
    this.session = session;
    this.principal = principal;
    this.expiresAtMs = principal.expiresAtMs && principal.expiresAtMs + options.skewMs;
    this.#options = options;
    this.#clock = new SharedClock(options.clock);
    this.#heardAt = options.clock.monotonic();
    void session.closed.then(({ reason }) => {
      const loss = new TeleQuickError(
        "ERR_SESSION_CLOSED",
        `Session closed${reason === "" ? "" : `: ${peerText(reason)}`}`,
        { retryable: true },
      );
      this.#over.abort(loss);
      this.#lost.abort(loss);
      this.#clock.stop();
    });
  }

  /** Aborted when the session is over, with an `ERR_SESSION_CLOSED`. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Has `listener` called when a request ran into its limit and nothing was received since it was sent. */
  whenUnanswered(listener: () => void): void {
    this.#onUnanswered = listener;
  }

  /** The same as {@linkcode Connection.lost}, for waits of the client's own, which need no `AbortSignal`. */
  get over(): Cancellation {
    return this.#over;
  }

  /** How many RPCs are under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Sends a request and resolves with its reply; rejects at once when the session is lost. */
  async call<Q, R>(
    method: Method<Q, R>,
    request: Partial<Q>,
    options: { readonly signal: Cancellation | undefined; readonly timeoutMs: number },
  ): Promise<R> {
    this.#inFlight++;
    const sentAt = this.#options.clock.monotonic();
    try {
      const reply = await callRpc(this.session, method, request, {
        signal: options.signal,
        lost: this.#over,
        timeoutMs: options.timeoutMs,
        clock: this.#clock,
        requestLength: this.#options.requestLength,
      });
      this.heard();
      return reply;
    } catch (error) {
      if (isCode(error, "ERR_RPC_REJECTED")) this.heard();
      if (isCode(error, "ERR_TIMEOUT") && this.receivedAt <= sentAt) this.#onUnanswered();
      // The stream may notice the loss before the session does: one loss, one error.
      if (this.session.isClosed && options.signal?.aborted !== true) throw this.#lossOf(error);
      throw error;
    } finally {
      if (--this.#inFlight === 0) this.#wakeIdle();
    }
  }

  /** Resolves when no RPC is under way. */
  drained(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#idle ??= []).push(resolve));
  }

  /** When anything was last received on this session, on the monotonic clock. */
  get receivedAt(): number {
    return Math.max(this.#heardAt, this.#spokeAt);
  }

  /** When the gateway was last heard, on the monotonic clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** The gateway was heard: a reply, or pushes with nothing left unfinished. Returns the time. */
  heard(): number {
    return this.#heardAt = this.#options.clock.monotonic();
  }

  /** The gateway is pushing something. Returns the time. */
  speaks(): number {
    return this.#spokeAt = this.#options.clock.monotonic();
  }

  /** Waits `ms` milliseconds; rejects when the session is over. */
  pause(ms: number): Promise<void> {
    return this.#sleep(ms, this.#over);
  }

  /** Resolves when nothing more has been pushed for `ms` milliseconds, from now on. */
  async quiet(ms: number, signal: Cancellation): Promise<void> {
    const { clock } = this.#options;
    let left = ms;
    while (left > 0) {
      await this.#sleep(left, signal);
      left = this.#spokeAt + ms - clock.monotonic();
    }
  }

  #sleep(ms: number, signal: Cancellation): Promise<void> {
    return sleep(ms, { signal, clock: this.#options.clock });
  }

  #wakeIdle(): void {
    const idle = this.#idle ?? [];
    this.#idle = undefined;
    for (const resolve of idle) resolve();
  }

  #lossOf(error: unknown): unknown {
    if (error instanceof TeleQuickError && error.code !== "ERR_SESSION_CLOSED") return error;
    return this.#over.aborted ? this.#over.reason : error;
  }
}

function isCode(error: unknown, code: TeleQuickErrorCode): boolean {
  return error instanceof TeleQuickError && error.code === code;
}

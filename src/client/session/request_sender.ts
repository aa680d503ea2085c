/**
 * Sends requests on the session that is open: waits for one within the caller's time, asks again what may be asked again.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { type Clock, sleep, within } from "../../base/signal.ts";
import { type Method, methods } from "../../wire/mod.ts";
import type { Connection } from "./connection.ts";
import type { SessionManager } from "./session_manager.ts";
import { duration } from "../option_checks.ts";
import { LOSS_GRACE_MS, type RequestOptions } from "../rpc/rpc.ts";
import { RpcCounter } from "../rpc/rpc_stats.ts";

// Queries: asked twice, they change nothing.
const SAFE: ReadonlySet<unknown> = new Set([
  methods.StreamEvents,
  methods.GetIncomingCalls,
  methods.GetActiveBuckets,
  methods.GetBucketCalls,
]);

/** Options of a {@linkcode RequestSender}. */
export interface RequestSenderOptions {
  readonly clock: Clock;
  /** Whether a lost session is replaced. */
  readonly reconnect: boolean;
  /** How long a request may take where its caller does not say, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/** The one way by which RPCs leave a client. */
export class RequestSender {
  /** What was sent, and how long it took. */
  readonly rpcs: RpcCounter = new RpcCounter();
  readonly #sessions: SessionManager;
  readonly #options: RequestSenderOptions;

  constructor(sessions: SessionManager, options: RequestSenderOptions) {
    this.#sessions = sessions;
    this.#options = options;
  }

  /** Sends a request on the open session, or on the next. Only what asks and changes nothing is sent again after a loss. */
  async send<Q, R>(
    method: Method<Q, R>,
    request: Partial<Q>,
    { signal, timeoutMs }: RequestOptions = {},
  ): Promise<R> {
    const { clock, reconnect } = this.#options;
    const limitMs = this.limit(timeoutMs);
    const startedAt = clock.monotonic();
    const left = (): number => Math.max(1, Math.ceil(limitMs - (clock.monotonic() - startedAt)));
    while (true) {
      const connection = this.#ready(signal) ?? await this.connection(left(), signal, method.name);
      try {
        return await this.rpcs.measure(
          clock,
          () => connection.call(method, request, { signal, timeoutMs: left() }),
        );
      } catch (error) {
        if (!SAFE.has(method) || !isLoss(error) || !reconnect) throw error;
        // A stream that ends on a living session was reset by the gateway: asking again would only repeat it.
        if (left() <= 1 || !await isOver(connection, { signal, clock })) throw error;
      } finally {
        this.#sessions.checkCredit(connection);
      }
    }
  }

  /** How long a request may take: what its caller says, else the client's default. */
  limit(timeoutMs: number | undefined): number {
    return duration("timeoutMs", timeoutMs, this.#options.requestTimeoutMs);
  }

  /** A session to send on, within a time and a signal. */
  connection(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    action: string,
  ): Promise<Connection> {
    const ready = this.#ready(signal);
    if (ready !== undefined) return Promise.resolve(ready);
    return within((inner) => this.#sessions.connection(inner), {
      signal,
      timeoutMs,
      clock: this.#options.clock,
      onTimeout: () =>
        new TeleQuickError(
          "ERR_TIMEOUT",
          `Cannot send ${action}: no session within ${timeoutMs} ms (nothing was sent)`,
          { retryable: true },
        ),
    });
  }

  /** A session to send on at once. */
  #ready(signal: AbortSignal | undefined): Connection | undefined {
    return signal?.aborted === true ? undefined : this.#sessions.ready;
  }
}

/** Whether the session is over too: it may notice the loss after its streams do. */
async function isOver(
  { session, lost }: Connection,
  options: { readonly signal: AbortSignal | undefined; readonly clock: Clock },
): Promise<boolean> {
  const { signal, clock } = options;
  const either = signal === undefined ? lost : AbortSignal.any([signal, lost]);
  await sleep(LOSS_GRACE_MS, { signal: either, clock }).catch(ignore);
  return session.isClosed;
}

function isLoss(error: unknown): boolean {
  return error instanceof TeleQuickError && error.code === "ERR_SESSION_CLOSED" && error.retryable;
}

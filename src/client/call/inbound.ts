/**
 * A worker of a fleet, as its user sees it.
 *
 * @module
 */

import { kindOf } from "../../base/check.ts";
import { TeleQuickError } from "../../base/errors.ts";
import type { Call } from "./call.ts";

const DEFAULT_CAPACITY = 10;

/**
 * Serves one call that was answered. It can return before the call has ended: the call goes on, and counts until then. When it throws,
 * the call is hung up.
 */
export type InboundHandler = (call: Call) => Promise<void> | void;

/** Options of {@linkcode TeleQuickClient.serveInbound}. */
export interface ServeInboundOptions {
  /** The most calls at once, a whole number from 1. Default: 10. */
  readonly capacity?: number | undefined;
  /** Ends the service, as `close()` does. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with what the handler throws, and its call; and without a call, when waiting calls could not be listed or answered: that is
   * tried again. A verb that rejects because its call has ended (`ERR_CALL_ENDED`) is not reported. Default: records in the log alone.
   */
  readonly onError?: ((error: unknown, call: Call | undefined) => void) | undefined;
}

/** What a service has counted. */
export interface InboundStats {
  /** Calls in hand, and answers under way. */
  readonly active: number;
  /** Calls that it has answered. */
  readonly answered: number;
  /** Answers that the gateway refused: another worker was faster, or the caller has hung up. */
  readonly missed: number;
  /** Calls whose handler has thrown. */
  readonly failed: number;
}

/** A service that answers the calls of a trunk. Made by {@linkcode TeleQuickClient.serveInbound}. */
export interface InboundService extends AsyncDisposable {
  /** The trunk. */
  readonly trunkId: string;
  /**
   * Resolves when the service has ended and with it its last call: after `close()`, when its signal aborts, or when the client closes.
   * Rejects when the gateway refuses the first list of waiting calls (a trunk that does not exist, a scope without `call.answer`), and
   * with the error that ended the client.
   */
  readonly ended: Promise<void>;
  /** What was counted so far. */
  stats(): InboundStats;
  /** Answers no more; resolves when the calls in hand have ended and their handlers have returned. */
  close(): Promise<void>;
}

/** The capacity of a service, checked. */
export function capacityOf(capacity: number = DEFAULT_CAPACITY): number {
  if (typeof capacity !== "number") {
    throw new TypeError(`Option capacity is ${kindOf(capacity)}, expected a number`);
  }
  if (Number.isSafeInteger(capacity) && capacity >= 1) return capacity;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Option capacity is ${capacity}, expected a whole number from 1`,
  );
}

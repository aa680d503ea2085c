/**
 * What a method's handler is, and what it is given.
 *
 * @module
 */

import type { ScopeWord } from "../../token/mod.ts";
import type { Method } from "../../wire/mod.ts";
import type { Call } from "../call/call.ts";
import type { RpcRefusal } from "../refusal.ts";
import type { GatewayContext } from "../context.ts";
import type { LogDetails } from "../log.ts";
import type { Principal } from "../auth/principal.ts";
import type { Subscriber } from "../tenant/subscriptions.ts";
import type { Tenant } from "../tenant/tenant.ts";

/** The session that asks, as far as its RPCs go. */
export interface RpcSession extends Subscriber {
  /** Subscribes it to its tenant's events. Returns `false` when it has too many client ids. */
  subscribe(clientId: string): boolean;
  /** The calls that it supervises: what it says to them is not a client's audio. */
  readonly supervisions: Map<Call, SupervisorVoice>;
}

/** What a supervisor says, on its way into a call. */
export interface SupervisorVoice {
  /** Takes a packet. Returns `false` when its mode lets neither side hear it. */
  speak(payload: Uint8Array, codec: string): boolean;
}

/** The stream of a request, for a reply that is not the end of it. */
export interface RpcStream {
  /** Keeps the stream open after the reply. Calls `onEnd` once when it is over. Returns what ends it from this side. */
  keepOpen(onEnd: () => void): () => void;
}

/** Which session asks, and of what. */
export interface RpcContext {
  readonly gateway: GatewayContext;
  readonly principal: Principal;
  readonly tenant: Tenant;
  readonly session: RpcSession;
  /** What log records of this session say. */
  readonly ids: LogDetails;
}

/** A method, and what carries it out. */
export interface Route<Q, R> {
  readonly method: Method<Q, R>;
  /** The words of which a token with a scope needs one; with an empty list no word is enough. Default: every token is allowed. */
  readonly scope?: readonly ScopeWord[];
  /** Whether it can take long: then it needs room in the tenant's budget for long work, and does it in slices. Default: `false`. */
  readonly isLong?: boolean;
  /** Fields that can hold any text, or long ones: the handler checks them. */
  readonly unchecked?: readonly string[];
  /** Carries a request out. */
  handle(
    request: Q,
    context: RpcContext,
    stream: RpcStream,
  ): Partial<R> | RpcRefusal | Promise<Partial<R> | RpcRefusal>;
}

/** Declares a route: this only ties the types together. */
export function route<Q, R>(declaration: Route<Q, R>): Route<unknown, unknown> {
  return declaration as Route<unknown, unknown>;
}

/**
 * The gateway's public shape.
 *
 * @module
 */

import type { Clock } from "../base/signal.ts";
import type {
  IncomingSession,
  WebTransportConstructor,
  WebTransportLike,
} from "../transport/mod.ts";
import type { Faults, FaultTarget } from "./call/faults/faults.ts";
import type { ChooseFarEnd } from "./call/phone/phone.ts";
import type { GatewaySnapshot, GatewayWatch, WatchOptions } from "./observe/records.ts";
import type { GatewayPhones } from "./phones/phones.ts";
import type { GatewayStorage } from "./storage/archive.ts";
import type { InboundCall, SimulateInboundCallOptions } from "./simulated_inbound.ts";
import type { Limits } from "./limits.ts";
import type { GatewayListener, GatewayListenOptions } from "./listener.ts";
import type { GatewayLogRecord, GatewayStats } from "./log.ts";
import type {
  PublishServiceAccountOptions,
  RevokeServiceAccountOptions,
} from "./auth/key_registry.ts";
import type { ClusterOptions } from "./cluster/options.ts";
import type { AddTrunkOptions } from "./tenant/trunk.ts";

/** Options of {@linkcode createGateway}. */
export interface GatewayOptions {
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Makes the far end repeat itself: 32 bits. Default: a fresh one. */
  readonly seed?: number;
  /**
   * Chooses the phone at the far end of each call, dialled or coming in: a script, or a script with listeners. `undefined` leaves the call to
   * the test numbers' own. Default: the test numbers.
   */
  readonly farEnd?: ChooseFarEnd;
  /**
   * Phone numbers that ring for a person, in a program that is connected as the tenant `phoneTenant`: see {@linkcode GatewayPhones}.
   * A script that `farEnd` chooses goes before. Default: none.
   */
  readonly phones?: readonly string[];
  /**
   * The tenant on which they ring. `BootstrapOrg` takes it for one that exists. Programs with a key that `publishServiceAccount()` gives it hear the
   * calls of all tenants to these numbers. Default: `"phone"`.
   */
  readonly phoneTenant?: string;
  /** Takes a record of everything that happens. No key and no token is ever in one. Default: none. */
  readonly log?: (record: GatewayLogRecord) => void;
  /** Other values for some of `limits`. Default: the table's. */
  readonly limits?: Partial<Limits>;
  /** A folder in which keys, revocations and trunks are kept. Default: none, they live in memory. */
  readonly directory?: string;
  /** The same with a storage of the caller's own, in place of `directory`. Default: none. */
  readonly storage?: GatewayStorage;
  /**
   * Shares keys, revocations, trunks, used tokens and dialled call ids with other gateways, in a store, in place of `directory` or `storage`.
   * Limits count for each gateway alone. Default: none.
   */
  readonly cluster?: ClusterOptions;
  /**
   * A folder into which every answered call is recorded, as a WAV file that the `recordingUrl` of its last event names: the far end left, the client
   * right, PCMU at 8 kHz, for the owner of the process alone. Default: none, no call is recorded.
   */
  readonly recordings?: string;
  /** Whether a live session ends with its token, 0 to 5 s after it, or outlives it. Default: `"token"`. */
  readonly sessionExpiry?: "token" | "connection";
  /** Whether replies have a frame around them, as the product's documentation says, or are bare, as its code does. Default: `false`. */
  readonly framedReplies?: boolean;
  /** The only `aud` that a token may have. Default: tokens with an `aud` are refused. */
  readonly audience?: string;
  /** Whether a token must have it. Default: `false`. */
  readonly requireAudience?: boolean;
  /** Whether a browser token that is pinned to an origin is refused where the runtime does not show the session's. Default: `false`. */
  readonly requireOrigin?: boolean;
  /** Whether a token may come as `token=` in the URL, in place of the first stream. URLs end up in logs. Default: `false`. */
  readonly acceptQueryToken?: boolean;
  /** The web origin that `SessionAuth` pins a tenant's browser tokens to, by tenant id. Default: none. */
  readonly tenantOrigins?: Readonly<Record<string, string>>;
  /**
   * What the gateway may fetch for tenants (campaign files, webhooks): origins such as `https://hooks.example`, hosts such as `127.0.0.1:8080`, folders
   * such as `file:///data/`. Default: nothing.
   */
  readonly allowFetch?: readonly string[];
  /** Signs webhooks; not empty. Default: they are not signed. */
  readonly webhookSecret?: string;
  /** The secret with which `BootstrapOrg` makes a tenant, once; not empty. Default: none, it never does. */
  readonly bootstrapSecret?: string;
}

/** What came of a revocation. */
export interface RevokeResult {
  /**
   * The ids of other gateways that have not confirmed within `confirmMs` that they ended the key's sessions. A gateway that is cut off from
   * the store ends them after `sessionStaleMs`. Empty without `cluster`.
   */
  readonly unconfirmed: readonly string[];
}

/** A gateway. Its owner closes it. */
export interface Gateway extends AsyncDisposable {
  /** Resolves when keys and trunks are loaded; rejects when they cannot be. Everything else waits for it. */
  readonly ready: Promise<void>;
  /**
   * Sessions in memory: hand it to a client as its `webTransport` option, with any https: endpoint.
   */
  readonly webTransport: WebTransportConstructor;
  /** Registers a service account's public key. Resolves when it is on disk, where there is one. */
  publishServiceAccount(options: PublishServiceAccountOptions): Promise<void>;
  /** Whether it admits sessions: it is loaded, not closing, and knows recently enough which keys are revoked. */
  readonly isReady: boolean;
  /**
   * Revokes a key: its live sessions end within one round trip, its tokens are refused from now on. With `cluster` it resolves when that survives a
   * crash of the store and the other gateways have confirmed it, or `confirmMs` are over.
   */
  revokeServiceAccount(options: RevokeServiceAccountOptions): Promise<RevokeResult>;
  /** Ends a tenant's live sessions as if their tokens had expired. The keys are not affected: fresh tokens are accepted. */
  expireSessions(options: { readonly tenantId: string }): void;
  /** Adds a tenant's trunk, or replaces its whole record. */
  addTrunk(options: AddTrunkOptions): Promise<void>;
  /** Lets a call come in on a trunk, as from the telephone network. */
  simulateInboundCall(options: SimulateInboundCallOptions): Promise<InboundCall>;
  /** Serves an accepted session. Resolves when it is over. */
  serve(session: WebTransportLike | IncomingSession): Promise<void>;
  /** Accepts WebTransport sessions, where the runtime can: with a certificate of its own, identified by its hash. */
  listen(options?: GatewayListenOptions): Promise<GatewayListener>;
  /** What it has counted. */
  stats(): GatewayStats;
  /** The gateway at this moment: tenants, keys without their material, trunks, sessions, calls, phones, faults, stats. */
  inspect(): GatewaySnapshot;
  /**
   * What happens from now on: log records, the events of every tenant's calls and, with `levels`, how they sound. It costs nothing while
   * the gateway is not watched. Ends by `signal`, by `return()` and with the gateway.
   */
  watch(options?: WatchOptions): GatewayWatch;
  /**
   * Sets what goes wrong for a target, in place of what was set for it before; `undefined` lifts it. Of several targets that fit, only
   * the faults of the most specific one act: the call, the trunk of its tenant, the trunk, the tenant, the gateway. Faults of a call are
   * lifted at its end.
   *
   * @param faults What goes wrong. Everything is checked before anything is set.
   * @param at One live call, a trunk, a tenant. Default: the whole gateway.
   * @throws {TypeError} for a value of the wrong type.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` for a value out of range, an unknown name, a call that is not live; `ERR_LIMIT` for more than 1,000 targets.
   */
  setFaults(faults: Faults | undefined, at?: FaultTarget): void;
  /**
   * Ends a live call, as its far end does.
   *
   * @param callSid The call, of any tenant.
   * @param q850Cause Its cause, ITU-T Q.850: 1 to 127. Default: 16, normal call clearing.
   * @param tenantId Whose call it is, where several tenants have one of this id. Default: any tenant's.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` for a cause that is out of range, or when no such call is live.
   */
  endCall(callSid: string, q850Cause?: number, tenantId?: string): void;
  /** The phone numbers that ring for a person. */
  readonly phones: GatewayPhones;
  /** Informs every session that it ends, gives that message time to arrive, and closes. Calls end with it. */
  close(): Promise<void>;
}

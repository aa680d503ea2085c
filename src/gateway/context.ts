/**
 * What all parts of one gateway share.
 *
 * @module
 */

import type { Cluster } from "./cluster/cluster.ts";
import type { BootstrapSecret } from "./auth/bootstrap_secret.ts";
import type { ExpiryWatch } from "./auth/expiry.ts";
import type { FetchPolicy } from "./fetch_policy.ts";
import type { Issuers } from "./auth/issuer.ts";
import type { KeyRegistry } from "./auth/key_registry.ts";
import type { Tenants } from "./tenant/tenants.ts";
import type { UsedTokens } from "./auth/used_tokens.ts";
import type { StateChange } from "./storage/state.ts";
import type { GatewayServices } from "./services.ts";

/** The tools, and the stores. */
export interface GatewayContext extends GatewayServices {
  readonly registry: KeyRegistry;
  readonly tenants: Tenants;
  readonly bootstrap: BootstrapSecret;
  readonly issuers: Issuers;
  /** What can be fetched for a tenant. */
  readonly policy: FetchPolicy;
  /** Where the gateway is reached. */
  readonly mediaAddress: () => { readonly host: string; readonly port: number };
  readonly expiry: ExpiryWatch;
  /** The authenticated sessions. */
  readonly sessions: Set<unknown>;
  readonly usedTokens: UsedTokens;
  /** The gateways that it shares a store with, if it does. */
  readonly cluster: Cluster | undefined;
  /** Writes changes to disk, or to the store that gateways share, where there is one. */
  readonly save: (changes: readonly StateChange[]) => Promise<void>;
}

/**
 * What all parts of one gateway share.
 *
 * @module
 */

import type { BootstrapSecret } from "./bootstrap_secret.ts";
import type { ExpiryWatch } from "./expiry.ts";
import type { FetchPolicy } from "./fetch.ts";
import type { Issuers } from "./issuer.ts";
import type { Lobby } from "./lobby.ts";
import type { Registry } from "./registry.ts";
import type { Tenants } from "./tenants.ts";
import type { Tools } from "./tools.ts";

/** The tools, and the stores. */
export interface House extends Tools {
  readonly registry: Registry;
  readonly tenants: Tenants;
  readonly bootstrap: BootstrapSecret;
  readonly issuers: Issuers;
  /** What may be fetched for a tenant. */
  readonly policy: FetchPolicy;
  /** Where the gateway is reached. */
  readonly mediaAddress: () => { readonly host: string; readonly port: number };
  readonly lobby: Lobby;
  readonly expiry: ExpiryWatch;
  /** The authenticated sessions. */
  readonly sessions: Set<unknown>;
  /** Writes keys and trunks to disk, where there is one. */
  readonly save: () => Promise<void>;
}

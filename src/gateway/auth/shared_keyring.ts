/**
 * The keys of several gateways, as one of them uses them.
 *
 * @module
 */

import type { KeyAtRevision, SharedKey } from "../../token/shared.ts";
import type { StateChange, StoredKey } from "../storage/state.ts";

/** Keys that several gateways share. Everything rejects with `ERR_UNAVAILABLE`, retryable, when it cannot be done now. */
export interface SharedKeyring {
  /** Why keys that were found before decide nothing now: they are too old. `undefined` when they do. */
  readonly doubt: string | undefined;
  /** Throws when keys are too old to decide. */
  check(): void;
  /** Looks for a key, and puts it into the registry if there is one. `peer` is the address that asks. */
  find(tenantId: string, keyId: string, peer: string | undefined): Promise<void>;
  /** Resolves when a token can be refused because of its signature. `isRead` says whether the key was read for it. */
  confirm(
    tenantId: string,
    keyId: string,
    isRead: boolean,
    peer: string | undefined,
  ): Promise<void>;
  /** Registers a key, or repeats a registration, as `KeyRegistry.publish` does; with other changes in the same write. */
  publish(key: StoredKey, also: readonly StateChange[]): Promise<KeyAtRevision>;
  /** Registers the public half of a key that the gateway signs browser tokens with. */
  publishIssuer(key: SharedKey): Promise<KeyAtRevision>;
  /** Revokes a key for good. Resolves when that survives a crash of the store. */
  revoke(tenantId: string, keyId: string): Promise<KeyAtRevision>;
}

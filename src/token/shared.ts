/**
 * Keys and used tokens in a shared store, for gateways, which write them.
 *
 * @module
 */

export {
  formatSharedKey,
  isRegisteredKey,
  KEY_KIND,
  keyName,
  readSharedKey,
  type RegisteredKey,
  registeredKey,
  type SharedKey,
} from "./shared_key.ts";
export { type CachedKeys, type KeyAtRevision, StoreKeys } from "./store_keys.ts";
export { claimToken } from "./store_replay.ts";

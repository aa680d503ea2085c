/**
 * Tokens: a key in, a signed RS256 token out, and the same rules the other way round.
 *
 * This is all that a backend or an edge function needs to mint browser tokens.
 *
 * @example Mint a token for a page
 * ```ts
 * import { importSigner, mintBrowserToken, parseServiceAccount } from "@telequick/sdk/token";
 *
 * export async function handler(serviceAccountJson: string): Promise<Response> {
 *   const signer = await importSigner(parseServiceAccount(serviceAccountJson));
 *   return new Response(await mintBrowserToken(signer, { origin: "https://app.example" }));
 * }
 * ```
 *
 * @module
 */

export {
  importSigner,
  type ImportSignerOptions,
  importVerifyingKey,
  KEY_ID,
  loadServiceAccount,
  type LoadServiceAccountOptions,
  parseServiceAccount,
  type ServiceAccount,
  type Signer,
  TENANT_ID,
} from "../credentials/mod.ts";
export { signToken, type SignTokenOptions } from "./sign.ts";
export { mintBrowserToken, type MintBrowserTokenOptions } from "./browser.ts";
export type { ScopeWord } from "./scope.ts";
export { createTokenSource, type TokenSource, type TokenSourceOptions } from "./source.ts";
export { tokenOf } from "./appearance.ts";
export { type DecodedToken, decodeToken } from "./decode.ts";
export { verifyToken } from "./verify.ts";
export type {
  ClaimedKey,
  KeyRecord,
  KeyRole,
  KeySet,
  ReplayStore,
  ResolveKey,
  VerifiedToken,
  VerifyTokenOptions,
} from "./policy.ts";
export { createKeySet, type KeySetOptions, type PublishedKey } from "./key_set.ts";
export type { RevokedKey, StoreKeySet, StoreKeySetOptions } from "./store_key_set.ts";
export type { StoreReplayOptions } from "./store_replay.ts";
export type {
  SharedEntry,
  SharedPage,
  SharedQuery,
  SharedStore,
  SharedWrite,
} from "../base/store/shared_store.ts";
export { createReplayStore, type MemoryReplayStore, type ReplayStoreOptions } from "./replay.ts";
export type { Instant } from "./instant.ts";
export type { TokenKind } from "./claims.ts";
export { TeleQuickError } from "../base/errors.ts";
export type { RefusalReason, TeleQuickErrorCode, TeleQuickErrorOptions } from "../base/errors.ts";
export type { Clock } from "../base/signal.ts";

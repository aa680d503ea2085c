/**
 * The tenant and user of a session.
 *
 * @module
 */

import type { TokenKind } from "../../token/mod.ts";

declare const admitted: unique symbol;

/** The tenant and user of a session: pinned to it for its life, and changed by nothing that it sends. */
export interface Principal {
  /** The tenant. */
  readonly tenantId: string;
  /** The `kid` that signed the token. */
  readonly keyId: string;
  /** When the token ends, in Unix milliseconds. */
  readonly expiresAtMs: number;
  /** Whether the token was minted for a browser. */
  readonly kind: TokenKind;
  /** Which user of the tenant the token names, if any. */
  readonly endUser: string | undefined;
  /** The words of its scope; `undefined` when it can do everything in its tenant. */
  readonly scope: ReadonlySet<string> | undefined;
  /** Only `admit.ts` makes one. */
  readonly [admitted]: true;
}

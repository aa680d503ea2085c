/**
 * Who a session speaks for.
 *
 * @module
 */

import type { TokenKind } from "../../token/mod.ts";

declare const admitted: unique symbol;

/** Who a session speaks for: pinned to it for its life, and changed by nothing that it says. */
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
  /** What it may do, if its token says so; everything otherwise. */
  readonly scope: ReadonlySet<string> | undefined;
  /** Only `admit.ts` makes one. */
  readonly [admitted]: true;
}

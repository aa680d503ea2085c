/**
 * `SessionAuth`: browser tokens that the gateway signs itself, on behalf of an admin key.
 *
 * @module
 */

import { generateServiceAccount, importSigner, type Signer } from "../../credentials/mod.ts";
import type { Clock } from "../../base/signal.ts";
import { mintBrowserToken, type ScopeWord } from "../../token/mod.ts";
import { ErrorCode, type SessionAuthRequest, type SessionAuthResponse } from "../../wire/mod.ts";
import { RpcRefusal } from "../refusal.ts";
import type { KeyEntry } from "./key_entry.ts";
import type { KeyRegistry } from "./key_registry.ts";

/** The words that a browser's token can have: a token with another one is not signed. */
const SCOPES: ReadonlySet<string> = new Set<ScopeWord>([
  ...["call.dial", "call.barge", "call.answer"] as const,
  ...["call.listen", "call.speak", "call.read", "telephony:supervise"] as const,
]);
const MAX_SECONDS = 300;

/** Options of {@linkcode Issuers}. */
export interface IssuersOptions {
  readonly clock: Clock;
  readonly registry: KeyRegistry;
  /** The web origin that a tenant's browser tokens are pinned to. */
  readonly origins: Readonly<Record<string, string>>;
  /** Whether other gateways know the public halves: then a key lives for a day, so that those of a gateway that is gone end. */
  readonly isShared?: boolean;
}

interface Issuer {
  readonly signer: Promise<Signer>;
  /** From then on another key signs, Unix milliseconds. */
  readonly untilMs: number;
}

const DAY_MS = 24 * 3_600_000;

/** The gateway's own signing keys: one for each admin key that asked, in memory only. A token ends with the admin key that it hangs on. */
export class Issuers {
  readonly #options: IssuersOptions;
  readonly #signers = new WeakMap<KeyEntry, Issuer>();

  constructor(options: IssuersOptions) {
    this.#options = options;
  }

  /** Signs a token of at most 300 s, for any requested lifetime; the reply says when it ends. It is pinned to the tenant's origin unless another is named. */
  async issue(
    key: KeyEntry,
    request: Pick<SessionAuthRequest, "subject" | "ttlSeconds" | "scope">,
    pinTo?: string,
  ): Promise<Pick<SessionAuthResponse, "token" | "expiresAtMs"> | RpcRefusal> {
    const { subject: endUser, ttlSeconds, scope } = request;
    if (ttlSeconds < 1) return unfit("ttl_seconds is less than 1");
    if (endUser === "") return unfit("subject is empty");
    if (scope !== "" && !scope.split(" ").every((word) => SCOPES.has(word))) {
      return unfit(`scope has other words than ${[...SCOPES].join(", ")}`);
    }
    const { clock, origins } = this.#options;
    const signer = await this.#signerOf(key);
    const now = clock.now();
    const lifetimeSeconds = Math.min(ttlSeconds, MAX_SECONDS);
    const origin = pinTo ??
      (Object.hasOwn(origins, key.tenantId) ? origins[key.tenantId] : undefined);
    const token = await mintBrowserToken(signer, {
      now,
      lifetimeSeconds,
      endUser,
      ...(scope === "" ? {} : { scope }),
      ...(origin === undefined ? {} : { origin }),
    });
    return { token, expiresAtMs: (Math.floor(now / 1_000) + lifetimeSeconds) * 1_000 };
  }

  #signerOf(key: KeyEntry): Promise<Signer> {
    const { clock, isShared } = this.#options;
    const now = clock.now();
    let issuer = this.#signers.get(key);
    if (issuer === undefined || now >= issuer.untilMs) {
      const untilMs = isShared ? now + DAY_MS : Infinity;
      issuer = { signer: this.#makeSigner(key, untilMs), untilMs };
      this.#signers.set(key, issuer);
      issuer.signer.catch(() => this.#signers.delete(key));
    }
    return issuer.signer;
  }

  async #makeSigner(key: KeyEntry, untilMs: number): Promise<Signer> {
    const { account, publicKeyPem } = await generateServiceAccount({ tenantId: key.tenantId });
    // Its last token ends before it does.
    const endsAtMs = untilMs === Infinity ? 0 : Math.floor(untilMs) + 2 * MAX_SECONDS * 1_000;
    await this.#options.registry.addIssuer(key, account.privateKeyId, publicKeyPem, endsAtMs);
    return await importSigner(account, { allowInBrowser: true });
  }
}

function unfit(message: string): RpcRefusal {
  return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, message);
}

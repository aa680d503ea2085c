/**
 * Credentials as a function: asked again for every session, never a cached string.
 *
 * @module
 */

import { importSigner, loadServiceAccount, type ServiceAccount } from "../../credentials/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { type Clock, within } from "../../base/signal.ts";
import { decodeToken, signToken } from "../../token/mod.ts";

/** Why a token is asked for. */
export type TokenReason = "connect" | "renew" | "reconnect" | "supervise";

/** What a token function is told. */
export interface TokenRequest {
  /** Why a token is needed now. */
  readonly reason: TokenReason;
  /** Aborted when the token is no longer needed: the client closes, or has waited too long. */
  readonly signal: AbortSignal;
}

/** Gives a token for the next session: a browser asks the user's own backend, a server may ask a vault. */
export type TokenProvider = (request: TokenRequest) => string | Promise<string>;

/** A token on its way to the gateway, with what can be read of it. */
export interface PresentedToken {
  readonly token: string;
  /** The `kid`, empty when the token is not a JWT. */
  readonly keyId: string;
  /** When it ends, in Unix milliseconds; 0 when the token does not say. */
  readonly expiresAtMs: number;
  /** How far this machine's clock seems to be ahead of that of the token's maker, in milliseconds. */
  readonly skewMs: number;
  /** What is told where the gateway, too, finds that it is over. */
  readonly expired: TeleQuickError | undefined;
}

/** Where a client's tokens come from. */
export interface TokenSupply {
  /** Whether asking again can give another token. */
  readonly renewable: boolean;
  /** A fresh token. Rejects with an `ERR_CREDENTIALS_*`, `ERR_KEY_*` or `ERR_TOKEN_*`, or as the provider does. */
  get(request: TokenRequest): Promise<PresentedToken>;
  /** Whether the credentials file names another tenant or key than the last session's token was made with; absent where there is no file. */
  readonly isStale?: () => Promise<boolean>;
}

/** Options of {@linkcode createTokenSupply}. */
export interface TokenSupplyOptions {
  readonly clock: Clock;
  /** How long a provider may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** Turns the second and third argument of the client's constructor into a supply of tokens. */
export function createTokenSupply(
  credentials: string | ServiceAccount | TokenProvider | undefined,
  isBrowserToken: boolean,
  options: TokenSupplyOptions,
): TokenSupply {
  if (typeof credentials === "function") return fromProvider(credentials, options);
  if (isBrowserToken) return fromToken(credentials, options);
  if (credentials === undefined || typeof credentials === "string") {
    if (credentials !== undefined) refuseSecretAsPath(credentials);
    return fromFile(credentials, options);
  }
  if (typeof credentials?.privateKey !== "string") {
    throw new TypeError(
      "Cannot create client: credentials must be a path, what parseServiceAccount gives, or a function that gives a token",
    );
  }
  return {
    renewable: true,
    get: () => mint(credentials, options.clock),
  };
}

function fromFile(path: string | undefined, { clock }: TokenSupplyOptions): TokenSupply {
  let used: string | undefined;
  const nameOf = ({ tenantId, privateKeyId }: ServiceAccount): string =>
    `${tenantId}\0${privateKeyId}`;
  return {
    renewable: true,
    async get({ reason }) {
      const account = await loadServiceAccount(path);
      // A supervision's token goes on the session that is there, which keeps its own.
      if (reason !== "supervise") used = nameOf(account);
      return await mint(account, clock);
    },
    isStale: async () => nameOf(await loadServiceAccount(path)) !== used,
  };
}

function fromToken(token: unknown, { clock }: TokenSupplyOptions): TokenSupply {
  if (typeof token !== "string") {
    throw new TypeError(
      "Cannot create client: credentials must be a token or a function that gives one when isBrowserToken is true",
    );
  }
  decodeToken(token);
  const advice =
    "pass a function that fetches a fresh token from your backend: new TeleQuickClient(url, () => fetchToken(), true)";
  return {
    renewable: false,
    get: () => Promise.resolve().then(() => readable(token, clock, advice)),
  };
}

function fromProvider(provider: TokenProvider, options: TokenSupplyOptions): TokenSupply {
  const { clock, timeoutMs } = options;
  return {
    renewable: true,
    async get(request) {
      const token = await within(async (signal) => await provider({ ...request, signal }), {
        signal: request.signal,
        timeoutMs,
        clock,
        onTimeout: () =>
          new TeleQuickError(
            "ERR_TIMEOUT",
            `Cannot get a token: the token function did not settle within ${timeoutMs} ms`,
            { retryable: true },
          ),
      });
      if (typeof token !== "string" || token === "") {
        throw new TeleQuickError(
          "ERR_TOKEN_INVALID",
          "Cannot get a token: the token function gave something else, expected a non-empty string",
        );
      }
      return readable(token, clock, "the token function gave a token that is already over", true);
    },
  };
}

async function mint(account: ServiceAccount, clock: Clock): Promise<PresentedToken> {
  const signer = await importSigner(account);
  const token = await signToken(signer, { now: clock.now() });
  return readable(token, clock, "set the clock of this machine");
}

/** What verifiers forgive a token that begins in the future, in milliseconds (security.md section 4). */
export const CLOCK_MS = 30_000;

/**
 * Reads what a session needs to know of a token. An opaque one is presented as it is; one that is over is not. One that was just fetched
 * and does not live now tells that this machine's clock is wrong: it is presented, and the gateway says whether it is over.
 */
function readable(
  token: string,
  clock: Clock,
  advice: string,
  isFetched = false,
): PresentedToken {
  const now = clock.now();
  let keyId = "";
  let expiresAtMs = 0;
  let issuedAtMs = 0;
  try {
    const { header, claims } = decodeToken(token);
    if (typeof header.kid === "string") keyId = header.kid;
    if (typeof claims.exp === "number") expiresAtMs = claims.exp * 1_000;
    if (isFetched && typeof claims.iat === "number") issuedAtMs = claims.iat * 1_000;
  } catch {
    // Not a JWT: the gateway may have a convention of its own.
  }
  const isOver = expiresAtMs !== 0 && expiresAtMs <= now;
  const isAside = isOver || now < issuedAtMs - CLOCK_MS;
  const skewMs = isAside && issuedAtMs ? now - issuedAtMs : 0;
  const expired = isOver
    ? new TeleQuickError(
      "ERR_TOKEN_EXPIRED",
      `Cannot present token: it expired ${
        Math.ceil((now - expiresAtMs) / 1_000)
      } s ago (${advice})`,
    )
    : undefined;
  if (isOver && skewMs === 0) throw expired;
  return { token, keyId, expiresAtMs, skewMs, expired };
}

// Never quoted: what was taken for a path may be the secret itself.
function refuseSecretAsPath(path: string): void {
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(path) && path.startsWith("eyJ")) {
    throw new TeleQuickError(
      "ERR_CREDENTIALS_INVALID",
      "Cannot create client: credentials is a token, expected the path of a service-account file (pass true as third argument for a browser token)",
    );
  }
  if (/^\s*\{/.test(path) || path.includes("-----BEGIN")) {
    throw new TeleQuickError(
      "ERR_CREDENTIALS_INVALID",
      "Cannot create client: credentials is the text of a key or a service account, expected the path of its file (or pass parseServiceAccount(text))",
    );
  }
}

/**
 * A client's credentials as a function that gives tokens: asked again for every session.
 *
 * @module
 */

import { importSigner, loadServiceAccount, type ServiceAccount } from "../../credentials/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { type Clock, within } from "../../base/signal.ts";
import { createTokenSource } from "../../token/mod.ts";
import { isCompactToken } from "./token_form.ts";

/** Why a token is asked for. */
export type TokenReason = "connect" | "renew" | "reconnect" | "supervise";

/** What a token function is given. */
export interface TokenRequest {
  /** Why a token is needed now. */
  readonly reason: TokenReason;
  /** Aborted when the token is no longer needed: the client closes, or has waited too long. */
  readonly signal: AbortSignal;
}

/**
 * Gives a token for the next session: a browser asks the user's own backend, a server may ask a vault. Its token is for the session that
 * is being opened: a `connect()` or `dial()` of the same client that it awaits waits for itself, until `connectTimeoutMs` is over.
 */
export type TokenProvider = (request: TokenRequest) => string | Promise<string>;

/** Where a client's tokens come from. */
export interface ClientTokens {
  /** What makes them: this program from a service account, a function of the user's, or nothing: there is one token, given once. */
  readonly origin: "account" | "function" | "token";
  /** Whether asking again can give another token. */
  readonly renewable: boolean;
  /** What it gives, not judged yet. Rejects with an `ERR_CREDENTIALS_*` or `ERR_KEY_*`, or as the token function does. */
  readonly provide: (request: TokenRequest) => Promise<unknown>;
  /** Whether the credentials file names another tenant or key than the last session's token was made with; absent where there is no file. */
  readonly isStale?: () => Promise<boolean>;
}

/** Options of {@linkcode createClientTokens}. */
export interface ClientTokensOptions {
  /** Gives the time that tokens are minted with. */
  readonly clock: Clock;
  /** How long a token function may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether a key is imported in a browser page too. */
  readonly allowInBrowser: boolean;
}

/** Turns the second and third argument of the client's constructor into a source of tokens. */
export function createClientTokens(
  credentials: string | ServiceAccount | TokenProvider | undefined,
  isBrowserToken: boolean,
  options: ClientTokensOptions,
): ClientTokens {
  if (typeof credentials === "function") return fromFunction(credentials, options);
  if (isBrowserToken) return fromToken(credentials);
  if (credentials === undefined || typeof credentials === "string") {
    if (credentials !== undefined) refuseSecretAsPath(credentials);
    return fromFile(credentials, options);
  }
  if (typeof credentials?.privateKey !== "string") {
    throw new TypeError(
      "Cannot create client: credentials must be a path, what parseServiceAccount gives, or a function that gives a token",
    );
  }
  return fromAccount(() => Promise.resolve(credentials), options);
}

function fromAccount(
  load: () => Promise<ServiceAccount>,
  { clock, allowInBrowser }: ClientTokensOptions,
): ClientTokens {
  const source = createTokenSource(
    async () => await importSigner(await load(), { allowInBrowser }),
    { clock },
  );
  return {
    origin: "account",
    renewable: true,
    provide({ reason, signal }) {
      // Every session has a token of its own. A supervision goes on the session that is there: its token may be the session's.
      if (reason !== "supervise") source.invalidate();
      return source.get({ signal });
    },
  };
}

function fromFile(path: string | undefined, options: ClientTokensOptions): ClientTokens {
  let loaded: string | undefined;
  let used: string | undefined;
  const nameOf = ({ tenantId, privateKeyId }: ServiceAccount): string =>
    `${tenantId}\0${privateKeyId}`;
  const tokens = fromAccount(async () => {
    const account = await loadServiceAccount(path);
    loaded = nameOf(account);
    return account;
  }, options);
  return {
    ...tokens,
    async provide(request) {
      const token = await tokens.provide(request);
      if (request.reason !== "supervise") used = loaded;
      return token;
    },
    isStale: async () => nameOf(await loadServiceAccount(path)) !== used,
  };
}

function fromToken(token: unknown): ClientTokens {
  if (typeof token !== "string") {
    throw new TypeError(
      "Cannot create client: credentials must be a token or a function that gives one when isBrowserToken is true",
    );
  }
  if (!isCompactToken(token.trim())) {
    throw new TeleQuickError(
      "ERR_TOKEN_INVALID",
      "Cannot create client: credentials is not a token, expected a compact JWS (or a function that fetches one)",
    );
  }
  return { origin: "token", renewable: false, provide: () => Promise.resolve(token) };
}

function fromFunction(provider: TokenProvider, options: ClientTokensOptions): ClientTokens {
  const { clock, timeoutMs } = options;
  return {
    origin: "function",
    renewable: true,
    provide: (request) =>
      within(async (signal) => await provider({ ...request, signal }), {
        signal: request.signal,
        timeoutMs,
        clock,
        onTimeout: () =>
          new TeleQuickError(
            "ERR_TIMEOUT",
            `Cannot get a token: the token function did not settle within ${timeoutMs} ms`,
            { retryable: true },
          ),
      }),
  };
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

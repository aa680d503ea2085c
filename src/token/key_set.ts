/**
 * The public keys of a service that verifies tokens: read from where they are kept, cached, read again in the background.
 *
 * @module
 */

import { checkNumber, kindOf } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import { report } from "../base/handled.ts";
import { ignore } from "../base/ignore.ts";
import { bounded, type Clock, systemClock } from "../base/signal.ts";
import { importVerifyingKey, KEY_ID, TENANT_ID } from "../credentials/mod.ts";
import type { KeyRecord, KeyRole, KeySet, ResolveKey } from "./policy.ts";
import { createStoreKeySet, type StoreKeySet, type StoreKeySetOptions } from "./store_key_set.ts";

/** A public key as it is kept: what was registered at the gateway. */
export interface PublishedKey {
  /** The tenant that owns the key. */
  readonly tenantId: string;
  /** Its id, the `kid` of tokens: unique within the tenant. */
  readonly keyId: string;
  /** The public key: SPKI or PKCS#1 in PEM. Imported when it is first needed. */
  readonly publicKeyPem: string;
  /** What it may be used for. Default: `"sdk"`. */
  readonly role?: KeyRole | undefined;
  /** Whether it is revoked. Default: `false`. */
  readonly revoked?: boolean | undefined;
  /** When it ends, Unix milliseconds. Default, and 0: never. */
  readonly expiresAtMs?: number | undefined;
}

/** Options of {@linkcode createKeySet}. */
export interface KeySetOptions {
  /** Reads all keys, revoked ones included: from a database, a file, an HTTP endpoint. Every read replaces the whole set. */
  readonly read: () => readonly PublishedKey[] | Promise<readonly PublishedKey[]>;
  /**
   * How old the keys can be when a token is accepted or refused by them, in milliseconds: the longest time for which a revocation goes
   * unnoticed. Older keys decide nothing: `resolveKey` rejects with `ERR_UNAVAILABLE` until a read succeeds. Default: 300000.
   */
  readonly maxStaleMs?: number;
  /** From which age on the keys are read again in the background, in milliseconds. Default: a fifth of `maxStaleMs`. */
  readonly refreshMs?: number;
  /** How long a read can take, in milliseconds. Default: 10000. */
  readonly timeoutMs?: number;
  /** Called with the error of a read that failed. Default: none. */
  readonly onError?: (error: unknown) => void;
  /** The source of time. Default: the machine's clock. */
  readonly clock?: Clock;
}

interface Entry {
  readonly published: PublishedKey;
  key: Promise<CryptoKey> | undefined;
}

interface Read {
  readonly startedAt: number;
  /** Settles with it: with what it failed with, if it did. */
  readonly end: Promise<{ readonly failure: unknown } | undefined>;
}

/** An unknown key id causes one read at most in this time. */
const UNKNOWN_MS = 5_000;

/**
 * Makes a key set.
 *
 * - Known keys are answered from the cache. At `refreshMs` the keys are read again in the background.
 * - An unknown key id causes one read, joined by all that wait, at most every 5 s: a key that was just registered works at once, and a
 *   flood of invented ids costs no more than that.
 * - When the keys are older than `maxStaleMs`, every call waits for a read, and rejects with `ERR_UNAVAILABLE`, retryable, when it fails:
 *   for known and unknown ids alike.
 *
 * @throws `TypeError` when `read` is not a function, `ERR_VALUE_INVALID` for a number out of range.
 *
 * @example A service of your own that verifies tokens
 * ```ts
 * import { createKeySet, verifyToken } from "@telequick/sdk/token";
 *
 * const keys = createKeySet({
 *   read: async () => await (await fetch("https://keys.internal.example/telequick.json")).json(),
 *   maxStaleMs: 60_000,
 * });
 *
 * export async function tenantOf(token: string): Promise<string> {
 *   const { tenantId } = await verifyToken(token, { resolveKey: keys.resolveKey });
 *   return tenantId;
 * }
 * ```
 */
export function createKeySet(options: KeySetOptions): KeySet;
/**
 * Makes a key set on a store that gateways share: it follows their changes, and reads keys when they are first used.
 *
 * - A key that was used lately is answered from the cache, without a read. Changes are read every `pullMs` while the set is in use, and at
 *   once when the store gives a hint.
 * - An unknown key id causes one read, joined by all that wait. That there is no such key is remembered until one is registered.
 * - When the last read that succeeded began longer than `admitStaleMs` ago, every call rejects with `ERR_UNAVAILABLE`, retryable, for known and
 *   unknown ids alike.
 *
 * @throws `TypeError` when `store` is not one, `ERR_VALUE_INVALID` for a number out of range.
 */
export function createKeySet(options: StoreKeySetOptions): StoreKeySet;
export function createKeySet(options: KeySetOptions | StoreKeySetOptions): KeySet | StoreKeySet {
  if (options !== undefined && "store" in options) return createStoreKeySet(options);
  const action = "create key set";
  if (typeof options?.read !== "function") {
    throw new TypeError(
      `Cannot ${action}: read is ${kindOf(options?.read)}, expected a function that returns keys`,
    );
  }
  const { clock = systemClock, maxStaleMs = 300_000, timeoutMs = 10_000, onError } = options;
  const expected = "a number of milliseconds, 1 or more";
  checkNumber(action, "maxStaleMs", maxStaleMs, { min: 1, expected });
  checkNumber(action, "timeoutMs", timeoutMs, { min: 1, expected });
  const { refreshMs = maxStaleMs / 5 } = options;
  checkNumber(action, "refreshMs", refreshMs, {
    min: 0,
    max: maxStaleMs,
    expected: "a number of milliseconds from 0 to maxStaleMs",
  });

  let entries: ReadonlyMap<string, Entry> = new Map();
  // What a read found is as old as its beginning.
  let readAt = -Infinity;
  let pending: Read | undefined;
  let unknownAt = -Infinity;

  const start = (): Read => {
    const startedAt = clock.monotonic();
    const end = (async () => {
      try {
        const found = indexKeys(await options.read(), entries);
        // A read that was given up can end after a later one.
        if (startedAt < readAt) return undefined;
        entries = found;
        readAt = startedAt;
        return undefined;
      } catch (failure) {
        report(() => onError?.(failure));
        return { failure };
      }
    })().finally(() => {
      if (pending === started) pending = undefined;
    });
    const started: Read = { startedAt, end };
    end.catch(ignore);
    return pending = started;
  };

  /** The read under way, or a new one; one that has taken too long is not joined. */
  const join = (): Read => {
    const isLost = pending !== undefined && clock.monotonic() - pending.startedAt >= timeoutMs;
    return pending === undefined || isLost ? start() : pending;
  };

  const isStale = (): boolean => clock.monotonic() - readAt >= maxStaleMs;

  /** Waits for a read to end, and rejects when it fails. */
  const wait = async ({ startedAt, end }: Read): Promise<void> => {
    const left = startedAt + timeoutMs - clock.monotonic();
    const failed = await bounded(() => end, {
      clock,
      timeoutMs: left,
      onTimeout: () => timedOut(timeoutMs),
    });
    if (failed !== undefined) throw unavailable("the keys could not be read", failed.failure);
  };

  const refresh = async (): Promise<void> => {
    // What is to be taken over can have happened after the read under way looked.
    if (pending !== undefined) await wait(pending).catch(ignore);
    await wait(join());
  };

  const resolveKey: ResolveKey = async (keyId, { tenantId }) => {
    if (isStale()) await wait(join());
    else if (clock.monotonic() - readAt >= refreshMs) join();
    const name = nameOf(tenantId, keyId);
    if (!entries.has(name) && clock.monotonic() - Math.max(unknownAt, readAt) >= UNKNOWN_MS) {
      unknownAt = clock.monotonic();
      // The keys are young enough to decide: should this read fail, the id is unknown, as an invented one is.
      await wait(join()).catch(ignore);
    } else if (!entries.has(name) && pending !== undefined) {
      await wait(pending).catch(ignore);
    }
    const entry = entries.get(name);
    return entry && await recordOf(entry);
  };

  return { resolveKey, refresh };
}

function nameOf(tenantId: string, keyId: string): string {
  return `${tenantId} ${keyId}`;
}

/** Checks what was read, whole, and keeps the imported keys of entries that have not changed. */
function indexKeys(
  keys: readonly PublishedKey[],
  before: ReadonlyMap<string, Entry>,
): ReadonlyMap<string, Entry> {
  if (!Array.isArray(keys)) return cannotRead(`read returned ${kindOf(keys)}, expected an array`);
  const entries = new Map<string, Entry>();
  for (const [index, published] of (keys as readonly PublishedKey[]).entries()) {
    const { tenantId, keyId, publicKeyPem, role, expiresAtMs = 0 } = published ?? {};
    const isSound = typeof tenantId === "string" && TENANT_ID.test(tenantId) &&
      typeof keyId === "string" && KEY_ID.test(keyId) && typeof publicKeyPem === "string" &&
      (role === undefined || role === "sdk" || role === "admin") &&
      Number.isSafeInteger(expiresAtMs) && expiresAtMs >= 0;
    if (!isSound) {
      cannotRead(
        `key ${index} is malformed, expected tenantId, keyId, publicKeyPem, role "sdk" or "admin", and expiresAtMs`,
      );
    }
    const name = nameOf(tenantId, keyId);
    if (entries.has(name)) cannotRead(`key ${index} has the id of another key of its tenant`);
    const known = before.get(name);
    const key = known?.published.publicKeyPem === publicKeyPem ? known.key : undefined;
    entries.set(name, { published: { ...published }, key });
  }
  return entries;
}

async function recordOf(entry: Entry): Promise<KeyRecord> {
  const { tenantId, publicKeyPem, role, revoked, expiresAtMs } = entry.published;
  entry.key ??= importVerifyingKey(publicKeyPem);
  try {
    return { tenantId, key: await entry.key, role, revoked, expiresAtMs };
  } catch (error) {
    // An environment without Web Crypto can get it later; a key is imported again after the next read.
    entry.key = undefined;
    throw error;
  }
}

function cannotRead(found: string): never {
  throw new TeleQuickError("ERR_VALUE_INVALID", `Cannot read keys: ${found}`);
}

function unavailable(found: string, cause: unknown): TeleQuickError {
  return new TeleQuickError(
    "ERR_UNAVAILABLE",
    `Cannot verify token now: ${found} (try again later)`,
    { cause, retryable: true },
  );
}

function timedOut(timeoutMs: number): TeleQuickError {
  return unavailable(`reading the keys did not end within ${timeoutMs} ms`, undefined);
}

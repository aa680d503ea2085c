import { encodeHex } from "../../src/base/bytes.ts";
import { type Random, randomUuid } from "../../src/base/random.ts";

type Verify = typeof crypto.subtle.verify;
type ImportKey = typeof crypto.subtle.importKey;

const keys: Map<string, Promise<CryptoKey>> = new Map();
const names: WeakMap<CryptoKey, string> = new WeakMap();
const verdicts: Map<string, boolean> = new Map();

/**
 * Runs `work` so that it can be repeated exactly: randomness comes from a generator, and WebCrypto, which answers from threads of
 * its own at moments that no seed knows, answers at once what it has answered before. Verdicts stay those of the real verifier.
 */
export async function repeatably<T>(random: Random, work: () => Promise<T>): Promise<T> {
  const { subtle } = crypto;
  const real = {
    random: Math.random,
    verify: subtle.verify.bind(subtle) as Verify,
    importKey: subtle.importKey.bind(subtle) as ImportKey,
  };
  const verify = async (...args: Parameters<Verify>): Promise<boolean> => {
    const [, key, signature, data] = args;
    const parts = [signature, data].map((part) => encodeHex(new Uint8Array(part as ArrayBuffer)));
    const id = `${names.get(key)} ${parts.join(" ")}`;
    const known = verdicts.get(id);
    if (known !== undefined) return known;
    const verdict = await real.verify(...args);
    if (names.has(key)) verdicts.set(id, verdict);
    return verdict;
  };
  const importKey = async (...args: Parameters<ImportKey>): Promise<CryptoKey> => {
    const [format, data, ...rest] = args;
    const text = format as string === "jwk"
      ? data
      : encodeHex(new Uint8Array(data as unknown as ArrayBuffer));
    const id = JSON.stringify([format, text, rest]);
    const key = keys.get(id) ?? real.importKey(...args);
    keys.set(id, key);
    names.set(await key, id);
    return await key;
  };
  Math.random = random;
  put(crypto, "randomUUID", () => randomUuid(random));
  put(subtle, "verify", verify);
  put(subtle, "importKey", importKey);
  try {
    return await work();
  } finally {
    Math.random = real.random;
    for (
      const [owner, name] of [[crypto, "randomUUID"], [subtle, "verify"], [
        subtle,
        "importKey",
      ]] as const
    ) {
      Reflect.deleteProperty(owner, name);
    }
  }
}

function put(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, configurable: true, writable: true });
}

/**
 * The service-account file: parsed, made, and never printed.
 *
 * @module
 */

import { counted } from "../base/operations.ts";
import { encodeBase64, encodeBase64Url } from "../base/base64.ts";
import { encodeUtf8, isBytes } from "../base/bytes.ts";
import { checkString, kindOf } from "../base/check.ts";
import { requireWebCrypto } from "../base/environment.ts";
import { TeleQuickError } from "../base/errors.ts";
import { decodeAccountBytes, readAccountText } from "./account_text.ts";
import { KEY_ID, TENANT_ID } from "./ids.ts";
import { writePem } from "./pem.ts";

/** The signing party: a tenant, and a private key with the id under which its public half is registered. */
export interface ServiceAccount {
  /** The tenant that tokens speak for. */
  readonly tenantId: string;
  /** The private key as PEM text. Reading this member is the only way to get it: printing and JSON leave it out. */
  readonly privateKey: string;
  /** The id of the registered public key. */
  readonly privateKeyId: string;
}

/**
 * Adds a member that can be read by its name only: printers, serializers and copiers see the others, and printers that call getters
 * (Node's, Deno's, Bun's) get those in place of the object.
 */
function withSecret<T extends object, K extends string>(
  visible: T,
  name: K,
  secret: string,
): T & Readonly<Record<K, string>> {
  return Object.freeze(Object.defineProperties({ ...visible }, {
    [name]: { get: () => secret },
    [Symbol.for("nodejs.util.inspect.custom")]: { value: () => visible },
  })) as T & Readonly<Record<K, string>>;
}

const READ_KEY = Symbol("read the key");

/**
 * Hides its key as `withSecret` does. A class, because programs parse the same account for each client: V8 holds what the getter of a
 * single object captures until the old generation is collected. The key is not in a private field, which cannot be read through a `Proxy`.
 */
class ParsedAccount implements ServiceAccount {
  readonly tenantId: string;
  readonly privateKeyId: string;
  declare private readonly [READ_KEY]: () => string;

  constructor(tenantId: string, privateKeyId: string, privateKey: string) {
    this.tenantId = tenantId;
    this.privateKeyId = privateKeyId;
    Object.defineProperty(this, READ_KEY, { value: () => privateKey });
    Object.freeze(this);
  }

  get privateKey(): string {
    return this[READ_KEY]();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): object {
    return { tenantId: this.tenantId, privateKeyId: this.privateKeyId };
  }
}

/**
 * Parses a service account.
 *
 * @param input The file's text (a byte order mark is skipped), its bytes, or the parsed object.
 * Of an object only own members are read: `tenant_id`, `private_key`, `private_key_id`.
 * @returns The account. `importSigner` checks the key in it.
 * @throws `ERR_CREDENTIALS_INVALID` when the text is not JSON or a member is missing, empty or not a string. Each message says what the
 * input is instead (empty, base64, UTF-16, a path, cut off) and repeats nothing of it.
 *
 * @example From a secret store
 * ```ts
 * import { importSigner, mintBrowserToken, parseServiceAccount } from "@telequick/sdk/token";
 *
 * export async function handler(serviceAccountJson: string): Promise<string> {
 *   const signer = await importSigner(parseServiceAccount(serviceAccountJson));
 *   return mintBrowserToken(signer, { scope: "call.dial", origin: "https://app.example" });
 * }
 * ```
 */
export function parseServiceAccount(input: string | Uint8Array | object): ServiceAccount {
  const members = membersOf(input);
  const tenantId = readId(members, "tenant_id");
  const privateKey = readText(members, "private_key");
  const privateKeyId = readId(members, "private_key_id");
  return new ParsedAccount(tenantId, privateKeyId, privateKey);
}

function membersOf(input: string | Uint8Array | object): object {
  if (typeof input === "string") return readAccountText(input, cannotParse);
  if (isBytes(input)) return readAccountText(decodeAccountBytes(input, cannotParse), cannotParse);
  if (typeof input !== "object" || input === null) {
    const hint = input === undefined ? " (is the variable set?)" : "";
    throw new TypeError(
      `Cannot parse service account: input is ${
        kindOf(input)
      }, expected the file's text, its bytes, or an object${hint}`,
    );
  }
  if (Array.isArray(input)) cannotParse("input is an array, expected an object");
  return input;
}

/** Reads a member that is a text, of its own members only. */
function readText(members: object, name: string): string {
  const value: unknown = Object.hasOwn(members, name)
    ? (members as Record<string, unknown>)[name]
    : undefined;
  if (value === undefined) return cannotParse(`${name} is missing, expected a string`);
  if (typeof value !== "string") {
    return cannotParse(`${name} is ${kindOf(value)}, expected a string`);
  }
  if (value.trim() === "") cannotParse(`${name} is empty, expected a string with content`);
  return value;
}

function readId(members: object, name: string): string {
  const id = readText(members, name);
  if (/\s/.test(id)) cannotParse(`${name} has white space in it, expected none`);
  return id;
}

function cannotParse(found: string): never {
  throw new TeleQuickError("ERR_CREDENTIALS_INVALID", `Cannot parse service account: ${found}`);
}

/** Options of {@linkcode generateServiceAccount}. */
export interface GenerateServiceAccountOptions {
  /** The tenant: 1 to 63 lower-case ASCII letters, digits and inner hyphens. */
  readonly tenantId: string;
  /** The key id: 1 to 128 ASCII letters, digits, `.`, `_`, `-`. Default: the JWK thumbprint of the public key (RFC 7638). */
  readonly privateKeyId?: string;
}

/** A new key pair, as the two parties need it. */
export interface GeneratedServiceAccount {
  /** The account, ready for `importSigner`. */
  readonly account: ServiceAccount;
  /** The text of the service-account file. It holds the private key; like the key, it is left out when this object is printed. */
  readonly json: string;
  /** The public half (SPKI, PEM), to be registered at the gateway. */
  readonly publicKeyPem: string;
}

/**
 * Makes an RSA-2048 key pair for a tenant: the first step of setting a service account up, and of every rotation.
 *
 * @param options The tenant and, optionally, the key id.
 * @returns The account, its file text and the public half.
 * @throws `ERR_CREDENTIALS_INVALID` when a gateway would refuse the tenant or the key id.
 */
export async function generateServiceAccount(
  options: GenerateServiceAccountOptions,
): Promise<GeneratedServiceAccount> {
  const action = "generate service account";
  const tenantId = checkString(action, "tenantId", options?.tenantId);
  if (!TENANT_ID.test(tenantId)) {
    cannotGenerate(
      "tenantId is malformed, expected 1 to 63 lower-case letters, digits and inner hyphens, such as acme-1",
    );
  }
  const { privateKeyId } = options;
  if (
    privateKeyId !== undefined && !KEY_ID.test(checkString(action, "privateKeyId", privateKeyId))
  ) {
    cannotGenerate(
      "privateKeyId is malformed, expected 1 to 128 letters, digits, dots, underscores and hyphens",
    );
  }
  requireWebCrypto(action);
  const { subtle } = crypto;
  const pair = await counted(subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      hash: "SHA-256",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
    true,
    ["sign", "verify"],
  ));
  const armour = async (format: "pkcs8" | "spki", key: CryptoKey, label: string): Promise<string> =>
    writePem(encodeBase64(new Uint8Array(await counted(subtle.exportKey(format, key)))), label);
  const members = {
    tenant_id: tenantId,
    private_key_id: privateKeyId ?? await keyThumbprint(pair.publicKey),
    private_key: await armour("pkcs8", pair.privateKey, "PRIVATE KEY"),
  };
  const account = parseServiceAccount(members);
  const publicKeyPem = await armour("spki", pair.publicKey, "PUBLIC KEY");
  return withSecret({ account, publicKeyPem }, "json", `${JSON.stringify(members, null, 2)}\n`);
}

function cannotGenerate(found: string): never {
  throw new TeleQuickError("ERR_CREDENTIALS_INVALID", `Cannot generate service account: ${found}`);
}

/**
 * Computes the JWK thumbprint of an RSA public key (RFC 7638 section 3), the default key id of a generated pair.
 *
 * @param key An extractable public key.
 * @returns SHA-256 of the canonical JWK, base64url: 43 characters.
 */
export async function keyThumbprint(key: CryptoKey): Promise<string> {
  requireWebCrypto("compute key thumbprint");
  const { e, n } = await counted(crypto.subtle.exportKey("jwk", key));
  const canonical = JSON.stringify({ e, kty: "RSA", n });
  return encodeBase64Url(
    new Uint8Array(await counted(crypto.subtle.digest("SHA-256", encodeUtf8(canonical)))),
  );
}

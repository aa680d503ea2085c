/**
 * The service-account file (protocol.md section 1.1): parsed, made, and never printed.
 *
 * @module
 */

import { counted } from "../base/operations.ts";
import { encodeBase64, encodeBase64Url } from "../base/base64.ts";
import { decodeUtf8, encodeUtf8 } from "../base/bytes.ts";
import { TeleQuickError } from "../base/errors.ts";
import { writePem } from "./pem.ts";

/** Largest service-account text, in characters or bytes: a real one has under 4,000. */
export const MAX_FILE_SIZE = 65_536;

/** Who signs: a tenant, and a private key with the id under which its public half is registered. */
export interface ServiceAccount {
  /** The tenant that tokens speak for. */
  readonly tenantId: string;
  /** The private key as PEM text. Reading this member is the only way to see it: printing and JSON leave it out. */
  readonly privateKey: string;
  /** The id of the registered public key. */
  readonly privateKeyId: string;
}

/**
 * Adds a member that is read by its name alone: printers, serializers and copiers see the others, and a printer that calls getters
 * (Node's, Deno's, Bun's) is shown them in place of the object.
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

/**
 * Parses a service account.
 *
 * @param input The file's text (a byte order mark is skipped), its bytes, or the object that its JSON stands for.
 * Of an object only own members are read: `tenant_id`, `private_key`, `private_key_id`.
 * @returns The account. The key in it is looked at by `importSigner`, not here.
 * @throws `ERR_CREDENTIALS_INVALID` when the text is not JSON or a member is missing, empty or no string. No message repeats a value.
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
  let members: unknown = input;
  try {
    if (input instanceof Uint8Array) members = decodeUtf8(input);
    if (typeof members === "string") {
      members = members.length > MAX_FILE_SIZE
        ? undefined
        : JSON.parse(members.replace(/^\uFEFF/, ""));
    }
  } catch {
    // The error's own message quotes the text around the fault, which may be the key's.
    members = undefined;
  }
  if (typeof members !== "object" || members === null) {
    if (members === input) throw new TypeError("Cannot parse service account: input is no object");
    cannotParse(`text is no JSON object in UTF-8 under 64 KiB`);
  }
  const [tenantId, privateKey, privateKeyId] = ["tenant_id", "private_key", "private_key_id"].map(
    (name) => {
      const value = Object.hasOwn(members, name) && (members as Record<string, unknown>)[name];
      if (typeof value !== "string" || !value.trim()) cannotParse(`${name} is missing or no text`);
      return value;
    },
  ) as [string, string, string];
  return withSecret({ tenantId, privateKeyId }, "privateKey", privateKey);
}

function cannotParse(found: string): never {
  throw new TeleQuickError("ERR_CREDENTIALS_INVALID", `Cannot parse service account: ${found}`);
}

/** Options of {@linkcode generateServiceAccount}. */
export interface GenerateServiceAccountOptions {
  /** The tenant. */
  readonly tenantId: string;
  /** The key id. Default: the JWK thumbprint of the public key (RFC 7638). */
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
 * @throws `ERR_CREDENTIALS_INVALID` when a name is empty.
 */
export async function generateServiceAccount(
  options: GenerateServiceAccountOptions,
): Promise<GeneratedServiceAccount> {
  const { tenantId, privateKeyId } = options;
  if (typeof tenantId !== "string" || !["string", "undefined"].includes(typeof privateKeyId)) {
    throw new TypeError(
      "Cannot generate service account: tenantId or privateKeyId is not a string",
    );
  }
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

/**
 * Computes the JWK thumbprint of an RSA public key (RFC 7638 section 3), the default key id of a generated pair.
 *
 * @param key An extractable public key.
 * @returns SHA-256 of the canonical JWK, base64url: 43 characters.
 */
export async function keyThumbprint(key: CryptoKey): Promise<string> {
  const { e, n } = await counted(crypto.subtle.exportKey("jwk", key));
  const canonical = JSON.stringify({ e, kty: "RSA", n });
  return encodeBase64Url(
    new Uint8Array(await counted(crypto.subtle.digest("SHA-256", encodeUtf8(canonical)))),
  );
}

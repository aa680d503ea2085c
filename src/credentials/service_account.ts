/**
 * The service-account file (protocol.md section 1.1): parsed, made, and never printed.
 *
 * @module
 */

import { encodeBase64 } from "../base64.ts";
import { decodeUtf8 } from "../bytes.ts";
import { TeleQuickError } from "../errors.ts";
import { parseStrictJson } from "../json.ts";
import { keyThumbprint } from "./key.ts";
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

/** What an inspector and `JSON.stringify` get to see of a service account. */
type Printable = Omit<ServiceAccount, "privateKey">;

class ParsedServiceAccount implements ServiceAccount {
  readonly tenantId: string;
  readonly privateKeyId: string;
  readonly #privateKey: string;

  constructor(tenantId: string, privateKey: string, privateKeyId: string) {
    this.tenantId = tenantId;
    this.privateKeyId = privateKeyId;
    this.#privateKey = privateKey;
    Object.freeze(this);
  }

  get privateKey(): string {
    return this.#privateKey;
  }

  toJSON(): Printable {
    return { tenantId: this.tenantId, privateKeyId: this.privateKeyId };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): Printable {
    return this.toJSON();
  }
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
  if (typeof input !== "string" && (typeof input !== "object" || input === null)) {
    throw new TypeError(
      `Cannot parse service account: input is ${
        describe(input)
      }, expected text, bytes or an object`,
    );
  }
  const members = typeof input === "string" || input instanceof Uint8Array
    ? readText(input)
    : input;
  if (typeof members !== "object" || members === null || Array.isArray(members)) {
    throw invalid(`it is ${describe(members)}, expected an object`);
  }
  return new ParsedServiceAccount(
    readMember(members, "tenant_id"),
    readMember(members, "private_key"),
    readMember(members, "private_key_id"),
  );
}

function readText(input: string | Uint8Array): unknown {
  if (input.length > MAX_FILE_SIZE) {
    throw invalid(`it is larger than ${MAX_FILE_SIZE} bytes`);
  }
  let text: string;
  try {
    text = typeof input === "string" ? input : decodeUtf8(input);
  } catch {
    throw invalid("it is not UTF-8, expected JSON in UTF-8");
  }
  try {
    return parseStrictJson(text.replace(/^\uFEFF/, ""), 8);
  } catch (error) {
    throw invalid(
      `it ${
        (error as SyntaxError).message
      }, expected JSON with tenant_id, private_key and private_key_id`,
    );
  }
}

function readMember(members: object, name: string): string {
  const value: unknown = Object.hasOwn(members, name)
    ? members[name as keyof typeof members]
    : undefined;
  if (typeof value !== "string") {
    throw invalid(`member ${name} is ${describe(value)}, expected a string`);
  }
  if (value.trim() === "") throw invalid(`member ${name} is empty`);
  return value;
}

function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}

function invalid(found: string): TeleQuickError {
  return new TeleQuickError("ERR_CREDENTIALS_INVALID", `Cannot parse service account: ${found}`);
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

class GeneratedKeyPair implements GeneratedServiceAccount {
  readonly account: ServiceAccount;
  readonly publicKeyPem: string;

  constructor(account: ServiceAccount, publicKeyPem: string) {
    this.account = account;
    this.publicKeyPem = publicKeyPem;
    Object.freeze(this);
  }

  get json(): string {
    const { tenantId: tenant_id, privateKeyId: private_key_id, privateKey: private_key } =
      this.account;
    return JSON.stringify({ tenant_id, private_key_id, private_key }, null, 2) + "\n";
  }
}

/**
 * Makes an RSA-2048 key pair for a tenant: the first step of setting a service account up, and of every rotation.
 *
 * @param options The tenant and, optionally, the key id.
 * @returns The account, its file text and the public half.
 * @throws `ERR_CREDENTIALS_INVALID` when a name is empty or no string.
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
  const pair = await subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      hash: "SHA-256",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
    true,
    ["sign", "verify"],
  );
  const armour = async (format: "pkcs8" | "spki", key: CryptoKey, label: string): Promise<string> =>
    writePem(encodeBase64(new Uint8Array(await subtle.exportKey(format, key))), label);
  const account = parseServiceAccount({
    tenant_id: tenantId,
    private_key: await armour("pkcs8", pair.privateKey, "PRIVATE KEY"),
    private_key_id: privateKeyId ?? await keyThumbprint(pair.publicKey),
  });
  return new GeneratedKeyPair(account, await armour("spki", pair.publicKey, "PUBLIC KEY"));
}

import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, createSign, type KeyObject } from "node:crypto";
import {
  type GeneratedServiceAccount,
  generateServiceAccount,
  importSigner,
  importVerifyingKey,
  type Signer,
} from "../../src/credentials/mod.ts";
import { verifyToken, type VerifyTokenOptions } from "../../src/token/mod.ts";
import { TeleQuickError } from "../../src/base/errors.ts";

/** A tenant's key as every side has it. */
export interface Tenant {
  readonly id: string;
  readonly keyId: string;
  readonly made: GeneratedServiceAccount;
  readonly signer: Signer;
  readonly verifying: CryptoKey;
  /** For forging: signs anything. */
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

async function makeTenant(id: string, keyId: string): Promise<Tenant> {
  const made = await generateServiceAccount({ tenantId: id, privateKeyId: keyId });
  const { account, publicKeyPem } = made;
  return {
    id,
    keyId,
    made,
    signer: await importSigner(account),
    verifying: await importVerifyingKey(publicKeyPem),
    privateKey: createPrivateKey(account.privateKey),
    publicKey: createPublicKey(publicKeyPem),
  };
}

/** Two tenants, new in every process. */
export const acme: Tenant = await makeTenant("acme", "acme-1");
export const evil: Tenant = await makeTenant("evil", "evil-1");

/** The time at which everything in the token tests happens, Unix seconds. */
export const NOW = 1_800_000_000;

/** What an honest token says. */
export const header = { alg: "RS256", typ: "JWT", kid: acme.keyId } as const;
export const claims = { iss: "telequick-sdk", sub: acme.id, iat: NOW, exp: NOW + 3600 } as const;

/** Text, or what JSON makes of an object, or bytes as they are. */
export type Part = string | object | Uint8Array;

export function segment(part: Part): string {
  const bytes = part instanceof Uint8Array
    ? part
    : Buffer.from(typeof part === "string" ? part : JSON.stringify(part));
  return Buffer.from(bytes).toString("base64url");
}

/** Signs any two segments, well formed or not. */
export function signSegments(
  first: string,
  second: string,
  key: KeyObject = acme.privateKey,
): string {
  const signature = createSign("sha256").update(`${first}.${second}`).sign(key);
  return `${first}.${second}.${signature.toString("base64url")}`;
}

/** Signs any header and payload: what an attacker with a tenant's key, or a careless signer, can make. */
export function forge(head: Part = header, payload: Part = claims, key?: KeyObject): string {
  return signSegments(segment(head), segment(payload), key);
}

/** How many times a key was looked up, and for which ids. */
export const lookups: string[] = [];

/** A verifier that knows both tenants' keys. */
export const verifier: VerifyTokenOptions = {
  now: NOW * 1000,
  resolveKey(keyId) {
    lookups.push(keyId);
    const tenant = [acme, evil].find((each) => each.keyId === keyId);
    return tenant && { tenantId: tenant.id, key: tenant.verifying };
  },
};

/** What became of a token: `"accepted"`, or the error's message without what all of them begin with. Anything but our error fails. */
export async function outcome(
  token: string,
  options: VerifyTokenOptions = verifier,
): Promise<string> {
  try {
    await verifyToken(token, options);
    return "accepted";
  } catch (error) {
    if (!(error instanceof TeleQuickError)) throw error;
    const prefix = "Cannot accept token: ";
    if (!error.message.startsWith(prefix)) throw error;
    for (const part of token.split(".")) {
      if (part.length > 8 && error.message.includes(part)) {
        throw new Error("The message quotes the token");
      }
    }
    return error.message.slice(prefix.length);
  }
}

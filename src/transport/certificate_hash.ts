import { decodeBase64 } from "../base/base64.ts";
import { isBytes } from "../base/bytes.ts";
import { kindOf } from "../base/check.ts";
import { requireWebCrypto } from "../base/environment.ts";
import { TeleQuickError } from "../base/errors.ts";
import { counted } from "../base/operations.ts";
import { tags } from "./der.ts";
import type { CertificateHash } from "./types.ts";

/** Longest PEM text looked at where it came as base64. */
const MAX_PEM_BYTES = 65_536;
// A gateway shows one certificate and has announced the next one.
const MOST_HASHES = 16;

/**
 * Makes the hashes that a client pins, from a text that holds one or several, separated by commas: a gateway that renews its certificate
 * announces the next one beforehand.
 *
 * @param input Each as {@linkcode certificateHash} takes it, as text; at most 16.
 * @throws {TypeError} When it is not text.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for anything else, and for a list without a hash.
 */
export async function certificateHashes(input: string): Promise<readonly CertificateHash[]> {
  if (typeof input !== "string") return [await certificateHash(input)];
  const texts = input.split(",").filter((text) => text.trim() !== "");
  if (texts.length > MOST_HASHES) refuseHash(`it has ${texts.length} parts`);
  if (texts.length === 0) refuseHash("it is empty");
  return await Promise.all(texts.map(certificateHash));
}

/**
 * Makes the hash that a client pins (W3C WebTransport section 6.8), from any of the forms in which tools print it.
 *
 * Tolerated, as in private keys: white space and quotes around, line ends escaped once or more (`\n`), base64 of the whole PEM, and the
 * label of a fingerprint (`sha256 Fingerprint=`, `SHA256:`, `sha256//`).
 *
 * @param input Base64 of the SHA-256 (44 characters), its 64 hexadecimal digits with or without colons, its 32 bytes, or the certificate itself (PEM, or DER bytes).
 * @throws {TypeError} When it is neither text nor bytes.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for anything else.
 */
export async function certificateHash(input: string | Uint8Array): Promise<CertificateHash> {
  if (typeof input !== "string" && !isBytes(input)) {
    throw new TypeError(
      `Cannot read certificate hash: it is ${kindOf(input)}, expected a string or a Uint8Array`,
    );
  }
  if (typeof input !== "string") {
    if (input.length === 32) return { algorithm: "sha-256", value: Uint8Array.from(input) };
    if (isSequence(input)) return await hashOf(Uint8Array.from(input));
    return refuseHash(`it is ${input.length} bytes`);
  }
  const text = withoutCarrier(input);
  if (text.includes("-----BEGIN")) return await hashOf(certificateDer(text));
  if (/^(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/i.test(text)) {
    const digits = text.replaceAll(":", "");
    const value = Uint8Array.from(
      { length: 32 },
      (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16),
    );
    return { algorithm: "sha-256", value };
  }
  const value = text.length % 4 === 0 ? decodeBase64(text) : undefined;
  if (value === undefined) return refuseHash("it is not canonical base64");
  // The body of a PEM file without its first and last line.
  if (isSequence(value)) return await hashOf(value);
  if (value.length !== 32) return refuseHash(`it decodes to ${value.length} bytes`);
  return { algorithm: "sha-256", value };
}

/** A text without what carries it: quotes, escaped line ends, base64 around a PEM text, the label of a fingerprint. */
function withoutCarrier(input: string): string {
  const text = input.replace(/\\+r/g, "").replace(/\\+n/g, "\n").replace(/["']/g, "").trim();
  const pem = text.includes("-") ? undefined : decodeBase64(text.replace(/\s+/g, ""));
  // "-----BEGIN" in ASCII.
  if (pem !== undefined && pem[0] === 0x2d && pem[5] === 0x42) {
    return withoutCarrier(String.fromCharCode(...pem.subarray(0, MAX_PEM_BYTES)));
  }
  return text.replace(/^sha-?256(?: fingerprint)?\s*(?:[=:]|\/{1,2})\s*/i, "");
}

function refuseHash(found: string): never {
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot read certificate hash: ${found}, expected the base64 of a SHA-256 (32 bytes) or a PEM certificate ` +
      "(openssl x509 -in cert.pem -outform der | openssl dgst -sha256 -binary | base64)",
  );
}

function certificateDer(pem: string): Uint8Array<ArrayBuffer> {
  // The first block is the leaf in every chain file.
  const [, label, body] =
    /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/.exec(pem) ?? [];
  if (label === undefined || body === undefined) refuseHash("its PEM block is damaged");
  if (label !== "CERTIFICATE") refuseHash(`its PEM label is "${label.slice(0, 32)}"`);
  const bytes = decodeBase64(body.replace(/\s+/g, "")) ?? refuseHash("its PEM body is not base64");
  // With a line lost it would still have a hash, but no gateway's.
  return isSequence(bytes) ? bytes : refuseHash("its PEM body is not a whole certificate");
}

/** Whether bytes are one whole SEQUENCE of more than 127, as every certificate is (X.690 section 8.1.3). */
function isSequence(bytes: Uint8Array): boolean {
  const [tag, form = 0] = bytes;
  const start = form - 0x80 + 2;
  const length = bytes.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return tag === tags.sequence && start > 2 && bytes.length === start + length;
}

/** The hash of a certificate in DER. */
export async function hashOf(certificate: Uint8Array<ArrayBuffer>): Promise<CertificateHash> {
  requireWebCrypto("hash certificate");
  const value = new Uint8Array(await counted(crypto.subtle.digest("SHA-256", certificate)));
  return { algorithm: "sha-256", value };
}

import { counted } from "../base/operations.ts";
import { encodeBase64 } from "../base/base64.ts";
import { encodeUtf8 } from "../base/bytes.ts";
import { requireWebCrypto } from "../base/environment.ts";
import { TeleQuickError } from "../base/errors.ts";
import { systemClock } from "../base/signal.ts";
import { hashOf } from "./certificate_hash.ts";
import { der, derBitString, derInteger, derObjectId, derUtcTime, tags } from "./der.ts";
import type { CertificateHash } from "./types.ts";

const DAY_MS = 86_400_000;
// A hash-pinned certificate may be valid for at most 14 days in all (W3C WebTransport section 6.8); one hour of it lies in the past.
const LONGEST_DAYS = 13;
const BACKDATED_MS = 3_600_000;
// The year 2050: UTCTime has two digits for a year (RFC 5280 section 4.1.2.5.1).
const END_MS = 2_524_608_000_000;

const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  keyUsage: "2.5.29.15",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

/** What {@linkcode createCertificate} takes. */
export interface CreateCertificateOptions {
  /** DNS names and IP addresses that the certificate is for. Default: `localhost`, `127.0.0.1` and `::1`. */
  readonly hostnames?: readonly string[];
  /** Days until it expires, 1 to 13. Default: 13. */
  readonly days?: number;
  /** Unix time in milliseconds to count from, between 1970 and 2050. Default: the machine's clock. */
  readonly now?: number;
}

/** A self-signed certificate with its key. The key's PEM is a secret: it belongs into a listener and nowhere else. */
export interface CreatedCertificate {
  /** The certificate, PEM. */
  readonly certificatePem: string;
  /** Its private key, PKCS#8 PEM. */
  readonly privateKeyPem: string;
  /** What a client pins: the SHA-256 of the certificate. */
  readonly hash: CertificateHash;
  /** When it expires, Unix time in milliseconds. */
  readonly notAfter: number;
}

/**
 * Makes a self-signed ECDSA P-256 leaf certificate that every WebTransport client takes by its hash (W3C WebTransport section 6.8, RFC 5280).
 *
 * @param options Names, days and the time to count from.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for a name that is neither a host name nor an IP address, for other than 1 to 13 days, and for an invalid time.
 */
export async function createCertificate(
  options: CreateCertificateOptions = {},
): Promise<CreatedCertificate> {
  const { hostnames = ["localhost", "127.0.0.1", "::1"], days = LONGEST_DAYS } = options;
  const now = Math.floor((options.now ?? systemClock.now()) / 1000) * 1000;
  if (!(days >= 1 && days <= LONGEST_DAYS)) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot create certificate: days is ${days}, expected 1 to ${LONGEST_DAYS}`,
    );
  }
  if (hostnames.length === 0) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      "Cannot create certificate: hostnames is empty, expected at least one name",
    );
  }
  const names = hostnames.map(generalName);
  const notAfter = now + Math.floor(days * DAY_MS / 1000) * 1000;
  if (!(now >= BACKDATED_MS && notAfter < END_MS)) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot create certificate: now is ${options.now}, expected Unix milliseconds before 2050`,
    );
  }

  requireWebCrypto("create certificate");
  const curve = { name: "ECDSA", namedCurve: "P-256" } as const;
  const pair = await counted(crypto.subtle.generateKey(curve, true, ["sign", "verify"]));
  const publicKey = new Uint8Array(await counted(crypto.subtle.exportKey("spki", pair.publicKey)));
  const privateKey = new Uint8Array(
    await counted(crypto.subtle.exportKey("pkcs8", pair.privateKey)),
  );

  const algorithm = der(tags.sequence, derObjectId(OID.ecdsaWithSha256));
  const commonName = der(
    tags.sequence,
    derObjectId(OID.commonName),
    der(tags.utf8String, encodeUtf8("TeleQuick local gateway")),
  );
  const name = der(tags.sequence, der(tags.set, commonName));
  const toBeSigned = der(
    tags.sequence,
    der(0xa0, derInteger(Uint8Array.of(2))),
    derInteger(serialNumber()),
    algorithm,
    name,
    der(tags.sequence, derUtcTime(now - BACKDATED_MS), derUtcTime(notAfter)),
    name,
    publicKey,
    der(0xa3, extensions(names)),
  );
  const signature = new Uint8Array(
    await counted(
      crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, toBeSigned),
    ),
  );
  // WebCrypto signs as r and s side by side; X.509 wants them as two INTEGERs (RFC 5480 appendix A).
  const signatureValue = der(
    tags.sequence,
    derInteger(signature.subarray(0, 32)),
    derInteger(signature.subarray(32)),
  );
  const certificate = der(tags.sequence, toBeSigned, algorithm, derBitString(signatureValue));
  return {
    certificatePem: armour("CERTIFICATE", certificate),
    privateKeyPem: armour("PRIVATE KEY", privateKey),
    hash: await hashOf(certificate),
    notAfter,
  };
}

function serialNumber(): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // Positive and of full length (RFC 5280 section 4.1.2.2).
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}

function extensions(names: readonly Uint8Array[]): Uint8Array {
  const critical = der(tags.boolean, Uint8Array.of(0xff));
  const extension = (id: string, value: Uint8Array, flag: readonly Uint8Array[] = []): Uint8Array =>
    der(tags.sequence, derObjectId(id), ...flag, der(tags.octetString, value));
  return der(
    tags.sequence,
    extension(OID.subjectAltName, der(tags.sequence, ...names)),
    extension(OID.basicConstraints, der(tags.sequence), [critical]),
    // digitalSignature is bit 0: seven bits unused.
    extension(OID.keyUsage, der(tags.bitString, Uint8Array.of(7, 0x80)), [critical]),
    extension(OID.extendedKeyUsage, der(tags.sequence, derObjectId(OID.serverAuth))),
  );
}

/** A GeneralName: dNSName is [2], iPAddress is [7] (RFC 5280 section 4.2.1.6). */
function generalName(hostname: string): Uint8Array {
  const name = toAscii(hostname);
  // As a client's URL has it: "127.1" is an address too.
  const address = parseAddress(hostname.includes(":") ? hostname : name);
  if (address !== undefined) return der(0x87, address);
  const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  if (!new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`).test(name) || name.length > 253) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot create certificate: ${
        JSON.stringify(hostname.slice(0, 64))
      } is not a host name, expected a DNS name or an IP address`,
    );
  }
  return der(0x82, encodeUtf8(name));
}

function toAscii(hostname: string): string {
  if (/[\s/?#@:\\]/.test(hostname)) return "";
  try {
    return new URL(`https://${hostname}`).hostname;
  } catch {
    return "";
  }
}

function parseAddress(text: string): Uint8Array | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const octets = text.split(".").map(Number);
    return octets.every((octet) => octet < 256) ? Uint8Array.from(octets) : undefined;
  }
  if (!text.includes(":")) return undefined;
  let canonical: string;
  try {
    canonical = new URL(`https://[${text}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [left = "", right] = canonical.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((g) => parseInt(g, 16));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const all = [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function armour(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

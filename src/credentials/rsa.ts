/**
 * RSA keys in DER: the numbers they hold, checked before WebCrypto sees them, because runtimes disagree on what they refuse.
 *
 * @module
 */

import { encodeHex } from "../base/bytes.ts";
import { type KeyHalf, type PemBlock, refuseKey } from "./pem.ts";

/** The fault of a private key whose numbers do not belong together (RFC 8017 section 3.2), or that the runtime refuses. */
export const DAMAGED =
  "key is damaged: its numbers do not belong together (download the service-account file again)";

// The last three bytes of an object identifier (RFC 3279, RFC 4055, RFC 8410): RSA's, and those of the kinds that are tried instead.
const RSA_ENCRYPTION = "010101";
const OTHERS: Readonly<Record<string, string>> = {
  "01010a": "RSA-PSS",
  "3d0201": "EC",
  "380401": "DSA",
  "2b6570": "Ed25519",
};

/** The contents of the DER elements (ITU-T X.690) that stand one after another, the last cut off where the bytes end. */
function elements(der: Uint8Array = new Uint8Array()): Uint8Array[] {
  const contents: Uint8Array[] = [];
  for (let at = 1; at < der.length; at++) {
    let length = der[at++]!;
    if (length > 127) length = parseInt(encodeHex(der.subarray(at, at += length - 128)), 16);
    contents.push(der.subarray(at, at += length));
  }
  return contents;
}

/** What stands after the algorithm in a PKCS#8 or SPKI key, which must name RSA. */
function openRsa(der: Uint8Array, algorithmAt: 0 | 1, half: KeyHalf): Uint8Array | undefined {
  const parts = elements(elements(der)[0]);
  const [oid] = elements(parts[algorithmAt]);
  // Without an identifier the key is damaged, which its numbers will show.
  const kind = oid ? encodeHex(oid.subarray(-3)) : RSA_ENCRYPTION;
  if (kind !== RSA_ENCRYPTION) {
    refuseKey(
      half,
      `algorithm is ${OTHERS[kind] ?? "unknown"}, expected RSA`,
      "ERR_KEY_UNSUPPORTED",
    );
  }
  return parts[algorithmAt + 1];
}

/** The numbers in a PKCS#1 key, of either half; 0 for a negative one, which no key has. */
function readNumbers(pkcs1: Uint8Array | undefined): bigint[] {
  return elements(elements(pkcs1)[0]).map((der) =>
    BigInt(der[0]! < 128 ? `0x${encodeHex(der)}` : 0)
  );
}

/** Modulus of 2048 to 4096 bits and the exponent 65537 (Node 20 verifies any signature of a key with e = 1). */
function checkPublic(n: bigint, e: bigint, half: KeyHalf): void {
  const bits = n.toString(2).length;
  if (bits < 2048 || bits > 4096 || e !== 65537n) {
    refuseKey(
      half,
      `modulus has ${bits} bits, expected 2048 to 4096 with exponent 65537`,
      "ERR_KEY_UNSUPPORTED",
    );
  }
}

/** Version, n, e, d, p, q, dp, dq and qi (RFC 8017 appendix A.1.2). */
// deno-fmt-ignore
type PrivateNumbers = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

/**
 * Reads and checks an RSA private key.
 *
 * All eight numbers must belong together (RFC 8017 section 3.2). Without this, a key with one damaged byte is refused at import by some
 * runtimes, at the first signature by others, and by one never: it signs tokens that no gateway can verify.
 *
 * @param block PKCS#8 (RFC 5958) or PKCS#1 (RFC 8017 appendix A.1.2).
 * @returns The key as PKCS#8 without attributes.
 */
export function readPrivateRsa({ der, isPkcs1 }: PemBlock): Uint8Array<ArrayBuffer> {
  const pkcs1 = isPkcs1 ? der : openRsa(der, 1, "private");
  const numbers = readNumbers(pkcs1);
  const [, n, e, d, p, q, dp, dq, qi] = numbers as PrivateNumbers;
  const isSound = numbers.length === 9 && p > 1n && q > 1n && p * q === n &&
    (d * e) % (p - 1n) === 1n && (d * e) % (q - 1n) === 1n &&
    d % (p - 1n) === dp && d % (q - 1n) === dq && (qi * q) % p === 1n;
  if (!isSound) refuseKey("private", DAMAGED);
  checkPublic(n, e, "private");
  // The fixed PKCS#8 prefix (version 0, rsaEncryption, NULL): only the two lengths vary.
  const { length } = pkcs1!;
  const pkcs8 = new Uint8Array(length + 26);
  // The array keeps the lowest eight bits of a larger number.
  // deno-fmt-ignore
  pkcs8.set([
    0x30, 0x82, (length + 22) >> 8, length + 22, 2, 1, 0,
    0x30, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0,
    4, 0x82, length >> 8, length,
  ]);
  pkcs8.set(pkcs1!, 26);
  return pkcs8;
}

/**
 * Reads and checks an RSA public key: size, exponent, and not one of the weak keys of CVE-2017-15361 (ROCA).
 *
 * @param block SPKI (RFC 5280 section 4.1.2.7) or PKCS#1 (RFC 8017 appendix A.1.1).
 * @returns The modulus, big-endian, without leading zeros.
 */
export function readPublicRsa({ der, isPkcs1 }: PemBlock): Uint8Array<ArrayBuffer> {
  const half = "public";
  // The first byte of a bit string counts unused bits, which is 0 for a key.
  const pkcs1 = isPkcs1 ? der : openRsa(der, 0, half)?.subarray(1);
  const [n, e, more] = readNumbers(pkcs1);
  if (n === undefined || e === undefined || more !== undefined) {
    refuseKey(half, "PEM body is damaged, expected a modulus and an exponent");
  }
  checkPublic(n, e, half);
  if (n % 2n === 0n || isRoca(n)) {
    refuseKey(
      half,
      "modulus is even or of a known weak kind (CVE-2017-15361)",
      "ERR_KEY_UNSUPPORTED",
    );
  }
  const digits = n.toString(16);
  const pairs = digits.padStart(digits.length + (digits.length & 1), "0").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/**
 * Whether a modulus carries the fingerprint of CVE-2017-15361 (ROCA): modulo each small prime it is a power of 65537,
 * which a random modulus is with a chance below one in a hundred million.
 */
export function isRoca(n: bigint): boolean {
  for (let prime = 3; prime < 168; prime += 2) {
    if (!isPrime(prime)) continue;
    const residue = Number(n % BigInt(prime));
    let power = 1;
    do power = (power * 65537) % prime; while (power !== 1 && power !== residue);
    if (power !== residue) return false;
  }
  return true;
}

function isPrime(value: number): boolean {
  for (let divisor = 3; divisor * divisor <= value; divisor += 2) {
    if (value % divisor === 0) return false;
  }
  return true;
}

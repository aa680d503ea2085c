/**
 * RSA keys in DER: the numbers they hold, checked before WebCrypto sees them, because runtimes disagree on what they refuse.
 *
 * @module
 */

import { keyError, type KeyHalf, type PemBlock } from "./pem.ts";

/** What is wrong with a private key whose numbers do not belong together. */
export const DAMAGED = "key is damaged or cut off, its numbers do not belong together";

type Bytes = Uint8Array<ArrayBuffer>;

// The last three bytes of an object identifier (RFC 3279, RFC 4055, RFC 8410): RSA's, and those of what people try instead.
const RSA_ENCRYPTION = "1,1,1";
const OTHERS: Readonly<Record<string, string>> = {
  "1,1,10": "RSA-PSS",
  "61,2,1": "EC",
  "56,4,1": "DSA",
  "43,101,112": "Ed25519",
};

/** The contents of the DER elements (ITU-T X.690) that lie one after another, the last cut off where the bytes end. */
function elements(bytes: Bytes = new Uint8Array()): Bytes[] {
  const contents: Bytes[] = [];
  for (let at = 0; at < bytes.length;) {
    let length = bytes[at + 1]!;
    at += 2;
    if (length > 127) {
      let octets = length - 128;
      for (length = 0; octets > 0; octets--) length = length * 256 + bytes[at++]!;
    }
    contents.push(bytes.subarray(at, at += length));
  }
  return contents;
}

/** The parts of a PKCS#8 or SPKI key, which must name RSA. */
function openRsa(der: Bytes, algorithmAt: 0 | 1, half: KeyHalf): Bytes[] {
  const parts = elements(elements(der)[0]);
  const oid = `${elements(parts[algorithmAt])[0]?.slice(-3)}`;
  // Without any, the key is not of another kind but damaged, which its numbers will show.
  if (oid !== RSA_ENCRYPTION && oid !== "undefined") {
    throw keyError(
      half,
      `algorithm is ${OTHERS[oid] ?? "unknown"}, expected RSA`,
      "ERR_KEY_UNSUPPORTED",
    );
  }
  return parts;
}

/** Eight bytes at a time: one at a time costs more than the signature, where BigInt is slow. */
function toBigInt(bytes: Bytes): bigint {
  const padded = new Uint8Array((bytes.length + 8) & ~7);
  padded.set(bytes, padded.length - bytes.length);
  const view = new DataView(padded.buffer);
  let value = 0n;
  for (let at = 0; at < padded.length; at += 8) value = (value << 64n) | view.getBigUint64(at);
  return value;
}

/** Modulus of 2048 to 4096 bits and the exponent 65537 (security.md section 4; one runtime verifies e = 1 as true). */
function checkPublic(n: bigint, e: bigint, half: KeyHalf): void {
  const bits = n.toString(2).length;
  if (bits < 2048 || bits > 4096 || e !== 65537n) {
    throw keyError(
      half,
      `modulus has ${bits} bits, expected 2048 to 4096 with exponent 65537`,
      "ERR_KEY_UNSUPPORTED",
    );
  }
}

/**
 * Reads and checks an RSA private key.
 *
 * All eight numbers must belong together (RFC 8017 section 3.2). Without this, a key with one damaged byte is refused at import by some
 * runtimes, at the first signature by others, and by one never: it signs tokens that no gateway can verify.
 *
 * @param block PKCS#8 (RFC 5958) or PKCS#1 (RFC 8017 appendix A.1.2).
 * @returns The key as the plainest PKCS#8, whatever it came as.
 */
export function readPrivateRsa({ der, isPkcs1 }: PemBlock): Bytes {
  const half = "private";
  const pkcs1 = isPkcs1 ? der : openRsa(der, 1, half)[2];
  const numbers = elements(elements(pkcs1)[0]).map(toBigInt);
  const [version, n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp, dq, qi = 0n, more] = numbers;
  const isSound = version === 0n && more === undefined && p > 1n && q > 1n && p * q === n &&
    (d * e) % (p - 1n) === 1n && (d * e) % (q - 1n) === 1n &&
    d % (p - 1n) === dp && d % (q - 1n) === dq && (qi * q) % p === 1n;
  if (!isSound) throw keyError(half, DAMAGED);
  checkPublic(n, e, half);
  return wrapPkcs1(pkcs1!);
}

/** Puts the fixed PKCS#8 prefix (version 0, rsaEncryption, NULL) before a PKCS#1 key: only the two lengths vary. */
function wrapPkcs1(pkcs1: Bytes): Bytes {
  const { length } = pkcs1;
  // deno-fmt-ignore
  return new Uint8Array([
    0x30, 0x82, (length + 22) >> 8, (length + 22) & 255, 2, 1, 0,
    0x30, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0,
    4, 0x82, length >> 8, length & 255, ...pkcs1,
  ]);
}

/**
 * Reads and checks an RSA public key: size, exponent, and not one of the weak keys of CVE-2017-15361 (ROCA).
 *
 * @param block SPKI (RFC 5280 section 4.1.2.7) or PKCS#1 (RFC 8017 appendix A.1.1).
 * @returns The modulus, big-endian, without leading zeros.
 */
export function readPublicRsa({ der, isPkcs1 }: PemBlock): Bytes {
  const half = "public";
  const pkcs1 = isPkcs1 ? der : openRsa(der, 0, half)[1]?.subarray(1);
  const numbers = elements(elements(pkcs1)[0]);
  const [modulus, exponent] = numbers;
  if (modulus === undefined || exponent === undefined || numbers.length > 2 || modulus[0]! > 127) {
    throw keyError(half, "PEM body is damaged, expected a modulus and an exponent");
  }
  const n = toBigInt(modulus);
  checkPublic(n, toBigInt(exponent), half);
  if (n % 2n === 0n || isRoca(n)) {
    throw keyError(
      half,
      "modulus is even or of a known weak kind (CVE-2017-15361)",
      "ERR_KEY_UNSUPPORTED",
    );
  }
  return modulus.subarray(modulus.findIndex((byte) => byte > 0));
}

/**
 * Tells whether a modulus carries the fingerprint of CVE-2017-15361 (ROCA): modulo each small prime it is a power of 65537,
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

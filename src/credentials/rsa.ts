/**
 * RSA keys in DER: the numbers they hold, checked before WebCrypto sees them, because runtimes disagree on what they refuse.
 *
 * @module
 */

import { concatBytes, encodeHex } from "../bytes.ts";
import { type KeyHalf, malformedKey, unsupportedKey } from "./pem.ts";

const RSA_ENCRYPTION = "2a864886f70d010101";
// Object identifiers (RFC 3279, RFC 4055, RFC 8410) of the keys that people try instead.
const OTHER_ALGORITHMS: Readonly<Record<string, string>> = {
  "2a864886f70d01010a": "RSA-PSS",
  "2a8648ce3d0201": "EC",
  "2a8648ce380401": "DSA",
  "2b6570": "Ed25519",
  "2b6571": "Ed448",
  "2b656e": "X25519",
};

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;

/** Both numbers of an RSA public key. */
export interface RsaPublicNumbers {
  /** The modulus, big-endian, without leading zeros. */
  readonly modulus: Uint8Array<ArrayBuffer>;
  /** The same as a number. */
  readonly n: bigint;
}

/** Reads DER elements one after another (ITU-T X.690); every length is checked against what is there. */
class DerReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #half: KeyHalf;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>, half: KeyHalf) {
    this.#bytes = bytes;
    this.#half = half;
  }

  get nextTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** The content of the next element. */
  take(tag: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes;
    let length = bytes[this.#at + 1] ?? 0;
    if (this.nextTag !== tag) throw this.#damaged();
    this.#at += 2;
    if (length >= 0x80) {
      let count = length & 0x7f;
      if (count === 0 || count > 3 || bytes[this.#at] === 0) throw this.#damaged();
      for (length = 0; count > 0; count--) length = (length << 8) | (bytes[this.#at++] ?? 0);
      if (length < 0x80) throw this.#damaged();
    }
    const end = this.#at + length;
    if (end > bytes.length) {
      throw malformedKey(this.#half, `PEM body is cut off: ${bytes.length} of ${end} bytes`);
    }
    const content = bytes.subarray(this.#at, end);
    this.#at = end;
    return content;
  }

  /** The next element's content, as a reader. */
  enter(tag: number): DerReader {
    return new DerReader(this.take(tag), this.#half);
  }

  /** A positive integer's bytes, without the sign byte. */
  integer(): Uint8Array<ArrayBuffer> {
    const content = this.take(INTEGER);
    const [first = 0x80, second = 0x80] = content;
    if (first >= 0x80 || (first === 0 && second < 0x80)) throw this.#damaged();
    return first === 0 ? content.subarray(1) : content;
  }

  /** The rest of a bit string, which for a key is a whole number of bytes. */
  afterUnusedBits(): DerReader {
    if (this.#bytes[0] !== 0) throw this.#damaged();
    return new DerReader(this.#bytes.subarray(1), this.#half);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.#damaged();
  }

  #damaged(): Error {
    return malformedKey(
      this.#half,
      `PEM body is damaged, expected the DER of an RSA ${this.#half} key`,
    );
  }
}

/** Refuses the identifier of any algorithm but rsaEncryption, by name. */
function checkAlgorithm(reader: DerReader, half: KeyHalf): void {
  const oid = encodeHex(reader.enter(SEQUENCE).take(OBJECT_IDENTIFIER));
  if (oid !== RSA_ENCRYPTION) {
    throw unsupportedKey(half, `algorithm is ${OTHER_ALGORITHMS[oid] ?? "unknown"}, expected RSA`);
  }
}

function toBigInt(bytes: Uint8Array<ArrayBuffer>): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let value = 0n;
  let at = 0;
  for (; at < bytes.length % 8; at++) value = (value << 8n) | BigInt(bytes[at]!);
  for (; at < bytes.length; at += 8) value = (value << 64n) | view.getBigUint64(at);
  return value;
}

/** Modulus of 2048 to 4096 bits, odd, with the exponent 65537 (security.md section 4; one runtime verifies e = 1 as true). */
function checkPublic(modulus: Uint8Array<ArrayBuffer>, e: bigint, half: KeyHalf): bigint {
  const n = toBigInt(modulus);
  const bits = n.toString(2).length;
  if (bits < 2048 || bits > 4096) {
    throw unsupportedKey(half, `modulus has ${bits} bits, expected 2048 to 4096`);
  }
  if (e !== 65537n) throw unsupportedKey(half, "public exponent is another, expected 65537");
  if (n % 2n === 0n) throw malformedKey(half, "modulus is even, expected a product of two primes");
  return n;
}

/**
 * Reads and checks an RSA private key.
 *
 * All eight numbers must belong together (RFC 8017 section 3.2). Without this, a key with one damaged byte is refused at import by some
 * runtimes, at the first signature by others, and by one never: it signs tokens that no gateway can verify.
 *
 * @param der PKCS#8 (RFC 5958) or PKCS#1 (RFC 8017 appendix A.1.2).
 * @returns The key as the plainest PKCS#8, whatever it came as.
 */
export function readPrivateRsa(der: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const half = "private";
  const outer = new DerReader(der, half);
  let key = outer.enter(SEQUENCE);
  outer.end();
  key.integer();
  let pkcs1 = der;
  if (key.nextTag === SEQUENCE) {
    checkAlgorithm(key, half);
    pkcs1 = key.take(OCTET_STRING);
    const inner = new DerReader(pkcs1, half);
    key = inner.enter(SEQUENCE);
    inner.end();
    key.integer();
  }
  const modulus = key.integer();
  const number = (): bigint => toBigInt(key.integer());
  const e = number();
  const d = number();
  const p = number();
  const q = number();
  const dp = number();
  const dq = number();
  const qi = number();
  key.end();
  const n = checkPublic(modulus, e, half);
  const sound = p > 1n && q > 1n && p * q === n && (d * e) % (p - 1n) === 1n &&
    (d * e) % (q - 1n) === 1n && d % (p - 1n) === dp && d % (q - 1n) === dq && (qi * q) % p === 1n;
  if (!sound) throw malformedKey(half, "its numbers do not belong together, the key is damaged");
  return wrapPkcs1(pkcs1);
}

/** Puts the fixed PKCS#8 prefix (version 0, rsaEncryption, NULL) before a PKCS#1 key: only the two lengths vary. */
export function wrapPkcs1(pkcs1: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const prefix = new Uint8Array(26);
  prefix.set([
    0x30,
    0x82,
    0,
    0,
    2,
    1,
    0,
    0x30,
    13,
    6,
    9,
    0x2a,
    0x86,
    0x48,
    0x86,
    0xf7,
    13,
    1,
    1,
    1,
  ]);
  prefix.set([5, 0, OCTET_STRING, 0x82], 20);
  const view = new DataView(prefix.buffer);
  view.setUint16(2, pkcs1.length + 22);
  view.setUint16(24, pkcs1.length);
  return concatBytes([prefix, pkcs1]);
}

/**
 * Reads and checks an RSA public key.
 *
 * @param der SPKI (RFC 5280 section 4.1.2.7) or PKCS#1 (RFC 8017 appendix A.1.1).
 */
export function readPublicRsa(der: Uint8Array<ArrayBuffer>): RsaPublicNumbers {
  const half = "public";
  const outer = new DerReader(der, half);
  let key = outer.enter(SEQUENCE);
  outer.end();
  if (key.nextTag === SEQUENCE) {
    const spki = key;
    checkAlgorithm(spki, half);
    const bits = spki.enter(BIT_STRING);
    spki.end();
    const inner = bits.afterUnusedBits();
    key = inner.enter(SEQUENCE);
    inner.end();
  }
  const modulus = key.integer();
  const e = toBigInt(key.integer());
  key.end();
  return { modulus, n: checkPublic(modulus, e, half) };
}

/**
 * Tells whether a modulus carries the fingerprint of CVE-2017-15361 (ROCA): modulo each small prime it is a power of 65537,
 * which a random modulus is with a chance below one in a hundred million.
 */
export function isRoca(n: bigint): boolean {
  for (let prime = 3; prime <= 167; prime += 2) {
    if (!isPrime(prime)) continue;
    const residue = Number(n % BigInt(prime));
    let power = 1;
    do {
      if (power === residue) break;
      power = (power * 65537) % prime;
    } while (power !== 1);
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

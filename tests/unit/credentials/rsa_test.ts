import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, it } from "node:test";
import { isRoca, readPrivateRsa, readPublicRsa } from "../../../src/credentials/rsa.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { derOf, pem } from "../../support/openssl.ts";

const damaged =
  "Cannot import private key: key is damaged: its numbers do not belong together (download the service-account file again)";
const pkcs8 = derOf(pem.rsa());
const pkcs1 = derOf(pem.pkcs1());

/** Big-endian bytes of a JWK number, as DER holds them. */
function integer(base64Url: string): number[] {
  const bytes = [...Buffer.from(base64Url, "base64url")];
  const content = bytes[0]! > 127 ? [0, ...bytes] : bytes;
  return element(2, content);
}

function element(tag: number, content: readonly number[]): number[] {
  const { length } = content;
  const head = length < 128
    ? [length]
    : length < 256
    ? [0x81, length]
    : [0x82, length >> 8, length & 255];
  return [tag, ...head, ...content];
}

const names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"] as const;

/** A PKCS#1 key of the numbers of a JWK. */
function pkcs1Of(jwk: Readonly<Record<string, unknown>>): Uint8Array<ArrayBuffer> {
  const numbers = names.map((name) => integer(jwk[name] as string));
  return new Uint8Array(element(0x30, [2, 1, 0, ...numbers.flat()]));
}

describe("readPrivateRsa()", () => {
  it("readPrivateRsa() wraps a PKCS#1 key into exactly the PKCS#8 that openssl writes", () => {
    assert.deepEqual(readPrivateRsa({ der: pkcs1, isPkcs1: true }), pkcs8);
    assert.deepEqual(readPrivateRsa({ der: pkcs8, isPkcs1: false }), pkcs8);
  });

  for (const bits of [2048, 3072, 4096]) {
    it(`readPrivateRsa() wraps a PKCS#1 key of ${bits} bits as openssl does`, () => {
      const wrapped = readPrivateRsa({ der: derOf(pem.pkcs1(bits)), isPkcs1: true });
      assert.deepEqual(wrapped, derOf(pem.rsa(bits)));
    });
  }

  it("readPrivateRsa() drops the attributes that some tools append", () => {
    const body = [...pkcs8.subarray(4), ...element(0xa0, element(0x30, [6, 1, 42]))];
    const der = new Uint8Array(element(0x30, body));
    assert.deepEqual(readPrivateRsa({ der, isPkcs1: false }), pkcs8);
  });

  it("readPrivateRsa() notices a change in any one of the eight numbers", () => {
    const jwk = createPrivateKey(pem.rsa()).export({ format: "jwk" });
    assert.deepEqual(readPrivateRsa({ der: pkcs1Of(jwk), isPkcs1: true }), pkcs8);
    for (const name of names) {
      for (const place of [0, 0.5, 1]) {
        const bytes = Buffer.from(jwk[name] as string, "base64url");
        bytes[Math.floor((bytes.length - 1) * place)]! ^= 0x10;
        const der = pkcs1Of({ ...jwk, [name]: bytes.toString("base64url") });
        assert.throws(() => readPrivateRsa({ der, isPkcs1: true }), {
          code: "ERR_CREDENTIALS_INVALID",
          message: damaged,
        }, `${name} at ${place}`);
      }
    }
  });

  it("readPrivateRsa() wants a private exponent that is right for both primes", () => {
    const jwk = createPrivateKey(pem.rsa()).export({ format: "jwk" });
    const number = (name: "d" | "p" | "q"): bigint =>
      BigInt(`0x${Buffer.from(jwk[name]!, "base64url").toString("hex")}`);
    const text = (value: bigint): string => {
      const hex = value.toString(16);
      return Buffer.from(hex.padStart(hex.length + hex.length % 2, "0"), "hex").toString(
        "base64url",
      );
    };
    const [d, p, q] = [number("d"), number("p"), number("q")];
    // Each is right for one prime, and so is everything that is derived from it.
    for (const wrong of [d + (q - 1n), d + (p - 1n)]) {
      const numbers = {
        ...jwk,
        d: text(wrong),
        dp: text(wrong % (p - 1n)),
        dq: text(wrong % (q - 1n)),
      };
      assert.throws(() => readPrivateRsa({ der: pkcs1Of(numbers), isPkcs1: true }), {
        message: damaged,
      });
    }
  });

  it("readPrivateRsa() takes no other primes than two, and none that is 1", () => {
    const jwk = createPrivateKey(pem.rsa()).export({ format: "jwk" });
    const one = { ...jwk, p: jwk.n, q: "AQ", dq: "AA" };
    const none = { ...jwk, p: "AA", q: "AA" };
    for (const numbers of [one, none, { ...one, p: "AQ", q: jwk.n }]) {
      assert.throws(() => readPrivateRsa({ der: pkcs1Of(numbers), isPkcs1: true }), {
        message: damaged,
      });
    }
    const [, ...body] = pkcs1Of(jwk);
    const more = element(0x30, [...body.slice(3), ...element(0x30, [])]);
    assert.throws(() => readPrivateRsa({ der: new Uint8Array(more), isPkcs1: true }), {
      message: damaged,
    });
  });

  it("readPrivateRsa() refuses a tenth number", () => {
    const jwk = createPrivateKey(pem.rsa()).export({ format: "jwk" });
    const numbers = names.map((name) => integer(jwk[name] as string));
    const of = (...more: readonly number[]) =>
      readPrivateRsa({
        der: new Uint8Array(element(0x30, [2, 1, 0, ...numbers.flat(), ...more])),
        isPkcs1: true,
      });
    assert.deepEqual(of(), pkcs8);
    assert.throws(() => of(2, 1, 1), { message: damaged });
  });

  it("readPrivateRsa() refuses a key that is cut off at any byte", () => {
    const endOfAlgorithm = 20;
    for (let length = 0; length < pkcs8.length; length++) {
      assert.throws(
        () => readPrivateRsa({ der: pkcs8.slice(0, length), isPkcs1: false }),
        length < endOfAlgorithm
          ? TeleQuickError
          : { code: "ERR_CREDENTIALS_INVALID", message: damaged },
        `${length} bytes`,
      );
    }
  });

  const others: readonly (readonly [string, string])[] = [
    ["RSA-PSS", pem.rsaPss()],
    ["EC", pem.ec()],
    ["DSA", pem.dsa()],
    ["Ed25519", pem.ed25519()],
    ["unknown", pem.x25519()],
  ];
  for (const [name, text] of others) {
    it(`readPrivateRsa() names an algorithm that is not RSA: ${name}`, () => {
      assert.throws(() => readPrivateRsa({ der: derOf(text), isPkcs1: false }), {
        code: "ERR_KEY_UNSUPPORTED",
        message: `Cannot import private key: algorithm is ${name}, expected RSA`,
      });
      const half = derOf(pem.publicHalf(text));
      assert.throws(() => readPublicRsa({ der: half, isPkcs1: false }), {
        code: "ERR_KEY_UNSUPPORTED",
        message: `Cannot import public key: algorithm is ${name}, expected RSA`,
      });
    });
  }

  it("readPrivateRsa() refuses 1024 bits and other exponents", () => {
    for (const [text, bits] of [[pem.rsa(1024), 1024], [pem.rsaWithExponent(3), 2048]] as const) {
      assert.throws(() => readPrivateRsa({ der: derOf(text), isPkcs1: false }), {
        code: "ERR_KEY_UNSUPPORTED",
        message:
          `Cannot import private key: modulus has ${bits} bits, expected 2048 to 4096 with exponent 65537`,
      });
    }
  });
});

describe("readPublicRsa()", () => {
  it("readPublicRsa() gives the modulus of SPKI and of PKCS#1", () => {
    const { n } = createPublicKey(pem.rsa()).export({ format: "jwk" });
    for (
      const [text, isPkcs1] of [
        [pem.publicHalf(pem.rsa()), false],
        [pem.publicPkcs1(pem.rsa()), true],
      ] as const
    ) {
      const modulus = readPublicRsa({ der: derOf(text), isPkcs1 });
      assert.equal(Buffer.from(modulus).toString("base64url"), n);
    }
  });

  /** A PKCS#1 key of these numbers. */
  const publicOf = (...numbers: readonly bigint[]): Uint8Array<ArrayBuffer> =>
    new Uint8Array(element(
      0x30,
      numbers.flatMap((number) => {
        const hex = number.toString(16);
        const even = hex.padStart(hex.length + hex.length % 2, "0");
        return integer(Buffer.from(even, "hex").toString("base64url"));
      }),
    ));

  it("readPublicRsa() takes 2048 to 4096 bits with the exponent 65537, odd, and nothing else", () => {
    const read = (...numbers: readonly bigint[]) =>
      readPublicRsa({ der: publicOf(...numbers), isPkcs1: true });
    for (const bits of [2048n, 2049n, 4096n]) {
      const modulus = read(2n ** (bits - 1n) + 1n, 65537n);
      assert.equal(modulus.length, Math.ceil(Number(bits) / 8));
      assert.deepEqual([modulus[0], modulus.at(-1)], [bits % 8n === 1n ? 1 : 128, 1]);
    }
    const odd = 2n ** 2047n + 1n;
    const refused: readonly (readonly [readonly bigint[], RegExp])[] = [
      [[2n ** 2046n + 1n, 65537n], /modulus has 2047 bits/],
      [[2n ** 4096n + 1n, 65537n], /modulus has 4097 bits/],
      [[odd, 3n], /modulus has 2048 bits, expected 2048 to 4096 with exponent 65537/],
      [[odd - 1n, 65537n], /modulus is even or of a known weak kind \(CVE-2017-15361\)/],
    ];
    for (const [numbers, message] of refused) {
      assert.throws(() => read(...numbers), { code: "ERR_KEY_UNSUPPORTED", message });
    }
    for (const numbers of [[], [odd], [odd, 65537n, 1n]]) {
      assert.throws(() => read(...numbers), {
        code: "ERR_CREDENTIALS_INVALID",
        message: /PEM body is damaged, expected a modulus and an exponent/,
      });
    }
  });

  it("readPublicRsa() refuses a weak modulus", () => {
    const der = publicOf(weakModulus(2n ** 1080n, 77), 65537n);
    assert.throws(() => readPublicRsa({ der, isPkcs1: true }), {
      code: "ERR_KEY_UNSUPPORTED",
      message: /CVE-2017-15361/,
    });
  });

  it("readPublicRsa() refuses a key that is cut off at any byte", () => {
    const der = derOf(pem.publicHalf(pem.rsa()));
    for (let length = 0; length < der.length; length++) {
      assert.throws(
        () => readPublicRsa({ der: der.slice(0, length), isPkcs1: false }),
        TeleQuickError,
        `${length} bytes`,
      );
    }
  });
});

describe("isRoca()", () => {
  it("isRoca() clears keys that openssl makes", () => {
    for (const bits of [2048, 3072, 4096]) {
      const { n } = createPublicKey(pem.rsa(bits)).export({ format: "jwk" });
      assert.equal(isRoca(BigInt(`0x${Buffer.from(n!, "base64url").toString("hex")}`)), false);
    }
  });

  it("isRoca() knows numbers of the weak form k * M + (65537^a mod M)", () => {
    for (let i = 0; i < 30; i++) {
      const weak = weakModulus(987654321n + BigInt(i), 1234 + i);
      assert.equal(isRoca(weak), true, `${i}`);
      assert.equal(isRoca(weak + 2n), false, `${i}`);
    }
  });
});

/** A modulus as the generator of CVE-2017-15361 made them. */
function weakModulus(factor: bigint, exponent: number): bigint {
  let product = 1n;
  for (let value = 2; value <= 701; value++) {
    if (![2, 3, 5, 7, 11, 13, 17, 19, 23].some((d) => value !== d && value % d === 0)) {
      product *= BigInt(value);
    }
  }
  let power = 1n;
  for (let i = 0; i < exponent; i++) power = (power * 65537n) % product;
  return factor * product + power;
}

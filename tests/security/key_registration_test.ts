import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { importVerifyingKey } from "../../src/credentials/mod.ts";
import { TeleQuickError } from "../../src/base/errors.ts";
import { assertHidden, linesOf } from "../support/canary.ts";
import { pem, pemOf } from "../support/openssl.ts";

const damaged = "PEM body is damaged, expected a modulus and an exponent";
const none = 'text has no PEM block, expected one "PUBLIC KEY"';

function reasonOf(text: string): string {
  if (!text.includes("BEGIN")) return none;
  return text.length < 400
    ? 'PEM block has no matching END line (is the text cut off?), expected one "PUBLIC KEY"'
    : 'text has several PEM blocks, expected one "PUBLIC KEY"';
}
const weak = "modulus is even or of a known weak kind (CVE-2017-15361)";

function size(bits: number): string {
  return `modulus has ${bits} bits, expected 2048 to 4096 with exponent 65537`;
}

function label(found: string): string {
  return `PEM label is "${found}", expected "PUBLIC KEY"`;
}

function element(tag: number, content: readonly number[]): number[] {
  const { length } = content;
  const head = length < 128 ? [length] : [0x82, length >> 8, length & 255];
  return [tag, ...head, ...content];
}

function integer(value: bigint): number[] {
  const hex = value.toString(16);
  const bytes = [...Buffer.from(hex.padStart(hex.length + hex.length % 2, "0"), "hex")];
  return element(2, bytes[0]! > 127 ? [0, ...bytes] : bytes);
}

/** A public key of any two numbers: SPKI as openssl would write it, which refuses to make some of these itself. */
function spkiOf(n: bigint, e: bigint): string {
  const pkcs1 = element(0x30, [...integer(n), ...integer(e)]);
  const algorithm = element(0x30, [6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0]);
  return pemOf(
    new Uint8Array(element(0x30, [...algorithm, ...element(3, [0, ...pkcs1])])),
    "PUBLIC KEY",
  );
}

function modulusOf(text: string): bigint {
  const { n } = createPublicKey(text).export({ format: "jwk" });
  return BigInt(`0x${Buffer.from(n!, "base64url").toString("hex")}`);
}

async function refuses(text: string, code: string, found: string): Promise<void> {
  await assert.rejects(importVerifyingKey(text), (error) => {
    assert.ok(error instanceof TeleQuickError);
    assert.equal(error.message, `Cannot import public key: ${found}`);
    assert.equal(error.code, code);
    assert.equal(error.cause, undefined);
    assertHidden(error, linesOf(text), error.message);
    return true;
  });
}

const n = modulusOf(pem.rsa());

interface WycheproofJwk {
  readonly n: string;
  readonly e: string;
}

/** The ROCA key of Wycheproof (json_web_key_test.json, tcId 7). */
function rocaModulus(): bigint {
  const path = new URL("../vectors/wycheproof/json_web_key_test.json", import.meta.url);
  const { testGroups } = JSON.parse(readFileSync(path, "utf8")) as {
    testGroups: { comment: string; public: { keys: WycheproofJwk[] } }[];
  };
  const group = testGroups.find(({ comment }) => comment === "jws_rsa_roca_key");
  return BigInt(`0x${Buffer.from(group!.public.keys[0]!.n, "base64url").toString("hex")}`);
}

describe("key registration", () => {
  it("J-22 sizes: 1024, 2047, 4097 and 8192 bits are refused, 2048 to 4096 are taken", async () => {
    await refuses(pem.publicHalf(pem.rsa(1024)), "ERR_KEY_UNSUPPORTED", size(1024));
    await refuses(spkiOf(n >> 1n | 1n, 65537n), "ERR_KEY_UNSUPPORTED", size(2047));
    await refuses(spkiOf(n << 2049n | 1n, 65537n), "ERR_KEY_UNSUPPORTED", size(4097));
    await refuses(
      spkiOf(n ** 4n, 65537n),
      "ERR_KEY_UNSUPPORTED",
      size((n ** 4n).toString(2).length),
    );
    await refuses(spkiOf(1n, 65537n), "ERR_KEY_UNSUPPORTED", size(1));
    for (const bits of [2048, 3072, 4096]) {
      const key = await importVerifyingKey(pem.publicHalf(pem.rsa(bits)));
      assert.equal((key.algorithm as RsaKeyAlgorithm).modulusLength, bits);
    }
    const odd = await importVerifyingKey(spkiOf(n << 1n | 1n, 65537n));
    // One runtime counts in bytes.
    assert.equal(Math.ceil((odd.algorithm as RsaKeyAlgorithm).modulusLength / 8), 257);
  });

  it("J-22 exponents other than 65537", async () => {
    for (const e of [1n, 2n, 3n, 17n, 65536n, 65539n, 2n ** 64n + 1n, n - 2n]) {
      await refuses(spkiOf(n, e), "ERR_KEY_UNSUPPORTED", size(2048));
    }
    await refuses(pem.publicHalf(pem.rsaWithExponent(3)), "ERR_KEY_UNSUPPORTED", size(2048));
    assert.equal((await importVerifyingKey(spkiOf(n, 65537n))).type, "public");
  });

  it("J-22 an even modulus and the ROCA key", async () => {
    await refuses(spkiOf(n - 1n, 65537n), "ERR_KEY_UNSUPPORTED", weak);
    await refuses(spkiOf(rocaModulus(), 65537n), "ERR_KEY_UNSUPPORTED", weak);
  });

  it("J-22 a private key by mistake, a certificate, another algorithm, JSON, two blocks", async () => {
    await refuses(pem.rsa(), "ERR_KEY_UNSUPPORTED", label("PRIVATE KEY"));
    await refuses(pem.pkcs1(), "ERR_KEY_UNSUPPORTED", label("RSA PRIVATE KEY"));
    await refuses(pem.certificate(), "ERR_KEY_UNSUPPORTED", label("CERTIFICATE"));
    await refuses(pem.request(), "ERR_KEY_UNSUPPORTED", label("CERTIFICATE REQUEST"));
    await refuses(
      pem.encryptedPkcs8(),
      "ERR_KEY_UNSUPPORTED",
      `${
        label("ENCRYPTED PRIVATE KEY")
      } (decrypt it with: openssl pkcs8 -in key.pem -out plain.pem)`,
    );
    for (
      const [name, text] of [["EC", pem.ec()], ["Ed25519", pem.ed25519()], [
        "RSA-PSS",
        pem.rsaPss(),
      ], ["DSA", pem.dsa()]] as const
    ) {
      await refuses(
        pem.publicHalf(text),
        "ERR_KEY_UNSUPPORTED",
        `algorithm is ${name}, expected RSA`,
      );
    }
    const half = pem.publicHalf(pem.rsa());
    const jwk = JSON.stringify(createPublicKey(half).export({ format: "jwk" }));
    for (
      const text of [
        jwk,
        `[${jwk}]`,
        "",
        "hello",
        half + half,
        half + pem.certificate(),
        half.slice(0, 300),
      ]
    ) {
      await refuses(text, "ERR_CREDENTIALS_INVALID", reasonOf(text));
    }
  });

  it("J-22 damage: bodies cut off, extended, or with another integer in them", async () => {
    const der = [...Buffer.from(linesOf(pem.publicHalf(pem.rsa())).join(""), "base64")];
    for (
      const bytes of [[], [0x30], [0x30, 0x00], der.slice(0, 40), element(0x30, der.slice(4, 19))]
    ) {
      await refuses(pemOf(new Uint8Array(bytes), "PUBLIC KEY"), "ERR_CREDENTIALS_INVALID", damaged);
    }
    const three = element(0x30, [...integer(n), ...integer(65537n), ...integer(1n)]);
    await refuses(
      pemOf(new Uint8Array(three), "RSA PUBLIC KEY"),
      "ERR_CREDENTIALS_INVALID",
      damaged,
    );
    const negative = element(0x30, [
      ...element(2, [...Buffer.from(n.toString(16), "hex")]),
      ...integer(65537n),
    ]);
    await refuses(
      pemOf(new Uint8Array(negative), "RSA PUBLIC KEY"),
      "ERR_KEY_UNSUPPORTED",
      size(1),
    );
  });

  it("J-22 the same key in other texts becomes the same key", async () => {
    const half = pem.publicHalf(pem.rsa());
    for (
      const text of [
        half,
        half.replaceAll("\n", "\r\n"),
        pem.publicPkcs1(pem.rsa()),
        spkiOf(n, 65537n),
      ]
    ) {
      const jwk = await crypto.subtle.exportKey("jwk", await importVerifyingKey(text));
      assert.equal(jwk.n, createPublicKey(half).export({ format: "jwk" }).n);
    }
  });
});

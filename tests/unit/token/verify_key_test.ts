import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { verifyCompact } from "../../../src/token/verify.ts";
import { forge } from "../../support/tokens.ts";

const algorithm = {
  name: "RSASSA-PKCS1-v1_5",
  hash: { name: "SHA-256" },
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
};

describe("verifyCompact() and keys of other kinds", () => {
  const kinds: readonly (readonly [string, object])[] = [
    ...[[], [3], [1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]].map((bytes) =>
      [`exponent ${bytes}`, {
        type: "public",
        algorithm: { ...algorithm, publicExponent: Uint8Array.from(bytes) },
      }] as const
    ),
    ["a private key", { type: "private", algorithm }],
    ["RSA-PSS", { type: "public", algorithm: { ...algorithm, name: "RSA-PSS" } }],
    ["SHA-1", { type: "public", algorithm: { ...algorithm, hash: { name: "SHA-1" } } }],
    ["no hash", { type: "public", algorithm: { ...algorithm, hash: undefined } }],
    ["2047 bits", { type: "public", algorithm: { ...algorithm, modulusLength: 2047 } }],
  ];
  for (const [what, key] of kinds) {
    it(`rejects ${what} as a mistake of the program's`, async () => {
      await assert.rejects(verifyCompact(forge(), key as CryptoKey), {
        name: "TypeError",
        message: /^Cannot verify token: key is .*2048 bits or more, exponent 65537/,
      });
    });
  }
});

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { importVerifyingKey } from "../../src/credentials/mod.ts";
import { TeleQuickError } from "../../src/base/errors.ts";
import { signCompact } from "../../src/token/sign.ts";
import { verifyCompact, verifyToken } from "../../src/token/verify.ts";
import { pemOf } from "../support/openssl.ts";

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

function read<T>(name: string): T {
  const path = new URL(`../vectors/wycheproof/${name}`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

interface RfcVector {
  readonly source: string;
  readonly alg: string;
  readonly jwk: JsonWebKey;
  readonly jws: string;
}

interface Group<Test> {
  readonly comment: string;
  readonly public?: JsonWebKey & { readonly keys?: readonly (JsonWebKey & { kid?: string })[] };
  readonly private?: JsonWebKey & { readonly keys?: readonly JsonWebKey[] };
  readonly publicKeyPem?: string;
  readonly publicKeyDer?: string;
  readonly tests: readonly Test[];
}

interface JwsTest {
  readonly tcId: number;
  readonly jws: string;
}

interface RsaTest {
  readonly tcId: number;
  readonly msg: string;
  readonly sig: string;
}

const rfc = read<{ vectors: readonly RfcVector[] }>("rfc_vectors.json").vectors;

function vector(source: string): RfcVector {
  const found = rfc.find((each) => each.source.startsWith(source));
  assert.ok(found !== undefined, source);
  return found;
}

/**
 * Registers the public half of a JWK as its owner would: WebCrypto turns it into SPKI, and refuses one whose `alg`, `use` or `key_ops` say
 * that it is for something else; then come the rules of registration. Undefined when either refuses.
 */
async function register(jwk: JsonWebKey): Promise<CryptoKey | undefined> {
  const { kty, n, e, alg, use, key_ops, crv, x, y, k } = jwk;
  const half = { kty, n, e, alg, use, key_ops, crv, x, y, k } as JsonWebKey;
  let spki: ArrayBuffer;
  try {
    const usable = JSON.parse(JSON.stringify(half)) as JsonWebKey;
    const key = await crypto.subtle.importKey("jwk", usable, RS256, true, ["verify"]);
    spki = await crypto.subtle.exportKey("spki", key);
  } catch {
    return undefined;
  }
  try {
    return await importVerifyingKey(pemOf(new Uint8Array(spki), "PUBLIC KEY"));
  } catch (error) {
    assert.ok(error instanceof TeleQuickError && error.code === "ERR_KEY_UNSUPPORTED");
    return undefined;
  }
}

async function isAccepted(jws: unknown, key: CryptoKey): Promise<boolean> {
  try {
    await verifyCompact(jws as string, key);
    return true;
  } catch (error) {
    assert.ok(error instanceof TeleQuickError && error.code === "ERR_TOKEN_INVALID", `${error}`);
    return false;
  }
}

describe("RFC vectors", () => {
  for (const source of ["RFC 7515 Appendix A.2", "RFC 7520 section 4.1"]) {
    it(`${source}: the signature is reproduced byte for byte, and verified`, async () => {
      const { jwk, jws } = vector(source);
      const [protectedText = "", payloadText = ""] = jws.split(".").map((segment) =>
        Buffer.from(segment, "base64url").toString()
      );
      const { kty, n, e, d, p, q, dp, dq, qi } = jwk;
      const key = await crypto.subtle.importKey(
        "jwk",
        { kty, n, e, d, p, q, dp, dq, qi } as JsonWebKey,
        RS256,
        false,
        ["sign"],
      );
      assert.equal(await signCompact(key, protectedText, payloadText), jws);
      const verifying = await register(jwk);
      const payload = await verifyCompact(jws, verifying!);
      assert.equal(new TextDecoder().decode(payload), payloadText);
    });
  }

  it("RFC 7515 Appendix A.1 and A.5 (HS256 and none) fail", async () => {
    const key = await register(vector("RFC 7515 Appendix A.2").jwk);
    for (const source of ["RFC 7515 Appendix A.1", "RFC 7515 Appendix A.5"]) {
      assert.equal(await isAccepted(vector(source).jws, key!), false, source);
    }
  });

  it("RFC 7515 Appendix A.2 is a signature and still no token of ours", async () => {
    const { jwk, jws } = vector("RFC 7515 Appendix A.2");
    const key = await register(jwk);
    await assert.rejects(verifyToken(jws, { resolveKey: () => ({ tenantId: "joe", key: key! }) }), {
      code: "ERR_TOKEN_INVALID",
      message: "Cannot accept token: kid is malformed",
    });
  });
});

describe("Wycheproof", () => {
  it("RSA signatures: accepted are exactly 1 to 7, 258 and 259, and the two keys of the last are refused before", async () => {
    const { testGroups } = read<{ testGroups: Group<RsaTest>[] }>(
      "rsa_signature_2048_sha256_test.json",
    );
    const accepted: number[] = [];
    const refusedKeys: number[] = [];
    let total = 0;
    for (const { publicKeyPem, publicKeyDer, tests } of testGroups) {
      const registered = await importVerifyingKey(publicKeyPem!).catch((error: unknown) => {
        assert.ok(error instanceof TeleQuickError && error.code === "ERR_KEY_UNSUPPORTED");
        refusedKeys.push(...tests.map(({ tcId }) => tcId));
        return undefined;
      });
      const spki = new Uint8Array(Buffer.from(publicKeyDer!, "hex"));
      const key = registered ??
        await crypto.subtle.importKey("spki", spki, RS256, true, ["verify"]);
      for (const { tcId, msg, sig } of tests) {
        total++;
        const [signature, data] = [sig, msg].map((hex) => new Uint8Array(Buffer.from(hex, "hex")));
        if (await crypto.subtle.verify(RS256, key, signature!, data!)) accepted.push(tcId);
      }
    }
    assert.equal(total, 259);
    assert.deepEqual(accepted, [1, 2, 3, 4, 5, 6, 7, 258, 259]);
    assert.deepEqual(refusedKeys, [258, 259]);
  });

  it("JSON Web Signatures: accepted are exactly 33, 259 to 263, 345 and 349", async () => {
    const { testGroups } = read<{ testGroups: Group<JwsTest>[] }>("json_web_signature_test.json");
    // Symmetric and EC keys cannot be registered; their tokens are shown to an RSA key instead, so that each is really judged.
    const fallback = await register(vector("RFC 7515 Appendix A.2").jwk);
    const accepted: number[] = [];
    let total = 0;
    for (const { public: half, private: whole, tests } of testGroups) {
      const key = await register((half ?? whole)!) ?? fallback!;
      for (const { tcId, jws } of tests) {
        total++;
        if (await isAccepted(jws, key)) accepted.push(tcId);
      }
    }
    assert.equal(total, 401);
    assert.deepEqual(accepted, [33, 259, 260, 261, 262, 263, 345, 349]);
  });

  it("JSON Web Keys: accepted is exactly 5", async () => {
    const { testGroups } = read<{ testGroups: Group<JwsTest>[] }>("json_web_key_test.json");
    const accepted: number[] = [];
    const unregistered: number[] = [];
    let total = 0;
    for (const { public: half, private: whole, tests } of testGroups) {
      const keys = (half ?? whole)!.keys!;
      // A set with more than one key is shown as one key after the other; none of its keys can be registered here.
      const registered = await Promise.all(keys.map(register));
      for (const { tcId, jws } of tests) {
        total++;
        const usable = registered.filter((key) => key !== undefined);
        if (usable.length === 0) unregistered.push(tcId);
        for (const key of usable) if (await isAccepted(jws, key)) accepted.push(tcId);
      }
    }
    assert.equal(total, 26);
    assert.deepEqual(accepted, [5]);
    // The ROCA key, 1024 bits, e = 1: refused as keys, any they sign.
    for (const tcId of [7, 8, 9]) assert.ok(unregistered.includes(tcId), `${tcId}`);
  });

  it("the harness is not a verifier that refuses everything, nor one that an HMAC fools", async () => {
    const { jwk } = vector("RFC 7515 Appendix A.2");
    const key = await register(jwk);
    assert.ok(await isAccepted(vector("RFC 7515 Appendix A.2").jws, key!));
    const signed = `${Buffer.from('{"alg":"RS256"}').toString("base64url")}.e30`;
    const mac = createHmac("sha256", JSON.stringify(jwk)).update(signed).digest("base64url");
    assert.equal(await isAccepted(`${signed}.${mac}`, key!), false);
  });
});

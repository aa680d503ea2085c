import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as jose from "jose";
import jsonwebtoken from "jsonwebtoken";
import { mintBrowserToken } from "../../src/token/browser.ts";
import { signToken } from "../../src/token/sign.ts";
import { verifyToken } from "../../src/token/verify.ts";
import { honestTokens, hostileTokens } from "../support/hostile_tokens.ts";
import { acme, claims, header, NOW, outcome, verifier } from "../support/tokens.ts";

/** jose, as strict as its options go. */
async function joseAccepts(token: string): Promise<boolean> {
  try {
    await jose.jwtVerify(token, acme.publicKey, {
      algorithms: ["RS256"],
      issuer: "telequick-sdk",
      typ: "JWT",
      requiredClaims: ["sub", "iat", "exp"],
      maxTokenAge: 3600,
      currentDate: new Date(NOW * 1000),
    });
    return true;
  } catch (error) {
    assert.ok(error instanceof jose.errors.JOSEError, `${error}`);
    return false;
  }
}

/** jsonwebtoken, as strict as its options go. Some of its refusals are plain errors. */
function jsonwebtokenAccepts(token: string): boolean {
  try {
    jsonwebtoken.verify(token, acme.made.publicKeyPem, {
      algorithms: ["RS256"],
      issuer: "telequick-sdk",
      maxAge: 3600,
      clockTimestamp: NOW,
    });
    return true;
  } catch {
    return false;
  }
}

describe("the hostile list", () => {
  it("verifyToken() accepts none of it and every honest token", async () => {
    for (const { name, token } of hostileTokens) {
      assert.notEqual(await outcome(token), "accepted", name);
    }
    for (const { name, token } of honestTokens) {
      assert.equal(await outcome(token), "accepted", name);
    }
    assert.ok(hostileTokens.length >= 73);
    assert.equal(new Set(hostileTokens.map(({ token }) => token)).size, hostileTokens.length);
  });

  it("where general verifiers accept, the list says why this one does not", async () => {
    const accepted: Record<"jose" | "jsonwebtoken", number> = { jose: 0, jsonwebtoken: 0 };
    for (const { name, token, why } of hostileTokens) {
      const byJose = await joseAccepts(token);
      const byJsonwebtoken = jsonwebtokenAccepts(token);
      if (byJose) accepted.jose++;
      if (byJsonwebtoken) accepted.jsonwebtoken++;
      // What no careful verifier takes needs no reason; what one takes does.
      if (byJose) assert.notEqual(why, "", name);
    }
    assert.deepEqual(accepted, { jose: 50, jsonwebtoken: 51 });
  });
});

describe("peers", () => {
  it("jose and jsonwebtoken verify what signToken() and mintBrowserToken() make", async () => {
    const now = NOW * 1000;
    const tokens = [
      await signToken(acme.signer, { now }),
      await signToken(acme.signer, {
        now,
        claims: { nested: { name: "Zo\u00eb" } },
        lifetimeSeconds: 60,
      }),
      await mintBrowserToken(acme.signer, { now, scope: "call.dial", endUser: "\u{1F600}" }),
    ];
    for (const token of tokens) {
      const { payload, protectedHeader } = await jose.jwtVerify(token, acme.verifying, {
        algorithms: ["RS256"],
        issuer: "telequick-sdk",
        subject: "acme",
        currentDate: new Date(now),
      });
      assert.deepEqual(protectedHeader, { ...header });
      const verified = jsonwebtoken.verify(token, acme.made.publicKeyPem, {
        algorithms: ["RS256"],
        clockTimestamp: NOW,
      });
      assert.deepEqual(verified, payload);
      assert.deepEqual({ ...(await verifyToken(token, verifier)).claims }, payload);
    }
  });

  it("verifyToken() verifies what jose and jsonwebtoken make", async () => {
    const further = { name: "Zo\u00eb", list: [1, 2] };
    const byJose = await new jose.SignJWT(further)
      .setProtectedHeader({ alg: "RS256", kid: acme.keyId })
      .setIssuer("telequick-sdk")
      .setSubject("acme")
      .setIssuedAt(NOW)
      .setExpirationTime(NOW + 3600)
      .sign(acme.privateKey);
    const byJsonwebtoken = jsonwebtoken.sign(
      { ...further, iat: NOW },
      acme.made.account.privateKey,
      {
        algorithm: "RS256",
        keyid: acme.keyId,
        issuer: "telequick-sdk",
        subject: "acme",
        expiresIn: 3600,
      },
    );
    for (const token of [byJose, byJsonwebtoken]) {
      const { tenantId, keyId, expiresAtMs, claims: said } = await verifyToken(token, verifier);
      assert.deepEqual([tenantId, keyId, expiresAtMs], ["acme", "acme-1", (NOW + 3600) * 1000]);
      assert.deepEqual({ ...said }, { ...further, ...claims });
    }
  });

  it("signToken() makes the very token that jose and jsonwebtoken make of the same members in the same order", async () => {
    const ours = await signToken(acme.signer, { now: NOW * 1000 });
    const byJose = await new jose.SignJWT({ ...claims })
      .setProtectedHeader({ ...header })
      .sign(acme.privateKey);
    assert.equal(ours, byJose);
    const byJsonwebtoken = jsonwebtoken.sign({ ...claims }, acme.made.account.privateKey, {
      algorithm: "RS256",
      header: { ...header },
    });
    assert.equal(ours, byJsonwebtoken);
  });
});

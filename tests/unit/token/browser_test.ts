import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mintBrowserToken, type MintBrowserTokenOptions } from "../../../src/token/browser.ts";
import { decodeToken } from "../../../src/token/decode.ts";
import { verifyToken } from "../../../src/token/verify.ts";
import { acme, claims, header, NOW, verifier } from "../../support/tokens.ts";

const now = NOW * 1000;

describe("mintBrowserToken()", () => {
  it("mintBrowserToken() lives 300 seconds and carries what it is given", async () => {
    const token = await mintBrowserToken(acme.signer, {
      now,
      scope: "call.dial call.barge",
      origin: "https://app.example",
      endUser: "Zo\u00eb \u{1F600}",
      jti: "6f1c",
    });
    assert.deepEqual(decodeToken(token), {
      header: { ...header },
      claims: {
        ...claims,
        exp: NOW + 300,
        scope: "call.dial call.barge",
        origin: "https://app.example",
        end_user: "Zo\u00eb \u{1F600}",
        jti: "6f1c",
      },
    });
    const verified = await verifyToken(token, verifier);
    assert.equal(verified.kind, "browser");
    assert.equal(verified.endUser, "Zo\u00eb \u{1F600}");
  });

  it("mintBrowserToken() leaves out the claims that are not given", async () => {
    const { claims: bare } = decodeToken(await mintBrowserToken(acme.signer, { now }));
    assert.deepEqual(bare, { ...claims, exp: NOW + 300 });
  });

  it("C-10 mintBrowserToken() refuses more than 300 seconds", async () => {
    for (const lifetimeSeconds of [1, 299, 300]) {
      const { claims } = decodeToken(await mintBrowserToken(acme.signer, { now, lifetimeSeconds }));
      assert.equal(claims["exp"], NOW + lifetimeSeconds);
    }
    for (const lifetimeSeconds of [0, 301, 3600, 0.5]) {
      await assert.rejects(mintBrowserToken(acme.signer, { lifetimeSeconds }), {
        code: "ERR_TOKEN_LIFETIME",
        message: `Cannot sign token: lifetime is ${lifetimeSeconds} s, expected whole 1 to 300`,
      });
    }
  });

  it("mintBrowserToken() takes an origin as browsers send it, and nothing near it", async () => {
    for (
      const origin of [
        "https://app.example",
        "http://localhost:3000",
        "https://xn--bcher-kva.example",
        "http://[::1]:8080",
        "http://127.0.0.1",
      ]
    ) {
      const token = await mintBrowserToken(acme.signer, { now, origin });
      assert.equal((await verifyToken(token, verifier)).origin, origin);
    }
    for (
      const origin of [
        "",
        "null",
        "app.example",
        "https://app.example/",
        "https://App.example",
        "https://app.example/path",
        "https://u@app.example",
        "ftp://app.example",
        "https://b\u00fccher.example",
        "https://app.example\n",
        "https://a, https://b",
      ]
    ) {
      await refuses({ origin }, "origin");
    }
  });

  it("mintBrowserToken() refuses claims that are empty, too long, no text, or hold control characters", async () => {
    for (const name of ["scope", "endUser", "jti"] as const) {
      const wire = name === "endUser" ? "end_user" : name;
      for (const value of ["", "a\nb", "a\0", "\u202e", "x".repeat(513), 1, null, ["a"]]) {
        await refuses({ [name]: value as string }, wire);
      }
      await mintBrowserToken(acme.signer, { [name]: "x".repeat(512) });
    }
  });

  it("mintBrowserToken() refuses claims that together make a token which no verifier takes", async () => {
    const long = "\u{1f600}".repeat(512);
    await mintBrowserToken(acme.signer, { endUser: long });
    await assert.rejects(mintBrowserToken(acme.signer, { endUser: long, scope: long }), {
      code: "ERR_TOKEN_INVALID",
      message: "Cannot sign token: it is too long",
    });
  });
});

async function refuses(options: MintBrowserTokenOptions, claim: string): Promise<void> {
  await assert.rejects(mintBrowserToken(acme.signer, options), {
    code: "ERR_TOKEN_INVALID",
    message: `Cannot sign token: ${claim} is malformed`,
  }, JSON.stringify(options));
}

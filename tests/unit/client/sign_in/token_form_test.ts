import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signToken, TeleQuickClient, TeleQuickError } from "../../../../mod.ts";
import { judgeToken } from "../../../../src/client/sign_in/presented_token.ts";
import { scriptedGateway } from "../../../../src/testing/mod.ts";
import { testAccount } from "../../../support/tenant_kit.ts";
import { tokenOf } from "../../../support/token_of.ts";
import { UNSIGNED_TOKEN, unsignedToken } from "../../../support/unsigned_token.ts";

const NOW = Date.UTC(2026, 0, 1);

function judge(given: unknown, options: Partial<Parameters<typeof judgeToken>[1]> = {}) {
  return judgeToken(given, {
    origin: "function",
    nowMs: NOW,
    correctionMs: 0,
    mustBeCompact: true,
    pageOrigin: undefined,
    ...options,
  });
}

describe("What a token function returns", () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ["<!DOCTYPE html><title>502</title>", /an HTML page beginning <!DOCTYPE \(check response\.ok/],
    ["  <html><body>Sign in</body></html>", /an HTML page beginning <html /],
    [JSON.stringify({ token: UNSIGNED_TOKEN }), /a JSON object: return its member token,/],
    [JSON.stringify({ access_token: UNSIGNED_TOKEN }), /return its member access_token,/],
    [{ token: UNSIGNED_TOKEN }, /an object: return its member token,/],
    [JSON.stringify(UNSIGNED_TOKEN), /a JSON string \(parse it/],
    [JSON.stringify({ error: "no" }), /a JSON object with the member error \(the backend reports/],
    [JSON.stringify({ id: 5 }), /a JSON object without a token/],
    ["[]", /a JSON array/],
    ["null", /the JSON value null/],
    [`Bearer ${UNSIGNED_TOKEN}`, /a token after the word "Bearer" \(return the token alone\)/],
    [null, /returned null \(does the function return its token\?\)/],
    [undefined, /returned undefined/],
    [5, /a number/],
    ["", /an empty string/],
    [" \n", /an empty string/],
    [new Response(UNSIGNED_TOKEN), /a Response \(return its text: await response\.text\(\)\)/],
    [{ private_key: "canary" }, /an object with a private key/],
    ["-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----", /a key in PEM/],
    ["eyJhbGciOiJSU0Et.a.b.c.d", /an encrypted token of five parts/],
    ["www.example.com", /three parts separated by dots that are not a signed token/],
    ["canary secret", /a text of 13 characters/],
  ];
  for (const [given, expected] of cases) {
    const shown = given instanceof Response ? "a Response" : JSON.stringify(given)?.slice(0, 40);
    it(`is refused as what it is: ${shown}`, () => {
      assert.throws(() => judge(given), (error: unknown) => {
        assert.ok(error instanceof TeleQuickError);
        assert.equal(error.code, "ERR_TOKEN_INVALID");
        assert.equal(error.retryable, true);
        assert.match(error.message, /^Cannot present token: the token function returned /);
        assert.match(error.message, expected);
        assert.match(error.message, /expected a compact JWS$/);
        for (const secret of ["canary", UNSIGNED_TOKEN.slice(0, 20)]) {
          assert.ok(!error.message.includes(secret), "nothing of it is quoted");
        }
        return true;
      });
    });
  }

  it("is presented without the white space around it", async () => {
    const presented: string[] = [];
    const gateway = scriptedGateway({
      scripts: {
        Authenticate: (request) => {
          presented.push(tokenOf(request));
          return { status: "OK", tenantId: "acme" };
        },
      },
    });
    const client = new TeleQuickClient(
      "https://gateway.test",
      () => `\n${UNSIGNED_TOKEN}\r\n`,
      true,
      { webTransport: gateway.webTransport },
    );
    await client.connect();
    assert.deepEqual(presented, [UNSIGNED_TOKEN]);
    await client.close();
  });

  it("leaves no packet when it is not a token", async () => {
    const gateway = scriptedGateway();
    const client = new TeleQuickClient("https://gateway.test", () => "<html>", true, {
      webTransport: gateway.webTransport,
    });
    await assert.rejects(client.connect(), /an HTML page/);
    assert.equal(gateway.attempts, 0);
    await client.close();
  });

  it("can have any form where the gateway has another handshake, but not be empty", () => {
    assert.equal(judge("opaque", { mustBeCompact: false }).token, "opaque");
    assert.throws(() => judge("", { mustBeCompact: false }), /expected a non-empty string/);
  });

  it("names both origins where it is for another page", () => {
    const token = unsignedToken({ origin: "https://app.example" });
    assert.equal(judge(token, { pageOrigin: "https://app.example" }).token, token);
    assert.equal(judge(token).token, token);
    assert.throws(
      () => judge(token, { pageOrigin: "https://www.app.example" }),
      /its origin is https:\/\/app\.example, expected the origin of this page, https:\/\/www\.app\.example/,
    );
  });

  it("is over where it was not just made, and shows a wrong clock where it was", async () => {
    const { signer } = await testAccount("acme");
    const token = await signToken(signer, { now: NOW - 600_000, lifetimeSeconds: 300 });
    assert.equal(judge(token).skewMs, 600_000);
    assert.match(judge(token).expired?.message ?? "", /expired 300 s ago/);
    assert.throws(() => judge(token, { origin: "token" }), /pass a function that fetches/);
    const early = await signToken(signer, { now: NOW + 60_000 });
    assert.equal(judge(early).skewMs, -60_000);
    const fresh = await signToken(signer, { now: NOW + 20_000 });
    assert.equal(judge(fresh).skewMs, 0);
  });
});

describe("A refused sign-in", () => {
  async function refusalOf(reason: string, serverTimeMs = 0): Promise<string> {
    const gateway = scriptedGateway({
      scripts: {
        Authenticate: () => ({ errorCode: 7, errorMessage: reason, serverTimeMs }),
      },
    });
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
    });
    const error = await client.connect().then(() => undefined, (error: Error) => error);
    await client.close();
    return error?.message ?? "";
  }

  for (const reason of ["expired", "not yet valid", "lifetime", "revoked", "rejected", "odd"]) {
    it(`advises nothing about private keys where the token was fetched: ${reason}`, async () => {
      const message = await refusalOf(reason);
      assert.match(message, /^Cannot sign in: the gateway refused the token as /);
      assert.doesNotMatch(message, /private_key|private key/);
    });
  }
});

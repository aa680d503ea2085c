import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { TeleQuickError } from "../../../src/base/errors.ts";
import {
  buildClaims,
  checkClaims,
  MAX_BROWSER_LIFETIME_SECONDS,
  MAX_LIFETIME_SECONDS,
} from "../../../src/token/claims.ts";
import { KEY_ID, TENANT_ID } from "../../../src/credentials/ids.ts";
import { seed } from "../../support/seed.ts";
import { NOW } from "../../support/tokens.ts";

const now = NOW * 1000;

describe("buildClaims()", () => {
  it("buildClaims() writes the four claims first, in the product's order", () => {
    assert.equal(
      buildClaims("acme", { now, claims: { x: 1 } }, MAX_LIFETIME_SECONDS),
      `{"iss":"telequick-sdk","sub":"acme","iat":${NOW},"exp":${NOW + 3600},"x":1}`,
    );
  });

  it("buildClaims() makes only what checkClaims() takes, at that moment and until the end", () => {
    const text = fc.stringMatching(/^[!-~]{1,40}$/);
    const claims = fc.record({ scope: text, end_user: text, jti: text, n: fc.integer() }, {
      requiredKeys: [],
    });
    fc.assert(
      fc.property(claims, fc.integer({ min: 1, max: 3600 }), fc.nat(3599), (claims, life, age) => {
        const isBrowser = "scope" in claims || "end_user" in claims || "jti" in claims;
        const max = isBrowser ? MAX_BROWSER_LIFETIME_SECONDS : MAX_LIFETIME_SECONDS;
        const options = { now, lifetimeSeconds: life, claims };
        if (life > max) {
          assert.throws(() => buildClaims("acme", options, MAX_LIFETIME_SECONDS), {
            code: "ERR_TOKEN_LIFETIME",
          });
          return;
        }
        const built = JSON.parse(buildClaims("acme", options, MAX_LIFETIME_SECONDS));
        if (age < life) {
          const checked = checkClaims(built, "acme", (NOW + age) * 1000, {});
          assert.equal(checked.kind, isBrowser ? "browser" : "sdk");
          assert.equal(checked.expiresAtMs, (NOW + life) * 1000);
          assert.equal(checked.jti, claims.jti);
        } else {
          assert.throws(() => checkClaims(built, "acme", (NOW + age) * 1000, {}), {
            code: "ERR_TOKEN_EXPIRED",
            refusal: "expired",
          });
        }
      }),
      { seed, numRuns: 1_000 },
    );
  });
});

describe("checkClaims()", () => {
  it("checkClaims() throws nothing but its own error for any claims", () => {
    const names = ["iss", "sub", "aud", "exp", "iat", "nbf", "scope", "origin", "end_user", "jti"];
    const value = fc.oneof(
      fc.constantFrom("telequick-sdk", "acme", NOW, NOW + 60, NOW + 3600, "https://a.example"),
      fc.jsonValue(),
    );
    const claims = fc.dictionary(fc.constantFrom(...names), value);
    fc.assert(
      fc.property(claims, (claims) => {
        try {
          const { expiresAtMs, issuedAtMs = 0 } = checkClaims(claims, "acme", now, {});
          assert.ok(claims["iss"] === "telequick-sdk" && claims["sub"] === "acme");
          assert.ok(expiresAtMs > now && issuedAtMs > 0 && expiresAtMs - issuedAtMs <= 3_600_000);
        } catch (error) {
          assert.ok(error instanceof TeleQuickError && error.refusal !== undefined, `${error}`);
        }
      }),
      { seed, numRuns: 3_000 },
    );
  });
});

describe("TENANT_ID and KEY_ID", () => {
  it("TENANT_ID takes 1 to 63 of lower-case letters, digits and inner hyphens", () => {
    for (const id of ["a", "0", "acme", "a-b", "a--b", "a".repeat(63)]) assert.match(id, TENANT_ID);
    for (
      const id of ["", "-", "-a", "a-", "A", "a_b", "a.b", "a ", "a\n", "a".repeat(64), "\u00e4"]
    ) {
      assert.doesNotMatch(id, TENANT_ID);
    }
  });

  it("KEY_ID takes 1 to 128 of letters, digits, dot, underscore and hyphen", () => {
    for (const id of ["a", "A.b_c-9", "-", "a".repeat(128)]) assert.match(id, KEY_ID);
    for (const id of ["", "a b", "a/b", "a\n", "a".repeat(129), "\u00e4"]) {
      assert.doesNotMatch(id, KEY_ID);
    }
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { importVerifyingKey } from "../../src/credentials/mod.ts";
import { TENANT_ID } from "../../src/credentials/ids.ts";
import type { VerifyTokenOptions } from "../../src/token/policy.ts";
import { verifyToken } from "../../src/token/verify.ts";
import { acme, claims, evil, forge, header, NOW, outcome, verifier } from "../support/tokens.ts";

const body = JSON.stringify(claims).slice(1, -1);

/** A token whose claims differ from honest ones in some members; `undefined` takes a member away. */
function withClaims(changes: Record<string, unknown>): string {
  return forge(header, { ...claims, ...changes });
}

function at(seconds: number, more: Partial<VerifyTokenOptions> = {}): VerifyTokenOptions {
  return { ...verifier, now: seconds * 1000, ...more };
}

const notSeconds = "exp, iat or nbf is not a whole number of seconds";

/** The outcome, without the number of seconds that a refused lifetime has. */
async function lifetimeOutcome(token: string, options?: VerifyTokenOptions): Promise<string> {
  const found = await outcome(token, options);
  return found.replace(
    /^lifetime is -?[0-9]+ s, expected 1 to [0-9]+$/,
    "lifetime is out of range",
  );
}

function subOutcome(sub: unknown): string {
  const isTenantId = typeof sub === "string" && TENANT_ID.test(sub);
  return isTenantId ? "sub is not the tenant of the key" : "sub is not a tenant id";
}

function refusalOf(name: string, value: unknown): RegExp {
  return new RegExp(
    `^${name} is ${
      typeof value === "string" ? "malformed, expected" : "(a |an |null).*, expected a string$"
    }`,
  );
}

describe("claim attacks", () => {
  it("J-12 times that are not whole numbers of seconds, in every form JSON has", async () => {
    const texts = [
      `"${NOW + 60}"`,
      "null",
      "true",
      "[1800000060]",
      "{}",
      `${NOW + 60}.5`,
      "-1",
      "-0",
      "-0.0",
      "1e308",
      "1e309",
      "-1e309",
      "9007199254740993",
      "4294967296",
      `${NOW + 60}000`,
      "1e400",
    ];
    for (const name of ["exp", "iat", "nbf"]) {
      for (const text of texts) {
        const { [name as "exp"]: _, ...rest } = claims;
        const token = forge(header, `${JSON.stringify(rest).slice(0, -1)},"${name}":${text}}`);
        assert.equal(await outcome(token), notSeconds, `${name} ${text}`);
      }
      for (const text of ["NaN", "0x6b49d200", "Infinity", "+1", "01", ".5"]) {
        const token = forge(header, `{${body},"x${name}":${text}}`);
        assert.equal(await outcome(token), "payload is not JSON in UTF-8", `${name} ${text}`);
      }
    }
    for (const name of ["exp", "iat"]) {
      assert.equal(await outcome(withClaims({ [name]: undefined })), notSeconds);
    }
    assert.equal(await outcome(withClaims({ nbf: 0 })), "accepted");
    assert.equal(await outcome(withClaims({ exp: 0, iat: 0 })), "exp has passed");
    const last = 2 ** 32 - 1;
    const late = withClaims({ iat: last - 3600, exp: last });
    assert.equal(await outcome(late, at(last - 1)), "accepted");
  });

  it("J-13 the exact second at which each time begins and ends to hold", async () => {
    const exp = claims.exp;
    const ends: readonly (readonly [number, number, string])[] = [
      [exp - 1, 0, "accepted"],
      [exp - 0.001, 0, "accepted"],
      [exp, 0, "exp has passed"],
      [exp + 1, 0, "exp has passed"],
      [exp + 59.999, 60, "accepted"],
      [exp + 60, 60, "exp has passed"],
      [exp + 60, 3600, "exp has passed"],
    ];
    for (const [now, clockToleranceSeconds, expected] of ends) {
      assert.equal(await outcome(forge(), at(now, { clockToleranceSeconds })), expected, `${now}`);
    }
    const begins: readonly (readonly [Record<string, number>, string])[] = [
      [{ iat: NOW + 29 }, "accepted"],
      [{ iat: NOW + 30 }, "accepted"],
      [{ iat: NOW + 31 }, "iat or nbf is in the future"],
      [{ iat: NOW + 3599 }, "iat or nbf is in the future"],
      [{ nbf: NOW - 3600 }, "accepted"],
      [{ nbf: NOW + 29 }, "accepted"],
      [{ nbf: NOW + 30 }, "accepted"],
      [{ nbf: NOW + 31 }, "iat or nbf is in the future"],
      [{ nbf: NOW + 3600 }, "iat or nbf is in the future"],
    ];
    for (const [changes, expected] of begins) {
      assert.equal(await outcome(withClaims(changes)), expected, JSON.stringify(changes));
      assert.equal(
        await outcome(withClaims(changes), at(NOW, { clockToleranceSeconds: 60 })),
        expected,
        "a tolerance for exp moves nothing else",
      );
    }
    assert.equal(await outcome(forge(), at(NOW - 30)), "accepted");
    assert.equal(await outcome(forge(), at(NOW - 30.001)), "iat or nbf is in the future");
    assert.equal(await outcome(forge(), at(NOW - 60)), "iat or nbf is in the future");
    assert.equal(await outcome(forge(), at(NOW + 60)), "accepted");
  });

  it("J-14 lifetimes of 3600 and 300 seconds hold to the second", async () => {
    const life = "lifetime is out of range";
    const cases: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ exp: NOW + 3600 }, "accepted"],
      [{ exp: NOW + 3601 }, life],
      [{ exp: NOW + 86_400 }, life],
      [{ iat: NOW - 1, exp: NOW + 3600 }, life],
      [{ iat: NOW - 31_536_000, exp: NOW + 60 }, life],
      [{ iat: 0, exp: NOW + 60 }, life],
      [{ iat: NOW + 20, exp: NOW + 20 }, life],
      [{ iat: NOW + 25, exp: NOW + 20 }, life],
      [{ iat: NOW + 7200, exp: NOW + 3600 }, life],
      [{ iat: NOW + 19, exp: NOW + 20 }, "accepted"],
      [{ jti: "x", exp: NOW + 300 }, "accepted"],
      [{ jti: "x", exp: NOW + 301 }, life],
      [{ scope: "a", exp: NOW + 301 }, life],
      [{ origin: "https://a.example", exp: NOW + 301 }, life],
      [{ end_user: "u", exp: NOW + 301 }, life],
    ];
    for (const [changes, expected] of cases) {
      assert.equal(await lifetimeOutcome(withClaims(changes)), expected, JSON.stringify(changes));
    }
    const short = { ...verifier, maxLifetimeSeconds: 60 };
    assert.equal(await lifetimeOutcome(withClaims({ exp: NOW + 60 }), short), "accepted");
    assert.equal(await lifetimeOutcome(withClaims({ exp: NOW + 61 }), short), life);
    const long = { ...verifier, maxLifetimeSeconds: 86_400 };
    assert.equal(await lifetimeOutcome(withClaims({ exp: NOW + 3601 }), long), life);
    assert.equal(await lifetimeOutcome(withClaims({ jti: "x", exp: NOW + 301 }), long), life);
  });

  it("J-14 a missing iat is tolerated only when asked for, and then the life counts from now", async () => {
    const lenient = { ...verifier, allowMissingIssuedAt: true };
    const without = (exp: number): string => withClaims({ iat: undefined, exp });
    assert.equal(await outcome(without(NOW + 3600)), notSeconds);
    assert.equal(await outcome(without(NOW + 3600), lenient), "accepted");
    assert.equal(
      await outcome(without(NOW + 3601), lenient),
      "lifetime is 3601 s, expected 1 to 3600",
    );
    assert.equal(await outcome(withClaims({ iat: null }), lenient), notSeconds);
    assert.equal((await verifyToken(without(NOW + 9), lenient)).issuedAtMs, undefined);
  });

  it("J-16 a tenant's key speaks for that tenant alone", async () => {
    const other = "sub is not the tenant of the key";
    for (
      const sub of [
        evil.id,
        [acme.id, evil.id],
        [acme.id],
        "acme\0evil",
        "acme,evil",
        "",
        " ",
        null,
        1,
        { acme: 1 },
        undefined,
      ]
    ) {
      assert.equal(await outcome(withClaims({ sub })), subOutcome(sub), JSON.stringify(sub));
    }
    const theirs = { ...header, kid: evil.keyId };
    assert.equal(await outcome(forge(theirs, claims, evil.privateKey)), other);
    assert.equal(await outcome(forge(theirs, claims)), "signature is wrong");
    assert.equal(
      await outcome(forge(theirs, { ...claims, sub: evil.id }, evil.privateKey)),
      "accepted",
    );
    assert.equal((await verifyToken(forge(), verifier)).tenantId, acme.id);
  });

  it("J-17 iss is exactly ours, and aud exactly the verifier's or absent", async () => {
    for (
      const iss of [
        undefined,
        "",
        "telequick-sdk ",
        "Telequick-sdk",
        "acme",
        ["telequick-sdk"],
        null,
        1,
      ]
    ) {
      assert.equal(
        await outcome(withClaims({ iss })),
        "iss is not the expected one",
        JSON.stringify(iss),
      );
    }
    const audience = "https://gateway.example";
    const values = [
      "https://other.example",
      "",
      [audience, "x"],
      [audience],
      [],
      null,
      1,
      `${audience}/`,
    ];
    for (
      const options of [verifier, { ...verifier, audience }, {
        ...verifier,
        audience,
        requireAudience: true,
      }]
    ) {
      for (const aud of values) {
        assert.equal(
          await outcome(withClaims({ aud }), options),
          "aud is not the expected one",
          JSON.stringify(aud),
        );
      }
    }
    assert.equal(await outcome(withClaims({ aud: audience })), "aud is not the expected one");
    assert.equal(
      await outcome(withClaims({ aud: audience }), { ...verifier, audience }),
      "accepted",
    );
    assert.equal(await outcome(forge(), { ...verifier, audience }), "accepted");
    assert.equal(
      await outcome(forge(), { ...verifier, audience, requireAudience: true }),
      "aud is not the expected one",
    );
  });

  it("J-18 tenant ids that look alike are not alike", async () => {
    const lookalikes = [
      "\u0430cme",
      "\uff41cme",
      "ac\u200dme",
      "acme\u200b",
      "a\u0301cme",
      "\u00e1cme",
      "\u202eacme",
      "ACME",
      "Acme",
      "acme ",
      " acme",
      "acme.",
      "acme\n",
      "xn--cme-7cd",
      "acm\u0435",
      "acme\u0000",
      "\u24d0cme",
    ];
    for (const sub of lookalikes) {
      assert.equal(await outcome(withClaims({ sub })), subOutcome(sub), JSON.stringify(sub));
      const record = { tenantId: sub, key: acme.verifying };
      const careless = { ...verifier, resolveKey: () => record };
      const expected = /^[a-z0-9-]+$/.test(sub) ? "accepted" : "sub is not a tenant id";
      assert.equal(await outcome(withClaims({ sub }), careless), expected, JSON.stringify(sub));
    }
  });

  it("J-19 payloads that are not a JSON object in strict UTF-8", async () => {
    const text = JSON.stringify(claims);
    const bytes = (...parts: (string | readonly number[])[]): Uint8Array =>
      new Uint8Array(
        parts.flatMap((part) =>
          typeof part === "string" ? [...new TextEncoder().encode(part)] : part
        ),
      );
    const notObject = "payload is not an object";
    const notJson = "payload is not JSON in UTF-8";
    const cases: readonly (readonly [string | Uint8Array, string])[] = [
      [`[${text}]`, notObject],
      ['"telequick-sdk"', notObject],
      ["1", notObject],
      ["null", notObject],
      ["true", notObject],
      ["{}", "sub is not a tenant id"],
      ["", notJson],
      [" ", notJson],
      [`\uFEFF${text}`, notJson],
      [`${text}${text}`, notJson],
      [`${text}x`, notJson],
      [`${text}\0`, notJson],
      [`/* */${text}`, notJson],
      [text.replace("{", "{ // x\n"), notJson],
      [text.replaceAll('"', "'"), notJson],
      [text.replace("}", ",}"), notJson],
      [`{${body},"x":NaN}`, notJson],
      [bytes(`{${body},"x":"`, [0xff], '"}'), notJson],
      [bytes(`{${body},"x":"`, [0xc0, 0xaf], '"}'), notJson],
      [bytes(`{${body},"x":"`, [0xed, 0xa0, 0x80], '"}'), notJson],
      [bytes(`{${body},"x":"`, [0xf4, 0x90, 0x80, 0x80], '"}'), notJson],
      [bytes(`{${body},"x":"`, [0xe2, 0x82], '"}'), notJson],
      [new Uint8Array(new Uint16Array([...text].map((c) => c.charCodeAt(0))).buffer), notJson],
      [`{${body},"x":"\\ud800"}`, "payload holds a lone surrogate"],
      [`{${body},"\\udfff":1}`, "payload has a name with an escape"],
      [`{${body},"x":"\n"}`, notJson],
      [` \r\n\t${text} `, "accepted"],
      [`{${body},"x":"\\ud83d\\ude00 \u00e9"}`, "accepted"],
    ];
    for (const [payload, expected] of cases) {
      assert.equal(await outcome(forge(header, payload)), expected, `${payload}`);
    }
    // An empty payload is a JWS, but no token.
    assert.equal(await outcome(forge(header, "")), notJson);
  });

  it("J-20 names that reach a prototype, as members at any level", async () => {
    for (const name of ["__proto__", "constructor", "prototype"]) {
      for (
        const text of [`{${body},"${name}":{"admin":true}}`, `{${body},"x":{"y":[{"${name}":1}]}}`]
      ) {
        assert.equal(await outcome(forge(header, text)), "payload has a forbidden name");
      }
      assert.equal(await outcome(withClaims({ sub: name })), subOutcome(name));
      assert.equal(await outcome(withClaims({ scope: name, exp: NOW + 300 })), "accepted");
      const record = { tenantId: name, key: acme.verifying };
      const named = { ...verifier, resolveKey: () => record };
      const expected = name === "__proto__" ? "sub is not a tenant id" : "accepted";
      assert.equal(await outcome(withClaims({ sub: name }), named), expected);
    }
    assert.equal(({} as Record<string, unknown>)["admin"], undefined);
  });

  it("J-21 a browser's token is not a service token, nor an admin, and the reverse", async () => {
    const browser = withClaims({ scope: "admin", exp: NOW + 300 });
    const record = { tenantId: acme.id, key: acme.verifying, role: "admin" } as const;
    const admin = { ...verifier, resolveKey: () => record };
    assert.equal(await outcome(browser, { ...admin, kind: "sdk" }), "kind is not the expected one");
    assert.equal(
      await outcome(browser, { ...admin, role: "admin" }),
      "role is not the expected one",
    );
    assert.equal((await verifyToken(browser, admin)).role, "sdk");
    assert.equal(
      await outcome(forge(), { ...verifier, kind: "browser" }),
      "kind is not the expected one",
    );
    assert.equal(
      await outcome(forge(), { ...verifier, role: "admin" }),
      "role is not the expected one",
    );
    assert.equal(await outcome(forge(), { ...admin, role: "admin", kind: "sdk" }), "accepted");
    assert.equal(
      await outcome(withClaims({ role: "admin" }), { ...verifier, role: "admin" }),
      "role is not the expected one",
    );
  });

  it("browser claims of another type, empty, too long, or with control characters", async () => {
    for (const name of ["scope", "origin", "end_user", "jti"]) {
      for (
        const value of [
          "",
          1,
          true,
          null,
          ["x"],
          { x: 1 },
          "a\nb",
          "\u0000",
          "\u200b",
          "x".repeat(513),
        ]
      ) {
        const token = withClaims({ [name]: value, exp: NOW + 300 });
        assert.match(await outcome(token), refusalOf(name, value), JSON.stringify(value));
      }
    }
    for (
      const origin of [
        "https://a.example/",
        "https://A.example",
        "a.example",
        "javascript:alert(1)",
        "https://u:p@a.example",
      ]
    ) {
      assert.match(
        await outcome(withClaims({ origin, exp: NOW + 300 })),
        refusalOf("origin", origin),
      );
    }
  });

  it("the checks come in the profile's order: form, header, key, signature, claims, key state", async () => {
    const dead = {
      ...verifier,
      resolveKey: () => ({ tenantId: acme.id, key: acme.verifying, revoked: true }),
    };
    const everything = { ...claims, iss: "x", sub: "y", aud: "z", exp: 1, scope: 1 };
    assert.equal(
      await outcome(`${forge({ alg: "none" }, everything)}.`, dead),
      "form is not three segments in 64 to 4096 characters",
    );
    assert.equal(
      await outcome(`${forge({ alg: "none" }, everything)}=`, dead),
      "base64url is malformed",
    );
    assert.equal(await outcome(forge({ alg: "none" }, everything), dead), "alg is not RS256");
    assert.equal(await outcome(forge({ alg: "RS256" }, everything), dead), "kid is malformed");
    assert.equal(
      await outcome(forge(header, everything, evil.privateKey), dead),
      "signature is wrong",
    );
    assert.equal(await outcome(forge(header, everything), dead), "iss is not the expected one");
    assert.equal(await outcome(forge(), dead), "key is revoked or has expired");
    const key = await importVerifyingKey(evil.made.publicKeyPem);
    assert.equal(
      await outcome(forge(), {
        ...dead,
        resolveKey: () => ({ tenantId: "acme", key, revoked: true }),
      }),
      "signature is wrong",
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { wallClock } from "../../../src/base/signal.ts";
import { mintBrowserToken } from "../../../src/token/browser.ts";
import { createReplayStore } from "../../../src/token/replay.ts";
import { signToken } from "../../../src/token/sign.ts";
import { verifyCompact, verifyToken } from "../../../src/token/verify.ts";
import type { KeyRecord, VerifyTokenOptions } from "../../../src/token/policy.ts";
import { assertHidden } from "../../support/canary.ts";
import { pem } from "../../support/openssl.ts";
import { acme, claims, evil, forge, NOW, outcome, verifier } from "../../support/tokens.ts";

const good = await signToken(acme.signer, { now: NOW * 1000 });
const browser = await mintBrowserToken(acme.signer, {
  now: NOW * 1000,
  scope: "call.dial",
  origin: "https://app.example",
  endUser: "u1",
  jti: "j1",
});

function withRecord(record: Partial<KeyRecord>): VerifyTokenOptions {
  const whole = { tenantId: acme.id, key: acme.verifying, ...record };
  return { ...verifier, resolveKey: () => whole };
}

describe("verifyToken()", () => {
  it("verifyToken() resolves with what a service's token says", async () => {
    assert.deepEqual(await verifyToken(good, verifier), {
      tenantId: "acme",
      keyId: "acme-1",
      role: "sdk",
      kind: "sdk",
      issuedAtMs: NOW * 1000,
      expiresAtMs: (NOW + 3600) * 1000,
      scope: undefined,
      origin: undefined,
      endUser: undefined,
      jti: undefined,
      claims: { ...claims },
    });
  });

  it("verifyToken() resolves with what a browser's token says", async () => {
    assert.deepEqual(await verifyToken(browser, verifier), {
      tenantId: "acme",
      keyId: "acme-1",
      role: "sdk",
      kind: "browser",
      issuedAtMs: NOW * 1000,
      expiresAtMs: (NOW + 300) * 1000,
      scope: "call.dial",
      origin: "https://app.example",
      endUser: "u1",
      jti: "j1",
      claims: {
        ...claims,
        exp: NOW + 300,
        scope: "call.dial",
        origin: "https://app.example",
        end_user: "u1",
        jti: "j1",
      },
    });
  });

  it("J-26 verifyToken() resolves only with an object that is frozen at every level", async () => {
    const nested = await signToken(acme.signer, { now: NOW * 1000, claims: { a: { b: [{}] } } });
    const verified = await verifyToken(nested, verifier);
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    assert.ok(frozen(verified));
    assert.throws(() => {
      (verified as { tenantId: string }).tenantId = "evil";
    }, TypeError);
  });

  it("J-26 verifyToken() rejects arguments of the wrong type with a TypeError, and with nothing else", async () => {
    for (const token of [undefined, null, 1, {}, [good], new String(good)]) {
      await assert.rejects(verifyToken(token as unknown as string, verifier), TypeError);
    }
    const wrong: readonly (readonly [unknown, string])[] = [
      [undefined, "resolveKey is undefined, expected a function"],
      [null, "resolveKey is undefined, expected a function"],
      [{}, "resolveKey is undefined, expected a function"],
      [{ resolveKey: {} }, "resolveKey is an object, expected a function"],
      [{ ...verifier, now: "1" }, "now is a string, expected an instant in Unix milliseconds"],
      [
        { ...verifier, clockToleranceSeconds: "9" },
        "clockToleranceSeconds is a string, expected a number of seconds, 0 or more",
      ],
      [
        { ...verifier, maxLifetimeSeconds: null },
        "maxLifetimeSeconds is null, expected a number of seconds, 1 or more",
      ],
    ];
    for (const [options, found] of wrong) {
      await assert.rejects(verifyToken(good, options as VerifyTokenOptions), {
        name: "TypeError",
        message: `Cannot verify token: ${found}`,
      });
    }
    await assert.rejects(verifyToken(1 as unknown as string, verifier), {
      message: "Cannot verify token: token is a number, expected a string",
    });
  });

  it("verifyToken() names the numeric option that is out of range", async () => {
    const cases: readonly (readonly [Partial<VerifyTokenOptions>, string])[] = [
      [{ now: NaN }, "now is NaN"],
      [{ now: () => Infinity }, "now is Infinity"],
      [{ now: -1 }, "now is -1"],
      [{ clockToleranceSeconds: NaN }, "clockToleranceSeconds is NaN"],
      [{ clockToleranceSeconds: -2 }, "clockToleranceSeconds is -2"],
      [{ maxLifetimeSeconds: NaN }, "maxLifetimeSeconds is NaN"],
      [{ maxLifetimeSeconds: 0 }, "maxLifetimeSeconds is 0"],
      [{ maxLifetimeSeconds: -1 }, "maxLifetimeSeconds is -1"],
    ];
    for (const [options, found] of cases) {
      await assert.rejects(verifyToken(good, { ...verifier, ...options }), (error) => {
        assert.ok(error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID");
        assert.ok(
          error.message.startsWith(`Cannot verify token: ${found}, expected `),
          error.message,
        );
        return true;
      });
    }
  });

  it("verifyToken() hands resolveKey the tenant that the token claims, and decides by the key's own", async () => {
    const asked: unknown[] = [];
    const resolveKey: VerifyTokenOptions["resolveKey"] = (...args) => {
      asked.push(args);
      return { tenantId: acme.id, key: acme.verifying };
    };
    assert.equal(await outcome(good, { ...verifier, resolveKey }), "accepted");
    const other = forge(undefined, { ...claims, sub: "evil" });
    assert.equal(
      await outcome(other, { ...verifier, resolveKey }),
      "sub is not the tenant of the key",
    );
    assert.deepEqual(asked, [["acme-1", { tenantId: "acme" }], ["acme-1", { tenantId: "evil" }]]);
  });

  it("verifyToken() looks for no key when sub cannot be a tenant id", async () => {
    const resolveKey = () => assert.fail("a key was looked for");
    for (const sub of [undefined, null, 1, "", "Acme", ["acme"], "a".repeat(64)]) {
      const token = forge(undefined, { ...claims, sub });
      assert.equal(await outcome(token, { ...verifier, resolveKey }), "sub is not a tenant id");
    }
  });

  it("verifyToken() neither accepts nor refuses when resolveKey fails: it can be tried again", async () => {
    const failure = new Error("the registry is away");
    for (
      const resolveKey of [() => Promise.reject(failure), () => {
        throw failure;
      }]
    ) {
      await assert.rejects(verifyToken(good, { ...verifier, resolveKey }), {
        code: "ERR_UNAVAILABLE",
        retryable: true,
        refusal: undefined,
        cause: failure,
        message: "Cannot verify token now: resolveKey failed, expected an answer (try again later)",
      });
    }
  });

  it("verifyToken() waits for a key that comes later", async () => {
    const record = { tenantId: acme.id, key: acme.verifying };
    const late: VerifyTokenOptions = { ...verifier, resolveKey: () => Promise.resolve(record) };
    assert.equal((await verifyToken(good, late)).tenantId, "acme");
  });

  it("verifyToken() takes the machine's clock unless it is given one", async () => {
    const { resolveKey } = verifier;
    const token = await signToken(acme.signer);
    assert.ok((await verifyToken(token, { resolveKey })).expiresAtMs > wallClock());
    assert.equal(
      await outcome(good, { resolveKey, now: () => (NOW + 3600) * 1000 }),
      "exp has passed",
    );
  });

  it("verifyToken() refuses a record that no registry should hold", async () => {
    for (const tenantId of ["", "Acme", "acme ", "-acme", "acm\u0435", "a_b"]) {
      assert.equal(
        await outcome(good, withRecord({ tenantId })),
        "sub is not the tenant of the key",
      );
      const token = forge(undefined, { ...claims, sub: tenantId });
      assert.equal(await outcome(token, withRecord({ tenantId })), "sub is not a tenant id");
    }
    for (const tenantId of ["a", "a-b", "0", "a".repeat(63)]) {
      const token = forge(undefined, { ...claims, sub: tenantId });
      assert.equal(await outcome(token, withRecord({ tenantId })), "accepted");
    }
  });

  it("verifyToken() rejects with a TypeError a key that importVerifyingKey would not have made", async () => {
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const spki = (text: string, how: RsaHashedImportParams): Promise<CryptoKey> =>
      crypto.subtle.importKey("spki", der(pem.publicHalf(text)), how, true, ["verify"]);
    const keys: Record<string, CryptoKey> = {
      "1024 bits": await spki(pem.rsa(1024), algorithm),
      "exponent 3": await spki(pem.rsaWithExponent(3), algorithm),
      "SHA-512": await spki(pem.rsa(), { ...algorithm, hash: "SHA-512" }),
      "RSA-PSS": await spki(pem.rsa(), { ...algorithm, name: "RSA-PSS" }),
      "HMAC": await crypto.subtle.importKey(
        "raw",
        new Uint8Array(256),
        { name: "HMAC", hash: "SHA-256" },
        false,
        ["verify"],
      ),
      "private": acme.signer.key,
    };
    for (const [name, key] of Object.entries(keys)) {
      await assert.rejects(verifyToken(good, withRecord({ key })), {
        name: "TypeError",
        message: /^Cannot verify token: key is .*, expected a public RSA key/,
      }, name);
    }
  });

  it("verifyToken() reveals that a key is revoked only after a genuine signature", async () => {
    for (const record of [{ revoked: true }, { expiresAtMs: NOW * 1000 }, { expiresAtMs: 1 }]) {
      await assert.rejects(verifyToken(good, withRecord(record)), {
        code: "ERR_TOKEN_INVALID",
        refusal: "revoked",
        message: "Cannot accept token: key is revoked or has expired",
      });
      const forged = forge(undefined, undefined, evil.privateKey);
      await assert.rejects(verifyToken(forged, withRecord(record)), {
        refusal: "rejected",
        message: "Cannot accept token: signature is wrong",
      });
    }
    for (
      const record of [{ revoked: false }, { expiresAtMs: 0 }, { expiresAtMs: NOW * 1000 + 1 }]
    ) {
      assert.equal(await outcome(good, withRecord(record)), "accepted");
    }
  });

  it("verifyToken() maps each failure to its code and to its refusal", async () => {
    const cases: readonly (readonly [token: string, code: string, refusal: string])[] = [
      [forge(undefined, { ...claims, exp: NOW }), "ERR_TOKEN_EXPIRED", "expired"],
      [forge(undefined, { ...claims, exp: NOW + 3601 }), "ERR_TOKEN_LIFETIME", "lifetime"],
      [forge(undefined, { ...claims, iat: NOW + 31 }), "ERR_TOKEN_INVALID", "not yet valid"],
      [forge(undefined, { ...claims, iss: "other" }), "ERR_TOKEN_INVALID", "rejected"],
      [forge({ alg: "none", kid: acme.keyId }), "ERR_TOKEN_INVALID", "rejected"],
      [forge({ alg: "RS256", kid: "outsider" }), "ERR_TOKEN_INVALID", "rejected"],
    ];
    for (const [token, code, refusal] of cases) {
      await assert.rejects(verifyToken(token, verifier), (error) => {
        assert.ok(error instanceof TeleQuickError);
        assert.equal(error.code, code);
        assert.equal(error.refusal, refusal);
        assert.equal(error.cause, undefined);
        assertHidden(error, [...token.split("."), "acme", "outsider", String(NOW)], error.message);
        return true;
      });
    }
  });

  it("verifyToken() gives an admin key's browser tokens no admin role", async () => {
    const admin = withRecord({ role: "admin" });
    assert.equal((await verifyToken(good, admin)).role, "admin");
    assert.equal((await verifyToken(browser, admin)).role, "sdk");
  });

  it("verifyToken() demands role and kind where the options ask for them", async () => {
    const admin = withRecord({ role: "admin" });
    assert.equal(await outcome(good, { ...admin, role: "admin", kind: "sdk" }), "accepted");
    assert.equal(await outcome(good, { ...admin, role: "sdk" }), "role is not the expected one");
    assert.equal(
      await outcome(good, { ...verifier, role: "admin" }),
      "role is not the expected one",
    );
    assert.equal(
      await outcome(browser, { ...admin, role: "admin" }),
      "role is not the expected one",
    );
    assert.equal(
      await outcome(good, { ...verifier, kind: "browser" }),
      "kind is not the expected one",
    );
    assert.equal(
      await outcome(browser, { ...verifier, kind: "sdk" }),
      "kind is not the expected one",
    );
    assert.equal(await outcome(browser, { ...verifier, kind: "browser", role: "sdk" }), "accepted");
  });

  it("verifyToken() pins a browser token to its origin where the page's is known", async () => {
    const from = (origin: string | null): VerifyTokenOptions => ({ ...verifier, origin });
    assert.equal(await outcome(browser, from("https://app.example")), "accepted");
    assert.equal(await outcome(browser), "accepted");
    for (
      const origin of [
        null,
        "",
        "null",
        "http://app.example",
        "https://app.example/",
        "https://app.example:443",
        "https://APP.example",
        "https://app.example.evil.com",
      ]
    ) {
      assert.equal(await outcome(browser, from(origin)), "origin is not the page's", `${origin}`);
    }
    assert.equal(await outcome(good, from("https://anything.example")), "accepted");
    assert.equal(await outcome(good, from(null)), "accepted");
  });

  it("J-28 verifyToken() awaits the replay store, and only true is a first use", async () => {
    const answers = [true, Promise.resolve(true)];
    for (const answer of answers) {
      assert.equal(
        await outcome(browser, { ...verifier, replay: { claim: () => answer } }),
        "accepted",
      );
    }
    for (const answer of [false, undefined, null, 1, "true", {}, [true]]) {
      for (const given of [answer, Promise.resolve(answer)]) {
        const replay = { claim: () => given as boolean };
        assert.equal(await outcome(browser, { ...verifier, replay }), "it was used before");
      }
    }
  });

  it("J-28 verifyToken() neither accepts nor refuses when the replay store fails", async () => {
    const failure = new Error("the store is away");
    const stores = [() => Promise.reject(failure), () => {
      throw failure;
    }];
    for (const claim of stores) {
      await assert.rejects(verifyToken(browser, { ...verifier, replay: { claim } }), {
        code: "ERR_UNAVAILABLE",
        retryable: true,
        refusal: undefined,
        cause: failure,
      });
    }
  });

  it("J-15 verifyToken() takes a token with a jti once where a replay store is given, and any token with oneTime", async () => {
    const once = { ...verifier, replay: createReplayStore() };
    assert.equal(await outcome(browser, once), "accepted");
    assert.equal(await outcome(browser, once), "it was used before");
    assert.equal(await outcome(good, once), "accepted");
    assert.equal(await outcome(good, once), "accepted");
    const strict = { ...once, oneTime: true };
    assert.equal(await outcome(good, strict), "accepted");
    assert.equal(await outcome(good, strict), "it was used before");
    const shared = { ...verifier, replay: createReplayStore() };
    const race = await Promise.all([1, 2, 3].map(() => outcome(browser, shared)));
    assert.deepEqual(race.sort(), ["accepted", "it was used before", "it was used before"]);
  });

  it("J-15 verifyToken() remembers a used token for as long as any tolerance could take it again", async () => {
    const replay = createReplayStore();
    const at = (seconds: number): VerifyTokenOptions => ({
      ...verifier,
      replay,
      now: (NOW + seconds) * 1000,
      clockToleranceSeconds: 60,
    });
    assert.equal(await outcome(browser, at(299)), "accepted");
    assert.equal(await outcome(browser, at(359)), "it was used before");
    assert.equal(await outcome(browser, at(360)), "exp has passed");
  });

  it("J-15 verifyToken() marks no token as used that it refuses, and keeps tenants' ids apart", async () => {
    const replay = createReplayStore();
    const once = { ...verifier, replay };
    const elsewhere = { ...once, origin: "https://evil.example" };
    assert.equal(await outcome(browser, elsewhere), "origin is not the page's");
    const theirs = await mintBrowserToken(evil.signer, { now: NOW * 1000, jti: "j1" });
    assert.equal(await outcome(theirs, once), "accepted");
    assert.equal(await outcome(browser, once), "accepted");
  });

  it("verifyToken() is not fooled by a polluted Object.prototype", async () => {
    const prototype = Object.prototype as unknown as Record<string, unknown>;
    const partial: Record<string, unknown> = { ...claims };
    for (
      const [name, value] of Object.entries({
        ...claims,
        alg: "RS256",
        kid: acme.keyId,
        jti: "x",
        scope: "admin",
      })
    ) {
      const rest = { ...partial };
      delete rest[name];
      const head: Record<string, unknown> = { alg: "RS256", kid: acme.keyId };
      delete head[name];
      const token = forge(head, rest);
      const clean = await outcome(token);
      prototype[name] = value;
      try {
        assert.equal(await outcome(token), clean, name);
        if (clean === "accepted") {
          const { scope, jti } = await verifyToken(token, verifier);
          assert.deepEqual([scope, jti], [undefined, undefined]);
        }
      } finally {
        delete prototype[name];
      }
    }
  });
});

describe("verifyCompact()", () => {
  it("verifyCompact() gives the payload's bytes and looks at no claim", async () => {
    const token = forge({ alg: "RS256" }, "any text");
    assert.equal(new TextDecoder().decode(await verifyCompact(token, acme.verifying)), "any text");
    await assert.rejects(verifyCompact(token, evil.verifying), { code: "ERR_TOKEN_INVALID" });
  });
});

function der(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replace(/-----[^-]+-----|\s/g, "")), (c) => c.charCodeAt(0));
}

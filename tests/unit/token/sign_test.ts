import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { verify } from "node:crypto";
import { describe, it } from "node:test";
import { signToken, type SignTokenOptions } from "../../../src/token/sign.ts";
import { wallClock } from "../../../src/base/signal.ts";
import type { TeleQuickError } from "../../../src/base/errors.ts";
import { acme, claims, header, NOW, verifier } from "../../support/tokens.ts";
import { verifyToken } from "../../../src/token/verify.ts";

function parts(token: string): [Record<string, unknown>, Record<string, unknown>] {
  const [head = "", payload = ""] = token.split(".");
  return [head, payload].map((segment) =>
    JSON.parse(Buffer.from(segment, "base64url").toString())
  ) as [Record<string, unknown>, Record<string, unknown>];
}

async function refuses(options: SignTokenOptions, code: string, found: string): Promise<void> {
  await assert.rejects(signToken(acme.signer, options), {
    name: "TeleQuickError",
    code,
    message: `Cannot sign token: ${found}`,
  });
}

describe("signToken()", () => {
  it("C-10 signToken() writes exactly the header and the claims that the product names", async () => {
    const token = await signToken(acme.signer, { now: NOW * 1000 });
    assert.deepEqual(parts(token), [{ ...header }, { ...claims }]);
    const at = token.lastIndexOf(".");
    const signature = Buffer.from(token.slice(at + 1), "base64url");
    assert.equal(signature.length, 256);
    assert.ok(verify("sha256", Buffer.from(token.slice(0, at)), acme.publicKey, signature));
  });

  it("signToken() takes the machine's clock, and whole seconds of any time", async () => {
    const before = Math.floor(wallClock() / 1000);
    const [, { iat }] = parts(await signToken(acme.signer));
    assert.ok(Number(iat) >= before && Number(iat) <= wallClock() / 1000);
    const [, late] = parts(await signToken(acme.signer, { now: NOW * 1000 + 999 }));
    assert.equal(late["iat"], NOW);
  });

  it("C-10 signToken() keeps the lifetime between 1 and 3600 whole seconds", async () => {
    for (const lifetimeSeconds of [1, 300, 3600]) {
      const [, { iat, exp }] = parts(await signToken(acme.signer, { lifetimeSeconds }));
      assert.equal(Number(exp) - Number(iat), lifetimeSeconds);
    }
    for (const lifetimeSeconds of [0, -1, 3601, 1.5, NaN, Infinity]) {
      await refuses(
        { lifetimeSeconds },
        "ERR_TOKEN_LIFETIME",
        `lifetimeSeconds is ${lifetimeSeconds}, expected a whole number from 1 to 3600`,
      );
    }
  });

  it("signToken() gives a token with a browser claim a browser token's lifetime", async () => {
    for (const name of ["scope", "jti", "end_user"]) {
      const claims = { [name]: "x" };
      const [, { iat, exp }] = parts(await signToken(acme.signer, { claims }));
      assert.equal(Number(exp) - Number(iat), 300);
      await refuses(
        { claims, lifetimeSeconds: 301 },
        "ERR_TOKEN_LIFETIME",
        "lifetimeSeconds is 301, expected a whole number from 1 to 300",
      );
    }
  });

  it("C-10 signToken() adds further claims and lets none replace its own", async () => {
    const further = { role: "agent", nested: { a: [1, "\u00e9\u{1F600}"] }, dropped: undefined };
    const token = await signToken(acme.signer, { now: NOW * 1000, claims: further });
    assert.deepEqual(parts(token)[1], { ...claims, role: "agent", nested: further.nested });
    assert.deepEqual({ ...(await verifyToken(token, verifier)).claims }, parts(token)[1]);
    for (const name of ["iss", "sub", "iat", "exp"]) {
      for (const value of ["evil", undefined]) {
        await refuses(
          { claims: { [name]: value } },
          "ERR_TOKEN_INVALID",
          `claims has ${name}, which the SDK sets itself (leave it out)`,
        );
      }
    }
  });

  it("signToken() makes no token that a verifier finds too long", async () => {
    const length = (await signToken(acme.signer, { claims: { x: "" } })).length;
    const room = Math.floor((4096 - length) * 3 / 4);
    const lengths: number[] = [];
    let refused = 0;
    for (let more = -4; more <= 8; more++) {
      const options = { now: NOW * 1000, claims: { x: "x".repeat(room + more) } };
      try {
        const token = await signToken(acme.signer, options);
        await verifyToken(token, verifier);
        lengths.push(token.length);
      } catch (error) {
        const { code, message } = error as TeleQuickError;
        assert.equal(code, "ERR_TOKEN_INVALID", `${error}`);
        assert.match(
          message,
          /^Cannot sign token: it has 409[0-9]|41[0-9]{2} characters, expected at most 4096/,
        );
        refused++;
      }
    }
    assert.ok(refused > 0);
    // A byte more makes one or two characters more.
    assert.ok([4095, 4096].includes(Math.max(...lengths)));
  });

  it("signToken() names the argument of the wrong type", async () => {
    const cases: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ now: "1" }, "now is a string, expected an instant in Unix milliseconds"],
      [{ now: null }, "now is null, expected an instant in Unix milliseconds"],
      [{ now: () => "1" }, "now is a string, expected an instant in Unix milliseconds"],
      [{ lifetimeSeconds: "60" }, "lifetimeSeconds is a string, expected a number"],
      [{ lifetimeSeconds: null }, "lifetimeSeconds is null, expected a number"],
    ];
    for (const [options, found] of cases) {
      await assert.rejects(signToken(acme.signer, options as SignTokenOptions), {
        name: "TypeError",
        message: `Cannot sign token: ${found}`,
      });
    }
    for (const now of [NaN, Infinity, -1]) {
      await assert.rejects(signToken(acme.signer, { now }), {
        code: "ERR_VALUE_INVALID",
        message: `Cannot sign token: now is ${now}, expected an instant in Unix milliseconds`,
      });
    }
    for (const signer of [undefined, null, {}, acme.made.account]) {
      await assert.rejects(signToken(signer as typeof acme.signer), {
        name: "TypeError",
        message:
          /^Cannot sign token: signer is .* without a key, expected what importSigner returns$/,
      });
    }
  });

  it("signToken() takes the time as a function too", async () => {
    const token = await signToken(acme.signer, { now: () => NOW * 1000 });
    assert.equal(token, await signToken(acme.signer, { now: NOW * 1000 }));
  });

  it("C-10 signToken() makes tokens that differ whenever time, tenant or claims differ, and all verify", async () => {
    const tokens = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const now = (NOW - i) * 1000;
      const token = await signToken(acme.signer, { now, claims: i % 2 === 0 ? {} : { n: i } });
      tokens.add(token);
      assert.equal((await verifyToken(token, verifier)).issuedAtMs, (NOW - i) * 1000);
    }
    assert.equal(tokens.size, 200);
  });
});

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { describe, it } from "node:test";
import { importSigner, importVerifyingKey } from "../../../src/credentials/key.ts";
import {
  generateServiceAccount,
  keyThumbprint,
  parseServiceAccount,
  type ServiceAccount,
} from "../../../src/credentials/service_account.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { assertHidden, linesOf } from "../../support/canary.ts";
import { derOf, pem, pemOf } from "../../support/openssl.ts";

function account(privateKey: string): ServiceAccount {
  return parseServiceAccount({ tenant_id: "acme", private_key: privateKey, private_key_id: "k1" });
}

async function signsAsOf(key: CryptoKey, privatePem: string): Promise<boolean> {
  const data = new TextEncoder().encode("any message");
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, data);
  return verify("sha256", data, createPublicKey(privatePem), new Uint8Array(signature));
}

describe("importSigner()", () => {
  it("importSigner() throws TypeError for what is not parsed", async () => {
    const file = { tenant_id: "acme", private_key: pem.rsa(), private_key_id: "k1" };
    for (const wrong of [5, "text", {}, file, JSON.stringify(file)]) {
      await assert.rejects(importSigner(wrong as unknown as ServiceAccount), {
        name: "TypeError",
        message: /^Cannot import private key: account is .* without a privateKey, expected what /,
      });
    }
  });

  for (
    const [what, text] of [
      ["PKCS#8", pem.rsa()],
      ["PKCS#1", pem.pkcs1()],
      ["3072 bits", pem.rsa(3072)],
      ["4096 bits in PKCS#1", pem.pkcs1(4096)],
    ] as const
  ) {
    it(`importSigner() makes a key that signs and does nothing else: ${what}`, async () => {
      const signer = await importSigner(account(text));
      const { key } = signer;
      assert.equal(signer.keyId, "k1");
      assert.equal(signer.tenantId, "acme");
      assert.equal(key.extractable, false);
      assert.deepEqual(key.usages, ["sign"]);
      assert.equal(key.type, "private");
      await assert.rejects(crypto.subtle.exportKey("pkcs8", key));
      await assert.rejects(crypto.subtle.exportKey("jwk", key));
      assert.ok(await signsAsOf(key, text));
      assertHidden(signer, linesOf(text), "a signer");
    });
  }

  it("importSigner() refuses every single damaged byte of the numbers, and all it takes signs well", async () => {
    const der = derOf(pem.rsa());
    const start = der.length - derOf(pem.pkcs1()).length;
    let taken = 0;
    for (let at = 0; at < der.length; at++) {
      const damaged = der.slice();
      damaged[at]! ^= 1 << (at % 8);
      const text = pemOf(damaged, "PRIVATE KEY");
      try {
        const { key } = await importSigner(account(text));
        assert.ok(at < start, `byte ${at} was changed and not missed`);
        assert.ok(await signsAsOf(key, pem.rsa()), `byte ${at}`);
        taken++;
      } catch (error) {
        if (!(error instanceof TeleQuickError)) throw error;
        assert.ok(["ERR_CREDENTIALS_INVALID", "ERR_KEY_UNSUPPORTED"].includes(error.code));
        assertHidden(error, linesOf(text), `byte ${at}`);
      }
    }
    assert.ok(taken < start);
  });

  it("importSigner() gives one sentence for one damage on every runtime", async () => {
    const der = derOf(pem.rsa());
    const start = der.length - derOf(pem.pkcs1()).length;
    const places = {
      modulus: start + 100,
      exponent: start + 270,
      d: start + 400,
      p: start + 600,
      q: start + 750,
      dp: start + 880,
      dq: start + 1000,
      qi: start + 1150,
    };
    for (const [name, at] of Object.entries(places)) {
      const damaged = der.slice();
      damaged[at]! ^= 4;
      await assert.rejects(importSigner(account(pemOf(damaged, "PRIVATE KEY"))), {
        code: "ERR_CREDENTIALS_INVALID",
        message: /^Cannot import private key: key is damaged: /,
      }, name);
    }
  });

  it("importSigner() never repeats the text it refuses", async () => {
    const texts = [
      pem.encryptedPkcs8(),
      pem.encryptedPkcs1(),
      pem.ec(),
      pem.ecTraditional(),
      pem.ed25519(),
      pem.rsaPss(),
      pem.dsa(),
      pem.openssh(),
      pem.certificate(),
      pem.rsa(1024),
      pem.rsa() + pem.rsa(3072),
      pem.rsa().slice(0, 900),
      pem.rsa().replaceAll("-----", ""),
      pem.rsa().replace("BEGIN PRIVATE KEY", "BEGIN"),
    ];
    for (const text of texts) {
      await assert.rejects(importSigner(account(text)), (error) => {
        assert.ok(error instanceof TeleQuickError);
        assert.equal(error.cause, undefined);
        assertHidden(error, linesOf(text), error.message);
        return true;
      });
    }
  });

  it("importSigner() refuses in a browser's page and workers, and takes an edge runtime for what it is", async () => {
    const browsers: readonly Record<string, unknown>[] = [
      { document: {} },
      { document: {}, WorkerGlobalScope: undefined, indexedDB: {} },
      { WorkerGlobalScope: class {}, indexedDB: {} },
    ];
    for (const globals of browsers) {
      await withGlobals(globals, async () => {
        await assert.rejects(importSigner(account(pem.rsa())), {
          code: "ERR_CREDENTIALS_INVALID",
          message: /^Cannot import private key: this is a browser page, /,
        });
        const { key } = await importSigner(account(pem.rsa()), { allowInBrowser: true });
        assert.equal(key.extractable, false);
      });
    }
    await withGlobals({ WorkerGlobalScope: class {} }, async () => {
      await importSigner(account(pem.rsa()));
    });
  });

  it("importSigner() takes a test's imitation of a page for what it is", async () => {
    for (const userAgent of ["Mozilla/5.0 (linux) jsdom/26.1.0", "Mozilla/5.0 HappyDOM/20.0.0"]) {
      await withGlobals({ document: {}, navigator: { userAgent } }, async () => {
        await importSigner(account(pem.rsa()));
      });
    }
    await withGlobals({ document: {}, happyDOM: {} }, async () => {
      await importSigner(account(pem.rsa()));
    });
  });

  it("importSigner() names the environment when there is no Web Crypto, never the key", async () => {
    const cases: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [{ crypto: {} }, /this environment has no crypto\.subtle/],
      [{ crypto: undefined }, /this environment has no crypto\.subtle/],
      [
        { crypto: {}, isSecureContext: false },
        /not a secure context .*serve it over https or from localhost/,
      ],
      [
        { crypto: {}, navigator: { userAgent: "x jsdom/26.1.0" } },
        /jsdom hides crypto\.subtle \(in the test's setup file: /,
      ],
    ];
    const public_ = pem.publicHalf(pem.rsa());
    const key = await importVerifyingKey(public_);
    for (const [globals, message] of cases) {
      await withGlobals(globals, async () => {
        for (
          const work of [
            () => importSigner(account(pem.rsa())),
            () => importVerifyingKey(public_),
            () => generateServiceAccount({ tenantId: "acme" }),
            () => keyThumbprint(key),
          ]
        ) {
          await assert.rejects(work(), (error) => {
            assert.ok(error instanceof TeleQuickError && error.code === "ERR_RUNTIME_UNSUPPORTED");
            assert.match(error.message, message);
            return true;
          });
        }
      });
    }
  });

  it("importSigner() calls a key damaged that the runtime refuses, without the runtime's words", async () => {
    const subtle = { importKey: () => Promise.reject(new Error("canary-4711")) };
    await withGlobals(
      { crypto: { subtle } },
      () =>
        assert.rejects(importSigner(account(pem.rsa())), {
          code: "ERR_CREDENTIALS_INVALID",
          message:
            "Cannot import private key: key is damaged: its numbers do not belong together (download the service-account file again)",
        }),
    );
  });

  it("importSigner() rejects with a TypeError values that are not an account", async () => {
    for (const value of [undefined, null, {}, { privateKey: 1 }, { ...account(pem.rsa()) }]) {
      await assert.rejects(importSigner(value as unknown as ServiceAccount), TypeError);
    }
  });
});

async function withGlobals(
  globals: Record<string, unknown>,
  run: () => Promise<void>,
): Promise<void> {
  const before = Object.keys(globals).map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const
  );
  try {
    for (const [name, value] of Object.entries(globals)) {
      Object.defineProperty(globalThis, name, { value, configurable: true });
    }
    await run();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    }
  }
}

describe("importVerifyingKey()", () => {
  it("importVerifyingKey() takes SPKI and PKCS#1, with the same tolerance as private keys", async () => {
    const spki = pem.publicHalf(pem.rsa());
    const { n } = createPublicKey(pem.rsa()).export({ format: "jwk" });
    for (
      const text of [
        spki,
        pem.publicPkcs1(pem.rsa()),
        spki.replaceAll("\n", "\r\n"),
        spki.replaceAll("\n", "\\n"),
        ` "${spki}"`,
      ]
    ) {
      const key = await importVerifyingKey(text);
      assert.deepEqual(key.usages, ["verify"]);
      assert.equal(key.type, "public");
      const jwk = await crypto.subtle.exportKey("jwk", key);
      assert.equal(jwk.n, n);
      assert.equal(jwk.e, "AQAB");
    }
  });

  it("importVerifyingKey() rejects with a TypeError values that are not text", async () => {
    for (const value of [undefined, null, 1, {}, new Uint8Array(9)]) {
      await assert.rejects(importVerifyingKey(value as unknown as string), TypeError);
    }
  });
});

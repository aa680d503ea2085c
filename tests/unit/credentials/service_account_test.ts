import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { importSigner, importVerifyingKey } from "../../../src/credentials/key.ts";
import {
  generateServiceAccount,
  keyThumbprint,
  parseServiceAccount,
} from "../../../src/credentials/service_account.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { assertHidden, linesOf } from "../../support/canary.ts";
import { pem } from "../../support/openssl.ts";
import { seed } from "../../support/seed.ts";

const members = { tenant_id: "acme", private_key: pem.rsa(), private_key_id: "2026-11" };
const text = JSON.stringify(members);

function refuses(input: unknown, found: string): void {
  assert.throws(() => parseServiceAccount(input as string), {
    name: "TeleQuickError",
    code: "ERR_CREDENTIALS_INVALID",
    message: `Cannot parse service account: ${found}`,
  });
}

describe("parseServiceAccount()", () => {
  const inputs: Readonly<Record<string, string | Uint8Array | object>> = {
    "text": text,
    "text with a byte order mark": `\uFEFF${text}`,
    "text with white space around": `\r\n ${text}\n`,
    "bytes": new TextEncoder().encode(text),
    "bytes with a byte order mark": new TextEncoder().encode(`\uFEFF${text}`),
    "an object": members,
    "an object without a prototype": Object.assign(Object.create(null), members),
    "text with more members": JSON.stringify({
      type: "service_account",
      ...members,
      nested: { a: [1] },
    }),
  };
  for (const [what, input] of Object.entries(inputs)) {
    it(`parseServiceAccount() takes ${what}`, () => {
      const { tenantId, privateKey, privateKeyId } = parseServiceAccount(input);
      assert.deepEqual({ tenantId, privateKey, privateKeyId }, {
        tenantId: "acme",
        privateKey: members.private_key,
        privateKeyId: "2026-11",
      });
    });
  }

  const notJson = "text is no JSON object in UTF-8 under 64 KiB";
  for (
    const [what, input] of Object.entries({
      "an empty text": "",
      "text that is not JSON": `private_key: ${members.private_key}`,
      "JSON that is cut off": text.slice(0, -1),
      "JSON with a raw line end in the key": text.replace("\\n", "\n"),
      "a PEM text": members.private_key,
      "a number": "1",
      "null": "null",
      "a string": JSON.stringify(text),
      "UTF-16": new Uint8Array(new Uint16Array([...text].map((c) => c.charCodeAt(0))).buffer),
      "bytes that are not UTF-8": new Uint8Array([0x7b, 0xff, 0x7d]),
      "more than 64 KiB": text.padEnd(65_537),
      "more than 64 KiB of bytes": new TextEncoder().encode(text.padEnd(65_537)),
    })
  ) {
    it(`parseServiceAccount() refuses ${what}`, () => refuses(input, notJson));
  }

  it("parseServiceAccount() finds no members in an array", () => {
    refuses(`[${text}]`, "tenant_id is missing or no text");
    refuses([members], "tenant_id is missing or no text");
  });

  for (const name of ["tenant_id", "private_key", "private_key_id"] as const) {
    it(`parseServiceAccount() refuses ${name} when it is missing, empty or no text`, () => {
      for (const value of [undefined, "", " \n", null, 0, true, ["x"], { x: 1 }]) {
        refuses({ ...members, [name]: value }, `${name} is missing or no text`);
        refuses(JSON.stringify({ ...members, [name]: value }), `${name} is missing or no text`);
      }
    });
  }

  it("parseServiceAccount() throws a TypeError for what is no text, bytes or object", () => {
    for (const input of [undefined, null, 1, true, Symbol("x"), 1n]) {
      assert.throws(() => parseServiceAccount(input as unknown as string), {
        name: "TypeError",
        message: "Cannot parse service account: input is no object",
      });
    }
  });

  it("C-05 parseServiceAccount() reads own members only, also when Object.prototype is polluted or frozen", () => {
    const prototype = Object.prototype as unknown as Record<string, unknown>;
    prototype["private_key"] = "polluted";
    prototype["tenant_id"] = "polluted";
    try {
      assert.equal(parseServiceAccount(text).tenantId, "acme");
      refuses({ tenant_id: "acme", private_key_id: "k" }, "private_key is missing or no text");
      refuses('{"private_key":"x","private_key_id":"k"}', "tenant_id is missing or no text");
    } finally {
      delete prototype["private_key"];
      delete prototype["tenant_id"];
    }
    for (
      const hostile of [
        '{"__proto__":{"tenant_id":"evil","private_key":"x","private_key_id":"k"}}',
        '{"constructor":{"prototype":{"tenant_id":"evil"}}}',
      ]
    ) {
      refuses(hostile, "tenant_id is missing or no text");
    }
    assert.equal(({} as Record<string, unknown>)["tenant_id"], undefined);
    refuses(Object.create(members), "tenant_id is missing or no text");
  });

  it("C-05 parseServiceAccount() reads each member of an object once", () => {
    const reads: string[] = [];
    const proxy = new Proxy(members, {
      get(target, name) {
        reads.push(String(name));
        return Reflect.get(target, name);
      },
    });
    parseServiceAccount(proxy);
    assert.deepEqual(reads, ["tenant_id", "private_key", "private_key_id"]);
  });

  it("parseServiceAccount() returns an account that shows its key to nobody who does not ask for it", () => {
    const account = parseServiceAccount(text);
    assertHidden(account, linesOf(members.private_key), "an account");
    assertHidden([new Map([["a", { account }]])], linesOf(members.private_key), "a container");
    assert.deepEqual(Object.keys(account), ["tenantId", "privateKeyId"]);
    assert.equal(account.privateKey, members.private_key);
  });

  it("parseServiceAccount() throws nothing but its own error at any text, and repeats nothing of it", () => {
    const secret = "hunter2hunter2hunter2hunter2";
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        try {
          parseServiceAccount(`${before}${secret}${after}`);
        } catch (error) {
          assert.ok(error instanceof TeleQuickError);
          assertHidden(error, [secret], "an error");
        }
      }),
      { seed, numRuns: 300 },
    );
  });
});

describe("generateServiceAccount()", () => {
  it("generateServiceAccount() makes a file that parses to the account, and the public half of its key", async () => {
    const made = await generateServiceAccount({ tenantId: "acme" });
    const parsed = parseServiceAccount(made.json);
    assert.deepEqual(parsed, made.account);
    assert.equal(parsed.privateKey, made.account.privateKey);
    assert.equal(made.publicKeyPem, pem.publicHalf(parsed.privateKey));
    const { key } = await importSigner(parsed);
    const verifying = await importVerifyingKey(made.publicKeyPem);
    const data = new Uint8Array([1, 2, 3]);
    const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, data);
    assert.equal(await crypto.subtle.verify("RSASSA-PKCS1-v1_5", verifying, signature, data), true);
    assert.equal(parsed.privateKeyId, await keyThumbprint(verifying));
    assert.match(parsed.privateKeyId, /^[\w-]{43}$/);
  });

  it("generateServiceAccount() takes a key id of the caller's", async () => {
    const { account } = await generateServiceAccount({ tenantId: "acme", privateKeyId: "k7" });
    assert.equal(account.privateKeyId, "k7");
  });

  it("generateServiceAccount() returns an object that shows no key to nobody who does not ask for it", async () => {
    const made = await generateServiceAccount({ tenantId: "acme" });
    assertHidden(made, linesOf(made.account.privateKey), "a generated account");
    assert.ok(made.json.includes("BEGIN PRIVATE KEY"));
  });

  it("generateServiceAccount() rejects with a TypeError what is no text, and with an error an empty one", async () => {
    for (const options of [{}, { tenantId: 1 }, { tenantId: "a", privateKeyId: 1 }]) {
      await assert.rejects(generateServiceAccount(options as { tenantId: string }), TypeError);
    }
    await assert.rejects(generateServiceAccount({ tenantId: "" }), {
      code: "ERR_CREDENTIALS_INVALID",
    });
  });
});

describe("keyThumbprint()", () => {
  it("keyThumbprint() is that of RFC 7638 section 3.1", async () => {
    const n =
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    const key = await crypto.subtle.importKey(
      "jwk",
      { kty: "RSA", n, e: "AQAB" },
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
      true,
      ["verify"],
    );
    assert.equal(await keyThumbprint(key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  });
});

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
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

  const utf16 = (text: string): Uint8Array =>
    new Uint8Array(new Uint16Array([...text].map((c) => c.charCodeAt(0))).buffer);
  const base64 = btoa(text);
  const faults: readonly (readonly [what: string, input: string | Uint8Array, found: string])[] = [
    ["an empty text", "", "text is empty, expected JSON (is the variable set, the file written?)"],
    ["white space", " \n", "text is empty, expected JSON (is the variable set, the file written?)"],
    [
      "no bytes",
      new Uint8Array(),
      "text is empty, expected JSON (is the variable set, the file written?)",
    ],
    [
      'the text "undefined"',
      "undefined",
      'text is "undefined", expected JSON (is the variable set?)',
    ],
    ['the text "null"', "null", 'text is "null", expected JSON (is the variable set?)'],
    [
      "an object turned into text",
      "[object Object]",
      'text is "[object Object]", expected JSON (pass the object itself, or JSON.stringify it)',
    ],
    [
      "raw line breaks in a string",
      text.replaceAll("\\n", "\n"),
      "a JSON string has raw line breaks in it, expected \\n (write private_key on one line, with \\n escapes)",
    ],
    [
      "one raw CRLF in a string",
      text.replace("\\n", "\r\n"),
      "a JSON string has raw line breaks in it, expected \\n (write private_key on one line, with \\n escapes)",
    ],
    [
      "UTF-16 with a mark",
      utf16(`\uFEFF${text}`),
      "file is UTF-16, expected UTF-8 (save it again as UTF-8)",
    ],
    [
      "UTF-16 without a mark",
      utf16(text),
      "file is UTF-16, expected UTF-8 (save it again as UTF-8)",
    ],
    [
      "UTF-16 big-endian",
      utf16(`\uFEFF${text}`).map((_, i, all) => all[i ^ 1]!),
      "file is UTF-16, expected UTF-8 (save it again as UTF-8)",
    ],
    [
      "UTF-16 read as UTF-8",
      [...text].join("\0"),
      "text was read as UTF-16, expected UTF-8 (save it again as UTF-8)",
    ],
    ["base64", base64, "text is base64, expected JSON (decode it first)"],
    [
      "base64 in lines",
      base64.replace(/.{1,76}/g, "$&\n"),
      "text is base64, expected JSON (decode it first)",
    ],
    [
      "base64 of indented JSON",
      btoa(JSON.stringify(members, null, 2)),
      "text is base64, expected JSON (decode it first)",
    ],
    [
      "single quotes inside",
      text.replaceAll('"', "'"),
      "JSON has single quotes, expected double quotes",
    ],
    [
      "single quotes around",
      `'${text}'`,
      "text has quotes around it, expected JSON without them",
    ],
    [
      "JSON encoded twice",
      JSON.stringify(text),
      "text is a JSON string, expected an object (it was encoded twice: decode it once)",
    ],
    [
      "escaped quotes",
      text.replaceAll('"', '\\"'),
      "JSON has escaped quotes, expected plain ones (it was encoded twice: decode it once)",
    ],
    [
      "a trailing comma",
      text.replace(/\}$/, ",\n}"),
      "JSON has a comma before a closing brace, expected none",
    ],
    [
      "JSON that is cut off",
      text.slice(0, -1),
      "JSON ends early, expected a closing brace (is the file cut off?)",
    ],
    [
      "JSON that is cut off in the key",
      text.slice(0, 200),
      "JSON ends early, expected a closing brace (is the file cut off?)",
    ],
    [
      "a PEM text",
      members.private_key,
      "text is a PEM key, expected the whole service-account file, which holds the key as private_key",
    ],
    [
      "a path",
      "./secrets/service-account.json",
      "text is a path, expected the file's content (pass the path to loadServiceAccount)",
    ],
    [
      "a Windows path",
      "C:\\secrets\\account",
      "text is a path, expected the file's content (pass the path to loadServiceAccount)",
    ],
    ["a page", "<!DOCTYPE html><html></html>", "text is an HTML or XML page, expected JSON"],
    ["a token", `eyJhbGciOiJSUzI1NiJ9.${"a".repeat(40)}.b`, "text is a token, expected JSON"],
    ["YAML", `private_key: ${"x".repeat(9)}`, "text is not JSON, expected an object in braces"],
    ["JSON with something after it", `${text}x}`, "text is not JSON"],
    ["a number", "1", "JSON is a number, expected an object"],
    ["an array", `[${text}]`, "JSON is an array, expected an object"],
    ["a member twice", text.replace("{", '{"tenant_id":"evil",'), "text repeats a name"],
    [
      "a name with an escape",
      text.replace('"tenant_id"', '"tenant\\u005fid"'),
      "text has a name with an escape",
    ],
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "bytes are not UTF-8 text"],
    [
      "more than 64 KiB",
      text.padEnd(65_537),
      "text has 65537 characters, expected at most 65536",
    ],
    [
      "more than 64 KiB of bytes",
      new TextEncoder().encode(text.padEnd(65_537)),
      "text has 65537 bytes, expected at most 65536",
    ],
  ];
  for (const [what, input, found] of faults) {
    it(`parseServiceAccount() names the fault: ${what}`, () => {
      refuses(input, found);
      // The same from a file, with its byte order mark and its last line end.
      if (typeof input === "string" && !found.startsWith("text has 65537")) {
        refuses(new TextEncoder().encode(`\uFEFF${input}\n`), found);
      }
    });
  }

  it("parseServiceAccount() has a sentence for each of these faults", () => {
    const kinds = ["an empty text", "raw line breaks in a string", "UTF-16 with a mark", "base64"]
      .concat("single quotes inside", "JSON encoded twice", "a trailing comma")
      .concat('the text "undefined"', "JSON that is cut off", "a path", "a PEM text");
    const sentences = kinds.map((kind) => faults.find(([what]) => what === kind)![2]);
    assert.equal(new Set(sentences).size, kinds.length);
  });

  it("parseServiceAccount() finds no members in an array", () => {
    refuses([members], "input is an array, expected an object");
  });

  for (const name of ["tenant_id", "private_key", "private_key_id"] as const) {
    it(`parseServiceAccount() refuses ${name} when it is missing, empty or not a string`, () => {
      const values: readonly (readonly [unknown, string])[] = [
        [undefined, "missing, expected a string"],
        ["", "empty, expected a string with content"],
        [" \n", "empty, expected a string with content"],
        [null, "null, expected a string"],
        [0, "a number, expected a string"],
        [true, "a boolean, expected a string"],
        [["x"], "an array, expected a string"],
        [{ x: 1 }, "an object, expected a string"],
      ];
      for (const [value, found] of values) {
        refuses({ ...members, [name]: value }, `${name} is ${found}`);
        refuses(JSON.stringify({ ...members, [name]: value }), `${name} is ${found}`);
      }
    });
  }

  it("parseServiceAccount() refuses ids with white space in them", () => {
    for (const name of ["tenant_id", "private_key_id"] as const) {
      for (const value of [" acme", "acme ", "acme\n", "ac me", "acme\u00a0"]) {
        refuses({ ...members, [name]: value }, `${name} has white space in it, expected none`);
      }
    }
  });

  it("parseServiceAccount() takes bytes of another realm, as under jest", () => {
    const bytes = runInNewContext("Uint8Array.from(values)", {
      values: [...new TextEncoder().encode(text)],
    });
    assert.ok(!(bytes instanceof Uint8Array));
    assert.equal(parseServiceAccount(bytes).tenantId, "acme");
    assert.equal(parseServiceAccount(Buffer.from(text)).tenantId, "acme");
    assert.equal(parseServiceAccount(runInNewContext(`(${text})`)).tenantId, "acme");
  });

  it("parseServiceAccount() throws a TypeError for values that are not text, bytes or an object", () => {
    for (const input of [undefined, null, 1, true, Symbol("x"), 1n]) {
      assert.throws(() => parseServiceAccount(input as unknown as string), {
        name: "TypeError",
        message:
          /^Cannot parse service account: input is (a |undefined|null).*, expected the file's text, its bytes, or an object/,
      });
    }
    assert.throws(() => parseServiceAccount(undefined as unknown as string), {
      message: /\(is the variable set\?\)$/,
    });
  });

  it("C-05 parseServiceAccount() reads own members only, also when Object.prototype is polluted or frozen", () => {
    const prototype = Object.prototype as unknown as Record<string, unknown>;
    prototype["private_key"] = "polluted";
    prototype["tenant_id"] = "polluted";
    try {
      assert.equal(parseServiceAccount(text).tenantId, "acme");
      refuses(
        { tenant_id: "acme", private_key_id: "k" },
        "private_key is missing, expected a string",
      );
      refuses(
        '{"private_key":"x","private_key_id":"k"}',
        "tenant_id is missing, expected a string",
      );
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
      refuses(hostile, "text has a forbidden name");
      refuses(JSON.parse(hostile), "tenant_id is missing, expected a string");
    }
    assert.equal(({} as Record<string, unknown>)["tenant_id"], undefined);
    refuses(Object.create(members), "tenant_id is missing, expected a string");
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

  it("parseServiceAccount() returns an account that hides its key from inspection", () => {
    const account = parseServiceAccount(text);
    assertHidden(account, linesOf(members.private_key), "an account");
    assertHidden([new Map([["a", { account }]])], linesOf(members.private_key), "a container");
    assert.deepEqual(Object.keys(account), ["tenantId", "privateKeyId"]);
    assert.equal(account.privateKey, members.private_key);
  });

  it("parseServiceAccount() returns an account whose key is read through a proxy and by what inherits from it", () => {
    const account = parseServiceAccount(text);
    for (const around of [new Proxy(account, {}), Object.create(account)]) {
      assert.equal(around.privateKey, members.private_key);
      assertHidden(around, linesOf(members.private_key), "what stands for an account");
    }
    assert.equal({ ...account }.privateKey, undefined);
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

  it("generateServiceAccount() returns an object that hides its key from inspection", async () => {
    const made = await generateServiceAccount({ tenantId: "acme" });
    assertHidden(made, linesOf(made.account.privateKey), "a generated account");
    assert.ok(made.json.includes("BEGIN PRIVATE KEY"));
  });

  it("generateServiceAccount() rejects ids of the wrong type with a TypeError, and malformed ones", async () => {
    for (const options of [{}, { tenantId: 1 }, { tenantId: "a", privateKeyId: 1 }]) {
      await assert.rejects(generateServiceAccount(options as { tenantId: string }), TypeError);
    }
    await assert.rejects(
      generateServiceAccount(undefined as unknown as { tenantId: string }),
      { name: "TypeError", message: /tenantId/ },
    );
    for (const tenantId of ["", "Acme", "acme ", "-a", "a-", "a_b", "a".repeat(64)]) {
      await assert.rejects(generateServiceAccount({ tenantId }), {
        code: "ERR_CREDENTIALS_INVALID",
        message: /^Cannot generate service account: tenantId is malformed, expected /,
      });
    }
    for (const privateKeyId of ["", "a b", "a/b", "a".repeat(129)]) {
      await assert.rejects(generateServiceAccount({ tenantId: "acme", privateKeyId }), {
        code: "ERR_CREDENTIALS_INVALID",
        message: /^Cannot generate service account: privateKeyId is malformed, expected /,
      });
    }
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

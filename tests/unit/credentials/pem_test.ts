import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { readPem, writePem } from "../../../src/credentials/pem.ts";
import { derOf, pem } from "../../support/openssl.ts";

const key = pem.rsa();
const escaped = key.replaceAll("\n", "\\n");

/** What people's files, variables and secret stores make of a PEM text. */
const tolerated: Readonly<Record<string, string>> = {
  "line feeds": key,
  "carriage returns and line feeds": key.replaceAll("\n", "\r\n"),
  "carriage returns alone": key.replaceAll("\n", "\r"),
  "no final line end": key.trimEnd(),
  "blank lines around": `\n\n${key}\n\n`,
  "a byte order mark": `\uFEFF${key}`,
  "escaped line feeds": escaped,
  "escaped carriage returns and line feeds": key.replaceAll("\n", "\\r\\n"),
  "doubly escaped line feeds": key.replaceAll("\n", "\\\\n"),
  "doubly escaped carriage returns and line feeds": key.replaceAll("\n", "\\\\r\\\\n"),
  "one line": key.replaceAll("\n", ""),
  "spaces for line feeds": key.replaceAll("\n", " "),
  "tabs for line feeds": key.replaceAll("\n", "\t"),
  "a blank before": ` ${key}`,
  "indented lines": key.replaceAll(/^/gm, "    "),
  "trailing spaces on lines": key.replaceAll("\n", "  \n"),
  "double quotes around": `"${key}"`,
  "single quotes around": `'${key}'`,
  "double quotes around escaped line feeds": `"${escaped}"`,
  "text before the block":
    `Bag Attributes\n    friendlyName: key\nKey Attributes: <No Attributes>\n${key}`,
  "text after the block": `${key}\nunsigned\n`,
  "base64 of the whole": Buffer.from(key).toString("base64"),
  "base64 of the whole, in lines": Buffer.from(key).toString("base64").replace(/.{1,76}/g, "$&\n"),
  "base64 of the whole, quoted": `"${Buffer.from(key).toString("base64")}"`,
  "base64 of the whole, without padding": Buffer.from(key).toString("base64").replace(/=+$/, ""),
  "base64 of escaped line feeds": Buffer.from(escaped).toString("base64"),
};

const none = 'text has no PEM block, expected one "PRIVATE KEY"';
const several = 'text has several PEM blocks, expected one "PRIVATE KEY"';
const cutOff =
  'PEM block has no matching END line (is the text cut off?), expected one "PRIVATE KEY"';
const label = (found: string): string => `PEM label is "${found}", expected "PRIVATE KEY"`;

/** What is refused, with the exact reason. */
const refused: readonly (readonly [what: string, text: string, code: string, found: string])[] = [
  ["an empty text", "", "ERR_CREDENTIALS_INVALID", none],
  ["a text without a block", "hello", "ERR_CREDENTIALS_INVALID", none],
  ["JSON", '{"kty":"RSA"}', "ERR_CREDENTIALS_INVALID", none],
  [
    "base64 of something else",
    Buffer.from("hello there").toString("base64"),
    "ERR_CREDENTIALS_INVALID",
    none,
  ],
  ["a block that is cut off", key.slice(0, key.length / 2), "ERR_CREDENTIALS_INVALID", cutOff],
  [
    "a block whose ends differ",
    key.replace("END PRIVATE", "END PUBLIC"),
    "ERR_CREDENTIALS_INVALID",
    cutOff,
  ],
  ["two blocks", key + key, "ERR_CREDENTIALS_INVALID", several],
  ["a key and its certificate", key + pem.certificate(), "ERR_CREDENTIALS_INVALID", several],
  [
    "a text of 16 KiB of labels",
    "-----BEGIN PRIVATE KEY-----".repeat(4_000),
    "ERR_CREDENTIALS_INVALID",
    cutOff,
  ],
  [
    "an encrypted PKCS#8 key",
    pem.encryptedPkcs8(),
    "ERR_KEY_UNSUPPORTED",
    `${label("ENCRYPTED PRIVATE KEY")} (decrypt it with: openssl pkcs8 -in key.pem -out plain.pem)`,
  ],
  [
    "an encrypted PKCS#1 key",
    pem.encryptedPkcs1(),
    "ERR_KEY_UNSUPPORTED",
    'PEM label is "RSA PRIVATE KEY", encrypted, expected "PRIVATE KEY" ' +
    "(decrypt it with: openssl pkey -in key.pem -out plain.pem)",
  ],
  [
    "an EC key with its parameters",
    pem.ecTraditional(),
    "ERR_KEY_UNSUPPORTED",
    label("EC PARAMETERS"),
  ],
  [
    "an EC key",
    pem.ecTraditional().slice(pem.ecTraditional().indexOf("-----BEGIN EC PRIV")),
    "ERR_KEY_UNSUPPORTED",
    label("EC PRIVATE KEY"),
  ],
  ["an OpenSSH key", pem.openssh(), "ERR_KEY_UNSUPPORTED", label("OPENSSH PRIVATE KEY")],
  ["a public key", pem.publicHalf(key), "ERR_KEY_UNSUPPORTED", label("PUBLIC KEY")],
  ["a PKCS#1 public key", pem.publicPkcs1(key), "ERR_KEY_UNSUPPORTED", label("RSA PUBLIC KEY")],
  ["a certificate", pem.certificate(), "ERR_KEY_UNSUPPORTED", label("CERTIFICATE")],
  ["a certificate request", pem.request(), "ERR_KEY_UNSUPPORTED", label("CERTIFICATE REQUEST")],
];

describe("readPem()", () => {
  for (const [what, text] of Object.entries(tolerated)) {
    it(`readPem() takes ${what}`, () => {
      assert.deepEqual(readPem(text, "private"), { isPkcs1: false, der: derOf(key) });
    });
  }

  it("readPem() takes PKCS#1 and says so", () => {
    assert.deepEqual(readPem(pem.pkcs1(), "private"), { isPkcs1: true, der: derOf(pem.pkcs1()) });
    const half = pem.publicPkcs1(key);
    assert.deepEqual(readPem(half, "public"), { isPkcs1: true, der: derOf(half) });
  });

  it("readPem() takes the public label for the public half only", () => {
    const half = pem.publicHalf(key);
    assert.deepEqual(readPem(half, "public"), { isPkcs1: false, der: derOf(half) });
    assert.throws(() => readPem(key, "public"), {
      code: "ERR_KEY_UNSUPPORTED",
      message: 'Cannot import public key: PEM label is "PRIVATE KEY", expected "PUBLIC KEY"',
    });
  });

  for (const [what, text, code, found] of refused) {
    it(`readPem() refuses ${what}`, () => {
      assert.throws(() => readPem(text, "private"), {
        name: "TeleQuickError",
        code,
        message: `Cannot import private key: ${found}`,
      });
    });
  }

  it("readPem() looks at 10,000 characters and no more", () => {
    const inside = " ".repeat(10_000 - key.length) + key;
    assert.deepEqual(readPem(inside, "private").der, derOf(key));
    assert.throws(() => readPem(`${" ".repeat(3)}${inside}`, "private"), {
      message: `Cannot import private key: ${cutOff}`,
    });
  });

  it("readPem() gives no bytes for a body that is not base64", () => {
    const damaged = key.replace("-----\nMII", "-----\nM!!");
    assert.equal(readPem(damaged, "private").der.length, 0);
  });
});

describe("writePem()", () => {
  it("writePem() writes what openssl writes", () => {
    assert.equal(writePem(Buffer.from(derOf(key)).toString("base64"), "PRIVATE KEY"), key);
  });
});

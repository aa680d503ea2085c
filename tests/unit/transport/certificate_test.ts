import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeBase64, encodeBase64 } from "../../../src/base/base64.ts";
import { concatBytes, encodeHex } from "../../../src/base/bytes.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { createCertificate, type CreatedCertificate } from "../../../src/transport/certificate.ts";
import { certificateHash, certificateHashes } from "../../../src/transport/certificate_hash.ts";

const NOW = Date.UTC(2026, 10, 24, 12, 0, 0);
const DAY_MS = 86_400_000;

describe("createCertificate()", () => {
  let folder: string;
  let made: CreatedCertificate;
  const openssl = (...args: string[]): string =>
    execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: "pipe" });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "certificate-"));
    made = await createCertificate({
      hostnames: ["localhost", "*.telequick.dev", "127.0.0.1", "::1", "2001:db8::8a2e:370:7334"],
      now: NOW,
    });
    writeFileSync(join(folder, "cert.pem"), made.certificatePem);
    writeFileSync(join(folder, "key.pem"), made.privateKeyPem, { mode: 0o600 });
  });
  after(() => rmSync(folder, { recursive: true }));

  it("makes a v3 ECDSA P-256 certificate whose signature openssl verifies", () => {
    const text = openssl("x509", "-in", "cert.pem", "-noout", "-text");
    assert.match(text, /Version: 3 \(0x2\)/);
    assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
    assert.match(text, /NIST CURVE: P-256/);
    const at = String(NOW / 1000);
    const verified = openssl(
      "verify",
      "-attime",
      at,
      "-check_ss_sig",
      "-CAfile",
      "cert.pem",
      "cert.pem",
    );
    assert.match(verified, /cert\.pem: OK/);
  });

  it("carries a private key that openssl finds valid and the same as the certificate's", () => {
    assert.match(openssl("pkey", "-in", "key.pem", "-noout", "-check"), /Key is valid/);
    assert.equal(
      openssl("pkey", "-in", "key.pem", "-pubout"),
      openssl("x509", "-in", "cert.pem", "-noout", "-pubkey"),
    );
  });

  it("is a leaf for servers and nothing else", () => {
    const text = openssl("x509", "-in", "cert.pem", "-noout", "-text");
    assert.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
    assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/);
    assert.match(text, /X509v3 Extended Key Usage: ?\s+TLS Web Server Authentication\n/);
    assert.match(openssl("x509", "-in", "cert.pem", "-noout", "-purpose"), /SSL server : Yes/);
  });

  it("names what was asked for, names and addresses apart", () => {
    const text = openssl("x509", "-in", "cert.pem", "-noout", "-ext", "subjectAltName");
    assert.match(
      text,
      /DNS:localhost, DNS:\*\.telequick\.dev, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:8A2E:370:7334/,
    );
    assert.match(openssl("x509", "-in", "cert.pem", "-noout", "-checkip", "::1"), /does match/);
    assert.match(
      openssl("x509", "-in", "cert.pem", "-noout", "-checkhost", "localhost"),
      /does match/,
    );
    assert.match(
      openssl("x509", "-in", "cert.pem", "-noout", "-checkhost", "evil"),
      /does NOT match/,
    );
  });

  it("is valid for 13 days from now and one hour back, at most 14 days in all", () => {
    const [, from, to] = /notBefore=(.*)\nnotAfter=(.*)\n/.exec(
      openssl("x509", "-in", "cert.pem", "-noout", "-dates"),
    )!;
    assert.equal(Date.parse(from!), NOW - 3_600_000);
    assert.equal(Date.parse(to!), NOW + 13 * DAY_MS);
    assert.equal(made.notAfter, NOW + 13 * DAY_MS);
    assert.ok(Date.parse(to!) - Date.parse(from!) <= 14 * DAY_MS);
  });

  it("reports the SHA-256 that openssl computes", () => {
    const line = openssl("x509", "-in", "cert.pem", "-noout", "-fingerprint", "-sha256");
    const fingerprint = line.trim().split("=")[1]!.replaceAll(":", "").toLowerCase();
    assert.equal(encodeHex(made.hash.value), fingerprint);
    assert.equal(made.hash.algorithm, "sha-256");
  });

  it("has another key and another serial number each time", async () => {
    const other = await createCertificate({ now: NOW });
    writeFileSync(join(folder, "other.pem"), other.certificatePem);
    const serial = (file: string): string => openssl("x509", "-in", file, "-noout", "-serial");
    assert.notEqual(serial("other.pem"), serial("cert.pem"));
    assert.match(serial("other.pem"), /^serial=[4-7][0-9A-F]{31}\n$/);
    assert.notEqual(other.privateKeyPem, made.privateKeyPem);
  });

  it("is signed well every time, independent of the length of r and s", async () => {
    // One signature in 128 or so has an r or s with a leading zero byte, one in two a leading one bit.
    for (let i = 0; i < 12; i++) {
      const { certificatePem } = await createCertificate({ now: NOW });
      writeFileSync(join(folder, "loop.pem"), certificatePem);
      const at = String(NOW / 1000);
      openssl("verify", "-attime", at, "-check_ss_sig", "-CAfile", "loop.pem", "loop.pem");
    }
  });

  it("takes an address in every form in which a URL takes it", async () => {
    const has = (der: string, ...octets: number[]): boolean =>
      der.includes(encodeHex(Uint8Array.of(0x87, 4, ...octets)));
    const forms = [["127.1", [127, 0, 0, 1]], ["0x7f.0.0.2", [127, 0, 0, 2]]] as const;
    for (const [form, octets] of forms) {
      const { certificatePem } = await createCertificate({ hostnames: [form] });
      const body = certificatePem.split("\n").slice(1, -2).join("");
      assert.ok(has(encodeHex(decodeBase64(body)!), ...octets), form);
    }
  });

  it("refuses an invalid time, or that a certificate cannot say", async () => {
    for (const now of [NaN, Infinity, -1, Date.UTC(2050), Date.UTC(2049, 11, 20), 8.64e15]) {
      await assert.rejects(createCertificate({ now }), { code: "ERR_VALUE_INVALID" });
    }
    const { notAfter } = await createCertificate({ now: Date.UTC(2049, 11, 18) });
    assert.equal(notAfter, Date.UTC(2049, 11, 31));
  });

  it("refuses more than 13 days, less than one, no name, and invalid names", async () => {
    for (const days of [0, 0.5, 13.1, 14, NaN, Infinity]) {
      await assert.rejects(createCertificate({ days }), { code: "ERR_VALUE_INVALID" });
    }
    for (
      const hostnames of [[], [""], ["a b"], ["h/p"], ["-a"], ["u@h"], ["a:1"], ["*"], ["a..b"]]
    ) {
      await assert.rejects(createCertificate({ hostnames }), { code: "ERR_VALUE_INVALID" });
    }
  });
});

describe("certificateHash()", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => 7 * i);
  const text = encodeBase64(bytes);

  it("reads base64, hexadecimal with and without colons, and 32 bytes", async () => {
    const hex = encodeHex(bytes);
    const colons = hex.toUpperCase().match(/../g)!.join(":");
    for (const given of [text, hex, colons, bytes, ` ${text}\n`]) {
      assert.deepEqual(await certificateHash(given), { algorithm: "sha-256", value: bytes });
    }
  });

  it("takes what shells, variables and tools make of a certificate and its fingerprint", async () => {
    const { certificatePem: pem, hash } = await createCertificate();
    const hex = [...new Uint8Array(hash.value as Uint8Array)]
      .map((byte) => byte.toString(16).padStart(2, "0"));
    const base64 = btoa(String.fromCharCode(...(hash.value as Uint8Array)));
    const body = pem.split("\n").slice(1, -2).join("\n");
    for (
      const given of [
        pem.replaceAll("\n", "\\n"),
        pem.replaceAll("\n", "\\r\\n"),
        pem.replaceAll("\n", "\\\\n"),
        pem.replaceAll("\n", "\r\n"),
        `"${pem}"`,
        `'${pem.replaceAll("\n", "\\n")}'`,
        btoa(pem),
        btoa(pem).replace(/.{1,76}/g, "$&\n"),
        btoa(pem.replaceAll("\n", "\\n")),
        body.replaceAll("\n", ""),
        `sha256 Fingerprint=${hex.join(":").toUpperCase()}\n`,
        `SHA256 Fingerprint=${hex.join(":")}`,
        `SHA-256: ${hex.join("")}`,
        `sha256:${base64}`,
        `sha256//${base64}`,
        `"${base64}"`,
      ]
    ) {
      assert.deepEqual(await certificateHash(given), hash, given.slice(0, 40));
    }
  });

  it("keeps no hold of the caller's bytes", async () => {
    const given = bytes.slice();
    const hash = await certificateHash(given);
    given.fill(0);
    assert.deepEqual(hash.value, bytes);
  });

  it("hashes a certificate, PEM or DER, the first of a chain", async () => {
    const one = await createCertificate();
    const two = await createCertificate();
    const chain = `subject=x\n${one.certificatePem.replaceAll("\n", "\r\n")}${two.certificatePem}`;
    assert.deepEqual(await certificateHash(one.certificatePem), one.hash);
    assert.deepEqual(await certificateHash(chain), one.hash);
    const body = one.certificatePem.split("\n").slice(1, -2).join("");
    assert.deepEqual(
      await certificateHash(Uint8Array.from(atob(body), (c) => c.charCodeAt(0))),
      one.hash,
    );
  });

  it("refuses everything else, and says what it found", async () => {
    const { certificatePem, privateKeyPem } = await createCertificate();
    const lines = certificatePem.split("\n");
    const whole = decodeBase64(lines.slice(1, -2).join(""))!;
    const cases: readonly (readonly [given: string | Uint8Array, found: RegExp])[] = [
      ["", /decodes to 0 bytes/],
      ["none", /decodes to 3 bytes/],
      [text.slice(0, -1), /not canonical base64/],
      [text.replace("=", "A"), /decodes to 33 bytes/],
      [encodeBase64(bytes.subarray(1)), /decodes to 31 bytes/],
      [`${text.slice(0, -2)}p=`, /not canonical base64/],
      [text.replace("A", "-"), /not canonical base64/],
      [encodeHex(bytes).slice(2), /decodes to 46 bytes|not canonical/],
      [new Uint8Array(31), /it is 31 bytes/],
      [new Uint8Array(20), /it is 20 bytes/],
      [whole.subarray(0, -1), /it is \d+ bytes/],
      [concatBytes([whole, Uint8Array.of(0)]), /it is \d+ bytes/],
      [lines.filter((_, i) => i !== 3).join("\n"), /its PEM body is not a whole certificate/],
      ["-----BEGIN CERTIFICATE----------END CERTIFICATE-----", /its PEM body is not a whole cert/],
      [privateKeyPem, /its PEM label is "PRIVATE KEY"/],
      ["-----BEGIN CERTIFICATE-----\nAAAA", /its PEM block is damaged/],
      [
        "-----BEGIN CERTIFICATE-----\nAAA=A\n-----END CERTIFICATE-----",
        /its PEM body is not base64/,
      ],
    ];
    for (const [given, found] of cases) {
      await assert.rejects(certificateHash(given), (error) => {
        assert.ok(error instanceof TeleQuickError, String(given));
        assert.equal(error.code, "ERR_VALUE_INVALID");
        assert.match(error.message, found);
        return true;
      });
    }
    await assert.rejects(certificateHash(7 as unknown as string), TypeError);
    await assert.rejects(certificateHash(null as unknown as string), TypeError);
  });
});

describe("certificateHashes()", () => {
  it("reads several, separated by commas, as a gateway prints its certificate and the next", async () => {
    const [one, two] = [await createCertificate(), await createCertificate()];
    const [first, second] = [one, two].map(({ hash }) => encodeBase64(hash.value));
    const expected = [one.hash, two.hash];
    assert.deepEqual(await certificateHashes(`${first},${second}`), expected);
    assert.deepEqual(await certificateHashes(` ${first} , ${second},\n`), expected);
    assert.deepEqual(await certificateHashes(`${one.certificatePem},${second}`), expected);
    assert.deepEqual(await certificateHashes(first!), [one.hash]);
  });

  it("refuses a list with something else in it, an empty one, and one of more than 16", async () => {
    const hash = encodeBase64(new Uint8Array(32));
    for (
      const [given, found] of [
        [`${hash},nonsense`, /decodes to 6 bytes/],
        [" , ", /it is empty/],
        [Array(17).fill(hash).join(","), /it has 17 parts/],
      ] as const
    ) {
      await assert.rejects(certificateHashes(given), { code: "ERR_VALUE_INVALID", message: found });
    }
    await assert.rejects(certificateHashes(7 as unknown as string), TypeError);
  });
});

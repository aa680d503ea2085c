import { describe, it } from "node:test";
import assert from "node:assert/strict";
import nodeCrypto from "node:crypto";
import { createCertificate } from "../../../../src/transport/mod.ts";
import { type CertificateWish, judgeCertificate } from "../../../../src/transport/quiche/judge.ts";
import type { NodeModules } from "../../../../src/transport/quiche/socket.ts";
import { derOf } from "../../../support/openssl.ts";

const NOW = 1_700_000_000_000;
const node = { crypto: nodeCrypto } as unknown as NodeModules;
const certificate = await createCertificate({ hostnames: ["gw.example", "192.0.2.7"], now: NOW });
const leaf = derOf(certificate.certificatePem);

function judge(wish: Partial<CertificateWish>, chain: Uint8Array[] = [leaf]): string | undefined {
  const whole = { hashes: [], host: "gw.example", isAddress: false, now: NOW, ...wish };
  return judgeCertificate(node, chain, whole);
}

describe("judgeCertificate()", () => {
  it("accepts a pinned certificate by its hash, independent of its name", () => {
    const other = { algorithm: "sha-256", value: new Uint8Array(32) } as const;
    assert.equal(judge({ hashes: [certificate.hash], host: "other.example" }), undefined);
    assert.equal(judge({ hashes: [other, certificate.hash] }), undefined);
    assert.match(judge({ hashes: [other] })!, /UnknownIssuer/);
    const short = { algorithm: "sha-256", value: certificate.hash.value.slice(0, 31) } as const;
    assert.match(judge({ hashes: [short] })!, /UnknownIssuer/);
  });

  it("refuses a pinned certificate outside its dates", () => {
    const hashes = [certificate.hash];
    assert.equal(judge({ hashes, now: certificate.notAfter }), undefined);
    assert.match(judge({ hashes, now: certificate.notAfter + 1_000 })!, /expired/);
    assert.match(judge({ hashes, now: NOW - 2 * 3_600_000 })!, /expired/);
    assert.match(judge({ hashes, now: NaN })!, /expired/);
  });

  it("holds a verified chain against the name or the address that was dialled", () => {
    assert.equal(judge({}), undefined);
    assert.equal(judge({ host: "192.0.2.7", isAddress: true }), undefined);
    assert.match(judge({ host: "other.example" })!, /NotValidForName/);
    assert.match(judge({ host: "192.0.2.8", isAddress: true })!, /NotValidForName/);
  });

  it("refuses a peer without a certificate", () => {
    assert.match(judge({ hashes: [certificate.hash] }, [])!, /it is missing/);
    assert.match(judge({}, [])!, /it is missing/);
  });
});

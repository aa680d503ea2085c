import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { platform } from "node:process";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../mod.ts";
import { encodeBase64 } from "../../src/base/base64.ts";
import { createGateway, type Gateway } from "../../src/gateway/mod.ts";
import { signToken } from "../../src/token/mod.ts";
import {
  certificateHash,
  createCertificate,
  openSession,
  resolveWebTransport,
} from "../../src/transport/mod.ts";
import { methods } from "../../src/wire/mod.ts";
import { RawClient } from "../support/raw_client.ts";
import { type TestAccount, testAccount } from "../support/tenant_kit.ts";

async function register(gateway: Gateway, account: TestAccount): Promise<void> {
  const { tenantId, keyId: privateKeyId, publicKeyPem } = account;
  await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId, trunkId: "main" });
}

async function dial(listener: { readonly endpoint: string; readonly certificateHash: string }) {
  const WebTransport = await resolveWebTransport();
  const transport = new WebTransport(listener.endpoint, {
    serverCertificateHashes: [await certificateHash(listener.certificateHash)],
  });
  await transport.ready;
  return new RawClient(transport);
}

describe("gateway.listen() over QUIC", () => {
  it("G-26 binds 127.0.0.1 and nothing else, unless it is configured to", async () => {
    await using gateway = createGateway();
    const { endpoint } = await gateway.listen();
    const { hostname, port } = new URL(endpoint);
    assert.equal(hostname, "127.0.0.1");
    if (platform !== "linux") return;
    const hex = Number(port).toString(16).toUpperCase().padStart(4, "0");
    const sockets = (await readFile("/proc/net/udp", "utf8")) +
      (await readFile("/proc/net/udp6", "utf8"));
    const bound = sockets.split("\n").map((line) => line.trim().split(/\s+/)[1]).filter((local) =>
      local?.endsWith(`:${hex}`)
    );
    assert.deepEqual(bound, [`0100007F:${hex}`]);
  });

  it("G-26 makes a certificate for each listener, which is known by its hash alone", async () => {
    await using gateway = createGateway();
    const [first, second] = [await gateway.listen(), await gateway.listen()];
    assert.notEqual(first.certificateHash, second.certificateHash);
    assert.equal(Buffer.from(first.certificateHash, "base64").length, 32);
    const hashes = [await certificateHash(second.certificateHash)];
    await assert.rejects(openSession(first.endpoint, { certificateHashes: hashes }), {
      code: "ERR_CONNECT_FAILED",
    });
    const session = await openSession(second.endpoint, { certificateHashes: hashes });
    session.close();
  });

  it("reports a refusal in the reply and then closes with 401", async () => {
    await using gateway = createGateway();
    const client = await dial(await gateway.listen());
    const reply = await client.authenticate("x".repeat(100));
    assert.deepEqual([reply?.status, reply?.errorCode, reply?.errorMessage], [
      "ERROR",
      7,
      "rejected",
    ]);
    const { closeCode } = await client.closed as { closeCode?: number };
    assert.equal(closeCode, 401);
  });

  it("reports a revocation in a SessionEnding before the close, while another key's session goes on", async () => {
    await using gateway = createGateway();
    const [old, fresh] = [await testAccount("acme", "old"), await testAccount("acme", "new")];
    await register(gateway, old);
    await register(gateway, fresh);
    const listener = await gateway.listen();
    const ending = await dial(listener);
    const staying = await dial(listener);
    await ending.authenticate(await signToken(old.signer));
    await staying.authenticate(await signToken(fresh.signer));
    await gateway.revokeServiceAccount({ tenantId: "acme", privateKeyId: old.keyId });
    await ending.closed;
    assert.deepEqual(ending.endings, [{ code: 401, reason: "key revoked", reconnect: true }]);
    assert.equal((await staying.rpc(methods.Barge, { callSid: "x" })).fault.errorCode, 7);
    staying.close();
  });

  it("changes its certificate at the same port: calls go on, and clients that pin both hashes are let in before and after", async () => {
    await using gateway = createGateway();
    const account = await testAccount("acme");
    await register(gateway, account);
    const [first, second] = [await createCertificate(), await createCertificate()];
    const listener = await gateway.listen({ certificate: first });
    const both = [first, second].map(({ hash }) => encodeBase64(hash.value)).join(",");
    assert.equal(`${listener.certificateHash},`, both.slice(0, 45));
    await using client = new TeleQuickClient(listener.endpoint, account.account, false, both);
    const call = await client.dial({ to: "+15550100", trunkId: "main" });
    await call.answered();

    await listener.replaceCertificate(second);
    assert.equal(listener.certificateHash, both.slice(45));
    await assert.rejects(openSession(listener.endpoint, { certificateHashes: [first.hash] }), {
      code: "ERR_CONNECT_FAILED",
      message: /another SHA-256/,
    });
    // The same client with a session of its own under the new certificate; its call is still there.
    await client.renew();
    assert.equal(client.stats().session.opened >= 2, true);
    assert.equal(call.state, "answered");
    await using pinned = new TeleQuickClient(listener.endpoint, account.account, false, both);
    await pinned.connect();
    await call.hangUp();
    assert.equal((await call.ended).status, "COMPLETED");

    // A certificate with another key changes nothing.
    const { certificatePem } = await createCertificate();
    const mixed = { certificatePem, privateKeyPem: second.privateKeyPem };
    await assert.rejects(listener.replaceCertificate(mixed), (error: Error) => {
      assert.match(error.message, /certificate and its private key are not usable/);
      assert.doesNotMatch(`${error.message} ${error.cause}`, /BEGIN|MII/);
      return true;
    });
    assert.equal(listener.certificateHash, both.slice(45));
    (await openSession(listener.endpoint, { certificateHashes: [second.hash] })).close();
  });

  it("ends its sessions when it is closed, in words, and takes no more", async () => {
    const gateway = createGateway();
    await register(gateway, await testAccount("acme"));
    const listener = await gateway.listen();
    const client = await dial(listener);
    await client.authenticate(await signToken((await testAccount("acme")).signer));
    await gateway.close();
    await client.closed;
    assert.deepEqual(client.endings.map(({ code }) => code), [503]);
    const hashes = [await certificateHash(listener.certificateHash)];
    const late = openSession(listener.endpoint, {
      certificateHashes: hashes,
      connectTimeoutMs: 500,
    });
    await assert.rejects(late, { code: "ERR_CONNECT_FAILED" });
  });
});

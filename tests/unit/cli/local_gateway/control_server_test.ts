import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { askGateway, gatewayAdvice } from "../../../../src/cli/gateway_control.ts";
import { openControl } from "../../../../src/cli/local_gateway/control_server.ts";
import { askLocally } from "../../../../src/cli/local_socket.ts";
import { createGateway } from "../../../../src/gateway/mod.ts";
import { generateServiceAccount } from "../../../../src/credentials/mod.ts";
import { fakePlatform, runCli } from "../../../support/fake_platform.ts";
import { temporaryFolder } from "../../../support/folder.ts";
import { FakePanelGateway } from "../../../support/panel_gateway.ts";
import { testAccount } from "../../../support/tenant_kit.ts";

const endpoint = "https://127.0.0.1:41000";
const { platform } = fakePlatform();

/** A gateway with its control, and the credentials file beside which that lies. */
async function controlled() {
  const folder = await temporaryFolder();
  const credentials = folder.at("account.json");
  await writeFile(credentials, "{}");
  const gateway = createGateway();
  await gateway.addTrunk({ tenantId: "acme", trunkId: "main" });
  const options = {
    gateway,
    tenantId: "acme",
    credentials,
    folder: folder.path,
    endpoint,
    platform,
  };
  const control = await openControl(options);
  await control.announce("AAA=,BBB=");
  return {
    folder,
    credentials,
    control,
    options,
    gateway,
    async [Symbol.asyncDispose]() {
      await control.close();
      await gateway.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe("the control of a local gateway", () => {
  it("registers and revokes keys of its tenant, and lets calls come in", async () => {
    await using own = await controlled();
    const { publicKeyPem, keyId } = await testAccount("acme");
    const register = { action: "register", keyId, publicKeyPem } as const;
    assert.deepEqual(await askGateway(own.credentials, register, platform), { tenantId: "acme" });
    await askGateway(own.credentials, { action: "revoke", keyId }, platform);
    await assert.rejects(askGateway(own.credentials, register, platform), /was in use/);
    const callSid = crypto.randomUUID();
    const callIn = { action: "call-in", trunkId: "main", callSid } as const;
    assert.equal((await askGateway(own.credentials, callIn, platform)).sipStatus, 603);
    await assert.rejects(askGateway(own.credentials, { ...callIn, from: "x" }, platform), {
      code: "ERR_VALUE_INVALID",
    });
  });

  it("lists the last hundred faults: an answer is one line of 64 KiB", async () => {
    await using own = await controlled();
    for (let i = 0; i < 1_000; i++) {
      own.gateway.setFaults({ lossPercent: 1 }, { tenantId: "a".repeat(63), trunkId: `t${i}` });
    }
    const { faults = [] } = await askGateway(own.credentials, { action: "faults" }, platform);
    assert.equal(faults.length, 100);
    assert.equal(faults.at(-1)?.at.trunkId, "t999");
  });

  it("names the gateways that have not confirmed a revocation, as the command does", async () => {
    await using own = await controlled();
    const { account } = await generateServiceAccount({ tenantId: "acme" });
    const fake = new FakePanelGateway();
    fake.unconfirmed = ["east", "west"];
    const cluster = await openControl({
      ...own.options,
      folder: await platform.makeTemporaryFolder(),
      gateway: fake.gateway,
    });
    await cluster.announce("AAA=");
    const revoke = ["gateway", "revoke", account.privateKeyId, "--credentials", own.credentials];
    const { code, stderr } = await runCli(revoke);
    assert.equal(code, 0);
    assert.match(stderr, /Not confirmed by east, west: /);
    const [record] = (await runCli([...revoke, "--json"])).records();
    assert.deepEqual(record, {
      ...{ type: "revoked", tenantId: "acme", keyId: account.privateKeyId },
      unconfirmed: ["east", "west"],
    });
    await cluster.close();
  });

  it("is the owner's: file and socket are for this user alone, and a question needs the key of the file", async () => {
    await using own = await controlled();
    const path = `${own.credentials}.control`;
    if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o600);
    const { socket, key } = JSON.parse(await readFile(path, "utf8"));
    assert.ok(key.length >= 64);
    for (
      const question of [
        "hello",
        "null",
        "[]",
        '{"action":"ping"}',
        '{"action":"ping","key":""}',
        JSON.stringify({ action: "ping", key: key.slice(1) }),
        JSON.stringify({ action: "ping", key: [key] }),
      ]
    ) {
      const answer = await askLocally(socket, question);
      assert.match(answer!, /^\{"error":/, question);
      assert.equal(answer!.includes(key), false);
    }
    const unknown = await askLocally(socket, JSON.stringify({ action: "erase", key }));
    assert.match(unknown!, /of another version/);
  });

  it("ends connections that send too much, and goes on answering", async () => {
    await using own = await controlled();
    const { socket } = JSON.parse(await readFile(`${own.credentials}.control`, "utf8"));
    const flood = createConnection(socket);
    flood.on("error", () => {});
    const ended = new Promise<void>((resolve) => flood.on("close", () => resolve()));
    flood.write("x".repeat(200_000));
    await ended;
    // Connections that say nothing take no more than their places.
    const idle = Array.from({ length: 10 }, () => createConnection(socket).on("error", () => {}));
    assert.deepEqual(await askGateway(own.credentials, { action: "ping" }, platform), {
      tenantId: "acme",
    });
    for (const each of idle) each.destroy();
  });

  it("leaves nothing behind, and leaves the file of another gateway that took its place", async () => {
    await using own = await controlled();
    const second = await openControl({
      ...own.options,
      folder: await platform.makeTemporaryFolder(),
    });
    await second.announce("CCC=");
    await own.control.close();
    assert.equal(
      await gatewayAdvice({ ...own, endpoint, certificateHash: "CCC=" }, platform),
      undefined,
    );
    await second.close();
    assert.deepEqual(await readdir(own.folder.path), ["account.json"]);
  });
});

describe("gatewayAdvice()", () => {
  it("says whether the gateway has stopped, has moved or shows another certificate; nothing without one", async () => {
    const own = await controlled();
    const { credentials, control, folder } = own;
    const advice = (more: { endpoint?: string; certificateHash?: string } = {}) =>
      gatewayAdvice({ credentials, endpoint, certificateHash: "AAA=,BBB=", ...more }, platform);
    assert.equal(await advice(), undefined);
    assert.equal(await advice({ certificateHash: "AAA=" }), undefined);
    assert.match(
      (await advice({ certificateHash: "BBB=" }))!,
      /another certificate now: export TELEQUICK_CERTIFICATE_HASH=AAA=,BBB=/,
    );
    assert.match((await advice({ certificateHash: "" }))!, /^pin the gateway's certificate/);
    assert.match(
      (await advice({ endpoint: "https://127.0.0.1:9" }))!,
      /is at https:\/\/127\.0\.0\.1:41000 now/,
    );
    const text = await readFile(`${credentials}.control`, "utf8");
    await control.close();
    assert.equal(await advice(), undefined, "it has cleaned up: nothing is known");
    await writeFile(`${credentials}.control`, text);
    assert.match((await advice())!, /has stopped: take its exports again/);
    await writeFile(`${credentials}.control`, "damaged");
    assert.equal(await advice(), undefined);
    await own.gateway.close();
    await folder[Symbol.asyncDispose]();
  });
});

/** What a campaign can reach: its files, and its key. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { methods } from "../../src/wire/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestGateway } from "../support/tenant_kit.ts";

const campaign = { templateTrunkId: "main", templateDefaultApp: 1, callsPerSecond: 10 };

describe("G-24 campaign files", () => {
  it("G-24 follows no link out of a folder that may be read, and waits for no FIFO", async () => {
    await using folder = await temporaryFolder();
    const open = folder.at("open");
    await mkdir(`${open}/sub`, { recursive: true });
    await mkdir(folder.at("open-too"));
    const text = "to\n+15550101\n";
    for (const path of ["open/own.csv", "secret.csv", "open-too/a.csv"]) {
      await writeFile(folder.at(path), text);
    }
    await symlink(folder.at("secret.csv"), `${open}/link.csv`);
    await symlink(folder.path, `${open}/up`);
    await symlink(`${open}/own.csv`, `${open}/inside.csv`);
    execFileSync("mkfifo", [`${open}/fifo.csv`]);
    await using setup = new TestGateway({ allowFetch: [`file://${open}`] });
    const client = await setup.connect(await setup.addTenant("acme"));
    const load = async (name: string): Promise<string> => {
      const { reply, fault } = await client.rpc(methods.OriginateBulk, {
        ...campaign,
        ...{ campaignId: name.replaceAll("/", "."), csvUrl: `file://${open}/${name}` },
      });
      await setup.clock.advance(1_000);
      return fault.errorMessage || `${reply?.loadedNumbers} rows`;
    };
    assert.equal(await load("own.csv"), "1 rows");
    assert.equal(await load("inside.csv"), "1 rows");
    assert.match(await load("link.csv"), /a link leads out of the folders that can be read/);
    assert.match(await load("up/secret.csv"), /a link leads out/);
    assert.match(await load("up/open-too/a.csv"), /a link leads out/);
    assert.match(await load("fifo.csv"), /it is not a plain file/);
    assert.match(await load("sub"), /it is not a plain file/);
  });

  it("names a fetch that failed as such, not as text that is not UTF-8", async () => {
    await using setup = new TestGateway({ allowFetch: ["http://127.0.0.1:1"] });
    const client = await setup.connect(await setup.addTenant("acme"));
    const original = globalThis.fetch;
    globalThis.fetch = () => Promise.reject(new TypeError("error sending request"));
    try {
      const { fault } = await client.rpc(methods.OriginateBulk, {
        ...{ ...campaign, campaignId: "k", csvUrl: "http://127.0.0.1:1/a.csv" },
      });
      assert.deepEqual([fault.errorCode, fault.errorMessage], [6, "csv_url cannot be read"]);
    } finally {
      globalThis.fetch = original;
    }
  });
});

describe("G-18 campaigns and their key", () => {
  for (const how of ["revoked", "expired"] as const) {
    it(`G-18 dials no further row when the key is ${how}; live calls stay`, async () => {
      await using setup = new TestGateway();
      const acme = await setup.addTenant("acme");
      const { tenantId, keyId: privateKeyId, publicKeyPem } = acme;
      const other = await setup.addTenant("acme", { name: "other" });
      const client = await setup.connect(acme, { clientId: "c" });
      const rows = Array.from({ length: 100 }, () => "+15550106").join("%0A");
      const { reply } = await client.rpc(methods.OriginateBulk, {
        ...{ ...campaign, campaignId: "k", csvUrl: `data:,to%0A${rows}` },
      });
      assert.equal(reply?.loadedNumbers, 100);
      await setup.clock.advance(2_000);
      const { live, total } = setup.gateway.stats().calls;
      assert.ok(live > 5 && total < 50);
      if (how === "revoked") await setup.gateway.revokeServiceAccount({ tenantId, privateKeyId });
      else {
        const expiresAtMs = setup.clock.now() + 1;
        await setup.gateway.publishServiceAccount({
          ...{ tenantId, privateKeyId, publicKeyPem, expiresAtMs },
        });
      }
      await setup.clock.advance(5_000);
      assert.equal(setup.gateway.stats().calls.total, total);
      assert.equal(setup.gateway.stats().calls.live, live);
      const successor = await setup.connect(other);
      const { reply: list } = await successor.rpc(methods.GetActiveBuckets, {});
      assert.deepEqual(list?.buckets.filter(({ bucketId }) => bucketId === "k"), []);
    });
  }
});

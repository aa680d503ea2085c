import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { describe, it } from "node:test";
import { loadServiceAccount } from "../../mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { runCli } from "../support/fake_platform.ts";
import { temporaryFolder } from "../support/folder.ts";

describe("telequick rotate", () => {
  it("walks the five steps: a new key beside the old, in its place once taken, the old one gone once refused", async () => {
    await using folder = await temporaryFolder();
    await using gateway = createGateway();
    const { endpoint, certificateHash } = await gateway.listen();
    const path = folder.at("account.json");
    const env = {
      TELEQUICK_ENDPOINT: endpoint,
      TELEQUICK_CERTIFICATE_HASH: certificateHash,
      TELEQUICK_CREDENTIALS: path,
    };
    const rotate = (...args: string[]) => runCli(["rotate", ...args, "--json"], { env });
    const publish = async (privateKeyId: string, pem: string) =>
      await gateway.publishServiceAccount({
        tenantId: "acme",
        privateKeyId,
        publicKeyPem: await readFile(pem, "utf8"),
      });
    await runCli([
      "keygen",
      "--tenant",
      "acme",
      "--key-id",
      "old",
      "--out",
      path,
      "--public",
      folder.at("old.pem"),
    ]);
    await publish("old", folder.at("old.pem"));

    const started = await rotate("start", "--key-id", "new");
    assert.equal(started.code, 0);
    const { next, publicHalf, previousKeyId } = started.records()[0] as Record<string, string>;
    assert.equal(previousKeyId, "old");
    assert.equal((await stat(next!)).mode & 0o077, 0);
    const again = await rotate("start");
    assert.equal(again.code, 2, "a rotation that has begun is not begun again");
    assert.match(
      again.stderr,
      /exists already \(a rotation has begun: continue with telequick rotate/,
    );

    const early = await rotate("swap");
    assert.equal(early.code, 1);
    assert.match(early.stderr, /ERR_UNAUTHORIZED/);
    assert.equal((await loadServiceAccount(path)).privateKeyId, "old", "nothing was changed");

    await publish("new", publicHalf!);
    const swapped = await rotate("swap");
    assert.equal(swapped.code, 0);
    assert.equal(
      (await loadServiceAccount(path, { requirePrivateMode: true })).privateKeyId,
      "new",
    );

    const unrevoked = await rotate("finish");
    assert.equal(unrevoked.code, 1);
    assert.match(unrevoked.stderr, /NOT_REVOKED/);

    await gateway.revokeServiceAccount({ tenantId: "acme", privateKeyId: "old" });
    const finished = await rotate("finish");
    assert.equal(finished.code, 0);
    assert.deepEqual((await readdir(folder.path)).sort(), ["account.json", "old.pem"]);
    for (const { stdout, stderr } of [started, early, swapped, unrevoked, finished]) {
      assert.doesNotMatch(stdout + stderr, /BEGIN|MII|eyJ/);
    }
  });

  it("takes the id that the console gave, when it gave another", async () => {
    await using folder = await temporaryFolder();
    await using gateway = createGateway();
    const { endpoint, certificateHash } = await gateway.listen();
    const path = folder.at("account.json");
    const env = {
      TELEQUICK_ENDPOINT: endpoint,
      TELEQUICK_CERTIFICATE_HASH: certificateHash,
      TELEQUICK_CREDENTIALS: path,
    };
    await runCli(["keygen", "--tenant", "acme", "--out", path, "--public", folder.at("old.pem")]);
    await runCli(["rotate", "start"], { env });
    await gateway.publishServiceAccount({
      tenantId: "acme",
      privateKeyId: "console-7",
      publicKeyPem: await readFile(`${path}.next.pub.pem`, "utf8"),
    });
    const { code, stderr, stdout } = await runCli(["rotate", "swap", "--key-id", "console-7"], {
      env,
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^3 done here: the gateway accepts console-7/);
    assert.match(stderr, /^4 wait: {2}until 20\d\d-/m);
    assert.match(stderr, /^5 yours: revoke .* in the console/m);
    assert.equal((await loadServiceAccount(path)).privateKeyId, "console-7");
  });

  it("keeps the old key when a swap that was cut short is done again", async () => {
    await using folder = await temporaryFolder();
    await using gateway = createGateway();
    const { endpoint, certificateHash } = await gateway.listen();
    const path = folder.at("account.json");
    const env = {
      TELEQUICK_ENDPOINT: endpoint,
      TELEQUICK_CERTIFICATE_HASH: certificateHash,
      TELEQUICK_CREDENTIALS: path,
    };
    const old = ["--key-id", "old", "--out", path, "--public", folder.at("old.pem")];
    await runCli(["keygen", "--tenant", "acme", ...old]);
    await runCli(["rotate", "start", "--key-id", "new"], { env });
    await gateway.publishServiceAccount({
      tenantId: "acme",
      privateKeyId: "new",
      publicKeyPem: await readFile(`${path}.next.pub.pem`, "utf8"),
    });
    const full = new Error("the disk is gone");
    const cut = await runCli(["rotate", "swap"], {
      env,
      parts: { remove: () => Promise.reject(full) },
    });
    assert.equal(cut.code, 1);
    const { code, stderr } = await runCli(["rotate", "swap"], { env });
    assert.equal(code, 0);
    assert.match(stderr, /^5 yours: revoke old in the console/m);
    assert.equal((await loadServiceAccount(path)).privateKeyId, "new");
    assert.equal((await loadServiceAccount(`${path}.previous`)).privateKeyId, "old");
  });

  it("says what is missing when there is nothing to rotate", async () => {
    await using folder = await temporaryFolder();
    assert.equal((await runCli(["rotate", "start"])).code, 2);
    const { code, stderr } = await runCli([
      "rotate",
      "finish",
      "--credentials",
      folder.at("none.json"),
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /there is no file at .*none\.json\.previous/);
  });
});

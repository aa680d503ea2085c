import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { importSigner, importVerifyingKey, loadServiceAccount } from "../../../../mod.ts";
import { keyThumbprint } from "../../../../src/credentials/mod.ts";
import { runCli } from "../../../support/fake_platform.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/folder.ts";

function keygen(folder: TemporaryFolder, ...args: readonly string[]) {
  return runCli([
    ...["keygen", "--out", folder.at("account.json"), "--public", folder.at("public.pem")],
    ...args,
  ]);
}

describe("telequick keygen", () => {
  it("writes a service account that signs, mode 600, and its public half; prints neither", async () => {
    await using folder = await temporaryFolder();
    const { code, stdout, stderr } = await keygen(folder, "--tenant", "acme");
    assert.equal(code, 0);
    const account = await loadServiceAccount(folder.at("account.json"), {
      requirePrivateMode: true,
    });
    const { tenantId, keyId } = await importSigner(account);
    assert.equal(tenantId, "acme");
    const pem = await readFile(folder.at("public.pem"), "utf8");
    assert.equal(keyId, await keyThumbprint(await importVerifyingKey(pem)));
    assert.ok(stdout.includes(`key ${keyId}`));
    assert.doesNotMatch(stdout + stderr, /BEGIN|MII/);
    if (process.platform !== "win32") {
      assert.equal((await stat(folder.at("account.json"))).mode & 0o777, 0o600);
    }
  });

  it("takes a key id of one's own, and reports to programs where everything is", async () => {
    await using folder = await temporaryFolder();
    const { records } = await keygen(folder, "--tenant", "acme", "--key-id", "2026-11", "--json");
    assert.deepEqual(records(), [{
      type: "key",
      tenantId: "acme",
      keyId: "2026-11",
      path: folder.at("account.json"),
      publicPath: folder.at("public.pem"),
    }]);
  });

  it("replaces nothing without --force, and both files with it", async () => {
    await using folder = await temporaryFolder();
    for (const name of ["account.json", "public.pem"]) {
      await writeFile(folder.at(name), "mine");
      const { code, stderr } = await keygen(folder, "--tenant", "acme");
      assert.equal(code, 2);
      assert.match(stderr, /it exists already \(choose another path; --force replaces it\)/);
      assert.equal(await readFile(folder.at(name), "utf8"), "mine");
    }
    assert.equal((await keygen(folder, "--tenant", "acme", "--force")).code, 0);
    await importSigner(await loadServiceAccount(folder.at("account.json")));
  });

  it("writes both halves into one file in no case", async () => {
    await using folder = await temporaryFolder();
    const path = folder.at("account.json");
    await writeFile(path, "mine");
    for (const other of [path, `${folder.path}/./account.json`]) {
      const { code, stderr } = await runCli([
        ...["keygen", "--tenant", "acme", "--out", path, "--public", other, "--force"],
      ]);
      assert.equal(code, 2);
      assert.match(stderr, /--out and --public name the same file/);
      assert.equal(await readFile(path, "utf8"), "mine");
    }
  });

  it("leaves no private key behind when the public half cannot be written", async () => {
    await using folder = await temporaryFolder();
    const { code, stderr } = await keygen(folder, "--tenant", "acme", "--force").then(() =>
      runCli([
        ...["keygen", "--tenant", "acme", "--out", folder.at("other.json")],
        ...["--public", folder.at("missing/public.pem")],
      ])
    );
    assert.equal(code, 2);
    assert.match(stderr, /Cannot write .*missing.*: no such file or folder/);
    await assert.rejects(stat(folder.at("other.json")));
  });

  it("refuses names that a gateway would refuse, before a key is made", async () => {
    await using folder = await temporaryFolder();
    for (
      const args of [[], ["--tenant", "Acme"], ["--tenant", "a_b"], [
        "--tenant",
        "acme",
        "--key-id",
        "a b",
      ]]
    ) {
      const { code, stderr } = await keygen(folder, ...args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, /^error: (Option --tenant is missing|Cannot create key)/);
    }
    await assert.rejects(stat(folder.at("account.json")));
  });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { getuid } from "node:process";
import { describe, it } from "node:test";
import { loadServiceAccount } from "../../mod.ts";
import { writeFiles } from "../../src/cli/private_files.ts";
import { keyThumbprint } from "../../src/credentials/mod.ts";
import { importVerifyingKey } from "../../src/token/mod.ts";
import { runCli } from "../support/fake_platform.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";

function keygen(path: string, publicPath: string, ...more: readonly string[]) {
  const args = ["keygen", "--tenant", "acme", "--out", path, "--public", publicPath, ...more];
  return runCli(args);
}

/** Every file of a folder with its text, and nothing else. */
async function contents(folder: TemporaryFolder): Promise<Record<string, string>> {
  const names = (await readdir(folder.path)).sort();
  const files: Record<string, string> = {};
  for (const name of names) {
    if ((await stat(folder.at(name))).isFile()) {
      files[name] = await readFile(folder.at(name), "utf8");
    }
  }
  return files;
}

describe("C-18 secret files of the command line", () => {
  it("C-18 keeps the old pair whole when either new half cannot be written", async () => {
    await using folder = await temporaryFolder();
    const [path, publicPath] = [folder.at("account.json"), folder.at("public.pem")];
    assert.equal((await keygen(path, publicPath)).code, 0);
    const before = await contents(folder);
    await mkdir(folder.at("folder"));
    for (
      const [out, other] of [
        [path, folder.at("missing/public.pem")],
        [folder.at("missing/account.json"), publicPath],
        [path, folder.at("folder")],
        [folder.at("folder"), publicPath],
      ] as const
    ) {
      const { code, stderr } = await keygen(out, other, "--force");
      assert.equal(code, 2);
      assert.match(stderr, /^error: Cannot write/);
      assert.doesNotMatch(stderr, /BEGIN|MII/);
      assert.deepEqual(await contents(folder), before);
    }
    // Where the first is in place already and the second cannot be put there.
    await mkdir(folder.at("closed"));
    await writeFile(folder.at("closed/public.pem"), "theirs");
    if (getuid?.() !== 0) {
      await chmod(folder.at("closed"), 0o500);
      const { code } = await keygen(path, folder.at("closed/public.pem"), "--force");
      await chmod(folder.at("closed"), 0o700);
      assert.equal(code, 2);
      assert.deepEqual(await contents(folder), before);
    }
  });

  it("C-18 puts back what it replaced when a later file cannot be put in place", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("a"), "old a");
    await mkdir(folder.at("d"));
    // The text is read after the places were checked, and before anything is put there. A folder is what stops a rename by root too.
    const files = [
      { path: folder.at("a"), text: "new a", mode: 0o600 },
      {
        path: folder.at("b"),
        get text(): string {
          execFileSync("mkdir", ["-p", folder.at("b/x")]);
          return "new b";
        },
        mode: 0o600,
      },
    ];
    await assert.rejects(writeFiles(files, { replace: true }), /Cannot write .*\/b"/);
    assert.equal(await readFile(folder.at("a"), "utf8"), "old a");
    assert.deepEqual((await readdir(folder.path)).sort(), ["a", "b", "d"]);
  });

  it("C-18 never writes both halves into one file, however it is spelt", async () => {
    await using folder = await temporaryFolder();
    const path = folder.at("account.json");
    await writeFile(path, "mine");
    await symlink(path, folder.at("link"));
    await symlink(folder.path, folder.at("here"));
    await link(path, folder.at("second-name"));
    const missing = folder.at("missing.json");
    await symlink(missing, folder.at("dangling"));
    for (
      const [out, other] of [
        [path, `${folder.path}/../${folder.path.split("/").at(-1)}/account.json`],
        [path, folder.at("link")],
        [path, folder.at("here/account.json")],
        [path, folder.at("second-name")],
        [missing, folder.at("dangling")],
        [missing, folder.at("here/missing.json")],
      ] as const
    ) {
      const { code, stderr } = await keygen(out, other, "--force");
      assert.equal(code, 2, other);
      assert.match(stderr, /--out and --public name the same file/);
      assert.equal(await readFile(path, "utf8"), "mine");
    }
  });

  it("C-18 follows a link to its target and leaves the link, also a dangling one", async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.at("vault"));
    await symlink("vault/key.json", folder.at("account.json"));
    for (const force of [[], ["--force"]]) {
      const { code, stderr } = await keygen(
        folder.at("account.json"),
        folder.at(`public${force.length}.pem`),
        ...force,
      );
      assert.equal(code, 0, stderr);
      assert.ok((await lstat(folder.at("account.json"))).isSymbolicLink());
      assert.equal((await lstat(folder.at("vault/key.json"))).mode & 0o777, 0o600);
      const { privateKeyId } = await loadServiceAccount(folder.at("account.json"));
      const pem = await readFile(folder.at(`public${force.length}.pem`), "utf8");
      assert.equal(await keyThumbprint(await importVerifyingKey(pem)), privateKeyId);
    }
  });

  it("C-18 is not stopped by what a crash left, and follows no link with a temporary name", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("victim"), "theirs");
    for (const name of ["account.json", "public.pem"]) {
      await symlink(folder.at("victim"), folder.at(`${name}.${Deno.pid}.new`));
      await symlink(folder.at("victim"), folder.at(`${name}.new`));
    }
    const made = await keygen(folder.at("account.json"), folder.at("public.pem"), "--force");
    assert.equal(made.code, 0, made.stderr);
    assert.equal(await readFile(folder.at("victim"), "utf8"), "theirs");
    await loadServiceAccount(folder.at("account.json"));
    const left = (await readdir(folder.path)).filter((name) => /[0-9a-f]{8}-/.test(name));
    assert.deepEqual(left, []);
  });

  it("C-18 refuses what is not a plain file, and waits for no reader", async () => {
    await using folder = await temporaryFolder();
    execFileSync("mkfifo", [folder.at("fifo")]);
    const { code, stderr } = await keygen(folder.at("fifo"), folder.at("public.pem"), "--force");
    assert.equal(code, 2);
    assert.match(stderr, /fifo.*: it is not a plain file/);
    await symlink(folder.at("loop"), folder.at("loop"));
    const loop = await keygen(folder.at("loop"), folder.at("public.pem"), "--force");
    assert.match(loop.stderr, /loop/);
    assert.deepEqual(await contents(folder).catch(() => ({})), {});
  });
});

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { execPath, getuid } from "node:process";
import { describe, it } from "node:test";
import { systemClock } from "../../src/base/signal.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { formatSnapshot, type StoredKey } from "../../src/gateway/storage/state.ts";
import { temporaryFolder } from "../support/folder.ts";
import { testAccount } from "../support/tenant_kit.ts";

const program = new URL("../support/holding_gateway.ts", import.meta.url).pathname;

/** Another process with a gateway on a directory, and the first thing that it says. */
async function holder(directory: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(execPath, ["run", "-A", "--quiet", "--no-check", program, directory]);
  const said = await new Promise<string>((resolve) => {
    child.stdout!.on("data", (data: Uint8Array) => resolve(new TextDecoder().decode(data)));
    child.on("close", () => resolve("nothing"));
  });
  return { child, said: said.trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  child.kill("SIGKILL");
  await closed;
}

/** Whether a gateway gets a directory, and what it says if not. */
async function attempt(directory: string): Promise<string> {
  const gateway = createGateway({ directory });
  try {
    await gateway.ready;
    return "holds";
  } catch (error) {
    assert.equal((error as { readonly code: string }).code, "ERR_UNAVAILABLE");
    return (error as Error).message;
  } finally {
    await gateway.close();
  }
}

describe("G-29 one gateway per directory", () => {
  it("G-29 refuses the second one, and names the first", async () => {
    await using folder = await temporaryFolder();
    const first = createGateway({ directory: folder.path });
    await first.ready;
    const said = await attempt(folder.path);
    assert.match(said, /^Cannot use .*: another gateway has it \(process \d+ on \S+, /);
    assert.match(said, new RegExp(`process ${Deno.pid} on`));
    // By another spelling, and by a link.
    await symlink(folder.path, folder.at("link"));
    assert.match(await attempt(`${folder.path}/../${folder.path.split("/").at(-1)}/.`), /has it/);
    assert.match(await attempt(folder.at("link")), /has it/);
    await first.close();
    assert.equal(await attempt(folder.path), "holds");
  });

  it("G-29 leaves nothing behind when its holder is killed", async () => {
    await using folder = await temporaryFolder();
    const { child, said } = await holder(folder.path);
    try {
      assert.equal(said, "holds");
      assert.match(await attempt(folder.path), new RegExp(`process ${child.pid} on`));
    } finally {
      await kill(child);
    }
    assert.equal(await attempt(folder.path), "holds");
    assert.deepEqual((await readdir(folder.path)).filter((name) => name.startsWith(".lock")), []);
  });

  it("G-29 never has two holders, when many come at the same time and some die", async () => {
    await using folder = await temporaryFolder();
    for (let round = 0; round < 3; round++) {
      const outcomes = await Promise.all(Array.from({ length: 6 }, () => holder(folder.path)));
      try {
        const holders = outcomes.filter(({ said }) => said === "holds");
        assert.equal(holders.length, 1, outcomes.map(({ said }) => said).join("\n"));
      } finally {
        for (const { child } of outcomes) await kill(child);
      }
    }
    // The same within one process.
    const gateways = Array.from({ length: 20 }, () => createGateway({ directory: folder.path }));
    const held = await Promise.allSettled(gateways.map(({ ready }) => ready));
    assert.equal(held.filter(({ status }) => status === "fulfilled").length, 1);
    for (const gateway of gateways) await gateway.close();
  });

  it("G-29 lets the holder alone remove what is left of others, which can be about to listen", async () => {
    await using folder = await temporaryFolder();
    const left = ".lock-0123456789ab";
    const first = createGateway({ directory: folder.path });
    await first.ready;
    await writeFile(folder.at(left), "");
    assert.match(await attempt(folder.path), /has it/);
    assert.ok((await readdir(folder.path)).includes(left));
    await first.close();
    assert.equal(await attempt(folder.path), "holds");
    assert.ok(!(await readdir(folder.path)).includes(left));
  });

  it("G-29 undoes no revocation: a gateway that was refused writes nothing", async () => {
    await using folder = await temporaryFolder();
    const acme = await testAccount("acme");
    const { tenantId, keyId: privateKeyId, publicKeyPem } = acme;
    const first = createGateway({ directory: folder.path });
    await first.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
    const second = createGateway({ directory: folder.path });
    await first.revokeServiceAccount({ tenantId, privateKeyId });
    await assert.rejects(second.addTrunk({ tenantId, trunkId: "main" }), {
      code: "ERR_UNAVAILABLE",
    });
    await second.close();
    await first.close();
    assert.match(await readFile(folder.at("gateway.journal"), "utf8"), /"isRevoked":true/);
  });

  it("G-29 locks a folder whose path is longer than a socket's may be", async () => {
    await using folder = await temporaryFolder();
    const deep = folder.at(`${"a".repeat(100)}/${"b".repeat(100)}`);
    const first = createGateway({ directory: deep });
    await first.ready;
    assert.match(await attempt(deep), /another gateway has it/);
    await first.close();
    assert.equal(await attempt(deep), "holds");
  });
});

/** What a gateway says that does not start, in time. */
async function refusal(directory: string): Promise<string> {
  const start = systemClock.monotonic();
  const gateway = createGateway({ directory });
  try {
    await gateway.ready;
    return "started";
  } catch (error) {
    assert.equal((error as { readonly code: string }).code, "ERR_VALUE_INVALID");
    return (error as Error).message;
  } finally {
    await gateway.close();
    // Far more than it takes; what it must not do is wait for a writer that never comes.
    assert.ok(systemClock.monotonic() - start < 20_000);
  }
}

describe("G-30 state files", () => {
  for (const name of ["gateway.json", "gateway.journal"]) {
    it(`G-30 does not wait for, follow or take in what is not its own ${name}`, async () => {
      const make = async (prepare: (path: string) => Promise<unknown>): Promise<string> => {
        await using folder = await temporaryFolder();
        // A journal is read only beside a snapshot.
        await writeFile(
          folder.at("gateway.json"),
          formatSnapshot({ keys: [], trunks: [], used: [], isBootstrapped: false }, "g"),
          { mode: 0o600 },
        );
        if (name === "gateway.json") await Deno.remove(folder.at(name));
        await prepare(folder.at(name));
        return await refusal(folder.path);
      };
      const fifo = (path: string) => Promise.resolve(execFileSync("mkfifo", [path]));
      assert.match(await make(fifo), /: it is a FIFO, expected a plain file$/);
      assert.match(await make((path) => mkdir(path)), /: it is a folder, expected/);
      assert.match(
        await make((path) => symlink("/dev/zero", path)),
        /: it is a symbolic link, expected/,
      );
      assert.match(
        await make(async (path) => {
          await writeFile(path, "");
          await truncate(path, 2 ** 40);
        }),
        /: it has 1099511627776 bytes, expected at most/,
      );
      assert.match(
        await make(async (path) => {
          await writeFile(path, "");
          await chmod(path, 0o666);
        }),
        /: every user can write it, expected mode 600/,
      );
      if (getuid?.() === 0) {
        assert.match(
          await make(async (path) => {
            await writeFile(path, "");
            await chown(path, 12_345, 0);
          }),
          /: it belongs to user 12345, expected/,
        );
      }
    });
  }

  it("G-30 does not use a folder that every user can write", async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o777);
    assert.match(await refusal(folder.path), /every user can write it, expected mode 700/);
  });

  it("G-30 writes through no link, and is not stopped by what a crash left", async () => {
    await using folder = await temporaryFolder();
    const state = folder.at("state");
    await mkdir(state, { mode: 0o700 });
    await writeFile(folder.at("victim"), "theirs");
    await symlink(folder.at("victim"), `${state}/gateway.json.new`);
    await writeFile(`${state}/gateway.json.${crypto.randomUUID()}.new`, "half");
    const gateway = createGateway({ directory: state });
    await gateway.addTrunk({ tenantId: "acme", trunkId: "main" });
    await gateway.close();
    assert.equal(await readFile(folder.at("victim"), "utf8"), "theirs");
    assert.deepEqual((await readdir(state)).sort(), ["gateway.journal", "gateway.json"]);
  });
});

describe("G-33 very many keys", () => {
  it("G-33 starts with 200,000 keys, imports none of them, and writes one line to revoke one", async () => {
    await using folder = await temporaryFolder();
    const count = 200_000;
    const modulus = `${"x".repeat(341)}Q`;
    const keys = Array.from({ length: count }, (_, i): StoredKey => ({
      ...{ tenantId: `t${i % 50_000}`, keyId: `k${i}`, publicKey: modulus, role: "sdk" },
      thumbprint: String(i).padStart(43, "0"),
      ...{ expiresAtMs: 0, isRevoked: false, revokedAtMs: 0 },
    }));
    const state = { keys, trunks: [], used: [], isBootstrapped: false };
    await writeFile(folder.at("gateway.json"), formatSnapshot(state, "g"), { mode: 0o600 });
    let imports = 0;
    const original = SubtleCrypto.prototype.importKey;
    SubtleCrypto.prototype.importKey = function (this: SubtleCrypto, ...options: unknown[]) {
      imports++;
      return Reflect.apply(original, this, options);
    } as typeof original;
    try {
      const gateway = createGateway({ directory: folder.path });
      await gateway.ready;
      const revoke = (i: number) =>
        gateway.revokeServiceAccount({ tenantId: `t${i % 50_000}`, privateKeyId: `k${i}` });
      // The first change makes the journal.
      await revoke(0);
      const before = (await readFile(folder.at("gateway.journal"), "utf8")).length;
      await revoke(123_456);
      const after = await readFile(folder.at("gateway.journal"), "utf8");
      assert.ok(after.length - before < 1_000);
      assert.match(after, /"keyId":"k123456".*"isRevoked":true/);
      await gateway.close();
      assert.equal(imports, 0);
    } finally {
      SubtleCrypto.prototype.importKey = original;
    }
  });
});

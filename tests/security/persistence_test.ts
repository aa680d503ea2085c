import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath, getuid } from "node:process";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createGateway, type GatewayStorage } from "../../src/gateway/mod.ts";
import { Archive } from "../../src/gateway/storage/archive.ts";
import type { StoredState } from "../../src/gateway/storage/state.ts";
import { directoryStorage, type FileSystem } from "../../src/gateway/storage/directory.ts";
import { systemClock } from "../../src/base/signal.ts";
import { signToken } from "../../src/token/mod.ts";
import { createSessionPair } from "../../src/transport/mod.ts";
import { RawClient } from "../support/raw_client.ts";
import { seed } from "../support/seed.ts";
import { type TestAccount, testAccount } from "../support/tenant_kit.ts";

type Disk = Map<string, string>;

class PowerCut extends Error {}

/**
 * A disk that loses power after so many steps. A step is one byte written, one flush, one rename: after the cut nothing more happens, and of what was
 * written and not flushed any part may be there.
 */
function failingDisk(disk: Disk, steps: number): FileSystem {
  let left = steps;
  const step = (): void => {
    if (left-- <= 0) throw new PowerCut();
  };
  const missing = () => Object.assign(new Error(), { code: "ENOENT" });
  return {
    mkdir: () => Promise.resolve(),
    readFile: (path) => Promise.resolve(disk.get(path)!),
    // deno-lint-ignore require-await
    async lstat(path) {
      const text = disk.get(path);
      if (text === undefined) throw missing();
      const no = () => false;
      const kind = { isDirectory: no, isSymbolicLink: no, isFIFO: no, isSocket: no };
      return { size: text.length, mode: 0o600, uid: getuid?.() ?? 0, isFile: () => true, ...kind };
    },
    readdir: () => Promise.reject(missing()),
    realpath: (path) => Promise.resolve(path),
    // deno-lint-ignore require-await
    async rm(path) {
      step();
      disk.delete(path);
    },
    // deno-lint-ignore require-await
    async open(path, flags) {
      if (flags === "wx") {
        step();
        assert.equal(disk.has(path), false);
        disk.set(path, "");
      }
      return {
        // deno-lint-ignore require-await
        async writeFile(text) {
          for (const character of text) {
            step();
            disk.set(path, (disk.get(path) ?? "") + character);
          }
        },
        read: () => Promise.reject(missing()),
        // deno-lint-ignore require-await
        sync: async () => step(),
        close: () => Promise.resolve(),
      };
    },
    // deno-lint-ignore require-await
    async rename(from, to) {
      step();
      disk.set(to, disk.get(from)!);
      disk.delete(from);
    },
  };
}

/** What a gateway that starts on a storage finds. */
async function stateOn(storage: GatewayStorage): Promise<StoredState | undefined> {
  const archive = new Archive({ storage, snapshot: () => assert.fail(), onFailed: () => {} });
  const state = await archive.load();
  await archive.close();
  return state;
}

async function isAccepted(storage: GatewayStorage, account: TestAccount): Promise<boolean> {
  await using gateway = createGateway({ storage });
  await gateway.ready;
  const pair = createSessionPair();
  void gateway.serve(pair.incoming);
  const client = new RawClient(pair.client);
  const reply = await client.authenticate(await signToken(account.signer));
  client.close();
  return reply?.status === "OK";
}

const publication = ({ tenantId, keyId: privateKeyId, publicKeyPem }: TestAccount) => ({
  ...{ tenantId, privateKeyId, publicKeyPem },
});

describe("G-27 crash consistency", () => {
  for (const how of ["journal", "snapshot"] as const) {
    it(`G-27 leaves the old state or the new one, wherever the power is cut: ${how}`, async () => {
      const [first, second] = [
        await testAccount("acme", "first"),
        await testAccount("acme", "second"),
      ];
      const storageOn = (disk: Disk, steps: number): GatewayStorage => {
        const { append, ...storage } = directoryStorage("/state", failingDisk(disk, steps));
        return how === "journal" ? { ...storage, append: append! } : storage;
      };
      const disk: Disk = new Map();
      const gateway = createGateway({ storage: storageOn(disk, Infinity) });
      await gateway.publishServiceAccount(publication(first));
      await gateway.publishServiceAccount(publication(second));
      await gateway.addTrunk({ tenantId: "acme", trunkId: "main", sipPassword: "s" });
      await gateway.close();

      const outcomes = { old: 0, new: 0 };
      for (let steps = 0;; steps++) {
        const copy: Disk = new Map(disk);
        const dying = createGateway({ storage: storageOn(copy, steps) });
        const { tenantId, keyId: privateKeyId } = first;
        const isDone = await dying.revokeServiceAccount({ tenantId, privateKeyId })
          .then(() => true, () => false);
        const after = storageOn(copy, Infinity);
        const { keys, trunks } = (await stateOn(after))!;
        assert.deepEqual([keys.length, trunks.length], [2, 1]);
        const { isRevoked } = keys.find(({ keyId }) => keyId === privateKeyId)!;
        if (isDone) assert.ok(isRevoked, "acknowledged and lost");
        outcomes[isRevoked ? "new" : "old"]++;
        // Looked at now and then, because it verifies a token.
        if (steps % 200 === 0 || isDone) {
          assert.equal(await isAccepted(after, first), !isRevoked);
          assert.equal(await isAccepted(after, second), true);
        }
        if (isDone) break;
      }
      assert.ok(outcomes.old > 300, JSON.stringify(outcomes));
      assert.ok(outcomes.new >= 2, JSON.stringify(outcomes));
    });
  }

  it("G-27 does not start on a snapshot cut at any byte, and names it", async () => {
    const disk: Disk = new Map();
    const gateway = createGateway({ storage: directoryStorage("/s", failingDisk(disk, Infinity)) });
    await gateway.publishServiceAccount(publication(await testAccount("acme")));
    await gateway.close();
    const text = disk.get("/s/gateway.json")!;
    const start = async (broken: string): Promise<void> => {
      const storage = { read: () => Promise.resolve(broken), write: () => Promise.resolve() };
      const gateway = createGateway({ storage });
      try {
        await gateway.ready;
      } finally {
        await gateway.close();
      }
    };
    for (let length = 0; length < text.length; length++) {
      await assert.rejects(start(text.slice(0, length)), {
        code: "ERR_VALUE_INVALID",
        message: /^Cannot load gateway\.json: it is not whole( JSON)?, expected/,
      }, `${length} of ${text.length}`);
    }
    await assert.rejects(start("{}"), /it is not the state of a gateway/);
    await assert.rejects(start("[]"), /it is not whole JSON/);
    await assert.rejects(start(text.replace('"version":2', '"version":3')), /version is unknown/);
    await assert.rejects(
      start(text.replace('"isRevoked":false', '"isRevoked":0')),
      /line 2 is malformed/,
    );
    await assert.rejects(start(text.replace('"lines":1', '"lines":2')), /it is not whole/);
    await start(text);
  });

  it("G-27 starts on a journal cut at any byte with what was acknowledged before, and then writes whole", async () => {
    const disk: Disk = new Map();
    const acme = await testAccount("acme");
    const gateway = createGateway({ storage: directoryStorage("/s", failingDisk(disk, Infinity)) });
    await gateway.publishServiceAccount(publication(acme));
    for (const trunkId of ["a", "b"]) await gateway.addTrunk({ tenantId: "acme", trunkId });
    await gateway.close();
    const text = disk.get("/s/gateway.journal")!;
    const ends = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);
    assert.equal(ends.length, 3);
    for (let length = 0; length <= text.length; length += 7) {
      const copy = new Map(disk).set("/s/gateway.journal", text.slice(0, length));
      const storage = directoryStorage("/s", failingDisk(copy, Infinity));
      const trunks = ends.slice(1).filter((end) => end <= length).length;
      assert.equal((await stateOn(storage))!.trunks.length, trunks);
      const next = createGateway({ storage });
      await next.addTrunk({ tenantId: "acme", trunkId: "c" });
      await next.close();
      const state = await stateOn(directoryStorage("/s", failingDisk(copy, Infinity)));
      assert.equal(state!.trunks.length, trunks + 1);
      assert.equal(state!.keys.length, 1);
    }
    // A line that is damaged and not the last was acknowledged.
    const damaged = new Map(disk).set("/s/gateway.journal", text.replace('"a"', '"a'));
    await assert.rejects(stateOn(directoryStorage("/s", failingDisk(damaged, Infinity))), {
      message: /^Cannot load gateway\.journal: line 2 is malformed/,
    });
  });

  it("G-27 ignores a journal that is older than the snapshot, and keeps what follows", async () => {
    const disk: Disk = new Map();
    const storage = directoryStorage("/s", failingDisk(disk, Infinity));
    const gateway = createGateway({ storage });
    await gateway.addTrunk({ tenantId: "acme", trunkId: "a" });
    await gateway.addTrunk({ tenantId: "acme", trunkId: "b" });
    await gateway.close();
    const journal = disk.get("/s/gateway.journal")!;
    // As a crash leaves it between the new snapshot and the new journal.
    disk.set("/s/gateway.journal", journal.replace(/(?<="generation":")[^"]*/, "another"));
    assert.deepEqual((await stateOn(storage))!.trunks.map(({ trunk }) => trunk.trunkId), ["a"]);
    const next = createGateway({ storage });
    await next.addTrunk({ tenantId: "acme", trunkId: "c" });
    await next.close();
    const trunks = (await stateOn(storage))!.trunks.map(({ trunk }) => trunk.trunkId);
    assert.deepEqual(trunks, ["a", "c"]);
  });

  it("G-27 reads the file of version 1, and refuses what is damaged in it", async () => {
    const acme = await testAccount("acme");
    const { tenantId, keyId, publicKeyPem } = acme;
    const key = { tenantId, keyId, publicKeyPem, role: "sdk", expiresAtMs: 0, isRevoked: false };
    const state = { format: "telequick-gateway", version: 1, keys: [key], trunks: [] };
    const text = JSON.stringify({ ...state, isBootstrapped: true }, null, 1);
    const disk: Disk = new Map([["/s/gateway.json", text]]);
    const storage = directoryStorage("/s", failingDisk(disk, Infinity));
    assert.equal(await isAccepted(storage, acme), true);
    const gateway = createGateway({ storage });
    await gateway.revokeServiceAccount({ tenantId, privateKeyId: keyId });
    await gateway.close();
    assert.equal(await isAccepted(storage, acme), false);
    assert.match(disk.get("/s/gateway.json")!, /^\{"format":"telequick-gateway","version":2,/);
    assert.equal((await stateOn(storage))!.isBootstrapped, true);
    for (
      const [broken, message] of [
        [text.replace("MIIB", "MIIA"), /public key/],
        [text.replace('"trunks": []', '"trunks": [1]'), /trunks are malformed/],
        [text.replace('"isRevoked": false', '"isRevoked": 0'), /keys are malformed/],
        [text.replace('"version": 1', '"version": 3'), /version is unknown/],
        [text.replace('"isRevoked": false', '"isRevoke\\u0064": false'), /it is not whole JSON/],
      ] as const
    ) {
      const gateway = createGateway({
        storage: { read: () => Promise.resolve(broken), write: () => Promise.resolve() },
      });
      await assert.rejects(gateway.ready, message);
      await gateway.close();
    }
  });

  it("J-27 reads no member whose name has an escape, also after the parser was primed", async () => {
    const line = (name: string) =>
      `{"key":{"tenantId":"acme","keyId":"k","publicKey":"x","thumbprint":"y","role":"sdk",` +
      `"expiresAtMs":0,"isRevoked":true,"${name}":false,"revokedAtMs":0}}\n`;
    const header = '{"format":"telequick-gateway","version":2,"generation":"g","lines":1}\n';
    await fc.assert(
      fc.asyncProperty(fc.nat("isRevoked".length - 1), fc.nat(20), async (at, primings) => {
        const code = "isRevoked".charCodeAt(at).toString(16).padStart(4, "0");
        const name = `${"isRevoked".slice(0, at)}\\u${code}${"isRevoked".slice(at + 1)}`;
        for (let i = 0; i < primings; i++) JSON.parse(line(`isRevoked${"x".repeat(i)}`));
        JSON.parse(line(name));
        const storage = {
          read: () => Promise.resolve(header + line(name)),
          write: () => Promise.resolve(),
        };
        await assert.rejects(stateOn(storage), /line 2 is malformed/);
      }),
      { seed },
    );
  });

  it("G-27 refuses everything when its state is broken, instead of starting empty", async () => {
    const acme = await testAccount("acme");
    const storage = { read: () => Promise.resolve("{"), write: () => Promise.resolve() };
    const gateway = createGateway({ storage });
    const broken = { code: "ERR_VALUE_INVALID", message: /gateway\.json/ };
    await assert.rejects(gateway.publishServiceAccount(publication(acme)), broken);
    await assert.rejects(gateway.addTrunk({ tenantId: "acme", trunkId: "main" }), broken);
    await assert.rejects(gateway.listen(), broken);
    const pair = createSessionPair();
    await gateway.serve(pair.incoming);
    assert.deepEqual(await pair.client.closed, {
      closeCode: 503,
      reason: "the gateway could not load its state",
    });
    await gateway.close();
  });

  it("G-27 does not keep a key that could not be written, and keeps a revocation that could not", async () => {
    const [first, second] = [
      await testAccount("acme", "first"),
      await testAccount("acme", "second"),
    ];
    let isFull = false;
    const disk: Disk = new Map();
    const storage: GatewayStorage = {
      read: (name) => Promise.resolve(disk.get(name)),
      write: (name, text) => {
        if (isFull) return Promise.reject(new Error("disk full"));
        disk.set(name, text);
        return Promise.resolve();
      },
    };
    await using gateway = createGateway({ storage });
    await gateway.publishServiceAccount(publication(first));
    isFull = true;
    await assert.rejects(gateway.publishServiceAccount(publication(second)), /disk full/);
    const { tenantId, keyId: privateKeyId } = first;
    await assert.rejects(gateway.revokeServiceAccount({ tenantId, privateKeyId }), /disk full/);
    const tryOne = async (account: TestAccount) => {
      const pair = createSessionPair();
      void gateway.serve(pair.incoming);
      const reply = await new RawClient(pair.client).authenticate(await signToken(account.signer));
      return reply?.errorMessage;
    };
    assert.equal(await tryOne(second), "rejected");
    assert.equal(await tryOne(first), "revoked");
    isFull = false;
    // The next write takes the revocation along.
    await gateway.publishServiceAccount(publication(second));
    const { keys } = (await stateOn(storage))!;
    assert.deepEqual(keys.map(({ isRevoked }) => isRevoked), [true, false]);
  });

  it("G-27 keeps files that are its owner's alone", async () => {
    const directory = join(await mkdtemp(join(tmpdir(), "gateway-")), "state");
    try {
      const gateway = createGateway({ directory });
      await gateway.publishServiceAccount(publication(await testAccount("acme")));
      await gateway.close();
      assert.deepEqual((await readdir(directory)).sort(), ["gateway.journal", "gateway.json"]);
      assert.equal((await stat(join(directory, "gateway.journal"))).mode & 0o777, 0o600);
      assert.equal((await stat(directory)).mode & 0o777, 0o700);
      assert.equal((await stat(join(directory, "gateway.json"))).mode & 0o777, 0o600);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("G-27 accepts no revoked key after any of 20 kills", async () => {
    const directory = await mkdtemp(join(tmpdir(), "gateway-"));
    const program = new URL("../support/revoking_gateway.ts", import.meta.url).pathname;
    try {
      let acknowledged = 0;
      for (let round = 0; round < 20; round++) {
        const child = spawn(execPath, ["run", "-A", "--quiet", "--no-check", program, directory]);
        const killed = new Promise<void>((resolve) => child.on("close", () => resolve()));
        const said: string[] = [];
        const start = systemClock.monotonic();
        let isArmed = false;
        child.stdout.on("data", (data: Uint8Array) => {
          said.push(new TextDecoder().decode(data));
          if (isArmed) return;
          isArmed = true;
          // Somewhere in the writes that follow the first one.
          setTimeout(() => child.kill("SIGKILL"), (round * 13) % 80);
        });
        await killed;
        assert.ok(systemClock.monotonic() - start < 60_000);
        const revoked = said.join("").split("\n").filter((line) => line !== "");
        assert.ok(revoked.length > 0, "it died before it revoked anything");
        acknowledged += revoked.length;
        const { keys } = (await stateOn(directoryStorage(directory)))!;
        for (const keyId of revoked) {
          const key = keys.find((key) => key.keyId === keyId);
          assert.equal(key?.isRevoked, true, `${keyId} came back`);
        }
        await writeFile(join(directory, "gateway.json.new"), "half");
      }
      assert.ok(acknowledged >= 20, `${acknowledged} revocations`);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

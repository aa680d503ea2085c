import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { describe, it } from "node:test";
import { createGateway, type GatewayStorage } from "../../src/gateway/mod.ts";
import { directoryStorage, type FileSystem } from "../../src/gateway/storage/directory.ts";
import { systemClock } from "../../src/base/signal.ts";
import { signToken } from "../../src/token/mod.ts";
import { createSessionPair } from "../../src/transport/mod.ts";
import { RawClient } from "../support/raw_client.ts";
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
  return {
    mkdir: () => Promise.resolve(),
    readFile(path) {
      const text = disk.get(path);
      if (text === undefined) return Promise.reject(Object.assign(new Error(), { code: "ENOENT" }));
      return Promise.resolve(text);
    },
    // deno-lint-ignore require-await
    async open(path, flags) {
      if (flags === "w") {
        step();
        disk.set(path, "");
      }
      return {
        // deno-lint-ignore require-await
        async writeFile(text) {
          for (const character of text) {
            step();
            disk.set(path, disk.get(path) + character);
          }
        },
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
  it("G-27 leaves the old state or the new one, wherever the power is cut", async () => {
    const [first, second] = [
      await testAccount("acme", "first"),
      await testAccount("acme", "second"),
    ];
    const disk: Disk = new Map();
    const whole = directoryStorage("/state", failingDisk(disk, Infinity));
    const gateway = createGateway({ storage: whole });
    await gateway.publishServiceAccount(publication(first));
    await gateway.publishServiceAccount(publication(second));
    await gateway.addTrunk({ tenantId: "acme", trunkId: "main", sipPassword: "s" });
    await gateway.close();
    const old = disk.get("/state/gateway.json")!;

    const outcomes = { old: 0, new: 0 };
    for (let steps = 0;; steps++) {
      const copy: Disk = new Map(disk);
      const storage = directoryStorage("/state", failingDisk(copy, steps));
      const dying = createGateway({ storage });
      const { tenantId, keyId: privateKeyId } = first;
      const isDone = await dying.revokeServiceAccount({ tenantId, privateKeyId })
        .then(() => true, () => false);
      const text = copy.get("/state/gateway.json")!;
      if (text === old) {
        assert.equal(isDone, false, "acknowledged and lost");
        outcomes.old++;
      } else {
        assert.equal(JSON.parse(text).keys[0].isRevoked, true);
        outcomes.new++;
      }
      // What a restart finds is whole either way; looked at now and then, because it verifies a token.
      if (steps % 200 === 0 || isDone) {
        const after = directoryStorage("/state", failingDisk(copy, Infinity));
        assert.equal(await isAccepted(after, first), text === old);
        assert.equal(await isAccepted(after, second), true);
      }
      if (isDone) break;
    }
    assert.ok(outcomes.old > 1_000, JSON.stringify(outcomes));
    assert.ok(outcomes.new >= 2, JSON.stringify(outcomes));
  });

  it("G-27 does not start on a file cut at any byte, and names it", async () => {
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
    for (let length = 0; length < text.trimEnd().length; length++) {
      await assert.rejects(start(text.slice(0, length)), {
        code: "ERR_VALUE_INVALID",
        message: /^Cannot load gateway\.json: it is not whole JSON, expected/,
      });
    }
    await assert.rejects(start("{}"), /it is no gateway state/);
    await assert.rejects(start("[]"), /it is no gateway state/);
    await assert.rejects(start(text.replace('"version": 1', '"version": 2')), /version is unknown/);
    await assert.rejects(
      start(text.replace('"isRevoked": false', '"isRevoked": 0')),
      /keys are malformed/,
    );
    await assert.rejects(
      start(text.replace('"trunks": []', '"trunks": [1]')),
      /trunks are malformed/,
    );
    await assert.rejects(start(text.replace("MIIB", "MIIA")), { name: "TeleQuickError" });
    await start(text);
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
    assert.deepEqual(
      JSON.parse(disk.get("gateway.json")!).keys.map((key: { isRevoked: boolean }) =>
        key.isRevoked
      ),
      [true, false],
    );
  });

  it("G-27 keeps files that are its owner's alone", async () => {
    const directory = join(await mkdtemp(join(tmpdir(), "gateway-")), "state");
    try {
      const gateway = createGateway({ directory });
      await gateway.publishServiceAccount(publication(await testAccount("acme")));
      await gateway.close();
      assert.deepEqual(await readdir(directory), ["gateway.json"]);
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
        const { keys } = JSON.parse(await readFile(join(directory, "gateway.json"), "utf8"));
        for (const keyId of revoked) {
          const key = keys.find((key: { keyId: string }) => key.keyId === keyId);
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

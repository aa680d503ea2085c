import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLive } from "../../../../src/gateway/auth/key_entry.ts";
import { KeyRegistry } from "../../../../src/gateway/auth/key_registry.ts";
import { resolveLimits } from "../../../../src/gateway/limits.ts";
import type { StateChange } from "../../../../src/gateway/storage/state.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { testAccount } from "../../../support/tenant_kit.ts";

async function publication(name: string, more = {}) {
  const { tenantId, keyId, publicKeyPem } = await testAccount("acme", name);
  return { tenantId, privateKeyId: keyId, publicKeyPem, ...more };
}

function open(limits = {}) {
  const saved: StateChange[][] = [];
  const disk = { isFull: false };
  const clock = new FakeClock();
  const registry = new KeyRegistry({
    limits: resolveLimits(limits),
    clock,
    save: (changes) => {
      if (disk.isFull) return Promise.reject(new Error("The disk is full"));
      return Promise.resolve(void saved.push([...changes]));
    },
  });
  return { registry, clock, disk, saved };
}

describe("KeyRegistry where a change cannot be written", () => {
  it("forgets a new key with its tenant, and takes it the next time", async () => {
    const { registry, disk } = open({ keysPerTenant: 1 });
    const first = await publication("k0");
    disk.isFull = true;
    await assert.rejects(registry.publish(first), /The disk is full/);
    assert.deepEqual([registry.size, registry.hasTenant("acme")], [0, false]);
    assert.deepEqual(registry.stored(), []);
    disk.isFull = false;
    await registry.publish(first);
    assert.equal(registry.size, 1);
  });

  it("keeps a tenant's other keys, and counts them", async () => {
    const { registry, disk } = open({ keysPerTenant: 2 });
    await registry.publish(await publication("k0"));
    disk.isFull = true;
    await assert.rejects(registry.publish(await publication("k1")), /The disk is full/);
    assert.deepEqual([registry.size, registry.hasTenant("acme")], [1, true]);
    disk.isFull = false;
    await registry.publish(await publication("k1"));
    await assert.rejects(registry.publish(await publication("k2")), { code: "ERR_LIMIT" });
  });

  it("puts back the role and the expiry of a key, and calls what lives on it both times", async () => {
    const { registry, clock, disk } = open();
    const first = await publication("k0", { role: "admin", expiresAtMs: 7_000 });
    await registry.publish(first);
    const entry = registry.get("acme", first.privateKeyId)!;
    const seen: unknown[] = [];
    const release = registry.hold(entry, {
      keyChanged: () => seen.push([entry.role, entry.expiresAtMs]),
    });
    disk.isFull = true;
    const changed = { ...first, role: "sdk" as const, expiresAtMs: clock.now() + 9_000 };
    await assert.rejects(registry.publish(changed), /The disk is full/);
    assert.deepEqual(seen, [["sdk", clock.now() + 9_000], ["admin", 7_000]]);
    release();
    disk.isFull = false;
    await registry.publish(changed);
    assert.equal(seen.length, 2);
    assert.equal(registry.get("acme", first.privateKeyId), entry);
  });

  it("goes on publishing after a failure", async () => {
    const { registry, disk } = open();
    const [first, second] = [await publication("k0"), await publication("k1")];
    disk.isFull = true;
    const outcomes = await Promise.allSettled([first, second].map((key) => registry.publish(key)));
    assert.deepEqual(outcomes.map(({ status }) => status), ["rejected", "rejected"]);
    disk.isFull = false;
    await registry.publish(second);
    assert.equal(registry.size, 1);
  });
});

describe("KeyRegistry and what it keeps", () => {
  it("writes other changes together with a key", async () => {
    const { registry, saved } = open();
    const also: StateChange = { used: { tenantId: "acme", id: "a", untilMs: 1 } };
    await registry.publish(await publication("k0"), [also]);
    assert.equal(saved.length, 1);
    assert.deepEqual(saved[0]!.map((change) => Object.keys(change)[0]), ["key", "used"]);
    assert.deepEqual(saved[0]![1], also);
  });

  it("remembers a revocation with its time, counts it once, and never takes it back", async () => {
    const { registry, clock } = open({ keysPerTenant: 2 });
    const first = await publication("k0");
    await registry.publish(first);
    await registry.publish(await publication("k1"));
    await registry.revoke(first);
    const revokedAtMs = clock.now();
    let calls = 0;
    registry.hold(registry.get("acme", first.privateKeyId)!, { keyChanged: () => calls++ });
    await clock.advance(5_000);
    await registry.revoke(first);
    assert.equal(calls, 0);
    assert.equal(registry.get("acme", first.privateKeyId)!.revokedAtMs, revokedAtMs);
    await registry.publish(await publication("k2"));
    await assert.rejects(registry.publish(await publication("k3")), { code: "ERR_LIMIT" });
    await assert.rejects(registry.publish(first), { code: "ERR_VALUE_INVALID" });
  });

  it("refuses a key under another id, and an id with another key, of any tenant", async () => {
    const { registry } = open();
    const [first, second] = [await publication("k0"), await publication("k1")];
    await registry.publish(first);
    for (
      const taken of [
        { ...first, privateKeyId: "other" },
        { ...second, privateKeyId: first.privateKeyId },
        { ...first, tenantId: "globex" },
      ]
    ) {
      await assert.rejects(registry.publish(taken), {
        code: "ERR_VALUE_INVALID",
        message: /this private_key_id or this key is or was in use/,
      });
    }
    assert.equal(registry.size, 1);
    await registry.publish({ ...second, tenantId: "globex", privateKeyId: first.privateKeyId });
  });

  it("restores what it stored: live keys, revoked ones and their counts", async () => {
    const { registry } = open();
    const [first, second] = [await publication("k0"), await publication("k1")];
    await registry.publish(first);
    await registry.publish(second);
    await registry.revoke(first);
    const later = open({ keysPerTenant: 2, revokedKeysPerTenant: 2 });
    await later.registry.restore(registry.stored());
    assert.deepEqual(later.registry.stored(), registry.stored());
    assert.equal(later.registry.size, 2);
    await assert.rejects(later.registry.publish(first), { code: "ERR_VALUE_INVALID" });
    await later.registry.publish(await publication("k2"));
    await assert.rejects(later.registry.publish(await publication("k3")), { code: "ERR_LIMIT" });
  });

  it("restores a key that an earlier version kept as PEM", async () => {
    const { registry } = open();
    await registry.publish(await publication("k0"));
    const [stored] = registry.stored();
    const { publicKeyPem } = await publication("k0");
    const later = open().registry;
    await later.restore([{ ...stored!, publicKey: publicKeyPem, thumbprint: "" }]);
    assert.deepEqual(later.stored(), [stored]);
  });

  it("keeps no more expired keys than revoked ones beside the live ones", async () => {
    const { registry, clock } = open({ keysPerTenant: 1, revokedKeysPerTenant: 1 });
    const expiresAtMs = clock.now() + 1_000;
    await registry.publish(await publication("k0", { expiresAtMs }));
    await clock.advance(1_000);
    await registry.publish(await publication("k1", { expiresAtMs: expiresAtMs + 1_000 }));
    await clock.advance(1_000);
    await assert.rejects(registry.publish(await publication("k2")), {
      code: "ERR_LIMIT",
      message: /the tenant has 1 keys/,
    });
  });

  it("counts no key that the gateway made for another one, and forgets it with that one", async () => {
    const { registry, clock, saved } = open({ keysPerTenant: 1, revokedKeysPerTenant: 1 });
    const parent = await publication("k0");
    await registry.publish(parent);
    const { publicKeyPem } = await testAccount("acme", "issuer");
    const entry = registry.get("acme", parent.privateKeyId)!;
    await registry.addIssuer(entry, "issuer", publicKeyPem);
    assert.equal(registry.size, 2);
    const issuer = registry.get("acme", "issuer")!;
    const writes = saved.length;
    await registry.revoke({ tenantId: "acme", privateKeyId: "issuer" });
    assert.equal(saved.length, writes, "it is not on disk");
    assert.deepEqual([isLive(issuer, 0), isLive(entry, 0)], [false, true]);
    await assert.rejects(registry.publish(await publication("k1")), { code: "ERR_LIMIT" });
    await clock.advance(3_600_000);
    await registry.revoke(parent);
    await clock.advance(3_600_000);
    await registry.publish(await publication("k1"));
    assert.deepEqual(registry.stored().map(({ keyId }) => keyId), ["acme-k1"]);
    assert.equal(registry.get("acme", "issuer"), undefined);
    assert.equal(registry.size, 1);
  });
});

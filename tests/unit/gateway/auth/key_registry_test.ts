import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveLimits } from "../../../../src/gateway/limits.ts";
import { endOf, isLive } from "../../../../src/gateway/auth/key_entry.ts";
import { KeyRegistry } from "../../../../src/gateway/auth/key_registry.ts";
import type { StateChange } from "../../../../src/gateway/storage/state.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { testAccount } from "../../../support/tenant_kit.ts";

async function publication(name: string, more = {}) {
  const { tenantId, keyId, publicKeyPem } = await testAccount("acme", name);
  return { tenantId, privateKeyId: keyId, publicKeyPem, ...more };
}

function open(limits = {}) {
  const saved: StateChange[][] = [];
  const clock = new FakeClock();
  const registry = new KeyRegistry({
    limits: resolveLimits(limits),
    clock,
    save: (changes) => Promise.resolve(void saved.push([...changes])),
  });
  return { registry, clock, saved, saves: () => saved.length };
}

describe("KeyRegistry", () => {
  it("keeps several keys of a tenant, and is written for each change", async () => {
    const { registry, saves } = open();
    const first = await publication("k0");
    await registry.publish(first);
    await registry.publish(await publication("k1", { role: "admin", expiresAtMs: 5_000 }));
    await registry.publish({ ...first, role: "admin" });
    await registry.revoke(first);
    assert.equal(saves(), 4);
    assert.deepEqual(
      registry.stored().map((
        { keyId, role, expiresAtMs, isRevoked },
      ) => [keyId, role, expiresAtMs, isRevoked]),
      [["acme-k0", "admin", 0, true], ["acme-k1", "admin", 5_000, false]],
    );
    assert.equal(registry.size, 2);
    assert.deepEqual([registry.hasTenant("acme"), registry.hasTenant("globex")], [true, false]);
  });

  it("informs the sessions of a key what changed, and of no other", async () => {
    const { registry } = open();
    const [first, second] = [await publication("k0"), await publication("k1")];
    await registry.publish(first);
    await registry.publish(second);
    const reported: string[] = [];
    for (const { privateKeyId } of [first, second]) {
      registry.hold(registry.get("acme", privateKeyId)!, {
        keyChanged: () => reported.push(privateKeyId),
      });
    }
    await registry.publish({ ...first, expiresAtMs: 9_000 });
    await registry.revoke(second);
    assert.deepEqual(reported, ["acme-k0", "acme-k1"]);
  });

  it("makes a revocation hold before anything else can run", async () => {
    const { registry } = open();
    const first = await publication("k0");
    await registry.publish(first);
    const entry = registry.get("acme", first.privateKeyId)!;
    const revoked = registry.revoke(first);
    assert.equal(isLive(entry, 0), false);
    await revoked;
  });

  it("lets only one of two publications of a kid through, and a revocation of one that is on its way", async () => {
    const { registry } = open();
    const [first, second] = [await publication("k0"), await publication("k1")];
    const sameKid = { ...second, privateKeyId: first.privateKeyId };
    const outcomes = await Promise.allSettled([registry.publish(first), registry.publish(sameKid)]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const third = await publication("k2");
    const publishing = registry.publish(third);
    await Promise.resolve();
    await publishing;
    await registry.revoke(third);
    assert.equal(isLive(registry.get("acme", third.privateKeyId)!, 0), false);
  });

  it("bounds the live keys of a tenant", async () => {
    const { registry } = open({ keysPerTenant: 2 });
    const keys = await Promise.all(["k0", "k1", "k2"].map((name) => publication(name)));
    await registry.publish(keys[0]!);
    await registry.publish(keys[1]!);
    await assert.rejects(registry.publish(keys[2]!), {
      code: "ERR_LIMIT",
      message:
        "Cannot publish service account: the tenant has 2 keys, expected fewer (revoke one first)",
    });
    await registry.revoke(keys[0]!);
    await registry.publish(keys[2]!);
  });

  it("counts no key that has expired, and keeps it", async () => {
    const { registry, clock } = open({ keysPerTenant: 1, revokedKeysPerTenant: 1 });
    const soon = clock.now() + 1_000;
    const first = await publication("k0", { expiresAtMs: soon });
    await registry.publish(first);
    await assert.rejects(registry.publish(await publication("k1")), { code: "ERR_LIMIT" });
    await clock.advance(1_000);
    await registry.publish(await publication("k1"));
    await registry.publish({ ...first, expiresAtMs: soon + 5_000 });
    assert.ok(isLive(registry.get("acme", first.privateKeyId)!, clock.now()));
    await assert.rejects(registry.publish(await publication("k2")), { code: "ERR_LIMIT" });
  });

  it("G-33 bounds revoked keys: the first is forgotten, but none within an hour of its revocation", async () => {
    const { registry, clock, saved } = open({ revokedKeysPerTenant: 2 });
    const keys = await Promise.all(["k0", "k1", "k2"].map((name) => publication(name)));
    for (const key of keys.slice(0, 2)) {
      await registry.publish(key);
      await registry.revoke(key);
    }
    await assert.rejects(registry.publish(keys[2]!), {
      code: "ERR_LIMIT",
      retryable: true,
      message: /revoked 2 keys within an hour/,
    });
    await clock.advance(3_600_000);
    await registry.publish(keys[2]!);
    assert.deepEqual(saved.at(-1)!.map((change) => Object.keys(change)[0]), [
      "forgottenKey",
      "key",
    ]);
    assert.equal(registry.size, 2);
    assert.equal(registry.get("acme", keys[0]!.privateKeyId), undefined);
    assert.ok(registry.get("acme", keys[1]!.privateKeyId)!.isRevoked);
  });

  it("writes one key for one change, independent of the other keys", async () => {
    const { registry, saved } = open();
    for (const name of ["k0", "k1", "k2"]) await registry.publish(await publication(name));
    await registry.revoke(await publication("k1"));
    assert.deepEqual(saved.map((changes) => changes.length), [1, 1, 1, 1]);
  });

  it("imports a key when a token asks for it, and gives the same key again", async () => {
    const { registry } = open();
    await registry.publish(await publication("k0"));
    const stored = registry.stored();
    const { registry: later } = open();
    await later.restore(stored);
    const found: string[] = [];
    const resolve = () => later.resolve("acme", "acme-k0", ({ keyId }) => found.push(keyId));
    const first = resolve();
    assert.ok(first instanceof Promise);
    const second = resolve();
    const record = await first;
    assert.equal((await second)?.key, record?.key);
    assert.equal(resolve() instanceof Promise, false);
    assert.deepEqual([record?.tenantId, record?.role, record?.revoked], ["acme", "sdk", false]);
    assert.equal(found.length, 3);
    assert.equal(await later.resolve("acme", "none", () => assert.fail()), undefined);
    assert.equal(await later.resolve("none", "acme-k0", () => assert.fail()), undefined);
  });

  it("refuses wrong types and values, each with its name", async () => {
    const { registry } = open();
    const good = await publication("k0");
    const publish = (more: object) => registry.publish({ ...good, ...more });
    for (
      const more of [{ tenantId: 1 }, { privateKeyId: null }, { publicKeyPem: 1 }, { role: 1 }, {
        expiresAtMs: "0",
      }]
    ) {
      await assert.rejects(publish(more), TypeError, JSON.stringify(more));
    }
    for (
      const more of [{ tenantId: "A" }, { privateKeyId: "a/b" }, { role: "root" }, {
        expiresAtMs: -1,
      }, { expiresAtMs: 1.5 }]
    ) {
      await assert.rejects(publish(more), { code: "ERR_VALUE_INVALID" }, JSON.stringify(more));
    }
    await assert.rejects(registry.revoke({ tenantId: "acme", privateKeyId: "none" }), {
      code: "ERR_VALUE_INVALID",
      message: /the tenant has no key with this private_key_id/,
    });
    assert.equal(registry.size, 0);
  });

  it("ends a key that hangs on another one with it, and keeps it off the disk", async () => {
    const { registry } = open();
    const parent = await publication("k0", { role: "admin", expiresAtMs: 7_000 });
    await registry.publish(parent);
    const { publicKeyPem } = await testAccount("acme", "issuer");
    await registry.addIssuer(registry.get("acme", parent.privateKeyId)!, "issuer", publicKeyPem);
    const issuer = registry.get("acme", "issuer")!;
    assert.deepEqual([endOf(issuer), isLive(issuer, 6_999), isLive(issuer, 7_000)], [
      7_000,
      true,
      false,
    ]);
    let reported = 0;
    registry.hold(issuer, { keyChanged: () => reported++ });
    await registry.revoke(parent);
    assert.deepEqual([reported, isLive(issuer, 0)], [1, false]);
    assert.deepEqual(registry.stored().map(({ keyId }) => keyId), ["acme-k0"]);
  });
});

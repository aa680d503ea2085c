import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLive } from "../../../../src/gateway/auth/key_entry.ts";
import { KeyRegistry } from "../../../../src/gateway/auth/key_registry.ts";
import type { SharedKeyring } from "../../../../src/gateway/auth/shared_keyring.ts";
import { resolveLimits } from "../../../../src/gateway/limits.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import type { KeyAtRevision } from "../../../../src/token/shared.ts";

const CAPACITY = 10_000;

function key(n: number, more: Partial<KeyAtRevision> = {}): KeyAtRevision {
  return {
    ...{ tenantId: `t${n}`, keyId: "k", publicKey: "", thumbprint: `${n}`, role: "sdk" },
    ...{ expiresAtMs: 0, isRevoked: false, revokedAtMs: 0, revision: n + 1 },
    ...more,
  };
}

function setUp() {
  const shared = { doubt: undefined } as unknown as SharedKeyring;
  const save = () => Promise.resolve();
  return new KeyRegistry({ limits: resolveLimits(), clock: new FakeClock(), save, shared });
}

describe("KeyRegistry of shared keys", () => {
  it("holds 10,000, and drops those that were put first", () => {
    const registry = setUp();
    for (let n = 0; n < CAPACITY + 5; n++) registry.put(key(n));
    assert.equal(registry.size, CAPACITY);
    assert.equal(registry.has("t4", "k"), false);
    assert.equal(registry.has("t5", "k"), true);
  });

  it("keeps a key on which something lives, and one whose children it has", () => {
    const registry = setUp();
    registry.put(key(0));
    registry.put(key(1, { role: "admin" }));
    registry.put({ ...key(2), tenantId: "t1", keyId: "child", parent: "k" });
    const changes: string[] = [];
    const leave = registry.hold(registry.get("t0", "k")!, { keyChanged: () => changes.push("0") });
    registry.hold(registry.get("t1", "child")!, { keyChanged: () => changes.push("child") });
    for (let n = 3; n < CAPACITY * 2; n++) registry.put(key(n));
    assert.deepEqual(
      ["t0/k", "t1/k", "t1/child"].map((name) => {
        const [tenantId = "", keyId = ""] = name.split("/");
        return registry.has(tenantId, keyId);
      }),
      [true, true, true],
    );
    registry.put(key(1, { role: "admin", isRevoked: true, revision: 99_999 }));
    assert.deepEqual(changes, ["child"]);
    registry.put(key(0, { isRevoked: true, revision: 100_000 }));
    assert.deepEqual(changes, ["child", "0"]);
    leave();
  });

  it("drops no key for the first of its children", () => {
    const registry = setUp();
    for (let n = 0; n < CAPACITY; n++) registry.put(key(n));
    registry.put({ ...key(CAPACITY), tenantId: "t0", keyId: "child", parent: "k" });
    assert.equal(registry.has("t0", "k"), true);
    registry.put(key(0, { isRevoked: true, revision: 99_999 }));
    assert.equal(isLive(registry.get("t0", "child")!, 0), false);
    assert.equal(registry.has("t1", "k"), false);
  });

  it("says of an entry that was dropped that it decides nothing, and not that it is revoked", () => {
    const registry = setUp();
    registry.put(key(0));
    const entry = registry.get("t0", "k")!;
    assert.equal(registry.doubt(entry), undefined);
    for (let n = 1; n <= CAPACITY; n++) registry.put(key(n));
    assert.match(registry.doubt(entry)!, /dropped/);
    assert.equal(entry.isRevoked, false);
  });

  it("ignores what is older than what it knows", () => {
    const registry = setUp();
    registry.put(key(0, { revision: 5, isRevoked: true }));
    registry.put(key(0, { revision: 4 }));
    assert.equal(registry.get("t0", "k")!.isRevoked, true);
    // A child without its parent cannot be judged.
    registry.put(key(1, { parent: "absent" }));
    assert.equal(registry.has("t1", "k"), false);
  });

  it("ends a key whose entry cannot be read", () => {
    const registry = setUp();
    registry.put(key(0));
    const entry = registry.get("t0", "k")!;
    let changes = 0;
    registry.hold(entry, { keyChanged: () => changes++ });
    registry.drop("t0", "k");
    registry.drop("t0", "k");
    registry.drop("t1", "k");
    assert.equal(changes, 1);
    assert.equal(entry.isRevoked, true);
    assert.equal(registry.has("t0", "k"), false);
    // Repaired, it is read again.
    registry.put(key(0, { revision: 9 }));
    assert.equal(registry.get("t0", "k")!.isRevoked, false);
  });

  it("takes a revocation at any revision, and nothing takes it back", () => {
    const registry = setUp();
    registry.put(key(0, { revision: 100 }));
    registry.put(key(0, { revision: 7, isRevoked: true }));
    assert.equal(registry.get("t0", "k")!.isRevoked, true);
    registry.put(key(0, { revision: 200 }));
    assert.equal(registry.get("t0", "k")!.isRevoked, true);
  });

  it("takes keys as a store has them that was set back", () => {
    const registry = setUp();
    registry.put(key(0, { revision: 100 }));
    registry.forgetRevisions();
    registry.put(key(0, { revision: 3, role: "admin" }));
    registry.put(key(0, { revision: 2, role: "sdk" }));
    assert.equal(registry.get("t0", "k")!.role, "admin");
  });
});

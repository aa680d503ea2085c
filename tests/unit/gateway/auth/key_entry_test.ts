import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stillHolds } from "../../../../src/gateway/auth/admit.ts";
import { endOf, family, isLive, type KeyEntry } from "../../../../src/gateway/auth/key_entry.ts";
import type { Principal } from "../../../../src/gateway/auth/principal.ts";

function entry(more: Partial<KeyEntry> = {}): KeyEntry {
  return {
    ...{ tenantId: "acme", keyId: "k0", publicKey: "", thumbprint: "", role: "sdk" },
    ...{ expiresAtMs: 0, isRevoked: false, revokedAtMs: 0 },
    ...{ children: undefined, holders: undefined, revision: 0 },
    ...more,
  };
}

describe("KeyEntry", () => {
  it("ends at its own time or its parent's, whichever is first; 0 is never", () => {
    assert.equal(endOf(entry()), Infinity);
    assert.equal(endOf(entry({ expiresAtMs: 5 })), 5);
    assert.equal(endOf(entry({ expiresAtMs: 5, parent: entry({ expiresAtMs: 4 }) })), 4);
    assert.equal(endOf(entry({ expiresAtMs: 3, parent: entry({ expiresAtMs: 4 }) })), 3);
    assert.equal(endOf(entry({ parent: entry({ parent: entry({ expiresAtMs: 4 }) }) })), 4);
  });

  it("is live before its end, unless it or a parent is revoked", () => {
    assert.deepEqual([4, 5].map((now) => isLive(entry({ expiresAtMs: 5 }), now)), [true, false]);
    assert.equal(isLive(entry({ isRevoked: true }), 0), false);
    assert.equal(isLive(entry({ parent: entry({ isRevoked: true }) }), 0), false);
    assert.equal(isLive(entry({ parent: entry() }), 0), true);
  });

  it("has a family of itself and its children", () => {
    const child = entry({ keyId: "child" });
    assert.deepEqual(family(entry()).map(({ keyId }) => keyId), ["k0"]);
    assert.deepEqual(family(entry({ children: new Set([child]) })).map(({ keyId }) => keyId), [
      "k0",
      "child",
    ]);
  });

  it("stillHolds() names a revoked or expired key before an expired token", () => {
    const principal = { expiresAtMs: 10 } as Principal;
    const of = (key: KeyEntry, now: number) => stillHolds({ principal, key }, now);
    assert.equal(of(entry(), 9), undefined);
    assert.equal(of(entry(), 10), "expired");
    assert.equal(of(entry({ expiresAtMs: 9 }), 9), "revoked");
    assert.equal(of(entry({ isRevoked: true }), 10), "revoked");
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Issuers } from "../../../../src/gateway/auth/issuer.ts";
import { KeyRegistry } from "../../../../src/gateway/auth/key_registry.ts";
import { resolveLimits } from "../../../../src/gateway/limits.ts";
import { RpcRefusal } from "../../../../src/gateway/refusal.ts";
import { decodeToken } from "../../../../src/token/mod.ts";
import { ErrorCode } from "../../../../src/wire/mod.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { testAccount } from "../../../support/tenant_kit.ts";

const { tenantId, keyId: privateKeyId, publicKeyPem } = await testAccount("acme", "admin");

async function open(origins: Readonly<Record<string, string>> = {}) {
  const clock = new FakeClock();
  const registry = new KeyRegistry({
    limits: resolveLimits({}),
    clock,
    save: () => Promise.resolve(),
  });
  await registry.publish({ tenantId, privateKeyId, publicKeyPem, role: "admin" });
  const key = registry.get(tenantId, privateKeyId)!;
  return { clock, registry, key, issuers: new Issuers({ clock, registry, origins }) };
}

const good = { subject: "alice", ttlSeconds: 60, scope: "call.dial call.read" };

describe("Issuers", () => {
  it("signs what was asked for, with the key that it registers for the admin key", async () => {
    const { clock, registry, key, issuers } = await open();
    const reply = await issuers.issue(key, good);
    assert.ok(!(reply instanceof RpcRefusal));
    assert.equal(reply.expiresAtMs, clock.now() + 60_000);
    const { header, claims } = decodeToken(reply.token!);
    assert.equal(claims["sub"], "acme");
    assert.equal(claims["end_user"], "alice");
    assert.equal(claims["scope"], good.scope);
    assert.equal("origin" in claims, false);
    assert.equal(Number(claims["exp"]) * 1_000, reply.expiresAtMs);
    assert.equal(registry.get("acme", String(header["kid"]))?.parent, key);
    // The same key signs the next one.
    const next = await issuers.issue(key, { ...good, subject: "bob" });
    assert.ok(!(next instanceof RpcRefusal));
    assert.equal(decodeToken(next.token!).header["kid"], header["kid"]);
    assert.equal(registry.size, 2);
  });

  it("signs for 300 s at most, and gives a second for a second", async () => {
    const { clock, key, issuers } = await open();
    for (const [ttlSeconds, expected] of [[1, 1], [300, 300], [301, 300], [2 ** 31 - 1, 300]]) {
      const reply = await issuers.issue(key, { ...good, ttlSeconds: ttlSeconds! });
      assert.ok(!(reply instanceof RpcRefusal));
      const secondsLeft = (reply.expiresAtMs! - Math.floor(clock.now() / 1_000) * 1_000) / 1_000;
      assert.equal(secondsLeft, expected);
    }
  });

  it("pins a token to its tenant's own origin, and to none that an object inherits", async () => {
    const { key, issuers } = await open({ acme: "https://app.example" });
    const reply = await issuers.issue(key, good);
    assert.ok(!(reply instanceof RpcRefusal));
    assert.equal(decodeToken(reply.token!).claims["origin"], "https://app.example");
    const other = await open(Object.create({ acme: "https://evil.example" }));
    const inherited = await other.issuers.issue(other.key, good);
    assert.ok(!(inherited instanceof RpcRefusal));
    assert.equal("origin" in decodeToken(inherited.token!).claims, false);
  });

  it("takes each scope that a browser can have, and leaves an empty one out", async () => {
    const { key, issuers } = await open();
    const words = ["call.dial", "call.barge", "call.answer", "call.listen", "call.speak"];
    for (const scope of [...words, "call.read", "telephony:supervise"]) {
      const reply = await issuers.issue(key, { ...good, scope });
      assert.ok(!(reply instanceof RpcRefusal), scope);
      assert.equal(decodeToken(reply.token!).claims["scope"], scope);
    }
    const reply = await issuers.issue(key, { ...good, scope: "" });
    assert.ok(!(reply instanceof RpcRefusal));
    assert.equal("scope" in decodeToken(reply.token!).claims, false);
  });

  it("refuses other requests, each for its own reason, and makes no key for them", async () => {
    const { registry, key, issuers } = await open();
    for (
      const [more, message] of [
        [{ ttlSeconds: 0 }, /^ttl_seconds is less than 1$/],
        [{ ttlSeconds: -1 }, /^ttl_seconds is less than 1$/],
        [{ subject: "" }, /^subject is empty$/],
        [{ scope: "admin" }, /^scope has other words than call\.dial, .*telephony:supervise$/],
        [{ scope: "call.dial admin" }, /^scope has other words than/],
        [{ scope: "call.dial " }, /^scope has other words than/],
      ] as const
    ) {
      const reply = await issuers.issue(key, { ...good, ...more });
      assert.ok(reply instanceof RpcRefusal);
      assert.equal(reply.code, ErrorCode.ERR_VALIDATION_FAILED);
      assert.match(reply.message, message);
    }
    assert.equal(registry.size, 1);
  });

  it("tries again to make a key where that failed", async () => {
    const { registry, key, issuers } = await open();
    const addIssuer = registry.addIssuer.bind(registry);
    registry.addIssuer = () => Promise.reject(new Error("not now"));
    await assert.rejects(issuers.issue(key, good), /not now/);
    registry.addIssuer = addIssuer;
    assert.ok(!(await issuers.issue(key, good) instanceof RpcRefusal));
  });
});

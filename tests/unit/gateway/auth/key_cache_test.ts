import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exportModulus, importVerifyingKey } from "../../../../src/credentials/mod.ts";
import { KeyCache } from "../../../../src/gateway/auth/key_cache.ts";
import { testAccount } from "../../../support/tenant_kit.ts";

const { publicKeyPem } = await testAccount("acme", "k0");
const key = await importVerifyingKey(publicKeyPem);
const modulus = await exportModulus(key);

describe("KeyCache", () => {
  it("imports a key once, and gives it at once from then on", async () => {
    const cache = new KeyCache();
    const first = cache.get(modulus);
    assert.ok(first instanceof Promise);
    assert.equal(cache.get(modulus), first);
    const imported = await first;
    assert.equal(await exportModulus(imported), modulus);
    assert.equal(cache.get(modulus), imported);
  });

  it("gives a key that was added as it is", () => {
    const cache = new KeyCache();
    cache.set(modulus, key);
    assert.equal(cache.get(modulus), key);
    cache.delete(modulus);
    assert.ok(cache.get(modulus) instanceof Promise);
  });

  it("forgets a modulus that cannot be imported, so that it is tried again", async () => {
    const cache = new KeyCache();
    const first = cache.get("!");
    await assert.rejects(async () => await first);
    const second = cache.get("!");
    assert.notEqual(second, first);
    await assert.rejects(async () => await second);
  });

  it("does not bring back a key that was deleted while it was imported", async () => {
    const cache = new KeyCache();
    const first = cache.get(modulus);
    cache.delete(modulus);
    await first;
    assert.ok(cache.get(modulus) instanceof Promise);
  });

  it("drops the least recently used of more than 10,000", () => {
    const cache = new KeyCache();
    cache.set("first", key);
    cache.set(modulus, key);
    for (let i = 0; i < 9_998; i++) cache.set(`key-${i}`, key);
    assert.equal(cache.get("first"), key);
    cache.set("one more", key);
    assert.equal(cache.get("first"), key, "used since");
    assert.ok(cache.get(modulus) instanceof Promise, "dropped");
    cache.set("key-1", key);
    cache.set("one more still", key);
    assert.equal(cache.get("key-1"), key, "set again since");
  });

  it("imports something for a name without a key, once for each name", async () => {
    const original = crypto.subtle.importKey;
    let imports = 0;
    const counted = (...args: Parameters<typeof original>) => {
      imports++;
      return original.apply(crypto.subtle, args);
    };
    crypto.subtle.importKey = counted as typeof original;
    try {
      const cache = new KeyCache();
      for (const name of ["a", "a", "b"]) assert.equal(await cache.pretend(name), undefined);
    } finally {
      crypto.subtle.importKey = original;
    }
    assert.equal(imports, 2);
  });
});

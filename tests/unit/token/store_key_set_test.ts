import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exportModulus, importVerifyingKey, keyThumbprint } from "../../../src/credentials/mod.ts";
import { FakeClock } from "../../../src/testing/mod.ts";
import {
  createKeySet,
  createReplayStore,
  mintBrowserToken,
  signToken,
  type StoreKeySetOptions,
  verifyToken,
} from "../../../src/token/mod.ts";
import { formatSharedKey, KEY_KIND, keyName, type SharedKey } from "../../../src/token/shared.ts";
import { type FaultyStore, faultyStores, restored } from "../../support/faulty_store.ts";
import { type TestAccount, testAccount } from "../../support/tenant_kit.ts";

async function setUp(options: Partial<StoreKeySetOptions> = {}) {
  const clock = new FakeClock();
  const [store, gateway] = faultyStores(clock, 2) as [FaultyStore, FaultyStore];
  const keys = createKeySet({ store, clock, ...options });
  const publish = async (account: TestAccount, more: Partial<SharedKey> = {}) => {
    const { tenantId, keyId, publicKeyPem } = account;
    const key = await importVerifyingKey(publicKeyPem);
    const value = formatSharedKey({
      ...{ tenantId, keyId, role: "sdk", expiresAtMs: 0, isRevoked: false, revokedAtMs: 0 },
      publicKey: await exportModulus(key),
      thumbprint: await keyThumbprint(key),
      ...more,
    });
    const isFinal = more.isRevoked === true;
    await gateway.commit([{ kind: KEY_KIND, key: keyName(tenantId, keyId), value, isFinal }]);
  };
  const acme = await testAccount("acme");
  const verify = async (account: TestAccount = acme, token?: string) => {
    const shown = token ?? await signToken(account.signer, { now: clock.now() });
    const { resolveKey } = keys;
    return await verifyToken(shown, { resolveKey, now: clock.now() })
      .then(({ tenantId }) => tenantId, ({ code, refusal = "" }) => `${code} ${refusal}`.trim());
  };
  /** A token of a key with another key's signature. */
  const forged = async (account: TestAccount) => {
    const [head, body] = (await signToken(account.signer, { now: clock.now() })).split(".");
    return `${head}.${body}.${"A".repeat(342)}`;
  };
  return { clock, store, gateway, keys, publish, acme, verify, forged };
}

const UNAVAILABLE = "ERR_UNAVAILABLE";
const REJECTED = "ERR_TOKEN_INVALID rejected";

describe("createKeySet with a store", () => {
  it("accepts tokens of a key in the store, and reads it once", async () => {
    const { clock, store, keys, publish, acme, verify } = await setUp();
    await publish(acme);
    assert.equal(await verify(), "acme");
    const { key } = store.counts;
    assert.equal(key, 1);
    for (let i = 0; i < 20; i++) assert.equal(await verify(), "acme");
    assert.equal(store.counts.key, key);
    keys.close();
    assert.equal(clock.pending, 0);
    assert.equal(await verify(), UNAVAILABLE);
  });

  it("refuses a key's tokens once its revocation was read: at a hint, or a pull later", async () => {
    for (const isDeaf of [false, true]) {
      const { clock, store, keys, publish, acme, verify } = await setUp();
      store.isDeaf = isDeaf;
      await publish(acme);
      assert.equal(await verify(), "acme");
      await publish(acme, { isRevoked: true });
      await clock.advance(isDeaf ? 250 : 0);
      assert.equal(await verify(), "ERR_TOKEN_INVALID revoked");
      keys.close();
    }
  });

  it("remembers an unknown key until it is registered", async () => {
    const { clock, store, keys, publish, acme, verify } = await setUp();
    for (let i = 0; i < 5; i++) assert.equal(await verify(), REJECTED);
    assert.equal(store.counts.key, 1);
    await publish(acme);
    await clock.advance(0);
    assert.equal(await verify(), "acme");
    keys.close();
  });

  it("reads an unknown key once for all that ask at a time", async () => {
    const { store, keys, acme, publish, verify } = await setUp();
    await publish(acme);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => verify()));
    assert.deepEqual(new Set(outcomes), new Set(["acme"]));
    assert.equal(store.counts.key, 1);
    keys.close();
  });

  it("bounds the reads that invented key ids cause", async () => {
    const { clock, store, keys, acme, publish, verify } = await setUp();
    await publish(acme);
    assert.equal(await verify(), "acme");
    const { resolveKey } = keys;
    const before = store.counts.key;
    let refused = 0;
    for (let i = 0; i < 5_000; i++) {
      await Promise.resolve(resolveKey(`invented-${i}`, { tenantId: "acme" })).catch((error) => {
        assert.equal(error.code, UNAVAILABLE);
        refused++;
      });
    }
    assert.ok(store.counts.key - before <= 1_000, `${store.counts.key - before}`);
    // One read went to the known key.
    assert.equal(refused, 4_001);
    // A key in use is not affected.
    assert.equal(await verify(), "acme");
    await clock.advance(1_000);
    assert.equal(await resolveKey("invented-again", { tenantId: "acme" }), undefined);
    keys.close();
  });

  it("decides nothing by keys that are too old, known ids and unknown ones alike", async () => {
    const { clock, store, keys, acme, publish, verify } = await setUp({ idleMs: 600_000 });
    const other = await testAccount("other");
    await publish(acme);
    assert.equal(await verify(), "acme");
    store.state = "hangs";
    for (const seconds of [1, 10, 30, 18]) {
      await clock.advance(seconds * 1_000);
      assert.equal(await verify(), "acme");
    }
    assert.equal(keys.trust, "all");
    await clock.advance(1_000);
    for (const account of [acme, other]) {
      assert.equal(await verify(account), UNAVAILABLE);
    }
    assert.equal(keys.trust, "live sessions");
    const stop = keys.onRevoked(() => {});
    await clock.advance(240_000);
    assert.equal(keys.trust, "none");
    store.state = "answers";
    await clock.advance(2_000);
    assert.equal(await verify(), "acme");
    assert.equal(await verify(other), REJECTED);
    assert.equal(keys.trust, "all");
    stop();
    keys.close();
  });

  it("does not show by a wrong signature which ids exist, while the store does not answer", async () => {
    const { clock, store, keys, acme, publish, verify, forged } = await setUp();
    const other = await testAccount("other");
    await publish(acme);
    assert.equal(await verify(), "acme");
    store.state = "fails";
    for (const account of [acme, other]) {
      assert.equal(await verify(account, await forged(account)), UNAVAILABLE);
    }
    assert.equal(await verify(), "acme");
    store.state = "answers";
    await clock.advance(1_000);
    const before = store.counts.key;
    for (const account of [acme, other]) {
      assert.equal(await verify(account, await forged(account)), REJECTED);
    }
    assert.equal(store.counts.key - before, 2);
    // From here on both are refused without a read.
    store.state = "fails";
    for (const account of [acme, other]) {
      assert.equal(await verify(account, await forged(account)), REJECTED);
    }
    assert.equal(store.counts.key - before, 2);
    keys.close();
  });

  it("misses no revocation at any point of a look-up", async () => {
    for (const moment of ["before", "after"] as const) {
      const { clock, store, keys, publish, acme, verify } = await setUp();
      await publish(acme);
      assert.equal(await keys.resolveKey("other", { tenantId: "acme" }), undefined);
      let isFirst = true;
      store[moment] = async (method, what) => {
        if (method !== "read" || what === "" || !isFirst) return;
        isFirst = false;
        await publish(acme, { isRevoked: true });
        // The change is read before the look-up has its answer.
        await keys.refresh();
      };
      assert.equal(await verify(), "ERR_TOKEN_INVALID revoked", moment);
      await clock.advance(250);
      keys.close();
    }
  });

  it("reports revocations of all keys, and rests only where nothing waits for them", async () => {
    const { clock, keys, publish, acme, verify } = await setUp({ idleMs: 1_000 });
    const revoked: string[] = [];
    await publish(acme);
    const stop = keys.onRevoked(({ tenantId, keyId }) => revoked.push(`${tenantId} ${keyId}`));
    await clock.advance(60_000);
    await publish(acme, { isRevoked: true });
    await clock.advance(250);
    assert.deepEqual(revoked, [`acme ${acme.keyId}`]);
    stop();
    await clock.advance(2_000);
    assert.equal(clock.pending, 0);
    assert.equal(await verify(), "ERR_TOKEN_INVALID revoked");
    keys.close();
  });

  it("goes on where a listener, or onError, throws", async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => {
      errors.push((error as Error).message);
      throw new Error("onError");
    };
    const { clock, store, keys, publish, acme, verify } = await setUp({ onError });
    const others = await Promise.all(["a", "b"].map((name) => testAccount("acme", name)));
    const accounts = [acme, ...others];
    for (const account of accounts) {
      await publish(account);
      assert.equal(await verify(account), "acme");
    }
    const heard: string[] = [];
    keys.onRevoked(() => {
      throw new Error("listener");
    });
    keys.onRevoked(({ keyId }) => heard.push(keyId));
    store.isDeaf = true;
    for (const account of accounts) await publish(account, { isRevoked: true });
    await clock.advance(250);
    assert.deepEqual(heard, accounts.map(({ keyId }) => keyId));
    for (const account of accounts) {
      assert.equal(await verify(account), "ERR_TOKEN_INVALID revoked");
    }
    store.state = "fails";
    await clock.advance(250);
    store.state = "answers";
    await clock.advance(1_000);
    assert.ok(keys.ageMs < 1_000);
    assert.equal(errors.length, 4);
    keys.close();
  });

  it("catches up after a rest before it answers", async () => {
    const { clock, keys, publish, acme, verify } = await setUp({ idleMs: 1_000 });
    await publish(acme);
    assert.equal(await verify(), "acme");
    await clock.advance(2_000);
    assert.equal(clock.pending, 0);
    await publish(acme, { isRevoked: true });
    assert.equal(await verify(), "ERR_TOKEN_INVALID revoked");
    keys.close();
  });

  it("ends a gateway's own key with the admin key it was made for", async () => {
    const { clock, keys, publish, acme, verify } = await setUp();
    const admin = await testAccount("acme", "admin");
    await publish(admin, { role: "admin" });
    await publish(acme, { parent: admin.keyId });
    assert.equal(await verify(), "acme");
    const revoked: string[] = [];
    keys.onRevoked(({ keyId }) => revoked.push(keyId));
    await publish(admin, { role: "admin", isRevoked: true });
    await clock.advance(0);
    assert.equal(await verify(), "ERR_TOKEN_INVALID revoked");
    assert.deepEqual(revoked, [admin.keyId, acme.keyId]);
    keys.close();
  });

  it("accepts nothing by an entry that is not a key", async () => {
    const { clock, keys, gateway, publish, acme, verify } = await setUp();
    const name = keyName("acme", acme.keyId);
    await gateway.commit([{ kind: KEY_KIND, key: name, value: "{}" }]);
    assert.equal(await verify(), UNAVAILABLE);
    await publish(acme);
    await clock.advance(0);
    assert.equal(await verify(), "acme");
    await gateway.commit([{ kind: KEY_KIND, key: name, value: "[" }]);
    await clock.advance(0);
    assert.equal(await verify(), UNAVAILABLE);
    keys.close();
  });

  it("hears of a revocation after the store was set back", async () => {
    const { clock, store, gateway, keys, publish, acme, verify } = await setUp();
    for (let i = 0; i < 5; i++) await publish(acme);
    assert.equal(await verify(), "acme");
    store.inner = gateway.inner = await restored(store.inner, [KEY_KIND], clock);
    await clock.advance(250);
    assert.equal(await verify(), "acme");
    await publish(acme, { isRevoked: true });
    await clock.advance(250);
    assert.equal(await verify(), "ERR_TOKEN_INVALID revoked");
    keys.close();
  });

  it("reads keys anew from a store that was set back and has overtaken it, and reports that", async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push((error as Error).message);
    const { clock, store, gateway, keys, publish, acme, verify } = await setUp({ onError });
    await publish(acme);
    assert.equal(await verify(), "acme");
    store.inner = gateway.inner = await restored(store.inner, [], clock);
    const other = await testAccount("other");
    for (let i = 0; i < 5; i++) await publish(other);
    await clock.advance(250);
    assert.equal(await verify(), REJECTED);
    assert.equal(await verify(other), "other");
    assert.equal(errors.length, 1);
    assert.match(String(errors[0]), /as after a restored backup/);
    keys.close();
  });

  it("reads keys anew after a rest of which the store no longer knows what was read, without a report", async () => {
    const errors: unknown[] = [];
    const { clock, store, keys, publish, acme, verify } = await setUp({
      onError: (error) => errors.push(error),
    });
    await publish(acme);
    assert.equal(await verify(), "acme");
    await clock.advance(20_000);
    assert.equal(clock.pending, 0);
    const before = store.counts.key;
    const { inner } = store;
    let isForgotten = true;
    store.inner = {
      ...inner,
      async read(query) {
        const page = await inner.read(query);
        if (query.mark === undefined || !isForgotten) return page;
        isForgotten = false;
        return { ...page, isSetBack: true, isMarkForgotten: true };
      },
    };
    assert.equal(await verify(), "acme");
    assert.equal(isForgotten, false);
    assert.equal(store.counts.key, before + 1);
    assert.deepEqual(errors, []);
    keys.close();
  });

  it("puts nothing into the cache that was read before the store was set back", async () => {
    const { clock, store, gateway, keys, publish, acme, verify } = await setUp();
    for (let i = 0; i < 5; i++) await publish(acme);
    assert.equal(await keys.resolveKey("other", { tenantId: "acme" }), undefined);
    const older = await restored(store.inner, [KEY_KIND], clock);
    let isFirst = true;
    store.after = async (method, what) => {
      if (method !== "read" || what === "" || !isFirst) return;
      isFirst = false;
      store.inner = gateway.inner = older;
      await publish(acme, { isRevoked: true });
      await keys.refresh();
    };
    assert.equal(await verify(), "ERR_TOKEN_INVALID revoked");
    keys.close();
  });

  it("rejects options of the wrong type and out of range", () => {
    assert.throws(() => createKeySet({ store: 1 } as never), /store is a number, expected/);
    const [store] = faultyStores(new FakeClock(), 1) as [FaultyStore];
    for (const name of ["admitStaleMs", "sessionStaleMs", "pullMs", "timeoutMs", "idleMs"]) {
      assert.throws(() => createKeySet({ store, [name]: 0 }), { code: "ERR_VALUE_INVALID" });
    }
  });
});

describe("verifyToken() and a key's confirm", () => {
  it("awaits it before a wrong signature is refused, and for nothing else", async () => {
    const acme = await testAccount("acme");
    const key = await importVerifyingKey(acme.publicKeyPem);
    const token = await signToken(acme.signer, { now: 1_800_000_000_000 });
    const forged = `${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(342)}`;
    let asked = 0;
    const verify = async (shown: string, fails: boolean) => {
      const confirm = async () => {
        asked++;
        if (fails) throw new Error("away");
        await Promise.resolve();
      };
      return await verifyToken(shown, {
        resolveKey: () => ({ tenantId: "acme", key, confirm }),
        now: 1_800_000_000_000,
      }).then(() => "accepted", (error) => error.code);
    };
    assert.equal(await verify(token, true), "accepted");
    assert.equal(asked, 0);
    assert.equal(await verify(forged, true), UNAVAILABLE);
    assert.equal(await verify(forged, false), "ERR_TOKEN_INVALID");
    assert.equal(asked, 2);
  });
});

describe("createReplayStore with a store", () => {
  it("accepts a token at one of two verifiers, and once", async () => {
    const clock = new FakeClock();
    const views = faultyStores(clock, 2);
    const acme = await testAccount("acme");
    const key = await importVerifyingKey(acme.publicKeyPem);
    const verifiers = views.map((store) => {
      const replay = createReplayStore({ store, clock });
      return (token: string) =>
        verifyToken(token, {
          resolveKey: () => ({ tenantId: "acme", key }),
          ...{ replay, now: clock.now() },
        }).then(() => "accepted", (error) => error.code as string);
    });
    for (let i = 0; i < 10; i++) {
      const token = await mintBrowserToken(acme.signer, { now: clock.now(), jti: `${i}` });
      const outcomes = await Promise.all([0, 1, 0].map((n) => verifiers[n]!(token)));
      assert.equal(outcomes.filter((outcome) => outcome === "accepted").length, 1);
    }
    const token = await mintBrowserToken(acme.signer, { now: clock.now(), jti: "lost" });
    views[0]!.state = "fails";
    assert.equal(await verifiers[0]!(token), UNAVAILABLE);
    views[0]!.state = "hangs";
    const asked = verifiers[0]!(token);
    await clock.advance(2_000);
    assert.equal(await asked, UNAVAILABLE);
    assert.equal(await verifiers[1]!(token), "accepted");
  });

  it("accepts a token once at verifiers whose clocks are up to five minutes apart", async () => {
    const clock = new FakeClock();
    const views = faultyStores(clock, 2);
    const acme = await testAccount("acme");
    const key = await importVerifyingKey(acme.publicKeyPem);
    const accepts = (store: FaultyStore, token: string, aheadMs: number) =>
      verifyToken(token, {
        resolveKey: () => ({ tenantId: "acme", key }),
        replay: createReplayStore({ store, clock }),
        ...{ oneTime: true, clockToleranceSeconds: 60, now: clock.now() + aheadMs },
      }).then(() => "accepted", ({ message }) => message as string);
    const token = await signToken(acme.signer, { now: clock.now(), lifetimeSeconds: 3_600 });
    await clock.advance(3_200_000);
    const [first, second] = views as [FaultyStore, FaultyStore];
    assert.equal(await accepts(first, token, 200_000), "accepted");
    // The last moment at which the second one, 100 s behind, takes it for a live one.
    await clock.advance(559_000);
    assert.match(await accepts(second, token, -100_000), /used before/);
    await clock.advance(1_000);
    assert.match(await accepts(second, token, -100_000), /exp has passed/);
  });

  it("keeps no token and no jti in the store", async () => {
    const clock = new FakeClock();
    const [store] = faultyStores(clock, 1) as [FaultyStore];
    const seen: string[] = [];
    const claim = store.claim;
    store.claim = (...asked) => {
      seen.push(asked.join(" "));
      return claim(...asked);
    };
    const replay = createReplayStore({ store, clock });
    assert.equal(await replay.claim("acme the-jti", clock.now() + 1_000, clock.now()), true);
    assert.equal(await replay.claim("acme the-jti", clock.now() + 1_000, clock.now()), false);
    assert.equal(seen.length, 2);
    assert.ok(!seen.join().includes("the-jti"));
    // As long as a token can live by any verifier's clock.
    await clock.advance(680_000);
    assert.equal(await replay.claim("acme the-jti", clock.now() + 1_000, clock.now()), false);
    assert.throws(() => createReplayStore({ store: {} } as never), /store is an object/);
  });
});

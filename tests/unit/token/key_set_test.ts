import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createKeySet, type KeySetOptions, type PublishedKey } from "../../../src/token/key_set.ts";
import { FakeClock } from "../../../src/testing/mod.ts";
import { acme, evil, forge, NOW, outcome, verifier } from "../../support/tokens.ts";

const acmeKey: PublishedKey = {
  tenantId: acme.id,
  keyId: acme.keyId,
  publicKeyPem: acme.made.publicKeyPem,
};
const evilKey: PublishedKey = {
  tenantId: evil.id,
  keyId: evil.keyId,
  publicKeyPem: evil.made.publicKeyPem,
};

/** A store whose answer a test sets, and that counts its reads. */
function store(keys: readonly PublishedKey[]) {
  const made = {
    keys,
    reads: 0,
    failure: undefined as Error | undefined,
    read: async (): Promise<readonly PublishedKey[]> => {
      made.reads++;
      await undefined;
      if (made.failure !== undefined) throw made.failure;
      return made.keys;
    },
  };
  return made;
}

function setOf(source: { read: KeySetOptions["read"] }, options: Partial<KeySetOptions> = {}) {
  const clock = new FakeClock(NOW * 1000);
  const set = createKeySet({ read: source.read, clock, ...options });
  const ask = (tenantId = acme.id, keyId = acme.keyId) => set.resolveKey(keyId, { tenantId });
  return { clock, set, ask };
}

async function messageOf(answer: unknown): Promise<string> {
  try {
    return `${await answer}`;
  } catch (error) {
    return (error as Error).message;
  }
}

const unavailable = { code: "ERR_UNAVAILABLE", retryable: true, refusal: undefined };

describe("createKeySet()", () => {
  it("KeySet.resolveKey() serves verifyToken, by tenant and key id", async () => {
    const source = store([acmeKey, { ...evilKey, keyId: acme.keyId }]);
    const { set, ask } = setOf(source);
    assert.equal(await outcome(forge(), { ...verifier, resolveKey: set.resolveKey }), "accepted");
    assert.equal((await ask(evil.id))?.tenantId, evil.id);
    assert.notEqual((await ask(evil.id))?.key, (await ask())?.key);
    assert.equal(await ask("another"), undefined);
    assert.equal(source.reads, 1);
  });

  it("KeySet.resolveKey() hands on role, revocation and expiry", async () => {
    const more = { role: "admin", revoked: true, expiresAtMs: 7 } as const;
    const { key: _, ...record } = (await setOf(store([{ ...acmeKey, ...more }])).ask())!;
    assert.deepEqual(record, { tenantId: acme.id, ...more });
  });

  it("KeySet.resolveKey() reads once for all that wait", async () => {
    const source = store([acmeKey]);
    const { ask } = setOf(source);
    await Promise.all(Array.from({ length: 50 }, () => ask()));
    assert.equal(source.reads, 1);
  });

  it("KeySet.resolveKey() reads again in the background, and answers meanwhile from what it has", async () => {
    const source = store([acmeKey]);
    const { ask, clock } = setOf(source, { maxStaleMs: 10_000, refreshMs: 2_000 });
    const first = await ask();
    await clock.advance(1_999);
    await ask();
    assert.equal(source.reads, 1);
    await clock.advance(1);
    source.keys = [{ ...acmeKey, revoked: true }];
    assert.equal((await ask())?.revoked, undefined);
    assert.equal(source.reads, 2);
    const second = await ask();
    assert.equal(second?.revoked, true);
    assert.equal(second?.key, first?.key);
    assert.equal(clock.pending, 0);
  });

  it("KeySet.resolveKey() finds a key that was just registered, and reads once in 5 s for unknown ids", async () => {
    const source = store([acmeKey]);
    const { ask, clock } = setOf(source, { maxStaleMs: 60_000, refreshMs: 60_000 });
    await ask();
    await clock.advance(5_000);
    source.keys = [acmeKey, evilKey];
    const [found] = await Promise.all([
      ask(evil.id, evil.keyId),
      ...Array.from({ length: 100 }, (_, i) => ask(acme.id, `invented-${i}`)),
    ]);
    assert.equal(found?.tenantId, evil.id);
    assert.equal(source.reads, 2);
    for (let i = 0; i < 100; i++) await ask(acme.id, `invented-${i}`);
    await clock.advance(4_999);
    await ask(acme.id, "invented");
    assert.equal(source.reads, 2);
    await clock.advance(1);
    await ask(acme.id, "invented");
    assert.equal(source.reads, 3);
  });

  it("KeySet.resolveKey() goes on with young keys when a read fails, for unknown ids as for known ones", async () => {
    const errors: unknown[] = [];
    const source = store([acmeKey]);
    const { ask, clock } = setOf(source, {
      maxStaleMs: 60_000,
      refreshMs: 1_000,
      onError: (error) => errors.push(error),
    });
    await ask();
    source.failure = new Error("the store is away");
    await clock.advance(10_000);
    assert.equal((await ask())?.tenantId, acme.id);
    assert.equal(await ask(acme.id, "unknown"), undefined);
    assert.ok(errors.length >= 1 && errors.every((error) => error === source.failure));
  });

  it("KeySet.resolveKey() goes on where onError throws or rejects", async () => {
    let told = 0;
    const outcomes: (() => void)[] = [
      () => {
        throw new Error("onError");
      },
      () => Promise.reject(new Error("onError")),
    ];
    for (const outcome of outcomes) {
      const source = store([acmeKey]);
      const { ask, set } = setOf(source, {
        onError() {
          told++;
          return outcome();
        },
      });
      source.failure = new Error("the store is away");
      const cause = source.failure;
      await assert.rejects(async () => await ask(), { ...unavailable, cause });
      await assert.rejects(set.refresh(), { ...unavailable, cause });
      source.failure = undefined;
      assert.equal((await ask())?.tenantId, acme.id);
    }
    assert.equal(told, 4);
  });

  it("KeySet.resolveKey() decides nothing by keys that are too old, known and unknown ids alike", async () => {
    const source = store([acmeKey]);
    const { ask, clock, set } = setOf(source, { maxStaleMs: 10_000 });
    source.failure = new Error("the store is away");
    await assert.rejects(async () => await ask(), { ...unavailable, cause: source.failure });
    source.failure = undefined;
    await ask();
    source.failure = new Error("the store is away again");
    await clock.advance(10_000);
    const known = await messageOf(ask());
    const unknown = await messageOf(ask(acme.id, "unknown"));
    assert.equal(known, unknown);
    assert.match(String(known), /^Cannot verify token now: the keys could not be read/);
    await assert.rejects(
      outcome(forge(), { ...verifier, resolveKey: set.resolveKey }),
      unavailable,
    );
    source.failure = undefined;
    assert.equal((await ask())?.tenantId, acme.id);
  });

  it("KeySet.resolveKey() waits for a read that hangs no longer than timeoutMs, then starts another", async () => {
    let reads = 0;
    let isBroken = true;
    const read = () => {
      reads++;
      return isBroken ? new Promise<never>(() => {}) : [acmeKey];
    };
    const { ask, clock } = setOf({ read }, { timeoutMs: 3_000 });
    const wait = assert.rejects(async () => await ask(), unavailable);
    await clock.advance(3_000);
    await wait;
    isBroken = false;
    assert.equal((await ask())?.tenantId, acme.id);
    assert.equal(reads, 2);
    assert.equal(clock.pending, 0);
  });

  it("KeySet.refresh() takes a revocation over at once, and rejects when the keys cannot be read", async () => {
    const source = store([acmeKey]);
    const { ask, set } = setOf(source);
    await set.refresh();
    source.keys = [{ ...acmeKey, revoked: true }];
    await set.refresh();
    assert.equal((await ask())?.revoked, true);
    source.failure = new Error("the store is away");
    await assert.rejects(set.refresh(), unavailable);
  });

  it("KeySet.refresh() waits for a read that began after it was called", async () => {
    const source = store([acmeKey]);
    const { ask, set } = setOf(source);
    const early = set.refresh();
    source.keys = [{ ...acmeKey, revoked: true }];
    const late = [set.refresh(), set.refresh()];
    source.keys = [{ ...acmeKey, revoked: true, expiresAtMs: 5 }];
    await Promise.all([early, ...late]);
    assert.equal((await ask())?.expiresAtMs, 5);
    assert.equal(source.reads, 2);
  });

  it("KeySet refuses what was read whole when a part of it is malformed, and keeps what it has", async () => {
    const source = store([acmeKey]);
    const { ask, set } = setOf(source);
    await ask();
    const malformed: readonly unknown[] = [
      undefined,
      null,
      {},
      [null],
      [{}],
      [{ ...acmeKey, tenantId: "Acme" }],
      [{ ...acmeKey, keyId: "a b" }],
      [{ ...acmeKey, publicKeyPem: 1 }],
      [{ ...acmeKey, role: "root" }],
      [{ ...acmeKey, expiresAtMs: "0" }],
      [{ ...acmeKey, expiresAtMs: -1 }],
      [acmeKey, acmeKey],
    ];
    for (const keys of malformed) {
      source.keys = keys as readonly PublishedKey[];
      await assert.rejects(set.refresh(), (error: Error) => {
        assert.match(String(error.cause), /Cannot read keys: (read returned|key [0-9] )/);
        return true;
      });
      assert.equal((await ask())?.tenantId, acme.id);
    }
  });

  it("KeySet.resolveKey() rejects for a key that cannot be imported", async () => {
    const { set } = setOf(store([{ ...acmeKey, publicKeyPem: "damaged" }]));
    await assert.rejects(
      outcome(forge(), { ...verifier, resolveKey: set.resolveKey }),
      unavailable,
    );
  });

  it("createKeySet() names the argument that is wrong", () => {
    for (const read of [undefined, null, {}, "keys.json"]) {
      assert.throws(() => createKeySet({ read } as unknown as KeySetOptions), {
        name: "TypeError",
        message: /^Cannot create key set: read is .*, expected a function that returns keys$/,
      });
    }
    const cases: readonly (readonly [Partial<KeySetOptions>, string])[] = [
      [{ maxStaleMs: 0 }, "maxStaleMs is 0"],
      [{ maxStaleMs: NaN }, "maxStaleMs is NaN"],
      [{ timeoutMs: -1 }, "timeoutMs is -1"],
      [{ refreshMs: 2, maxStaleMs: 1 }, "refreshMs is 2"],
    ];
    for (const [options, found] of cases) {
      assert.throws(() => createKeySet({ read: () => [], ...options }), {
        code: "ERR_VALUE_INVALID",
        message: new RegExp(`^Cannot create key set: ${found}, expected a number of milliseconds`),
      });
    }
  });
});

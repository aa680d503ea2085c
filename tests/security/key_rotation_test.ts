import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { importSigner, importVerifyingKey } from "../../src/credentials/mod.ts";
import { signToken } from "../../src/token/sign.ts";
import type { KeyRecord } from "../../src/token/policy.ts";
import { pem } from "../support/openssl.ts";
import { seed } from "../support/seed.ts";
import {
  acme,
  claims,
  evil,
  forge,
  header,
  NOW,
  outcome,
  segment,
  signSegments,
  verifier,
} from "../support/tokens.ts";

describe("keys that come and go", () => {
  it("J-23 old and new key side by side, then the old one revoked, ended, or replaced under its id", async () => {
    const tokens = [forge(), forge({ ...header, kid: "acme-2" }, claims, evil.privateKey)];
    const keys = new Map<string, KeyRecord>();
    const options = { ...verifier, resolveKey: (keyId: string) => keys.get(keyId) };
    const outcomes = (): Promise<string[]> =>
      Promise.all(tokens.map((token) => outcome(token, options)));
    assert.deepEqual(await outcomes(), ["kid is unknown", "kid is unknown"]);
    keys.set("acme-1", { tenantId: "acme", key: acme.verifying });
    assert.deepEqual(await outcomes(), ["accepted", "kid is unknown"]);
    keys.set("acme-2", { tenantId: "acme", key: evil.verifying });
    assert.deepEqual(await outcomes(), ["accepted", "accepted"]);
    keys.set("acme-1", { tenantId: "acme", key: acme.verifying, revoked: true });
    assert.deepEqual(await outcomes(), ["key is revoked or has expired", "accepted"]);
    keys.set("acme-1", { tenantId: "acme", key: evil.verifying });
    assert.deepEqual(await outcomes(), ["signature is wrong", "accepted"]);
    keys.set("acme-1", { tenantId: "acme", key: acme.verifying, expiresAtMs: NOW * 1000 });
    assert.deepEqual(await outcomes(), ["key is revoked or has expired", "accepted"]);
    keys.set("acme-1", { tenantId: "evil", key: acme.verifying });
    assert.deepEqual(await outcomes(), ["sub is not the tenant of the key", "accepted"]);
  });

  it("J-23 any order of publishing, revoking, replacing, ending and waiting: 10,000 sequences against a model", async () => {
    const owners = [acme, evil];
    const keyIds = ["k0", "k1"];
    const tokens = owners.map((owner) =>
      keyIds.map((kid) => forge({ ...header, kid }, { ...claims, exp: NOW + 8 }, owner.privateKey))
    );
    const step = fc.oneof(
      fc.record({
        type: fc.constant("publish" as const),
        keyId: fc.nat(1),
        owner: fc.nat(1),
        ends: fc.nat(9),
      }),
      fc.record({ type: fc.constant("revoke" as const), keyId: fc.nat(1) }),
      fc.record({ type: fc.constant("wait" as const), seconds: fc.nat(4) }),
      fc.record({ type: fc.constant("present" as const), keyId: fc.nat(1), owner: fc.nat(1) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const registry = new Map<string, KeyRecord>();
        const model = new Map<number, { owner: number; revoked: boolean; ends: number }>();
        let now = NOW;
        const options = { now: () => now * 1000, resolveKey: (id: string) => registry.get(id) };
        for (const each of steps) {
          if (each.type === "wait") now += each.seconds;
          if (each.type === "publish") {
            const { owner, ends } = each;
            const end = ends === 0 ? 0 : NOW + ends;
            registry.set(keyIds[each.keyId]!, {
              tenantId: "acme",
              key: owners[owner]!.verifying,
              expiresAtMs: end * 1000,
            });
            model.set(each.keyId, { owner, revoked: false, ends: end || Infinity });
          }
          if (each.type === "revoke") {
            const record = registry.get(keyIds[each.keyId]!);
            if (record !== undefined) {
              registry.set(keyIds[each.keyId]!, { ...record, revoked: true });
            }
            const entry = model.get(each.keyId);
            if (entry !== undefined) entry.revoked = true;
          }
          if (each.type === "present") {
            const entry = model.get(each.keyId);
            const expected = entry === undefined
              ? "kid is unknown"
              : entry.owner !== each.owner
              ? "signature is wrong"
              : now >= NOW + 8
              ? "exp has passed"
              : entry.revoked || now >= entry.ends
              ? "key is revoked or has expired"
              : "accepted";
            assert.equal(await outcome(tokens[each.owner]![each.keyId]!, options), expected);
          }
        }
      }),
      { seed, numRuns: 10_000 },
    );
  });

  it("J-24 nothing about one token is remembered for another", async () => {
    const good = forge();
    const [first = "", second = "", third = ""] = good.split(".");
    assert.equal(await outcome(good), "accepted");
    const otherSignature = forge(header, claims, evil.privateKey).split(".")[2]!;
    assert.equal(await outcome(`${first}.${second}.${otherSignature}`), "signature is wrong");
    const otherPayload = segment({ ...claims, sub: "evil" });
    assert.equal(await outcome(`${first}.${otherPayload}.${third}`), "signature is wrong");
    const otherHeader = segment({ ...header, kid: evil.keyId });
    assert.equal(await outcome(`${otherHeader}.${second}.${third}`), "signature is wrong");
    // A header that was once seen before a good signature opens nothing: the key and its state are asked for every time.
    assert.equal(
      await outcome(good, { ...verifier, resolveKey: () => undefined }),
      "kid is unknown",
    );
    assert.equal(await outcome(good, { ...verifier, now: claims.exp * 1000 }), "exp has passed");
    const revoked = { tenantId: acme.id, key: acme.verifying, revoked: true };
    assert.equal(
      await outcome(good, { ...verifier, resolveKey: () => revoked }),
      "key is revoked or has expired",
    );
    assert.equal(await outcome(good), "accepted");
  });

  it("J-24 headers beyond any number are distinguished", async () => {
    const record = { tenantId: acme.id, key: acme.verifying };
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 200; i++) {
        const asked: string[] = [];
        const options = { ...verifier, resolveKey: (keyId: string) => (asked.push(keyId), record) };
        const head = segment({ ...header, kid: `k${i}` });
        assert.equal(await outcome(signSegments(head, segment(claims)), options), "accepted");
        assert.deepEqual(asked, [`k${i}`]);
      }
    }
  });

  it("J-25 an unknown kid, a bad signature and a revoked key cost one verification of the same size each", async () => {
    const large = await importVerifyingKey(pem.publicHalf(pem.rsa(4096)));
    const signer = await importSigner({
      tenantId: "acme",
      privateKeyId: "acme-1",
      privateKey: pem.rsa(4096),
    });
    const largeToken = await signToken(signer, { now: NOW * 1000 });
    const resolve = (record: KeyRecord | undefined) => ({ ...verifier, resolveKey: () => record });
    const small = { tenantId: "acme", key: acme.verifying };
    const big = { tenantId: "acme", key: large };
    const good = forge();
    const bad = forge(header, claims, evil.privateKey);
    const badLarge = `${largeToken.slice(0, -8)}AAAAAAAA`;
    const cases: readonly (readonly [string, KeyRecord | undefined, string, number])[] = [
      [good, small, "accepted", 256],
      [good, { ...small, revoked: true }, "key is revoked or has expired", 256],
      [good, undefined, "kid is unknown", 256],
      [bad, small, "signature is wrong", 256],
      [bad, undefined, "kid is unknown", 256],
      // The size of the key that an id stands for must not show either.
      [good, big, "signature is wrong", 256],
      [largeToken, big, "accepted", 512],
      [badLarge, big, "signature is wrong", 512],
      [largeToken, small, "signature is wrong", 512],
      [largeToken, undefined, "kid is unknown", 512],
    ];
    for (const [token, record, expected, bytes] of cases) {
      const { result, sizes } = await watchVerify(() => outcome(token, resolve(record)));
      assert.equal(result, expected);
      assert.deepEqual(sizes, [bytes], `${expected} with ${bytes} bytes`);
    }
  });

  it("J-25 no answer about the key that stands in counts, not even a yes", async () => {
    const { subtle } = crypto;
    Object.defineProperty(subtle, "verify", {
      configurable: true,
      value: () => Promise.resolve(true),
    });
    try {
      const unknown = { ...verifier, resolveKey: () => undefined };
      assert.equal(await outcome(forge(), unknown), "kid is unknown");
      const longer = `${forge().split(".", 2).join(".")}.${segment(new Uint8Array(512))}`;
      assert.equal(await outcome(longer), "signature is wrong");
      assert.equal(await outcome(forge()), "accepted");
    } finally {
      Reflect.deleteProperty(subtle, "verify");
    }
  });
});

/** Runs something and returns the modulus sizes, in bytes, of all signatures that were verified meanwhile. */
async function watchVerify<T>(run: () => Promise<T>): Promise<{ result: T; sizes: number[] }> {
  const { subtle } = crypto;
  const sizes: number[] = [];
  Object.defineProperty(subtle, "verify", {
    configurable: true,
    value(...args: Parameters<SubtleCrypto["verify"]>) {
      sizes.push((args[1].algorithm as RsaKeyAlgorithm).modulusLength / 8);
      return SubtleCrypto.prototype.verify.apply(subtle, args);
    },
  });
  try {
    return { result: await run(), sizes };
  } finally {
    Reflect.deleteProperty(subtle, "verify");
  }
}

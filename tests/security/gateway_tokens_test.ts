import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import type { GatewayLogRecord, GatewayOptions } from "../../src/gateway/mod.ts";
import { mintBrowserToken, signToken } from "../../src/token/mod.ts";
import { methods } from "../../src/wire/mod.ts";
import { FakeClock, settle } from "../../src/testing/mod.ts";
import { QuickClock } from "../support/quick_clock.ts";
import { hostileTokens } from "../support/hostile_tokens.ts";
import { seed } from "../support/seed.ts";
import { testAccount, TestGateway } from "../support/tenant_kit.ts";
import { acme, claims, evil, forge, header, NOW } from "../support/tokens.ts";

const REASONS = new Set(["expired", "not yet valid", "lifetime", "revoked", "rejected"]);

interface Door extends AsyncDisposable {
  readonly setup: TestGateway;
  readonly records: GatewayLogRecord[];
  /** Presents a token: `OK`, or what the peer receives. */
  knock(token: string): Promise<string>;
}

/** A gateway at the tokens' own time, with both tenants' keys. */
async function openDoor(options: GatewayOptions = {}): Promise<Door> {
  const records: GatewayLogRecord[] = [];
  const clock = new FakeClock(NOW * 1_000);
  const setup = new TestGateway({ ...options, clock, log: (record) => void records.push(record) });
  for (const { id: tenantId, keyId: privateKeyId, made: { publicKeyPem } } of [acme, evil]) {
    await setup.gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  }
  return {
    setup,
    records,
    async knock(token) {
      const client = setup.dial();
      const reply = await client.authenticate(token);
      if (reply?.status === "OK") client.close();
      return reply?.status === "OK" ? "OK" : reply?.errorMessage ?? "";
    },
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  };
}

describe("J-01 to J-26 at the gateway", () => {
  it("J-01, J-02, J-03, J-05, J-06, J-07, J-08, J-18, J-19 refuses every hostile token, and accepts a valid one after each", async () => {
    await using door = await openDoor();
    const { setup, records, knock } = door;
    const good = forge();
    for (const { name, token } of hostileTokens) {
      records.length = 0;
      const client = setup.dial();
      const reply = await client.authenticate(token).catch(() => undefined);
      assert.equal(reply?.status, "ERROR", name);
      assert.deepEqual([reply?.errorCode, reply?.tenantId, reply?.expiresAtMs], [7, "", 0], name);
      assert.ok(REASONS.has(reply!.errorMessage), name);
      const late = await client.rpc(methods.Barge, { callSid: "x" });
      assert.equal(late.bytes.length, 0, name);
      await setup.clock.advance(250);
      assert.deepEqual(client.closeInfo, { closeCode: 401, reason: reply!.errorMessage }, name);
      // The owner reads why, and the token stays hidden, nor what it claimed.
      const refusals = records.filter(({ event }) => event === "session.refused");
      assert.equal(refusals.length, 1, name);
      const record = JSON.stringify(refusals);
      for (const part of token.split(".")) {
        if (part.length > 8) assert.ok(!JSON.stringify(records).includes(part), name);
      }
      assert.doesNotMatch(record, /acme|telequick-sdk/, name);
      assert.equal(await knock(good), "OK", `after ${name}`);
      setup.clock.jump(-250);
    }
    const { refused, accepted } = setup.gateway.stats().sessions;
    const total = Object.values(refused).reduce((sum, count) => sum + count);
    assert.deepEqual([total, accepted], [hostileTokens.length, hostileTokens.length]);
  });

  it("J-04, J-20 looks key ids up in nothing but its registry", async () => {
    await using door = await openDoor();
    const hostile = [
      "__proto__",
      "constructor",
      "toString",
      "hasOwnProperty",
      "evil-1",
      "..",
      "a".repeat(128),
    ];
    for (const kid of hostile) {
      assert.equal(await door.knock(forge({ ...header, kid })), "rejected", kid);
    }
    assert.equal((({}) as { admin?: unknown }).admin, undefined);
    assert.deepEqual(Object.keys(Object.prototype), []);
  });

  it("J-09 reads no token over 4,096 characters", async () => {
    await using door = await openDoor();
    for (const length of [4_097, 8_000, 100_000]) {
      assert.equal(await door.knock("x".repeat(length)), "rejected", String(length));
    }
  });

  it("J-13, J-14 distinguishes expired, not yet valid and lifetime apart at the second", async () => {
    await using door = await openDoor();
    const at = (iat: number, exp: number, more = {}) =>
      door.knock(forge(header, { ...claims, iat: NOW + iat, exp: NOW + exp, ...more }));
    assert.equal(await at(-60, 1), "OK");
    assert.equal(await at(-60, 0), "expired");
    assert.equal(await at(-60, -1), "expired");
    assert.equal(await at(30, 60), "OK");
    assert.equal(await at(31, 60), "not yet valid");
    assert.equal(await at(0, 60, { nbf: NOW + 31 }), "not yet valid");
    assert.equal(await at(0, 3_600), "OK");
    assert.equal(await at(0, 3_601), "lifetime");
    assert.equal(await at(0, 300, { scope: "call.dial" }), "OK");
    assert.equal(await at(0, 301, { scope: "call.dial" }), "lifetime");
  });

  it("J-15 takes a token with a jti once, at any gateway session, and others for as long as they live", async () => {
    await using door = await openDoor();
    const once = await mintBrowserToken(acme.signer, { now: NOW * 1_000, jti: "once" });
    assert.deepEqual([await door.knock(once), await door.knock(once)], ["OK", "rejected"]);
    const [one, two] = await Promise.all(
      [0, 1].map(async () =>
        door.knock(
          await mintBrowserToken(acme.signer, {
            now: NOW * 1_000,
            jti: "race",
          }),
        )
      ),
    );
    assert.deepEqual([one, two].sort(), ["OK", "rejected"]);
    const many = forge();
    assert.deepEqual([await door.knock(many), await door.knock(many)], ["OK", "OK"]);
  });

  it("J-15 remembers a bounded number of single-use tokens, and forgets the dead", async () => {
    await using door = await openDoor({ limits: { usedTokens: 3 } });
    const mint = (jti: string) =>
      mintBrowserToken(acme.signer, { now: door.setup.clock.now(), jti, lifetimeSeconds: 60 });
    for (const jti of ["a", "b", "c"]) assert.equal(await door.knock(await mint(jti)), "OK");
    assert.equal(await door.knock(await mint("d")), "rejected");
    // Remembered for as long as any such token can live, also when the wall clock is set meanwhile.
    await door.setup.clock.advance(390_000);
    assert.equal(await door.knock(await mint("e")), "OK");
  });

  it("J-15 remembers each tenant's by itself: one that uses up its room leaves another's untouched", async () => {
    await using door = await openDoor({ limits: { usedTokens: 1 } });
    const mint = (account: typeof acme, jti: string) =>
      mintBrowserToken(account.signer, { now: door.setup.clock.now(), jti });
    assert.equal(await door.knock(await mint(acme, "a")), "OK");
    assert.equal(await door.knock(await mint(acme, "b")), "rejected");
    assert.equal(await door.knock(await mint(evil, "a")), "OK");
    assert.equal(await door.knock(await mint(evil, "a")), "rejected");
  });

  it("J-16 binds a token to the tenant of the key that signed it", async () => {
    await using door = await openDoor();
    const crossed = [
      forge(header, { ...claims, sub: "evil" }),
      forge({ ...header, kid: evil.keyId }, claims),
      forge({ ...header, kid: evil.keyId }, { ...claims, sub: "evil" }),
      forge(header, claims, evil.privateKey),
    ];
    for (const token of crossed) assert.equal(await door.knock(token), "rejected");
    const client = door.setup.dial();
    const theirs = forge(
      { ...header, kid: evil.keyId },
      { ...claims, sub: "evil" },
      evil.privateKey,
    );
    assert.equal((await client.authenticate(theirs))?.tenantId, "evil");
  });

  it("J-16 keeps the same key id of two tenants apart", async () => {
    await using door = await openDoor();
    const { publicKeyPem, signer } = await testAccount("globex", "twin");
    await door.setup.gateway.publishServiceAccount({
      tenantId: "globex",
      privateKeyId: "acme-1",
      publicKeyPem,
    });
    const twin = await signToken({ ...signer, keyId: "acme-1" }, { now: NOW * 1_000 });
    const client = door.setup.dial();
    assert.equal((await client.authenticate(twin))?.tenantId, "globex");
    assert.equal(await door.knock(forge()), "OK");
    await door.setup.gateway.revokeServiceAccount({ tenantId: "globex", privateKeyId: "acme-1" });
    assert.equal(await door.knock(twin), "revoked");
    assert.equal(await door.knock(forge()), "OK");
  });

  it("J-17 compares the audience as it is configured", async () => {
    const aud = "https://gateway.example";
    const withAud = forge(header, { ...claims, aud });
    const outcomes = async (options: GatewayOptions) => {
      await using door = await openDoor(options);
      return [await door.knock(forge()), await door.knock(withAud)];
    };
    assert.deepEqual(await outcomes({}), ["OK", "rejected"]);
    assert.deepEqual(await outcomes({ audience: aud }), ["OK", "OK"]);
    assert.deepEqual(await outcomes({ audience: aud, requireAudience: true }), ["rejected", "OK"]);
    assert.deepEqual(await outcomes({ audience: `${aud}/` }), ["OK", "rejected"]);
  });

  it("J-22 registers no key that verifies nothing, or anything, and never repeats what it was given", async () => {
    await using door = await openDoor();
    const pem = (type: "rsa" | "ec", options: object) =>
      generateKeyPairSync(type as "rsa", options as { modulusLength: number }).publicKey
        .export({ type: "spki", format: "pem" }).toString();
    const bad: Record<string, string> = {
      "1024 bits": pem("rsa", { modulusLength: 1_024 }),
      "e = 3": pem("rsa", { modulusLength: 2_048, publicExponent: 3 }),
      "EC": pem("ec", { namedCurve: "P-256" }),
      "private": acme.made.account.privateKey,
      "two": acme.made.publicKeyPem + evil.made.publicKeyPem,
      "JSON": JSON.stringify(createPublicKey(acme.made.publicKeyPem).export({ format: "jwk" })),
      "empty": "",
      "cut": acme.made.publicKeyPem.slice(0, 200),
    };
    for (const [name, publicKeyPem] of Object.entries(bad)) {
      const options = { tenantId: "acme", privateKeyId: "new", publicKeyPem };
      await assert.rejects(door.setup.gateway.publishServiceAccount(options), (error: Error) => {
        assert.equal(error.name, "TeleQuickError", name);
        for (const line of publicKeyPem.split("\n")) {
          if (line.length > 40) assert.ok(!error.message.includes(line.slice(5, 40)), name);
        }
        return true;
      }, name);
    }
    const taken = { tenantId: "other", privateKeyId: "x", publicKeyPem: acme.made.publicKeyPem };
    await assert.rejects(door.setup.gateway.publishServiceAccount(taken), /is or was in use/);
    for (const tenantId of ["Acme", "acme ", "\u0430cme", "", "a_b", "-a", "a".repeat(64)]) {
      const options = { tenantId, privateKeyId: "x", publicKeyPem: evil.made.publicKeyPem };
      await assert.rejects(
        door.setup.gateway.publishServiceAccount(options),
        /tenantId is malformed/,
      );
    }
  });

  it("J-23 follows a model of publishing, revoking and expiring in any order, in 150 sequences", async () => {
    const accounts = await Promise.all(["k0", "k1", "k2"].map((name) => testAccount("acme", name)));
    const now = new FakeClock().now();
    const tokens = await Promise.all(accounts.map(({ signer }) => signToken(signer, { now })));
    const action = fc.oneof(
      fc.tuple(fc.constant("publish" as const), fc.nat(2), fc.constantFrom(0, 500, 5_000)),
      fc.tuple(fc.constant("revoke" as const), fc.nat(2), fc.constant(0)),
      fc.tuple(fc.constant("wait" as const), fc.constant(0), fc.constantFrom(400, 600, 5_000)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 10 }), async (actions) => {
        await using setup = new TestGateway({ clock: new QuickClock() });
        const model = accounts.map(() => ({ published: false, revoked: false, endsAt: 0 }));
        for (const [what, which, ms] of actions) {
          const { keyId: privateKeyId, publicKeyPem } = accounts[which]!;
          const key = model[which]!;
          const id = { tenantId: "acme", privateKeyId };
          if (what === "wait") await setup.clock.advance(ms);
          else if (what === "publish") {
            const expiresAtMs = ms === 0 ? 0 : setup.clock.now() + ms;
            const done = setup.gateway.publishServiceAccount({ ...id, publicKeyPem, expiresAtMs });
            if (key.revoked) await assert.rejects(done);
            else {
              await done;
              Object.assign(key, { published: true, endsAt: expiresAtMs });
            }
          } else if (key.published) {
            await setup.gateway.revokeServiceAccount(id);
            key.revoked = true;
          } else await assert.rejects(setup.gateway.revokeServiceAccount(id));
          for (const [i, token] of tokens.entries()) {
            const { published, revoked, endsAt } = model[i]!;
            const isOver = revoked || (endsAt !== 0 && setup.clock.now() >= endsAt);
            const client = setup.dial();
            const reply = await client.authenticate(token);
            const outcome = reply?.status === "OK" ? "OK" : reply?.errorMessage;
            assert.equal(outcome, !published ? "rejected" : isOver ? "revoked" : "OK");
            client.close();
          }
        }
      }),
      { seed, numRuns: 150 },
    );
  });

  it("J-24 caches no verdict: what was accepted once is verified again, and refused when its time has come", async () => {
    await using door = await openDoor();
    const good = forge();
    const [first, second, third] = good.split(".");
    assert.equal(await door.knock(good), "OK");
    const other = forge(header, { ...claims, x: 1 }).split(".")[2];
    assert.equal(await door.knock(`${first}.${second}.${other}`), "rejected");
    assert.equal(await door.knock(`${first}.${second}.${third}`), "OK");
    await door.setup.clock.advance(3_600_000);
    assert.equal(await door.knock(good), "expired");
    door.setup.clock.jump(-3_600_000);
    assert.equal(await door.knock(good), "OK");
    await door.setup.gateway.revokeServiceAccount({ tenantId: "acme", privateKeyId: acme.keyId });
    assert.equal(await door.knock(good), "revoked");
  });

  it("J-25 says the same of an unknown key, an unknown tenant and a bad signature", async () => {
    await using door = await openDoor();
    const outsider = await testAccount("other");
    const unknownTenant = await signToken(outsider.signer, { now: NOW * 1_000 });
    const replies = new Set<string>();
    for (
      const token of [
        unknownTenant,
        forge({ ...header, kid: "unknown" }),
        forge(header, claims, evil.privateKey),
      ]
    ) {
      const client = door.setup.dial();
      const { bytes } = await client.rpc(methods.Authenticate, { token });
      replies.add(String(bytes));
    }
    assert.equal(replies.size, 1);
    // A revoked key shows only to who holds it.
    await door.setup.gateway.revokeServiceAccount({ tenantId: "acme", privateKeyId: acme.keyId });
    assert.equal(await door.knock(forge(header, claims, evil.privateKey)), "rejected");
    assert.equal(await door.knock(forge()), "revoked");
    await settle();
  });
});

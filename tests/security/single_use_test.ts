/** A token with a `jti` is taken once: at any door, also when the clock is set, and after a restart. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { UsedTokens } from "../../src/gateway/auth/used_tokens.ts";
import { resolveLimits } from "../../src/gateway/limits.ts";
import type { StateChange } from "../../src/gateway/storage/state.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { mintBrowserToken } from "../../src/token/mod.ts";
import { methods, SupervisionMode } from "../../src/wire/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { seed } from "../support/seed.ts";
import { type TestAccount, TestGateway } from "../support/tenant_kit.ts";

function mint(setup: TestGateway, account: TestAccount, jti = "once"): Promise<string> {
  return mintBrowserToken(account.signer, {
    ...{ now: setup.clock.now(), jti, endUser: "alice" },
    scope: ["telephony:supervise"],
  });
}

async function present(setup: TestGateway, token: string): Promise<string | undefined> {
  const reply = await setup.dial().authenticate(token);
  return reply?.status === "OK" ? "OK" : reply?.errorMessage;
}

/** Tokens of one tenant, and what was written of them. */
function store(clock: FakeClock, fails: () => boolean = () => false) {
  const saved: StateChange[] = [];
  const tokens = new UsedTokens({
    clock,
    limits: resolveLimits({ usedTokens: 100 }),
    save(changes) {
      if (fails()) return Promise.reject(new Error("disk full"));
      saved.push(...changes);
      return Promise.resolve();
    },
  });
  const claim = async (id: string, lifeMs = 300_000) =>
    await tokens.of("acme").claim(id, clock.now() + lifeMs, clock.now());
  return { tokens, saved, claim };
}

describe("J-29 single use", () => {
  it("J-29 is one for sign-in and supervision, in either order", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const service = await setup.connect(acme, { clientId: "service" });
    const call = { trunkId: "main", to: "+15550106", callSid: "c", clientId: "service" };
    await service.rpc(methods.Originate, { ...call, defaultApp: 1 });
    await setup.clock.advance(2_000);
    const mode = SupervisionMode.MONITOR;
    const used = await mint(setup, acme, "signed-in");
    assert.equal(await present(setup, used), "OK");
    assert.equal(await present(setup, used), "rejected");
    const supervisor = await setup.connect(acme, { clientId: "supervisor" });
    const ask = (authToken: string) =>
      supervisor.rpc(methods.SuperviseSubscribe, { callSid: "c", mode, authToken });
    const refused = await ask(used);
    assert.equal(refused.fault.errorMessage, "auth_token is not accepted");
    const fresh = await mint(setup, acme, "supervised");
    const accepted = ask(fresh);
    await setup.clock.advance(200);
    assert.equal(await present(setup, fresh), "rejected");
    await service.rpc(methods.Terminate, { callSid: "c" });
    await setup.clock.advance(200);
    assert.equal((await accepted).reply?.status, "OK");
  });

  it("J-29 survives a restart with a directory", async () => {
    await using folder = await temporaryFolder();
    const clock = new FakeClock();
    let token = "";
    {
      await using setup = new TestGateway({ clock, directory: folder.path });
      const acme = await setup.addTenant("acme");
      token = await mint(setup, acme);
      assert.equal(await present(setup, token), "OK");
    }
    await using setup = new TestGateway({ clock, directory: folder.path });
    assert.equal(await present(setup, token), "rejected");
    await clock.advance(400_000);
    await using later = new TestGateway({ clock, directory: `${folder.path}/other` });
    await later.gateway.ready;
  });

  it("J-29 holds when the clock was ahead for a moment, or steps in any way", async () => {
    const clock = new FakeClock();
    const { claim } = store(clock);
    assert.equal(await claim("a"), true);
    clock.jump(3_600_000);
    assert.equal(await claim("b", 10_000), true);
    clock.jump(-3_600_000);
    assert.equal(await claim("a"), false);

    const step = fc.oneof(
      fc.record({ claim: fc.nat(5) }),
      fc.record({ advance: fc.integer({ min: 0, max: 200_000 }) }),
      fc.record({ set: fc.integer({ min: -4_000_000, max: 4_000_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = new FakeClock();
        const { claim } = store(clock);
        const usedAt = new Map<number, number>();
        for (const each of steps) {
          if ("advance" in each) await clock.advance(each.advance);
          else if ("set" in each) clock.jump(each.set);
          else if (await claim(String(each.claim))) {
            const before = usedAt.get(each.claim);
            // By the clock that cannot be set, the token's life is over.
            assert.ok(before === undefined || clock.monotonic() - before >= 300_000);
            usedAt.set(each.claim, clock.monotonic());
          }
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it("J-29 forgets what has expired, and is bounded", async () => {
    const clock = new FakeClock();
    const { claim, tokens } = store(clock);
    for (let i = 0; i < 100; i++) assert.equal(await claim(`${i}`), true);
    assert.equal(await claim("one too many"), false);
    assert.equal(await tokens.of("globex").claim("0", clock.now() + 1, clock.now()), true);
    await clock.advance(390_000);
    assert.equal(await claim("one too many"), true);
    assert.equal(tokens.stored().filter(({ tenantId }) => tenantId === "acme").length, 1);
  });

  it("J-29 neither accepts nor uses up a token whose use cannot be written", async () => {
    let isFull = true;
    const { claim, saved } = store(new FakeClock(), () => isFull);
    await assert.rejects(claim("a"), /disk full/);
    isFull = false;
    assert.equal(await claim("a"), true);
    assert.equal(await claim("a"), false);
    assert.equal(saved.length, 1);
  });

  it("J-29 answers that it cannot tell now, retryable, when a use cannot be written", async () => {
    let isFull = false;
    await using setup = new TestGateway({
      storage: {
        read: () => Promise.resolve(undefined),
        write: () => isFull ? Promise.reject(new Error("disk full")) : Promise.resolve(),
      },
    });
    const acme = await setup.addTenant("acme");
    const token = await mint(setup, acme);
    isFull = true;
    const reply = await setup.dial().authenticate(token);
    assert.deepEqual([reply?.status, reply?.errorCode], ["ERROR", 3]);
    isFull = false;
    assert.equal(await present(setup, token), "OK");
  });
});

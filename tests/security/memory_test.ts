import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { methods } from "../../src/wire/mod.ts";
import { settle } from "../../src/testing/mod.ts";
import { usedHeap } from "../support/gc.ts";
import { QuickClock } from "../support/quick_clock.ts";
import { TestGateway } from "../support/tenant_kit.ts";

const dial = { trunkId: "main", to: "+15550101", defaultApp: 1 } as const;

describe("memory", () => {
  it("leaves the heap where it was after 10,000 sessions, accepted, refused, lost and cut", async () => {
    await using setup = new TestGateway({ clock: new QuickClock() });
    const acme = await setup.addTenant("acme");
    const token = await setup.token(acme);
    const session = async (number: number): Promise<void> => {
      const { client, pair } = setup.dialPair();
      setup.served.length = 0;
      const reply = await client.authenticate(number % 5 === 0 ? "x" : token);
      if (reply?.status === "OK") {
        await client.rpc(methods.StreamEvents, { clientId: `c${number}` });
        if (number % 100 === 1) {
          await client.rpc(methods.Originate, { ...dial, clientId: `c${number}` });
        }
        const uplink = await client.openAudio();
        await uplink.send({ callSid: "other", codec: "PCMU" });
      }
      if (number % 3 === 0) pair.sever();
      else client.close();
      if (number % 50 === 0) await setup.clock.advance(1_000);
    };
    // The runtime's own caches fill first.
    for (let i = 0; i < 2_000; i++) await session(i);
    await setup.clock.advance(10_000);
    const before = await usedHeap();
    for (let i = 0; i < 10_000; i++) await session(i);
    await setup.clock.advance(10_000);
    await settle();
    const after = await usedHeap();
    const { sessions, calls } = setup.gateway.stats();
    assert.deepEqual([sessions.open, sessions.pending, calls.live], [0, 0, 0]);
    assert.equal(setup.clock.pending, 0);
    const growth = after / before - 1;
    assert.ok(growth < 0.1, `the heap grew by ${(growth * 100).toFixed(1)} % from ${before} bytes`);
  });

  it("leaves no timer, no stream and no promise of a session behind, however it ends", async () => {
    const ways: Record<string, (setup: TestGateway) => Promise<void>> = {
      "closed by the client": async (setup) => {
        (await setup.connect(await setup.addTenant("acme"), { clientId: "c" })).close();
      },
      "lost": async (setup) => {
        const { client, pair } = setup.dialPair();
        await client.authenticate(await setup.token(await setup.addTenant("acme")));
        await client.open();
        await client.openAudio();
        pair.sever();
      },
      "lost in the handshake": async (setup) => {
        const { client, pair } = setup.dialPair();
        const writer = (await client.open()).writable.getWriter();
        await writer.write(new Uint8Array(9));
        await settle();
        pair.sever();
        writer.closed.catch(() => {});
      },
      "refused": async (setup) => {
        await setup.dial().authenticate("x");
        await setup.clock.advance(250);
      },
      "refused, and gone before the grace is over": async (setup) => {
        const client = setup.dial();
        await client.authenticate("x");
        client.close();
      },
      "silent": async (setup) => {
        setup.dial();
        await setup.clock.advance(5_250);
      },
      "revoked in the middle of everything": async (setup) => {
        const acme = await setup.addTenant("acme");
        const client = await setup.connect(acme, { clientId: "c" });
        const writer = (await client.open()).writable.getWriter();
        writer.closed.catch(() => {});
        await writer.write(new Uint8Array(3));
        await client.openAudio();
        await setup.gateway.revokeServiceAccount({ tenantId: "acme", privateKeyId: acme.keyId });
        await setup.clock.advance(250);
      },
    };
    for (const [name, way] of Object.entries(ways)) {
      await using setup = new TestGateway();
      await way(setup);
      await settle();
      await Promise.all(setup.served);
      assert.equal(setup.clock.pending, 0, name);
    }
  });
});

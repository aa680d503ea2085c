import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type AudioLink, type Call, generateServiceAccount, TeleQuickClient } from "../../mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { FakeClock } from "../../src/testing/mod.ts";

const tenantId = "acme";

/** Runs the clock in small steps, with turns for the network in between, until something is so. */
async function until(clock: FakeClock, stepMs: number, isSo: () => boolean): Promise<void> {
  for (let step = 0; step < 20_000; step++) {
    if (isSo()) return;
    await clock.advance(stepMs);
    await setImmediate();
  }
  throw new Error(`not so after ${20_000 * stepMs} ms of the clock`);
}

/** Whether every call is heard: a frame of its own goes out and comes back. */
async function assertTalking(
  clock: FakeClock,
  links: readonly AudioLink[],
  mark: number,
): Promise<void> {
  await Promise.all(links.map(async (link, i) => {
    const writer = link.writable.getWriter();
    const reader = link.readable.getReader();
    const written = writer.write(new Uint8Array(160).fill(mark + i));
    const echo = reader.read();
    let isBack = false;
    void echo.then(() => isBack = true);
    await until(clock, 20, () => isBack);
    await written;
    const { value } = await echo;
    assert.deepEqual([value?.payload.length, value?.payload[0]], [160, mark + i]);
    writer.releaseLock();
    reader.releaseLock();
  }));
}

describe("key rotation over QUIC", () => {
  it("walks the five steps of the product's page with calls up throughout", async () => {
    const clock = new FakeClock(Date.now());
    const folder = await mkdtemp(join(tmpdir(), "rotation-"));
    const file = join(folder, "service-account.json");
    const gateway = createGateway({ clock });
    try {
      const old = await generateServiceAccount({ tenantId });
      await writeFile(file, old.json, { mode: 0o600 });
      await gateway.publishServiceAccount({
        ...{ tenantId, privateKeyId: old.account.privateKeyId, publicKeyPem: old.publicKeyPem },
      });
      await gateway.addTrunk({ tenantId, trunkId: "main" });
      const { endpoint, certificateHash } = await gateway.listen();
      const client = new TeleQuickClient(endpoint, file, false, {
        serverCertificateHash: certificateHash,
        clock,
      });
      let status = "";
      void (async () => {
        for await (const { type } of client.status()) status = type;
      })();
      await client.connect();
      const calls: Call[] = [];
      const links: AudioLink[] = [];
      for (let i = 0; i < 5; i++) {
        const call = await client.dial({ to: "+15550100", trunkId: "main" });
        let isUp = false;
        void call.answered().then(() => isUp = true);
        await until(clock, 20, () => isUp);
        calls.push(call);
        links.push(call.audio());
      }
      await assertTalking(clock, links, 10);
      let ended = 0;
      for (const call of calls) void call.ended.then(() => ended++);

      // 1. A new pair. 2. Its public half to the gateway: now both count.
      const fresh = await generateServiceAccount({ tenantId });
      await gateway.publishServiceAccount({
        ...{ tenantId, privateKeyId: fresh.account.privateKeyId, publicKeyPem: fresh.publicKeyPem },
      });
      await assertTalking(clock, links, 20);
      // 3. The file is replaced on the host; the client is not informed.
      await writeFile(file, fresh.json, { mode: 0o600 });
      await assertTalking(clock, links, 30);
      // 4. The tokens in flight run out: within the hour the client has renewed, from the file, without a gap.
      const start = clock.now();
      await until(clock, 1_000, () => status === "renewing");
      // The file and the network take their own time, and none of the clock's.
      const latest = performance.now() + 60_000;
      while (gateway.stats().sessions.accepted < 2) {
        assert.ok(performance.now() < latest, `no second session, ${status}`);
        await setImmediate();
      }
      await until(clock, 1, () => gateway.stats().sessions.open === 1);
      assert.ok(clock.now() - start < 3_600_000);
      await until(clock, 1_000, () => clock.now() - start > 3_600_000);
      await assertTalking(clock, links, 40);
      // 5. The old key goes.
      await gateway.revokeServiceAccount({ tenantId, privateKeyId: old.account.privateKeyId });
      await assertTalking(clock, links, 50);

      assert.equal(ended, 0);
      const { sessions, calls: counted } = gateway.stats();
      assert.deepEqual(sessions.ended, {}, "no session had to be ended by the gateway");
      assert.deepEqual(counted, { live: 5, total: 5 });
      const { session } = client.stats();
      assert.equal(session.opened, 2);
      for (const call of calls) await call.hangUp();
      await until(clock, 20, () => ended === 5);
      const closing = client.close();
      let isClosed = false;
      void closing.then(() => isClosed = true);
      await until(clock, 20, () => isClosed);
    } finally {
      const closing = gateway.close();
      let isClosed = false;
      void closing.then(() => isClosed = true);
      await until(clock, 50, () => isClosed);
      await rm(folder, { recursive: true });
    }
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../../../mod.ts";
import { testGateway } from "../../../../src/testing/mod.ts";
import { Watch } from "../../../support/watch.ts";

describe("A session that was replaced", () => {
  it("leaves no object, timer or listener behind", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const { account, clock } = kit;
    const watch = new Watch();
    const webTransport = watch.transport(kit.webTransport);
    const client = new TeleQuickClient("https://gateway.test", account, { clock, webTransport });
    await clock.runUntil(client.connect());
    await clock.advance(2_000);
    const timers = clock.pending;
    for (let i = 0; i < 3; i++) {
      await clock.runUntil(client.renew());
      // It is closed when nothing has come on it for a second.
      await clock.advance(2_000);
    }
    assert.equal(clock.pending, timers, "timers");
    const left = await watch.left();
    assert.ok(left.includes("session 4"), "the session in use is there");
    assert.deepEqual(left.filter((each) => !each.startsWith("session 4")), []);
    await clock.runUntil(client.close());
  });

  it("and a client that was closed leaves nothing at all", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const { account, clock } = kit;
    const watch = new Watch();
    const webTransport = watch.transport(kit.webTransport);
    const timers = clock.pending;
    // A function of its own: nothing of it is on the stack afterwards.
    const use = async (): Promise<void> => {
      const client = new TeleQuickClient("https://gateway.test", account, { clock, webTransport });
      watch.note("client", client);
      await clock.runUntil(client.connect());
      await client.getActiveBuckets();
      await clock.runUntil(client.close());
    };
    for (let i = 0; i < 4; i++) await use();
    await clock.advance(2_000);
    assert.equal(clock.pending, timers, "timers");
    // The kit's network keeps the newest session itself.
    const left = (await watch.left()).filter((each) => each !== "session 4");
    assert.deepEqual(left, []);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Presence } from "../../../../src/gateway/cluster/presence.ts";
import type { SharedWrite } from "../../../../src/base/store/shared_store.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

function setUp() {
  const clock = new FakeClock();
  const said: Record<string, unknown>[] = [];
  let position = 0;
  const store = { before: () => Promise.resolve() };
  const presence = new Presence({
    ...{ gatewayId: "here", clock, sessionStaleMs: 60_000 },
    async commit(writes: readonly SharedWrite[]) {
      await store.before();
      for (const { value } of writes) said.push(JSON.parse(value));
    },
    position: () => position,
    onTaken: () => assert.fail("the id is taken"),
  });
  const hear = (key: string, words: object) =>
    presence.take([{ key, value: JSON.stringify(words), revision: ++position, isFinal: false }]);
  return { clock, said, store, presence, hear };
}

describe("Presence", () => {
  it("counts by its own clock for how long it has heard nothing of a gateway", async () => {
    const { clock, presence, hear } = setUp();
    const missing = async () => {
      const asked = presence.unconfirmed(5, 1);
      await clock.advance(1);
      return await asked;
    };
    // Their clocks are hours late and hours early.
    for (const [i, hours] of [-5, 0, 5].entries()) {
      const atMs = clock.now() + hours * 3_600_000;
      hear(`${i}`, { process: `${i}`, seen: 1, atMs, isClosed: false });
    }
    assert.deepEqual(await missing(), ["0", "1", "2"]);
    await clock.advance(50_000);
    hear("1", { process: "1", seen: 2, isClosed: false });
    await clock.advance(60_000);
    assert.deepEqual(await missing(), ["1"]);
    await clock.advance(60_000);
    assert.deepEqual(await missing(), []);
  });

  it("says nothing after it said that it is gone", async () => {
    const { clock, said, store, presence } = setUp();
    presence.confirm(1);
    await clock.advance(0);
    let answer = () => {};
    store.before = () => new Promise<void>((resolve) => answer = resolve);
    const closing = presence.close();
    await clock.advance(0);
    // The closing write is under way, and the store is still followed.
    presence.confirm(2);
    await clock.advance(20_000);
    presence.beat();
    store.before = () => Promise.resolve();
    answer();
    await closing;
    presence.confirm(3);
    await clock.advance(20_000);
    assert.deepEqual(said.map(({ isClosed }) => isClosed), [false, true]);
  });

  it("hears anew what was confirmed once the store was set back", async () => {
    const { clock, presence, hear } = setUp();
    hear("there", { process: "there", seen: 100, isClosed: false });
    assert.deepEqual(await presence.unconfirmed(7, 1), []);
    presence.forget();
    hear("there", { process: "there", seen: 6, isClosed: false });
    const asked = presence.unconfirmed(7, 1);
    await clock.advance(1);
    assert.deepEqual(await asked, ["there"]);
  });
});

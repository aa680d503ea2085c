import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  createMemoryStore,
  FakeClock,
  type SharedStore,
  sharedStoreContract,
} from "../../../src/testing/mod.ts";

describe("createMemoryStore", () => {
  let clock = new FakeClock();
  const make = () => {
    clock = new FakeClock();
    return { store: createMemoryStore({ clock }) };
  };
  for (const { name, run } of sharedStoreContract(make, { wait: (ms) => clock.advance(ms) })) {
    it(name, run);
  }

  it("calls listeners after a commit, until they are removed", async () => {
    const { store } = make();
    let hints = 0;
    const stop = store.onHint!(() => hints++);
    await store.commit([{ kind: "k", key: "a", value: "" }]);
    await clock.advance(0);
    assert.equal(hints, 1);
    stop();
    await store.commit([{ kind: "k", key: "a", value: "" }]);
    await clock.advance(0);
    assert.equal(hints, 1);
  });
});

describe("sharedStoreContract", () => {
  const failing = async (broken: (store: SharedStore) => Partial<SharedStore>) => {
    const failed: string[] = [];
    const make = () => {
      const store = createMemoryStore();
      return { store: { ...store, ...broken(store) } };
    };
    for (const { name, run } of sharedStoreContract(make, { wait: () => Promise.resolve() })) {
      await run().catch(() => failed.push(name));
    }
    return failed;
  };

  it("notices a store that forgets what ifRevision says", async () => {
    const failed = await failing((store) => ({
      commit: (writes) => store.commit(writes.map(({ ifRevision: _, ...write }) => write)),
    }));
    assert.ok(failed.includes("writes all entries or none"), failed.join());
    assert.ok(failed.includes("loses no update of writers that meet"), failed.join());
  });

  it("notices a store that gives a name twice", async () => {
    const failed = await failing(() => ({ claim: (_k, _n, owner) => Promise.resolve(owner) }));
    assert.ok(failed.includes("gives a name to the first that claims it"), failed.join());
    assert.ok(failed.includes("gives a name to one of many that claim it at once"));
  });

  it("notices a store that knows every mark, or not its own", async () => {
    for (const isSetBack of [true, false]) {
      const failed = await failing((store) => ({
        read: async (query) => ({ ...await store.read(query), isSetBack }),
      }));
      assert.ok(failed.includes("knows the history of a page again, where it gives marks"));
    }
  });

  it("notices a store that skips entries", async () => {
    const failed = await failing((store) => ({
      async read(query) {
        const page = await store.read(query);
        return page.hasMore ? { ...page, revision: page.revision + 1 } : page;
      },
    }));
    assert.deepEqual(failed, [
      "lists entries after a revision, in order and page by page",
      "skips nothing for a reader that follows writers",
      "frees a name after its time, and not before",
    ]);
  });
});

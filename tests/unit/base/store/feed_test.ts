import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreFeed } from "../../../../src/base/store/feed.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { type FaultyStore, faultyStores } from "../../../support/faulty_store.ts";

function setUp(kinds: Record<string, "all" | "changes"> = { k: "all" }) {
  const clock = new FakeClock();
  const [store] = faultyStores(clock, 1) as [FaultyStore];
  const seen: string[] = [];
  const log: string[] = [];
  const feed = new StoreFeed({
    ...{ store, clock, kinds, pullMs: 250, timeoutMs: 2_000 },
    onEntries: (kind, entries) => seen.push(...entries.map(({ key }) => `${kind} ${key}`)),
    onSetBack: (kind) => log.push(`set back ${kind}`),
    onReachable: (failure) => log.push(failure === undefined ? "reachable" : "lost"),
  });
  const put = (key: string, kind = "k") => store.commit([{ kind, key, value: "" }]);
  return { clock, store, seen, log, feed, put };
}

describe("StoreFeed", () => {
  it("reads all entries, page by page, then what changes", async () => {
    const { clock, store, seen, feed, put } = setUp();
    for (let i = 0; i < 2_500; i++) await put(`${i}`);
    assert.equal(await feed.start(), true);
    assert.equal(seen.length, 2_500);
    assert.equal(feed.position("k"), 2_500);
    store.isDeaf = true;
    await put("new");
    assert.equal(seen.length, 2_500);
    await clock.advance(250);
    assert.equal(seen.at(-1), "k new");
    feed.stop();
    assert.equal(clock.pending, 0);
  });

  it("reads changes alone where that is asked for", async () => {
    const { clock, seen, feed, put } = setUp({ k: "changes", all: "all" });
    await put("old");
    await put("old", "all");
    await feed.start();
    assert.deepEqual(seen, ["all old"]);
    await put("new");
    await clock.advance(0);
    assert.deepEqual(seen, ["all old", "k new"]);
    feed.stop();
  });

  it("reads at once after a hint, and once more after one that comes during a read", async () => {
    const { clock, store, seen, feed, put } = setUp();
    await feed.start();
    await put("a");
    await clock.advance(0);
    assert.deepEqual(seen, ["k a"]);
    let isFirst = true;
    store.after = async (method) => {
      if (method !== "read" || !isFirst) return;
      isFirst = false;
      // The answer is on its way already.
      await put("b");
    };
    await feed.pull();
    await clock.advance(0);
    assert.deepEqual(seen, ["k a", "k b"]);
    feed.stop();
  });

  it("counts its age from the start of the last read that succeeded", async () => {
    const { clock, store, feed } = setUp();
    assert.equal(feed.ageMs, Infinity);
    await feed.start();
    await clock.advance(250);
    assert.equal(feed.ageMs, 0);
    store.state = "fails";
    await clock.advance(60_000);
    assert.equal(feed.ageMs, 60_000);
    store.state = "answers";
    await clock.advance(1_000);
    assert.ok(feed.ageMs <= 1_000, `${feed.ageMs}`);
    feed.stop();
  });

  it("says once that the store is lost, and once that it is back", async () => {
    const { clock, store, log, feed } = setUp();
    store.state = "fails";
    assert.equal(await feed.start(), false);
    await clock.advance(10_000);
    assert.deepEqual(log, ["lost"]);
    store.state = "answers";
    await clock.advance(1_000);
    store.state = "hangs";
    await clock.advance(10_000);
    store.state = "answers";
    await clock.advance(10_000);
    assert.deepEqual(log, ["lost", "reachable", "lost", "reachable"]);
    feed.stop();
  });

  it("goes on when the listener for its state throws", async () => {
    const clock = new FakeClock();
    const [store] = faultyStores(clock, 1) as [FaultyStore];
    let reports = 0;
    const feed = new StoreFeed({
      ...{ store, clock, kinds: { k: "all" }, pullMs: 250, timeoutMs: 2_000 },
      onEntries: () => {},
      onReachable() {
        reports++;
        throw new Error("the listener's own");
      },
    });
    store.state = "fails";
    assert.equal(await feed.start(), false);
    assert.deepEqual(await Promise.all([feed.pull(), feed.pull()]), [false, false]);
    store.state = "answers";
    assert.equal(await feed.pull(), true);
    store.state = "hangs";
    const asked = assert.rejects(feed.ask(() => store.claim("k", "a", "me", 1)), {
      code: "ERR_UNAVAILABLE",
    });
    await clock.advance(2_000);
    await asked;
    store.state = "answers";
    await clock.advance(4_000);
    assert.equal(feed.isReachable, true);
    assert.equal(reports, 4);
    feed.stop();
  });

  it("reads by its timer where the store's hints fail", async () => {
    const { clock, store, seen, feed, put } = setUp();
    const stops: (() => () => void)[] = [
      () => {
        throw new Error("onHint");
      },
      () => () => {
        throw new Error("stop");
      },
    ];
    for (const onHint of stops) {
      store.onHint = onHint;
      assert.equal(await feed.start(), true);
      await put(`${seen.length}`);
      await clock.advance(250);
      feed.stop();
    }
    assert.deepEqual(seen, ["k 0", "k 1"]);
    assert.equal(clock.pending, 0);
  });

  it("asks a lost store at most once a second, and never twice at once", async () => {
    const { clock, store, feed } = setUp();
    store.state = "hangs";
    void feed.start();
    await clock.advance(60_000);
    assert.ok(store.counts.read <= 31, `${store.counts.read}`);
    feed.stop();
  });

  it("answers nothing else at once while the store is lost, and in time otherwise", async () => {
    const { clock, store, feed } = setUp();
    await assert.rejects(feed.ask(() => Promise.resolve(1)), { code: "ERR_UNAVAILABLE" });
    await feed.start();
    assert.equal(await feed.ask(() => Promise.resolve(1)), 1);
    store.state = "hangs";
    const asked = feed.ask(() => store.claim("k", "a", "me", 1));
    const failed = assert.rejects(asked, { code: "ERR_UNAVAILABLE", retryable: true });
    await clock.advance(2_000);
    await failed;
    const { claim } = store.counts;
    await assert.rejects(feed.ask(() => store.claim("k", "a", "me", 1)), /does not answer/);
    assert.equal(store.counts.claim, claim);
    feed.stop();
  });

  it("reads all again from a store that was set back", async () => {
    const { clock, store, seen, log, feed, put } = setUp();
    await put("a");
    await put("b");
    await feed.start();
    const [older] = faultyStores(clock, 1) as [FaultyStore];
    await older.commit([{ kind: "k", key: "restored", value: "" }]);
    store.read = older.read;
    await clock.advance(250);
    assert.deepEqual(log, ["reachable", "set back k"]);
    assert.deepEqual(seen, ["k a", "k b", "k restored"]);
    assert.equal(feed.position("k"), 1);
    feed.stop();
  });

  it("reads all again from a store that was set back and has overtaken it, once", async () => {
    const { clock, store, seen, log, feed, put } = setUp();
    await put("a");
    await feed.start();
    const [other] = faultyStores(clock, 1) as [FaultyStore];
    for (const key of ["restored", "since"]) await other.commit([{ kind: "k", key, value: "" }]);
    store.read = other.read;
    await clock.advance(1_000);
    assert.deepEqual(log, ["reachable", "set back k"]);
    assert.deepEqual(seen, ["k a", "k restored", "k since"]);
    feed.stop();
  });

  it("reads all kinds again when a read of one shows that the store was set back", async () => {
    const { clock, store, seen, log, feed, put } = setUp({ a: "all", b: "all" });
    await put("1", "a");
    await put("1", "b");
    const { read } = store;
    const marks: Record<string, string> = { a: "first", b: "second" };
    const known = new Set(["first", "second"]);
    let restore = (_kind: string): unknown => undefined;
    store.read = async (query) => {
      restore(query.kind);
      const isSetBack = query.mark !== undefined && !known.has(query.mark);
      return { ...await read(query), mark: marks[query.kind], isSetBack };
    };
    await feed.start();
    // The backup is from between the reads of the two kinds.
    known.delete("second");
    marks["a"] = marks["b"] = "first";
    await clock.advance(250);
    assert.deepEqual(log, ["reachable", "set back a", "set back b"]);
    assert.deepEqual(seen, ["a 1", "b 1", "a 1", "b 1"]);
    // Another one is restored between the reads of the two kinds: the first is read again before all of it counts as read.
    restore = (kind) => {
      if (kind !== "b" || !known.delete("first")) return;
      marks["a"] = marks["b"] = "third";
      known.add("third");
    };
    await clock.advance(250);
    assert.deepEqual(log.slice(3), ["set back a", "set back b"]);
    assert.deepEqual(seen.slice(4), ["b 1", "a 1"]);
    await clock.advance(500);
    assert.equal(seen.length, 6);
    feed.stop();
  });

  it("takes no store without marks for one that was set back", async () => {
    const { clock, store, seen, log, feed, put } = setUp();
    await put("a");
    const { read } = store;
    store.read = async (query) => ({ ...await read(query), mark: undefined, isSetBack: true });
    await feed.start();
    await put("b");
    await clock.advance(250);
    assert.deepEqual([log, seen], [["reachable"], ["k a", "k b"]]);
    feed.stop();
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FairQueue } from "../../../../src/gateway/fair_queue.ts";
import { type Slices, WorkBudget } from "../../../../src/gateway/tenant/work_budget.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";

/** A clock on which each look at the time takes a tenth of a millisecond, as if work was done meanwhile. */
class BusyClock extends FakeClock {
  looks = 0;

  override monotonic(): number {
    return super.monotonic() + ++this.looks / 10;
  }
}

const turns = new FairQueue({ perTurn: 1 });
const LIMITS = { msPerSecond: 250, bytesPerSecond: 1_000, pieces: 3, turns };

/** Work of so many steps that notes what it does. */
function steps(count: number, name: string, done: string[]) {
  return async (slices: Slices) => {
    for (let i = 0; i < count; i++) {
      done.push(name);
      if (slices.isOver) {
        done.push("|");
        await slices.next();
      }
    }
    return name;
  };
}

describe("WorkBudget", () => {
  it("G-31 cuts long work into slices of 2 ms, between which others have their turn", async () => {
    const clock = new BusyClock();
    const budget = new WorkBudget({ ...LIMITS, clock });
    const done: string[] = [];
    const work = budget.run(steps(60, "a", done));
    await settle();
    const first = done.indexOf("|");
    assert.ok(first > 10 && first <= 21, `${first} steps of a tenth of a millisecond`);
    assert.equal(done.length, first + 1, "nothing more before the clock has moved");
    await clock.advance(1);
    await clock.advance(1_000);
    assert.equal(await work, "a");
    assert.ok(done.filter((each) => each === "|").length >= 2);
  });

  it("G-31 gives a tenant one slice at a time, its pieces in turn", async () => {
    const clock = new BusyClock();
    const budget = new WorkBudget({ ...LIMITS, clock });
    const done: string[] = [];
    const both = Promise.all([budget.run(steps(50, "a", done)), budget.run(steps(50, "b", done))]);
    for (let i = 0; i < 20; i++) await clock.advance(100);
    await both;
    const slices = done.join("").split("|").filter((slice) => slice !== "");
    assert.ok(
      slices.every((slice) => !/ab|ba/.test(slice) || slice.length <= 42),
      slices.join(" "),
    );
    assert.ok(done.join("").replaceAll("|", "").startsWith("aaaaaaaaaa"));
    assert.ok(done.lastIndexOf("a") > done.indexOf("b"), "b does not wait for all of a");
  });

  it("G-31 takes no more than its share of all time", async () => {
    const clock = new BusyClock();
    const budget = new WorkBudget({ ...LIMITS, msPerSecond: 10, clock });
    const done: string[] = [];
    void budget.run(steps(1_000, "a", done));
    await settle();
    for (let i = 0; i < 100; i++) await clock.advance(10);
    const inOneSecond = done.filter((each) => each === "a").length;
    // 10 ms at the start, 10 ms in the second, and a slice: a tenth of a millisecond each, and the looks between.
    assert.ok(inOneSecond >= 80 && inOneSecond <= 260, `${inOneSecond} steps`);
  });

  it("G-31 has room for few pieces, and for none while bytes are owed", async () => {
    const clock = new FakeClock();
    const budget = new WorkBudget({ ...LIMITS, clock });
    const finish: (() => void)[] = [];
    const pieces = Array.from(
      { length: 3 },
      () =>
        budget.run((slices) => slices.wait(new Promise<void>((resolve) => finish.push(resolve)))),
    );
    await settle();
    assert.equal(budget.hasRoom, false);
    for (const each of finish) each();
    await Promise.all(pieces);
    assert.equal(budget.hasRoom, true);
    budget.spendBytes(3_000);
    assert.equal(budget.hasRoom, false);
    await clock.advance(900);
    assert.equal(budget.hasRoom, false);
    await clock.advance(200);
    assert.equal(budget.hasRoom, true);
  });

  it("does not count short work: what is done in one slice always finds room", async () => {
    const budget = new WorkBudget({ ...LIMITS, clock: new FakeClock() });
    const short = Array.from({ length: 100 }, (_, i) => budget.run(() => Promise.resolve(i)));
    assert.equal(budget.hasRoom, true);
    assert.deepEqual(await Promise.all(short), short.map((_, i) => i));
  });

  it("lets others work while a piece waits for something else, and goes on after a failure", async () => {
    const budget = new WorkBudget({ ...LIMITS, clock: new FakeClock() });
    let arrive = (): void => {};
    const waiting = budget.run(async (slices) => {
      await slices.wait(new Promise<void>((resolve) => arrive = resolve));
      throw new Error("damaged");
    });
    waiting.catch(() => {});
    assert.equal(await budget.run(() => Promise.resolve("done")), "done");
    arrive();
    await assert.rejects(waiting, /damaged/);
    assert.equal(await budget.run(() => Promise.resolve("after")), "after");
    assert.equal(budget.hasRoom, true);
  });
});

describe("WorkBudget of several tenants", () => {
  it("G-31 has one slice in a turn of the event loop, and the tenants one after the other", async () => {
    const clock = new BusyClock();
    const done: string[] = [];
    let turn = 0;
    const ends: (() => void)[] = [];
    const queue = new FairQueue({
      perTurn: 1,
      turn: () => new Promise<void>((resolve) => ends.push(resolve)),
    });
    const names = ["a", "b", "c"];
    const all = names.map((name) =>
      new WorkBudget({ ...LIMITS, clock, turns: queue }).run(async (slices) => {
        for (let slice = 0; slice < 3; slice++) {
          done.push(`${turn}${name}`);
          await slices.next();
        }
      })
    );
    await clock.advance(1);
    while (done.length < 9) {
      turn++;
      ends.shift()?.();
      await settle();
      await clock.advance(2);
      assert.ok(turn < 50, done.join(" "));
    }
    while (ends.length > 0) {
      ends.shift()?.();
      await settle();
    }
    await Promise.all(all);
    // Never two in one turn; and a tenant has its next slice after those of all others.
    assert.equal(new Set(done.map((each) => each.slice(0, -1))).size, 9, done.join(" "));
    assert.equal(done.map((each) => each.at(-1)).join(""), "abcabcabc");
  });
});

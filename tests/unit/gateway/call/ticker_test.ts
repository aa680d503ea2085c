import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ticker } from "../../../../src/gateway/call/ticker.ts";
import type { Clock } from "../../../../src/base/signal.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

describe("Ticker", () => {
  it("ticks at once and then every 20 ms, on one timer for all", async () => {
    const clock = new FakeClock();
    const ticker = new Ticker(clock);
    const first: number[] = [];
    const second: number[] = [];
    ticker.add(() => first.push(clock.monotonic()));
    await clock.advance(10);
    ticker.add(() => second.push(clock.monotonic()));
    assert.equal(clock.pending, 1);
    await clock.advance(50);
    assert.deepEqual(first, [0, 20, 40, 60]);
    assert.deepEqual(second, [10, 20, 40, 60]);
  });

  it("leaves no timer behind, and starts again", async () => {
    const clock = new FakeClock();
    const ticker = new Ticker(clock);
    let ticks = 0;
    const end = ticker.add(() => ticks++);
    await clock.advance(40);
    end();
    assert.equal(clock.pending, 0);
    await clock.advance(1_000);
    assert.equal(ticks, 3);
    ticker.add(() => ticks++);
    assert.equal(ticks, 4);
    assert.equal(clock.pending, 1);
  });

  it("lets a member leave in its own tick", async () => {
    const clock = new FakeClock();
    const ticker = new Ticker(clock);
    let ticks = 0;
    const end = ticker.add(() => {
      if (++ticks === 3) end();
    });
    await clock.advance(200);
    assert.equal(ticks, 3);
    assert.equal(clock.pending, 0);
  });

  it("catches up three ticks after a late timer, gives up the rest, and keeps its phase", () => {
    let now = 0;
    let due: { at: number; callback: () => void } | undefined;
    const clock: Clock = {
      now: () => now,
      monotonic: () => now,
      schedule(ms, callback) {
        due = { at: now + ms, callback };
        return () => due = undefined;
      },
    };
    const ticks: number[] = [];
    new Ticker(clock).add(() => ticks.push(now));
    const fire = (at: number): void => {
      now = at;
      due!.callback();
    };
    fire(27);
    assert.deepEqual(ticks, [0, 27]);
    assert.equal(due!.at, 40);
    fire(305);
    assert.deepEqual(ticks.slice(2), [305, 305, 305]);
    assert.equal(due!.at, 320);
  });

  it("does not drift over a minute", async () => {
    const clock = new FakeClock();
    let ticks = 0;
    let last = 0;
    new Ticker(clock).add(() => {
      ticks++;
      last = clock.monotonic();
    });
    await clock.advance(60_000);
    assert.equal(ticks, 3_001);
    assert.equal(last, 60_000);
  });
});

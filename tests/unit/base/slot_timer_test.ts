import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "../../../src/base/signal.ts";
import { SlotTimer } from "../../../src/base/slot_timer.ts";
import { FakeClock } from "../../../src/testing/mod.ts";

describe("SlotTimer", () => {
  it("fires once a slot on a schedule that does not drift, the first at once or a slot later", async () => {
    for (const first of [0, 1] as const) {
      const clock = new FakeClock();
      await clock.advance(7);
      const fired: [number, number][] = [];
      const timer = new SlotTimer({
        clock,
        slotMs: 20,
        onSlot: (slot) => fired.push([slot, clock.monotonic()]),
      });
      timer.start(first);
      await clock.advance(60_000);
      assert.deepEqual(fired[0], [first, 7 + 20 * first]);
      assert.deepEqual(fired.at(-1), [3_000, 60_007]);
      assert.equal(fired.length, 3_001 - first);
      timer.stop();
      assert.equal(clock.pending, 0);
    }
  });

  it("says how many slots passed after a late timer, and keeps its phase; an early one makes its own slot", () => {
    let now = 0;
    let due: { readonly at: number; readonly callback: () => void } | undefined;
    const clock: Clock = {
      now: () => now,
      monotonic: () => now,
      schedule(ms, callback) {
        due = { at: now + ms, callback };
        return () => due = undefined;
      },
    };
    const passed: number[] = [];
    new SlotTimer({ clock, slotMs: 20, onSlot: (_, each) => passed.push(each) }).start(1);
    const dues: number[] = [];
    for (const at of [20.5, 39.7, 305, 320]) {
      now = at;
      due!.callback();
      dues.push(Math.round(due!.at));
    }
    assert.deepEqual(passed, [1, 1, 13, 1]);
    assert.deepEqual(dues, [41, 61, 320, 340]);
  });

  it("can be stopped and started in its own slot: one timer goes on", async () => {
    const clock = new FakeClock();
    const fired: number[] = [];
    const timer = new SlotTimer({
      clock,
      slotMs: 20,
      onSlot: (slot) => {
        fired.push(slot);
        if (fired.length > 1) return;
        timer.stop();
        timer.start(1);
      },
    });
    timer.start(1);
    await clock.advance(100);
    assert.equal(clock.pending, 1);
    assert.deepEqual(fired, [1, 1, 2, 3, 4]);
    timer.stop();
    assert.equal(clock.pending, 0);
  });

  it("can be stopped in its own slot", async () => {
    const clock = new FakeClock();
    let fired = 0;
    const timer = new SlotTimer({
      clock,
      slotMs: 20,
      onSlot: () => {
        if (++fired === 3) timer.stop();
      },
    });
    timer.start(0);
    await clock.advance(1_000);
    assert.deepEqual([fired, clock.pending, timer.isRunning], [3, 0, false]);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ignore } from "../../../../src/base/ignore.ts";
import { type Paced, Pacer } from "../../../../src/client/audio/pacer.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";

describe("Pacer", () => {
  it("ticks no member that another one has removed in the same tick", async () => {
    const clock = new FakeClock();
    const pacer = new Pacer({ clock, onTicked: ignore });
    const ticks = { first: 0, second: 0 };
    const second: Paced = { isPaced: false, tick: () => ++ticks.second > 0 };
    pacer.add({
      isPaced: false,
      tick() {
        if (++ticks.first === 3) pacer.remove(second);
        return ticks.first < 5;
      },
    });
    pacer.add(second);
    await clock.advance(200);
    assert.deepEqual(ticks, { first: 5, second: 2 });
    assert.equal(clock.pending, 0);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createReplayStore } from "../../../src/token/replay.ts";
import { seed } from "../../support/seed.ts";

describe("createReplayStore()", () => {
  it("ReplayStore.claim() gives each id away once while it lives", () => {
    const store = createReplayStore();
    assert.equal(store.claim("a", 100_000, 10_000), true);
    assert.equal(store.claim("a", 100_000, 10_000), false);
    assert.equal(store.claim("b", 100_000, 10_000), true);
    assert.equal(store.claim("a", 100_000, 99_900), false);
    assert.equal(store.claim("a", 200_000, 100_000), true);
  });

  it("createReplayStore() refuses a capacity that is not a whole number from 1", () => {
    for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
      assert.throws(() => createReplayStore({ capacity }), {
        code: "ERR_VALUE_INVALID",
        message:
          `Cannot create replay store: capacity is ${capacity}, expected a whole number from 1`,
      });
    }
    for (const capacity of ["1", null]) {
      assert.throws(
        () => createReplayStore({ capacity: capacity as unknown as number }),
        TypeError,
      );
    }
  });

  it("ReplayStore.claim() refuses what it has no room to remember, until something dies", () => {
    const store = createReplayStore({ capacity: 2 });
    assert.equal(store.claim("a", 100_000, 0), true);
    assert.equal(store.claim("b", 101_500, 0), true);
    assert.equal(store.claim("c", 500_000, 99_000), false);
    assert.equal(store.claim("c", 500_000, 100_000), true);
    assert.equal(store.claim("d", 500_000, 101_400), false);
    assert.equal(store.claim("d", 500_000, 102_000), true);
  });

  it("ReplayStore.claim() forgets the dead also after a clock was ahead for a moment", () => {
    const store = createReplayStore({ capacity: 2 });
    assert.equal(store.claim("a", 2_000_000_100_000, 2_000_000_000_000), true);
    assert.equal(store.claim("b", 1_700_000_100_000, 1_700_000_000_000), true);
    assert.equal(store.claim("c", 1_700_000_200_000, 1_700_000_000_000), false);
    assert.equal(store.claim("c", 1_700_000_200_000, 1_700_000_100_000), true);
  });

  it("ReplayStore.claim() agrees with a plain list of live ids in any order", () => {
    const step = fc.record({ id: fc.nat(5), life: fc.nat(20), pass: fc.nat(8) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const store = createReplayStore({ capacity: 4 });
        let live: { id: number; until: number }[] = [];
        let now = 1000;
        for (const { id, life, pass } of steps) {
          now += pass;
          live = live.filter(({ until }) => until > now);
          const free = live.length < 4 && !live.some((each) => each.id === id);
          assert.equal(store.claim(`${id}`, (now + life + 1) * 1000, now * 1000), free);
          if (free) live.push({ id, until: now + life + 1 });
        }
      }),
      { seed, numRuns: 500 },
    );
  });
});

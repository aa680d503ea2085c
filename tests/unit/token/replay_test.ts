import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createReplayStore } from "../../../src/token/replay.ts";
import { seed } from "../../support/seed.ts";

describe("createReplayStore()", () => {
  it("ReplayStore.claim() gives each id away once while it lives", () => {
    const store = createReplayStore();
    assert.equal(store.claim("a", 100, 10), true);
    assert.equal(store.claim("a", 100, 10), false);
    assert.equal(store.claim("b", 100, 10), true);
    assert.equal(store.claim("a", 100, 99.9), false);
    assert.equal(store.claim("a", 200, 100), true);
  });

  it("ReplayStore.claim() refuses what it has no room to remember, until something dies", () => {
    const store = createReplayStore({ capacity: 2 });
    assert.equal(store.claim("a", 100, 0), true);
    assert.equal(store.claim("b", 101.5, 0), true);
    assert.equal(store.claim("c", 500, 99), false);
    assert.equal(store.claim("c", 500, 100), true);
    assert.equal(store.claim("d", 500, 101.4), false);
    assert.equal(store.claim("d", 500, 102), true);
  });

  it("ReplayStore.claim() forgets the dead also after a clock was ahead for a moment", () => {
    const store = createReplayStore({ capacity: 2 });
    assert.equal(store.claim("a", 2_000_000_100, 2_000_000_000), true);
    assert.equal(store.claim("b", 1_700_000_100, 1_700_000_000), true);
    assert.equal(store.claim("c", 1_700_000_200, 1_700_000_000), false);
    assert.equal(store.claim("c", 1_700_000_200, 1_700_000_100), true);
  });

  it("ReplayStore.claim() agrees with a plain list of live ids, whatever the order", () => {
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
          assert.equal(store.claim(`${id}`, now + life + 1, now), free);
          if (free) live.push({ id, until: now + life + 1 });
        }
      }),
      { seed, numRuns: 500 },
    );
  });
});

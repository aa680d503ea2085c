import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom, randomUuid } from "../../../src/base/random.ts";

describe("createRandom()", () => {
  it("repeats itself for a seed, and differs for another", () => {
    const draw = (seed: number) => Array.from({ length: 20 }, createRandom(seed));
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });

  it("fills [0, 1) evenly", () => {
    const random = createRandom(1);
    const bins = new Array(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const value = random();
      assert.ok(value >= 0 && value < 1);
      bins[Math.floor(value * 10)]++;
    }
    // Ten standard deviations of a fair one.
    for (const bin of bins) assert.ok(Math.abs(bin - 10_000) < 950, String(bins));
  });
});

describe("randomUuid()", () => {
  it("is a version 4 UUID, and does not come twice", () => {
    const random = createRandom(3);
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      const uuid = randomUuid(random);
      assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      seen.add(uuid);
    }
    assert.equal(seen.size, 20_000);
  });
});

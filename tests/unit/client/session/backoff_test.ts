import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backoffMs } from "../../../../src/client/session/backoff.ts";
import { createRandom } from "../../../../src/base/random.ts";

describe("backoffMs()", () => {
  it("doubles its bound from 250 ms to 15 s, and stays there", () => {
    const bounds = [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((attempt) => backoffMs(attempt, () => 1));
    assert.deepEqual(bounds, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    const least = [1, 2, 3, 7, 1_000].map((attempt) => backoffMs(attempt, () => 0));
    assert.deepEqual(least, [0, 250, 500, 7_500, 7_500]);
  });

  it("makes at most 45 attempts in 5 minutes, however the dice fall", () => {
    let attempts = 0;
    for (let at = 0; at < 300_000; at += backoffMs(attempts, () => 0)) attempts++;
    assert.equal(attempts, 45);
  });

  it("F-01 spreads a hundred clients: no second holds more than a quarter of their attempts", () => {
    const random = createRandom(1);
    const seconds = new Map<number, number>();
    for (let client = 0; client < 100; client++) {
      let at = 0;
      for (let attempt = 1; attempt <= 8; attempt++) at += backoffMs(attempt, random);
      const second = Math.floor(at / 1_000);
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
    }
    assert.ok(Math.max(...seconds.values()) <= 25);
  });
});

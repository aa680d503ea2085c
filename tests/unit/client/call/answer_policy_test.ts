import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom } from "../../../../src/base/random.ts";
import {
  answerDelayMs,
  chooseCall,
  holdBackMs,
  picksOf,
  retryDelayMs,
} from "../../../../src/client/call/answer_policy.ts";

const lowest = () => 0;
const highest = () => 1 - 2 ** -32;

/** How often each of so many workers of a load is the first, and how many others follow within a round trip. */
function race(
  loads: readonly number[],
  roundTripMs: number,
): { readonly wins: number[]; readonly followers: number } {
  const random = createRandom(7);
  const rounds = 2_000;
  const wins = loads.map(() => 0);
  let followers = 0;
  for (let round = 0; round < rounds; round++) {
    const delays = loads.map((active) =>
      answerDelayMs({ active, capacity: 50 }, roundTripMs, 1, random())
    );
    const first = Math.min(...delays);
    wins[delays.indexOf(first)]!++;
    followers += delays.filter((ms) => ms > first && ms < first + roundTripMs).length;
  }
  return { wins, followers: followers / rounds };
}

describe("answerDelayMs()", () => {
  it("grows with the load, up to 200 ms, and by lot, over 16 round trips of 40 to 400 ms together", () => {
    const idle = { active: 0, capacity: 10 };
    assert.equal(answerDelayMs(idle, 5, 1, 0), 0);
    assert.equal(Math.round(answerDelayMs(idle, 0, 1, 1)), 40);
    assert.equal(Math.round(answerDelayMs(idle, 10, 1, 1)), 160);
    assert.equal(Math.round(answerDelayMs(idle, 1_000, 1, 1)), 400);
    assert.equal(answerDelayMs({ active: 5, capacity: 10 }, 0, 1, 0), 100);
    assert.equal(answerDelayMs({ active: 20, capacity: 40 }, 0, 1, 0), 100);
    // Among many calls workers seldom choose the same one.
    assert.equal(Math.round(answerDelayMs(idle, 10, 8, 1)), 160);
    assert.equal(Math.round(answerDelayMs(idle, 10, 64, 1)), 20);
  });

  it("lets each of equal workers be the first as often, and few follow, however many there are", () => {
    for (const workers of [2, 8, 32]) {
      const { wins, followers } = race(Array(workers).fill(0), 10);
      const mean = 2_000 / workers;
      for (const each of wins) assert.ok(Math.abs(each - mean) < mean / 2, `${wins}`);
      assert.ok(followers < 0.5, `${workers} workers: ${followers} follow`);
    }
  });

  it("lets the worker with fewer calls be the first more often", () => {
    const { wins } = race([10, 15, 20], 2);
    assert.ok(wins[0]! > 2 * wins[1]! && wins[1]! > 2 * wins[2]!, `${wins}`);
  });
});

describe("chooseCall()", () => {
  const calls = (count: number) => Array.from({ length: count }, (_, i) => i);

  it("chooses among the 32 oldest, of more than 64 among the older half", () => {
    assert.equal(chooseCall([], lowest), undefined);
    assert.equal(chooseCall(calls(1), highest), 0);
    assert.equal(chooseCall(calls(40), highest), 31);
    assert.equal(chooseCall(calls(200), highest), 99);
    assert.equal(chooseCall(calls(200), lowest), 0);
  });

  it("answers one call by a short list, more by a long one", () => {
    assert.deepEqual([0, 1, 63, 64, 200].map(picksOf), [1, 1, 1, 2, 4]);
  });
});

describe("retryDelayMs() and holdBackMs()", () => {
  it("double up to a bound", () => {
    assert.deepEqual([0, 1, 2, 50].map((n) => retryDelayMs(n, lowest)), [125, 250, 500, 5_000]);
    assert.equal(Math.round(retryDelayMs(50, highest)), 10_000);
    assert.deepEqual([0, 1, 2, 50].map(holdBackMs), [1_000, 2_000, 4_000, 30_000]);
  });
});

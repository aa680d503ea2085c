import assert from "node:assert/strict";

/** Asserts that two long arrays hold the same elements, and names the first that differs: a full difference of thousands takes minutes. */
export function assertSameElements(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(actual.length, expected.length, `length ${actual.length}, not ${expected.length}`);
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] === expected[i]) continue;
    assert.fail(`element ${i} of ${expected.length} is ${actual[i]}, not ${expected[i]}`);
  }
}

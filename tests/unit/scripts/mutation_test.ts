import assert from "node:assert/strict";
import { it } from "node:test";
import { sample } from "../../../scripts/mutation.ts";

it("sample() draws without repetition, the same for the same seed, and all where there are fewer", () => {
  const all = Array.from({ length: 1_000 }, (_, i) => i);
  const drawn = sample(all, 300, 7);
  assert.equal(new Set(drawn).size, 300);
  assert.deepEqual(sample(all, 300, 7), drawn);
  assert.notDeepEqual(sample(all, 300, 8), drawn);
  assert.deepEqual(sample([1, 2, 3], 300, 7).sort(), [1, 2, 3]);
});

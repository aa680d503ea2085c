import assert from "node:assert/strict";
import { it } from "node:test";
import {
  formatDuration,
  formatInstant,
  formatMemory,
  formatMs,
  percentile,
  plural,
} from "../../../../src/cli/terminal/format.ts";

it("formatDuration() reports the two largest units that follow each other", () => {
  const spans: readonly [number, string][] = [
    [0, "0 ms"],
    [999.4, "999 ms"],
    [1_000, "1 s"],
    [59_600, "1 min"],
    [61_000, "1 min 1 s"],
    [3_600_000, "1 h"],
    [3_605_000, "1 h"],
    [13 * 86_400_000 + 5 * 3_600_000 + 59_000, "13 d 5 h"],
  ];
  for (const [ms, words] of spans) assert.equal(formatDuration(ms), words);
});

it("formatInstant() formats UTC to the second, and a number outside the range of time unchanged", () => {
  assert.equal(formatInstant(1_700_000_000_123), "2023-11-14T22:13:20Z");
  assert.equal(formatInstant(Number.MAX_SAFE_INTEGER), "9007199254740991");
});

it("percentile() is the smallest value that a share does not exceed", () => {
  assert.equal(percentile([], 0.5), 0);
  assert.equal(percentile([7], 0.99), 7);
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  assert.equal(percentile(hundred, 0), 1);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 0.95), 95);
  assert.equal(percentile(hundred, 1), 100);
});

it("formatMs(), formatMemory() and plural() round and count", () => {
  assert.equal(formatMs(1.26), "1.3 ms");
  assert.equal(formatMemory(1.5 * 2 ** 20), "1.5 MiB");
  assert.equal(plural(1, "call"), "1 call");
  assert.equal(plural(0, "call"), "0 calls");
});

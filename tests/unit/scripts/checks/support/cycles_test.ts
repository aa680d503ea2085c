import assert from "node:assert/strict";
import { it } from "node:test";
import { findCycles } from "../../../../../scripts/checks/support/cycles.ts";

function cycles(edges: Readonly<Record<string, readonly string[]>>): string[] {
  const graph = new Map(Object.entries(edges).map(([node, next]) => [node, new Set(next)]));
  return findCycles(graph).map((cycle) => cycle.join(""));
}

it("findCycles() finds none where every way ends", () => {
  assert.deepEqual(cycles({ a: ["b", "c"], b: ["d"], c: ["d"], d: [], e: ["nowhere"] }), []);
});

it("findCycles() finds a node that leads to itself", () => {
  assert.deepEqual(cycles({ a: ["a"] }), ["aa"]);
});

it("findCycles() reports the shortest way round, and circles apart from each other", () => {
  assert.deepEqual(cycles({ a: ["b", "c"], b: ["c"], c: ["a"], x: ["y"], y: ["x"] }), [
    "aca",
    "bcab",
    "xyx",
  ]);
});

it("findCycles() leaves out what only leads to a circle", () => {
  assert.deepEqual(cycles({ a: ["b"], b: ["c"], c: ["b"], d: ["a"] }), ["bcb"]);
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { everywhere, runChecks } from "./mod.ts";

describe("conformance, from the source", () => {
  for (const check of everywhere) {
    it(check.title, () => runChecks([check], ({ fault }) => assert.equal(fault, undefined)));
  }
});

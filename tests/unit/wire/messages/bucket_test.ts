import assert from "node:assert/strict";
import { it } from "node:test";
import { parseCallSids } from "../../../../src/wire/mod.ts";

it("parseCallSids() splits at commas and white space", () => {
  assert.deepEqual(parseCallSids("a,b"), ["a", "b"]);
  assert.deepEqual(parseCallSids(" a, b\n c,,d "), ["a", "b", "c", "d"]);
  assert.deepEqual(parseCallSids(""), []);
  assert.deepEqual(parseCallSids(" , "), []);
});

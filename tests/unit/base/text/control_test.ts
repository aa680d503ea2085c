import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { escapeControl, hasControl, onOneLine } from "../../../../src/base/text/control.ts";
import { seed } from "../../../support/seed.ts";

/** Every refused code unit, by ranges. */
const refused = ([[0, 0x1f], [0x7f, 0x9f], [0x2028, 0x202e], [0x2066, 0x2069]] as const).flatMap(
  ([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i),
);

describe("control characters", () => {
  it("are exactly C0, DEL, C1, the line separators and the bidirectional controls", () => {
    const found: number[] = [];
    for (let code = 0; code <= 0xffff; code++) {
      if (hasControl(`a${String.fromCharCode(code)}b`)) found.push(code);
    }
    assert.deepEqual(found, refused);
  });

  it("escapeControl() leaves none and changes nothing else", () => {
    assert.equal(
      escapeControl("a\r\n\x1b[2J\u2028\u202eb"),
      "a\\u000d\\u000a\\u001b[2J\\u2028\\u202eb",
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapeControl(text);
        assert.equal(hasControl(escaped), false);
        if (!hasControl(text)) assert.equal(escaped, text);
      }),
      { seed },
    );
  });

  it("onOneLine() puts one space for each run and none at the ends", () => {
    assert.equal(onOneLine("\r\n a\x00\x85b\u202e\n"), "a b");
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        (text) => assert.equal(hasControl(onOneLine(text)), false),
      ),
      { seed },
    );
  });

  it("finds one in every call, independent of the call before", () => {
    for (let i = 0; i < 3; i++) assert.equal(hasControl("a\n"), true);
  });
});

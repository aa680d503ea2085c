import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { visibleLength, wrap, wrapColumns } from "../../../../src/cli/terminal/wrap.ts";
import { seed } from "../../../support/seed.ts";

describe("wrap()", () => {
  it("breaks lines at spaces, under their first word or at the given indent", () => {
    const text = "  one two three four five six seven";
    assert.equal(wrap(text, { columns: 24 }), "  one two three four\n  five six seven");
    assert.equal(
      wrap("one two three four five six seven eight", { columns: 26, indent: 4 }),
      "one two three four five\n    six seven eight",
    );
    assert.equal(wrap(text, { columns: Infinity }), text);
    assert.equal(wrap("short\n\nlines", { columns: 20 }), "short\n\nlines");
  });

  it("leaves a word whole that is longer than a line, and lets no style count", () => {
    const path = `/${"x".repeat(60)}`;
    assert.equal(wrap(`see ${path} there`, { columns: 30 }), `see\n${path}\nthere`);
    const bold = "\x1b[1mone\x1b[22m two three four five";
    assert.equal(visibleLength(bold), 23);
    assert.equal(wrap(bold, { columns: 23 }), bold);
  });

  it("loses no word, and makes no line longer than its columns unless it is one word", () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        words,
        fc.integer({ min: 40, max: 130 }),
        fc.nat({ max: 10 }),
        (all, columns, indent) => {
          const wrapped = wrap(all.join(" "), { columns, indent });
          assert.deepEqual(wrapped.trim().split(/\s+/), all);
          for (const line of wrapped.split("\n")) assert.ok(line.length <= columns, line);
        },
      ),
      { seed },
    );
  });
});

describe("wrapColumns()", () => {
  const rows = [["--port PORT", "UDP port; 0 selects a free one"], ["--yes", "Start"]] as const;

  it("wraps the second column within itself", () => {
    assert.equal(
      wrapColumns(rows, 36),
      "  --port PORT  UDP port; 0 selects a\n               free one\n  --yes        Start",
    );
  });

  it("puts the second column below the first where there is no room beside it", () => {
    assert.equal(
      wrapColumns(rows, 32),
      "  --port PORT\n      UDP port; 0 selects a free\n      one\n  --yes\n      Start",
    );
  });
});

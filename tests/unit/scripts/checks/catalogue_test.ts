import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { titlesIn, uncoveredRows } from "../../../../scripts/checks/catalogue.ts";
import { catalogue } from "../../../../scripts/checks/support/catalogue.ts";

function titles(text: string): string[] {
  return titlesIn(new Map([["tests/security/a_test.ts", text]]));
}

it("the catalogue has each row once, in order, chapter by chapter", () => {
  const ids = Object.keys(catalogue);
  const order = (id: string) => "JGCF".indexOf(id[0]!) * 100 + Number(id.slice(2));
  assert.deepEqual(ids, ids.toSorted((a, b) => order(a) - order(b)));
  const least = { J: 29, G: 34, C: 18, F: 19 };
  for (const [chapter, count] of Object.entries(least)) {
    const rows = ids.filter((id) => id.startsWith(chapter));
    assert.ok(rows.length >= count, `${chapter} has ${rows.length} rows`);
    assert.equal(rows[0], `${chapter}-01`);
  }
});

describe("titlesIn()", () => {
  it("reads the titles of tests, groups and subtests", () => {
    assert.deepEqual(
      titles(
        'test("a", f); it(`b`, f); describe("c", () => { it("d", f); t.test("e", f); }); test(`f ${g}`, f);',
      ),
      ["a", "b", "c", "d", "e", "f "],
    );
  });

  it("leaves out what does not run, and what is not a test", () => {
    assert.deepEqual(
      titles(
        'test.skip("a", f); it.todo("b"); test("c", { skip: "why" }, f); call("d"); // test("e")',
      ),
      [],
    );
    assert.deepEqual(titlesIn(new Map([["tests/support/a.ts", 'test("a", f);']])), []);
  });
});

describe("uncoveredRows()", () => {
  it("counts the ids that open a title", () => {
    const missing = uncoveredRows([
      "J-01 alg none",
      "J-02, J-03 other algorithms",
      "see J-04",
      "J-05x",
    ]);
    assert.equal(missing.length, Object.keys(catalogue).length - 3);
    assert.ok(missing.includes("J-04") && missing.includes("J-05"));
  });

  it("reports all of them when there is no test", () => {
    assert.deepEqual(uncoveredRows([]), Object.keys(catalogue));
  });
});

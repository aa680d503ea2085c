import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fillTables, tables } from "../../../../scripts/build/readme_tables.ts";
import { readPages } from "../../../../scripts/support/pages.ts";
import { errorCatalogue } from "../../../../src/catalogue/errors.ts";
import { commands } from "../../../../src/cli/commands.ts";

describe("fillTables()", () => {
  it("puts each table between its marks, once and for all, and leaves the rest", () => {
    for (const name of Object.keys(tables)) {
      const text = `before\n\n<!-- table: ${name} -->\nOUTDATED\n<!-- /table -->\n\nafter\n`;
      const filled = fillTables(text);
      assert.ok(filled.startsWith(`before\n\n<!-- table: ${name} -->\n\n| `));
      assert.ok(filled.endsWith("|\n\n<!-- /table -->\n\nafter\n"));
      assert.ok(!filled.includes("OUTDATED"));
      assert.equal(fillTables(filled), filled);
    }
  });

  it("refuses a table that does not exist, and a mark without its other", () => {
    assert.throws(
      () => fillTables("<!-- table: nothing -->\n<!-- /table -->"),
      /no table "nothing"/,
    );
    assert.throws(() => fillTables("<!-- table: errors -->\n"), /1 tables begin and 0 end/);
    assert.throws(() => fillTables("<!-- /table -->"), /0 tables begin and 1 end/);
  });

  it("names every code and command", () => {
    for (const code of Object.keys(errorCatalogue)) assert.ok(tables["errors"]!().includes(code));
    for (const name of Object.keys(commands)) {
      assert.ok(tables["commands"]!().includes(`\`telequick ${name}\``));
    }
  });

  it("makes every row as wide as the head", () => {
    for (const [name, make] of Object.entries(tables)) {
      const lines = make().trimEnd().split("\n");
      assert.equal(new Set(lines.map((line) => line.length)).size, 1, name);
    }
  });
});

it("every page has its tables as they are now", async () => {
  for (const [path, text] of await readPages()) {
    const hint = `${path}: deno run -RW scripts/build/readme_tables.ts writes them`;
    assert.equal(text, fillTables(text), hint);
  }
});

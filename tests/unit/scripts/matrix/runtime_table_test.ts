import assert from "node:assert/strict";
import { it } from "node:test";
import {
  findTable,
  replaceTable,
  runtimeTable,
  sayTheSame,
  type TableEntry,
} from "../../../../scripts/matrix/runtime_table.ts";

const entries: readonly TableEntry[] = [
  { suite: "conformance", title: "Deno 2.9.6", passed: 42, checks: 42 },
  { suite: "conformance", title: "workerd 1.20260730.1", passed: 30, checks: 31 },
  { suite: "live", title: "Deno 2.9.6", passed: 13, checks: 13 },
];

const table = `| runtime              | conformance | live     |
| -------------------- | ----------- | -------- |
| Deno 2.9.6           | 42 of 42    | 13 of 13 |
| workerd 1.20260730.1 | 30 of 31    |          |`;

it("runtimeTable() has a row for each runtime and a column for each suite", () => {
  assert.equal(runtimeTable(entries), table);
});

it("replaceTable() changes nothing but what stands between the marks", () => {
  const marks = [
    "<!-- runtimes: written by deno task matrix --readme -->",
    "<!-- end of runtimes -->",
  ];
  const page = `before\n${marks[0]}\nold\n${marks[1]}\nafter\n`;
  const replaced = replaceTable(page, table);
  assert.equal(replaced, `before\n${marks[0]}\n\n${table}\n\n${marks[1]}\nafter\n`);
  assert.equal(findTable(replaced), table);
  assert.equal(replaceTable(replaced, table), replaced);
  assert.throws(() => replaceTable("no marks", table), /expected it between/);
});

it("sayTheSame() looks at counts and runtimes, not at versions and widths", () => {
  const newer = entries.map((entry) => ({ ...entry, title: entry.title.replace("2.9.6", "2.10") }));
  assert.ok(sayTheSame(table, runtimeTable(newer)));
  const fewer = entries.map((entry) => ({ ...entry, passed: entry.passed - 1 }));
  assert.ok(!sayTheSame(table, runtimeTable(fewer)));
  assert.ok(!sayTheSame(table, runtimeTable(entries.slice(0, 2))));
});

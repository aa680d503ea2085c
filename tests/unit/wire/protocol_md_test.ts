import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  DialplanAction,
  ErrorCode,
  EventType,
  type Field,
  InboundRule,
  type Method,
  methods,
  SupervisionMode,
} from "../../../src/wire/mod.ts";
import { elementOf, everyMessage } from "./support/model.ts";

const page = readFileSync(new URL("../../../src/wire/PROTOCOL.md", import.meta.url), "utf8");

/** The rows of the table whose first column has a heading, without the backquotes. */
function tableOf(header: string): string[][] {
  const lines = page.split("\n");
  const start = lines.findIndex((line) =>
    line.startsWith("|") && line.split("|")[1]!.trim() === header
  );
  assert.notEqual(start, -1, header);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(line.split("|").slice(1, -1).map((cell) => cell.replaceAll("`", "").trim()));
  }
  return rows;
}

/** A field as the page writes it. */
function describeField(field: Field): string {
  const { name, kind, element, optional } = field;
  const held = element?.kind === "message" ? elementOf(field).name : element?.kind;
  const value = field.default as unknown;
  const isZero = !value || (value as { length?: number }).length === 0;
  return `${name} ${held === undefined ? kind : `vector of ${held}`}${optional ? " (tail)" : ""}${
    isZero ? "" : ` = ${Array.isArray(value) ? value.join(" ") : value}`
  }`;
}

describe("PROTOCOL.md", () => {
  it("lists every method with its id, its request and its reply", () => {
    const listed = tableOf("method");
    const actual = Object.values<Method<unknown, unknown>>({ ...methods }).map((method) => [
      method.name,
      `${method.id}`,
      `0x${method.id.toString(16).padStart(8, "0")}`,
      method.request.name,
      method.reply?.name ?? "push",
    ]);
    assert.deepEqual(listed.toSorted(), actual.toSorted());
  });

  it("lists every message with its fields in wire order, their kinds and defaults", () => {
    const items = page.matchAll(/^- `(\w+)`: (.*(?:\n {2}.*)*)$/gm);
    const listed = Object.fromEntries(
      [...items].map((
        [, name, fields],
      ) => [name, fields!.replace(/\n */g, " ").replaceAll("`", "")]),
    );
    listed.AddTrunkRequest = listed.AddTrunkRequest!.replace(
      "then the fields of GetTrunkResponse",
      listed.GetTrunkResponse!,
    );
    const actual = Object.fromEntries(
      everyMessage.map((
        { name, fields },
      ) => [name, fields.map(describeField).join(", ") || "none"]),
    );
    assert.deepEqual(listed, actual);
  });

  it("lists every number of the constants", () => {
    const pairs = (table: object) =>
      Object.entries(table).map(([name, value]) => [`${value}`, name]);
    const firstTwo = (rows: string[][]) => rows.map(([value, name]) => [value, name]);
    assert.deepEqual(firstTwo(tableOf("`ErrorCode`")), pairs(ErrorCode));
    assert.deepEqual(firstTwo(tableOf("`DialplanAction`")), pairs(DialplanAction));
    const rows = tableOf("`InboundRule`");
    for (const [at, table] of [InboundRule, EventType, SupervisionMode].entries()) {
      const listed = rows.map((row) => row.slice(at * 3, at * 3 + 2)).filter(([value]) =>
        value !== ""
      );
      assert.deepEqual(listed, pairs(table));
    }
  });
});

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import ts from "typescript";
import { logCatalogue } from "../../../src/catalogue/log.ts";

interface Written {
  readonly event: string;
  readonly level: string;
  readonly details: readonly string[];
}

/** Every record that `src/client/` writes: calls of a logger with a level, an event and details. */
async function written(): Promise<Written[]> {
  const folder = new URL("../../../src/client/", import.meta.url);
  const found: Written[] = [];
  for (const name of await readdir(folder, { recursive: true })) {
    // The logger itself passes on what it is given.
    if (name === "log.ts" || !name.endsWith(".ts")) continue;
    const text = await readFile(new URL(name, folder), "utf8");
    const visit = (node: ts.Node): void => {
      ts.forEachChild(node, visit);
      if (!ts.isCallExpression(node) || !/(^|[.#])log$/.test(node.expression.getText())) return;
      const [level, event, details] = node.arguments;
      assert.ok(
        level && event && ts.isStringLiteral(level) && ts.isStringLiteral(event),
        node.getText(),
      );
      assert.ok(details === undefined || ts.isObjectLiteralExpression(details), node.getText());
      const names = details?.properties.map(({ name }) => name?.getText() ?? "") ?? [];
      found.push({ level: level.text, event: event.text, details: names });
    };
    visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  }
  return found;
}

describe("logCatalogue", () => {
  it("has every record that the client writes, with its level and details, and no other", async () => {
    const records = await written();
    assert.ok(records.length >= 7, "the scan finds records");
    for (const { event, level, details } of records) {
      const entry = logCatalogue[event];
      assert.ok(entry !== undefined, event);
      assert.equal(level, entry.level, event);
      assert.deepEqual(details, Object.keys(entry.details), event);
    }
    const events = new Set(records.map(({ event }) => event));
    assert.deepEqual(Object.keys(logCatalogue).filter((event) => !events.has(event)), []);
  });
});

/**
 * Which rows of the attack and fault catalogue have a test: one whose title, or whose group's title, opens with the row's id.
 * `deno run -A scripts/checks/catalogue.ts [--junit folder]`
 *
 * Without reports the titles are read from the tests' source, where only those that are written out can be seen. With a
 * folder of JUnit reports, the tests that passed in that run count.
 *
 * @module
 */

import { parseArgs } from "node:util";
import ts from "typescript";
import { catalogue } from "./support/catalogue.ts";
import { parseJunit } from "../support/junit.ts";
import { parse, readSources, type Sources, walk } from "../support/source.ts";
import { print } from "../support/terminal.ts";

const callers = new Set(["test", "it", "describe", "suite"]);

/** The titles that test files write out, as far as they are known before they run. */
export function titlesIn(files: Sources): string[] {
  const titles: string[] = [];
  for (const [path, text] of files) {
    if (!path.endsWith("_test.ts")) continue;
    walk(parse(path, text), (node) => {
      const title = ts.isCallExpression(node) && isTestCall(node) ? node.arguments[0] : undefined;
      if (title === undefined) return;
      if (ts.isStringLiteralLike(title)) titles.push(title.text);
      else if (ts.isTemplateExpression(title)) titles.push(title.head.text);
    });
  }
  return titles;
}

/** `test()`, `it()`, `t.test()`; not `test.skip()`, nor one that its options skip. */
function isTestCall({ expression, arguments: [, options] }: ts.CallExpression): boolean {
  const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  if (!ts.isIdentifier(name) || !callers.has(name.text)) return false;
  return options === undefined || !ts.isObjectLiteralExpression(options) ||
    !options.properties.some((each) => /^(skip|todo)\b/.test(each.getText()));
}

/** The rows that no title opens with. One title may open with several ids: "J-01, J-03 other algorithms". */
export function uncoveredRows(titles: Iterable<string>): string[] {
  const covered = new Set<string>();
  for (const title of titles) {
    const [ids = ""] = /^(?:[JGCF]-\d\d\b[, ]*)+/.exec(title) ?? [];
    for (const [id] of ids.matchAll(/[JGCF]-\d\d/g)) covered.add(id);
  }
  return Object.keys(catalogue).filter((id) => !covered.has(id));
}

/** The titles of the tests, and of their groups, that passed according to the reports in a folder. */
async function titlesPassed(folder: string): Promise<string[]> {
  const titles: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const cases = parseJunit(await Deno.readTextFile(`${folder}/${name}`));
    titles.push(
      ...cases.filter((each) => each.outcome === "passed").flatMap((each) => each.titles),
    );
  }
  return titles;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: { junit: { type: "string" } },
  });
  const titles = values.junit === undefined
    ? titlesIn(await readSources(["tests"]))
    : await titlesPassed(values.junit);
  const missing = uncoveredRows(titles);
  for (const id of missing) print(`${id} ${catalogue[id]}`);
  print(`catalogue rows without a test: ${missing.length}`);
  if (missing.length > 0) Deno.exitCode = 1;
}

/**
 * The README's tables that follow from the code: made here, put between `<!-- table: name -->` and `<!-- /table -->`.
 * `deno run -RW scripts/build/readme_tables.ts` writes them; with `--check` it only says which are out of date.
 *
 * @module
 */

import { errorCatalogue } from "../../src/catalogue/errors.ts";
import { logCatalogue } from "../../src/catalogue/log.ts";
import { refusalCatalogue, wireCatalogue } from "../../src/catalogue/wire.ts";
import { EXIT_CODES } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands.ts";
import { TEST_NUMBERS } from "../../src/cli/commands/gateway.ts";
import { VARIABLES } from "../../src/cli/help.ts";
import { limits } from "../../src/gateway/mod.ts";
import { ErrorCode } from "../../src/wire/mod.ts";
import { readPages } from "../support/pages.ts";
import { root } from "../support/source.ts";
import { conclude } from "../support/terminal.ts";

/** Every table by its name: its Markdown. */
export const tables: Readonly<Record<string, () => string>> = {
  "errors": () =>
    table(
      ["`code`", "meaning", "what to do", "`retryable`"],
      Object.entries(errorCatalogue).map(([code, { meaning, fix, retryable }]) => [
        `\`${code}\``,
        meaning,
        fix,
        retryable,
      ]),
    ),
  "wire-errors": () =>
    table(
      ["`rpcCode`", "name", "meaning", "what to do"],
      Object.entries(wireCatalogue).map(([name, { meaning, fix }]) => [
        `${ErrorCode[name as keyof typeof ErrorCode]}`,
        `\`${name}\``,
        meaning,
        fix,
      ]),
    ),
  "refusals": () =>
    table(
      ["`refusal`", "meaning", "what to do"],
      Object.entries(refusalCatalogue).map(([reason, { meaning, fix }]) => [
        `\`"${reason}"\``,
        meaning,
        fix,
      ]),
    ),
  "log-records": () =>
    table(
      ["`event`", "level", "what happened", "with"],
      Object.entries(logCatalogue).map(([event, { level, meaning, details }]) => [
        `\`${event}\``,
        level,
        meaning,
        Object.entries(details).map(([name, what]) => `\`${name}\`: ${what}`).join("; "),
      ]),
    ),
  "commands": () =>
    table(
      ["command", "what it does"],
      Object.entries(commands).map(([name, { summary }]) => [`\`telequick ${name}\``, summary]),
    ),
  "exit-codes": () => table(["exit code", "meaning"], Object.entries(EXIT_CODES)),
  "variables": () =>
    table(
      ["variable", "what it holds"],
      Object.entries(VARIABLES).map(([name, what]) => [`\`${name}\``, what]),
    ),
  "test-numbers": () =>
    table(
      ["number", "the far end"],
      Object.entries(TEST_NUMBERS).map(([number, does]) => [`\`${number}\``, does]),
    ),
  "limits": () =>
    table(
      ["limit", "value", "why", "what a peer sees"],
      limits.map(({ name, value, reason, peerSees }) => [
        `\`${name}\``,
        `${value}`,
        reason,
        peerSees,
      ]),
    ),
};

/** Puts every table that a text asks for in its place. Throws for a name that no table has and for a place without an end. */
export function fillTables(text: string): string {
  const filled = text.replace(
    /(<!-- table: ([\w-]+) -->\n)[\s\S]*?(<!-- \/table -->)/g,
    (_, begin: string, name: string, end: string) => {
      const make = Object.hasOwn(tables, name) ? tables[name] : undefined;
      if (make === undefined) throw new Error(`There is no table "${name}"`);
      return `${begin}\n${make()}\n${end}`;
    },
  );
  const begins = [...filled.matchAll(/<!-- table: /g)].length;
  const ends = [...filled.matchAll(/<!-- \/table -->/g)].length;
  if (begins !== ends) throw new Error(`${begins} tables begin and ${ends} end`);
  return filled;
}

/** A table in Markdown with aligned columns, as the formatter leaves it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |\n`;
  const [first, ...others] = cells;
  return line(first!) + line(widths.map((width) => "-".repeat(width))) + others.map(line).join("");
}

if (import.meta.main) {
  const wrong: string[] = [];
  const pages = await readPages();
  for (const [path, text] of pages) {
    const filled = fillTables(text);
    if (filled === text) continue;
    if (Deno.args.includes("--check")) {
      wrong.push(
        `${path}: a table is out of date (deno run -RW scripts/build/readme_tables.ts writes it)`,
      );
    } else await Deno.writeTextFile(new URL(path, root), filled);
  }
  conclude("tables", `${pages.size} pages`, wrong);
}

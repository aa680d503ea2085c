/** What came of one suite on one runtime, for the table. */
export interface TableEntry {
  /** The suite, which is a column. */
  readonly suite: string;
  /** The runtime and its version, which is a row. */
  readonly title: string;
  readonly passed: number;
  readonly checks: number;
}

const BEGIN = "<!-- runtimes: written by deno task matrix --readme -->";
const END = "<!-- end of runtimes -->";

/** Writes the table, in the form that the formatter gives it: a row for each runtime, a column for each suite, in the order of the entries. */
export function runtimeTable(entries: readonly TableEntry[]): string {
  const suites = [...new Set(entries.map(({ suite }) => suite))];
  const titles = [...new Set(entries.map(({ title }) => title))];
  const cell = (title: string, suite: string): string => {
    const entry = entries.find((entry) => entry.title === title && entry.suite === suite);
    return entry === undefined ? "" : `${entry.passed} of ${entry.checks}`;
  };
  const rows = [
    ["runtime", ...suites],
    ...titles.map((title) => [title, ...suites.map((suite) => cell(title, suite))]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [head, ...body] = rows.map(line);
  return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

/**
 * Finds the table in a page.
 *
 * @throws `Error` when the marks around it are not there.
 */
export function findTable(page: string): string {
  const [, rest] = page.split(BEGIN);
  const [table, after] = rest?.split(END) ?? [];
  if (table === undefined || after === undefined) {
    throw new Error(`Cannot find the table of runtimes: expected it between ${BEGIN} and ${END}`);
  }
  return table.trim();
}

/** Puts a table in the place of the one in a page. */
export function replaceTable(page: string, table: string): string {
  findTable(page);
  const [before] = page.split(BEGIN);
  const [, after] = page.split(END);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}

/** Whether two tables have the same results, apart from the versions of the runtimes. */
export function sayTheSame(one: string, other: string): boolean {
  const withoutVersions = (table: string): string =>
    table.replace(/^(\|[^|\d]*) [\d.]+/gm, "$1").replace(/ +/g, " ").replace(/-+/g, "-");
  return withoutVersions(one) === withoutVersions(other);
}

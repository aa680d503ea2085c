/**
 * Text wrapped at words to the width of a terminal.
 *
 * @module
 */

/** Where wrapped lines begin. */
export interface WrapOptions {
  /** Columns of the terminal; `Infinity` wraps nothing. */
  readonly columns: number;
  /** Spaces before the second and later lines. Default: those before the first word. */
  readonly indent?: number;
}

// Below this many columns of text nothing is gained by an indent, and by wrapping at all.
const LEAST_COLUMNS = 20;

/** Wraps each line of a text at its spaces. A word that is longer than a line stays whole: it may be a path that is copied. */
export function wrap(text: string, options: WrapOptions): string {
  return text.split("\n").map((line) => wrapLine(line, options)).join("\n");
}

/** Rows of two columns, the second one wrapped within itself; below the first one where too little room is left beside it. */
export function wrapColumns(
  rows: readonly (readonly [left: string, right: string])[],
  columns: number,
): string {
  const widest = Math.max(0, ...rows.map(([left]) => left.length));
  const isNarrow = columns - widest - 4 < LEAST_COLUMNS;
  const indent = isNarrow ? 6 : widest + 4;
  return rows.flatMap(([left, right]) => {
    if (!isNarrow) return wrapLine(`  ${left.padEnd(widest)}  ${right}`, { columns, indent });
    return [`  ${left}`, wrapLine(`${" ".repeat(indent)}${right}`, { columns })];
  }).join("\n");
}

function wrapLine(line: string, { columns, indent }: WrapOptions): string {
  if (visibleLength(line) <= columns) return line;
  const start = /^ */.exec(line)![0];
  const hang = " ".repeat(indent ?? start.length);
  if (columns - hang.length < LEAST_COLUMNS) return line;
  const lines: string[] = [];
  let current = "";
  // Words with the spaces before them, which stay as they are within a line.
  for (const [word] of line.matchAll(/ *[^ ]+/g)) {
    if (current.trim() !== "" && visibleLength(current + word) > columns) {
      lines.push(current);
      current = hang + word.trimStart();
    } else current += word;
  }
  return [...lines, current].join("\n");
}

/** The length of a text without the codes of our own style. */
export function visibleLength(text: string): number {
  // deno-lint-ignore no-control-regex
  return [...text.replace(/\x1b\[\d+m/g, "")].length;
}

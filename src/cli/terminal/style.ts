/**
 * Colours of a terminal.
 *
 * @module
 */

import type { Platform, Terminal } from "../platform.ts";

/** Wraps text in a terminal's codes, or leaves it as it is. */
export type Paint = (text: string) => string;

/** Text styles. No information depends on colour alone. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warn: Paint;
  readonly bad: Paint;
}

// ECMA-48 section 8.3.117: select graphic rendition, on and off.
const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  good: [32, 39],
  warn: [33, 39],
  bad: [31, 39],
} as const;

/** The style of a stream: plain unless it is a terminal, `NO_COLOR` (no-color.org) is not set and `TERM` is not `dumb`. */
export function styleOf(terminal: Terminal, variable: Platform["variable"]): Style {
  const plain = !terminal.isTerminal || variable("NO_COLOR") !== undefined ||
    variable("TERM") === "dumb";
  const paint = (name: keyof typeof CODES): Paint => {
    const [on, off] = CODES[name];
    return (text) => plain || text === "" ? text : `\x1b[${on}m${text}\x1b[${off}m`;
  };
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    good: paint("good"),
    warn: paint("warn"),
    bad: paint("bad"),
  };
}

/**
 * Output of the command line: lines for people, or one JSON object a line for programs.
 *
 * @module
 */

import { escapeControl } from "../../base/text/control.ts";
import { type Clock, systemClock } from "../../base/signal.ts";
import type { Platform, Terminal } from "../platform.ts";
import { type Style, styleOf } from "./style.ts";
import { wrap } from "./wrap.ts";

/** One record of output; `type` is its kind. */
export interface OutputRecord {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** Options of {@linkcode createOutput}. */
export interface CreateOutputOptions {
  /** Whether to print JSON instead of text. */
  readonly json: boolean;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** The output of a command. Results go to the standard output; notes, progress and errors to the standard error. */
export interface Output {
  readonly json: boolean;
  /** The style of results. */
  readonly style: Style;
  /** The style of notes. */
  readonly noteStyle: Style;
  /** Columns to which results are wrapped; `Infinity` where they do not go to a terminal: programs read whole lines. */
  readonly columns: number;
  /** Columns to which notes and errors are wrapped. */
  readonly noteColumns: number;
  /** A result: `record` as one line of JSON, or `text`; without `text`, nothing is printed for people. */
  emit(record: OutputRecord, text?: string): void;
  /** A result that is printed unchanged in both forms, such as a requested token. */
  raw(text: string): void;
  /** A remark beside the result, for people only. */
  note(text: string): void;
  /** A warning, as text or as an object with `type` "warning", on the standard error. */
  warn(text: string): void;
  /** Why the command failed, as text or as an object with `type` "error", on the standard error. */
  fail(record: OutputRecord, text: string): void;
  /** Shows progress on a terminal after one second: calls `text` ten times a second. Returns a function that ends it. */
  progress(text: () => string): () => void;
  /** Resolves when everything has been written; rejects when the reader has closed the pipe. */
  flush(): Promise<void>;
  /** Aborted when the reader has closed the pipe (`| head`). */
  readonly broken: AbortSignal;
}

// Shorter operations need no progress.
const PROGRESS_AFTER_MS = 1_000;
const PROGRESS_EVERY_MS = 100;

/** Creates the output of a run. */
export function createOutput(platform: Platform, options: CreateOutputOptions): Output {
  const { json, clock = systemClock } = options;
  const { stdout, stderr } = platform;
  let shown = "";
  let pending: Promise<void> = Promise.resolve();
  const broken = new AbortController();

  const write = (terminal: Terminal, text: string): void => {
    const written = terminal.write(text);
    pending = Promise.all([pending, written]).then(() => {});
    pending.catch((error: unknown) => broken.abort(error));
  };
  const clear = (): string => shown === "" ? "" : "\r\x1b[K";
  /** A line, on either terminal, moves the progress line down. */
  const line = (terminal: Terminal, text: string): void => {
    if (shown !== "") write(stderr, clear());
    write(terminal, `${text}\n`);
    if (shown !== "") write(stderr, shown);
  };

  return {
    json,
    style: styleOf(stdout, platform.variable),
    noteStyle: styleOf(stderr, platform.variable),
    columns: columnsOf(stdout),
    noteColumns: columnsOf(stderr),
    emit(record, text) {
      if (json) line(stdout, jsonLine(record));
      else if (text !== undefined) line(stdout, printable(text));
    },
    raw: (text) => line(stdout, text),
    note(text) {
      if (!json) line(stderr, printable(text));
    },
    warn(text) {
      const { warn } = styleOf(stderr, platform.variable);
      if (json) return line(stderr, jsonLine({ type: "warning", message: text }));
      const columns = columnsOf(stderr);
      line(stderr, wrap(`${warn("warning:")} ${printable(text)}`, { columns, indent: 2 }));
    },
    fail: (record, text) => line(stderr, json ? jsonLine(record) : printable(text)),
    progress(text) {
      if (json || !stderr.isTerminal) return () => {};
      let cancel = (): void => {};
      const show = (): void => {
        const next = printable(text()).slice(0, stderr.columns - 1);
        if (next !== shown) write(stderr, clear() + next);
        shown = next;
        cancel = clock.schedule(PROGRESS_EVERY_MS, show);
      };
      cancel = clock.schedule(PROGRESS_AFTER_MS, show);
      return () => {
        cancel();
        if (shown !== "") write(stderr, clear());
        shown = "";
      };
    },
    flush: () => pending,
    broken: broken.signal,
  };
}

function columnsOf({ isTerminal, columns }: Terminal): number {
  return isTerminal ? columns : Infinity;
}

// Tabs, line ends and the codes of our own style stay unchanged in text of several lines.
// deno-lint-ignore no-control-regex
const LAYOUT = /(\t|\n|\x1b\[(?:1|2|22|31|32|33|39)m)/;

/** An object as JSON that a terminal can show: what `JSON.stringify` leaves raw of a peer's control characters is escaped, which is the same JSON. */
function jsonLine(record: unknown): string {
  return escapeControl(JSON.stringify(record));
}

function printable(text: string): string {
  return text.split(LAYOUT).map((part) => LAYOUT.test(part) ? part : escapeControl(part)).join("");
}

/** A peer's text within one line: control characters and line ends escaped. */
export function inLine(text: string): string {
  return escapeControl(text);
}

/**
 * What the command line says: lines for people, or one JSON object a line for machines.
 *
 * @module
 */

import { escapeControl } from "../../base/control.ts";
import { type Clock, systemClock } from "../../base/signal.ts";
import type { Platform, Terminal } from "../platform.ts";
import { type Style, styleOf } from "./style.ts";

/** One thing that a command has to say, as data. `type` says what kind of thing. */
export interface OutputRecord {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** Options of {@linkcode createOutput}. */
export interface CreateOutputOptions {
  /** Objects in place of text. */
  readonly json: boolean;
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** How a command speaks. Results go to the standard output; notes, progress and errors to the standard error. */
export interface Output {
  readonly json: boolean;
  /** The style of results. */
  readonly style: Style;
  /** The style of notes. */
  readonly noteStyle: Style;
  /** A result: `record` as one line of JSON, or `text` for people; without a text, people are not told. */
  emit(record: OutputRecord, text?: string): void;
  /** Text that is a result by itself and is written as it is in either form, such as a token that was asked for. */
  raw(text: string): void;
  /** Something beside the result, for people only. */
  note(text: string): void;
  /** Something that may be wrong: for people, or an object with `type` "warning", both on the standard error. */
  warn(text: string): void;
  /** Why the command failed: for people, or an object with `type` "error", both on the standard error. */
  fail(record: OutputRecord, text: string): void;
  /** Shows what is going on, once it has taken a second, on a terminal: `text` is asked ten times a second. Returns what ends it. */
  progress(text: () => string): () => void;
  /** Resolves when everything has left the process; rejects when a reader has gone. */
  flush(): Promise<void>;
  /** Aborted when a reader has gone (`| head`): there is nobody to speak to any more. */
  readonly broken: AbortSignal;
}

// What takes less than a second needs no progress.
const PROGRESS_AFTER_MS = 1_000;
const PROGRESS_EVERY_MS = 100;

/** Makes the output of a run. */
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
  /** Lines push the progress line down, on whichever terminal they go. */
  const line = (terminal: Terminal, text: string): void => {
    if (shown !== "") write(stderr, clear());
    write(terminal, `${text}\n`);
    if (shown !== "") write(stderr, shown);
  };

  return {
    json,
    style: styleOf(stdout, platform.variable),
    noteStyle: styleOf(stderr, platform.variable),
    emit(record, text) {
      if (json) line(stdout, JSON.stringify(record));
      else if (text !== undefined) line(stdout, printable(text));
    },
    raw: (text) => line(stdout, text),
    note(text) {
      if (!json) line(stderr, printable(text));
    },
    warn(text) {
      const { warn } = styleOf(stderr, platform.variable);
      if (json) line(stderr, JSON.stringify({ type: "warning", message: text }));
      else line(stderr, `${warn("warning:")} ${printable(text)}`);
    },
    fail: (record, text) => line(stderr, json ? JSON.stringify(record) : printable(text)),
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

// Tabs, line ends and the codes of our own style: what stays as it is in text of several lines.
// deno-lint-ignore no-control-regex
const LAYOUT = /(\t|\n|\x1b\[(?:1|2|22|31|32|33|39)m)/;

function printable(text: string): string {
  return text.split(LAYOUT).map((part) => LAYOUT.test(part) ? part : escapeControl(part)).join("");
}

/** Text of a peer, as a part of one line: control characters and line ends escaped. */
export function inLine(text: string): string {
  return escapeControl(text);
}

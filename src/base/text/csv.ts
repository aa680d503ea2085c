/**
 * Comma-separated values (RFC 4180) as spreadsheets write them, read as they come: text in, rows out, one row in memory at a time.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";

const LONGEST_ROW = 16 * 1024;
const MOST_COLUMNS = 64;
const DELIMITERS = [",", ";", "\t"];

/** A row. */
export interface CsvRow {
  /** The line of the file that it begins on; the header row is usually on line 1. */
  readonly line: number;
  /** Its fields by the names of the header row, in lower case. */
  readonly columns: ReadonlyMap<string, string>;
}

/** Options of {@linkcode readCsv}. */
export interface ReadCsvOptions {
  /** Called with the names of the header row, in lower case, before the first row. */
  readonly onHeader?: (names: readonly string[]) => void;
}

/**
 * Reads rows. The first line names the columns, and shows by which of comma, semicolon and tab fields are separated. A field can be
 * quoted, and then hold separators, line ends and doubled quotes; lines end with LF, CRLF or CR; empty lines are skipped; missing fields
 * are empty.
 *
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for bytes that are not UTF-8, a quote that is not closed, a row that is too long, too many
 * columns or no header.
 */
export async function* readCsv(
  chunks: AsyncIterable<Uint8Array | string>,
  { onHeader }: ReadCsvOptions = {},
): AsyncGenerator<CsvRow> {
  const lines = new Lines();
  let header: readonly string[] | undefined;
  const rowOf = ({ line, fields }: Line): CsvRow | undefined => {
    if (header === undefined) {
      header = fields.map((name) => name.trim().toLowerCase());
      onHeader?.(header);
      return undefined;
    }
    return { line, columns: new Map(header.map((name, i) => [name, fields[i] ?? ""])) };
  };
  for await (const text of decode(chunks)) {
    for (const line of lines.read(text)) {
      const row = rowOf(line);
      if (row !== undefined) yield row;
    }
  }
  for (const line of lines.end()) {
    const row = rowOf(line);
    if (row !== undefined) yield row;
  }
  if (header === undefined) throw unfit("it is empty, expected a header row");
}

interface Line {
  /** Where it begins. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** Lines of fields, from text that is cut anywhere. */
class Lines {
  // What came before the end of the first line: it shows the separator.
  #head = "";
  #special: RegExp | undefined;
  #delimiter = ",";
  #fields: string[] = [];
  #field = "";
  // Within quotes; or right after a quote that can be the closing one.
  #state: "plain" | "quoted" | "closing" = "plain";
  // A line feed that follows belongs to the carriage return before it.
  #skipsFeed = false;
  #line = 1;
  #startLine = 1;

  /** The lines that `text` completes, but for empty ones. */
  *read(text: string): Generator<Line> {
    if (this.#special !== undefined) return yield* this.#take(text);
    this.#head += text;
    if (this.#head.length > LONGEST_ROW || /[^\r\n][\r\n]/.test(this.#head)) yield* this.#begin();
  }

  /** The last line, when it has no end of its own. */
  *end(): Generator<Line> {
    if (this.#special === undefined) yield* this.#begin();
    if (this.#state === "quoted") throw unfit("a quote is not closed");
    if (this.#field !== "" || this.#fields.length > 0) yield* this.#endLine();
  }

  *#begin(): Generator<Line> {
    this.#delimiter = delimiterOf(this.#head);
    this.#special = new RegExp(`[${this.#delimiter}\n\r"]`, "g");
    const head = this.#head;
    this.#head = "";
    yield* this.#take(head);
  }

  *#take(text: string): Generator<Line> {
    for (let at = 0; at < text.length;) {
      if (this.#skipsFeed && text[at] === "\n") at++;
      this.#skipsFeed = false;
      const end = this.#next(text, at);
      this.#append(text.slice(at, end));
      if (end >= text.length) return;
      if (this.#meets(text[end]!)) yield* this.#endLine();
      at = end + 1;
    }
  }

  /** The next character from `at` on that can have a meaning here; the text's length without one. */
  #next(text: string, at: number): number {
    const special = this.#state === "quoted" ? QUOTED : this.#special!;
    special.lastIndex = at;
    return special.test(text) ? special.lastIndex - 1 : text.length;
  }

  /** Takes a character that can have a meaning. Returns `true` when it ends the line. */
  #meets(character: string): boolean {
    if (this.#state === "quoted") {
      if (character === '"') this.#state = "closing";
      else {
        // A line end within quotes; of CRLF the feed counts.
        this.#append(character);
        if (character === "\n") this.#line++;
      }
      return false;
    }
    if (character === this.#delimiter) this.#endField();
    else if (character === '"') this.#meetsQuote();
    else {
      this.#skipsFeed = character === "\r";
      return true;
    }
    return false;
  }

  #meetsQuote(): void {
    if (this.#state === "plain" && this.#field !== "") return this.#append('"');
    // Right after a closing quote it is a doubled one.
    if (this.#state === "closing") this.#append('"');
    this.#state = "quoted";
  }

  *#endLine(): Generator<Line> {
    this.#endField();
    const fields = this.#fields;
    const line = this.#startLine;
    this.#fields = [];
    this.#startLine = ++this.#line;
    if (fields.length > 1 || fields[0] !== "") yield { line, fields };
  }

  #endField(): void {
    if (this.#fields.push(this.#field) > MOST_COLUMNS) throw unfit("a row has too many columns");
    this.#field = "";
    this.#state = "plain";
  }

  #append(text: string): void {
    if (text === "") return;
    this.#field += text;
    if (this.#field.length > LONGEST_ROW) throw unfit("a row is too long");
  }
}

const QUOTED = /["\n]/g;

/** The separator of a header row: the one that it has most of, outside of quotes. */
function delimiterOf(head: string): string {
  const plain = head.replace(/^[\r\n]+/, "").replaceAll(/"[^"]*"?/g, "");
  const [first = ""] = plain.split(/[\r\n]/, 1);
  const counts = DELIMITERS.map((each) => first.split(each).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

async function* decode(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const read = (chunk: Uint8Array | undefined): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw unfit("it is not UTF-8");
    }
  };
  let isStart = true;
  for await (const chunk of chunks) {
    const text = typeof chunk === "string" ? chunk : read(chunk);
    // The decoder skips a byte order mark, text that was read elsewhere can still have it.
    yield isStart ? text.replace(/^\ufeff/, "") : text;
    isStart &&= text === "";
  }
  yield read(undefined);
}

function unfit(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot read CSV: ${found}`);
}

/**
 * Comma-separated values (RFC 4180), read as they come: bytes in, rows out, one row in memory at a time.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";

// A row of a campaign has a handful of short columns.
const LONGEST_ROW = 16 * 1024;
const MOST_COLUMNS = 64;

/** A row by the names of the header row, in lower case. */
export type CsvRow = ReadonlyMap<string, string>;

/**
 * Reads rows. The first line names the columns; a field may be quoted, and then hold commas, line ends and doubled quotes; lines end with LF
 * or CRLF; empty lines are skipped; missing fields are empty.
 *
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for text that is not UTF-8, a quote that is not closed, a row without end, too many columns or no header.
 */
export async function* readCsv(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRow> {
  const lines = new Lines();
  let header: readonly string[] | undefined;
  for await (const text of decode(chunks)) {
    for (const fields of lines.read(text)) {
      if (header === undefined) header = fields.map((name) => name.trim().toLowerCase());
      else yield rowOf(header, fields);
    }
  }
  const last = lines.end();
  if (header === undefined) {
    if (last === undefined) throw unfit("it is empty, expected a header row");
  } else if (last !== undefined) yield rowOf(header, last);
}

function rowOf(header: readonly string[], fields: readonly string[]): CsvRow {
  const row = new Map<string, string>();
  for (const [i, name] of header.entries()) row.set(name, fields[i] ?? "");
  return row;
}

/** One field's text, and where the reader stands in it. */
class Line {
  fields: string[] = [];
  field = "";
  /** Within quotes; or right behind a quote that may be the closing one. */
  state: "plain" | "quoted" | "closing" = "plain";

  endField(): void {
    if (this.fields.push(this.field) > MOST_COLUMNS) throw unfit("a row has too many columns");
    this.field = "";
    this.state = "plain";
  }

  /** Takes `text` from `at` on, up to the line's end. Returns where it stopped: behind the line's end, or -1 when that is still to come. */
  take(text: string, at: number): number {
    while (at < text.length) {
      const end = this.#special(text, at);
      this.#append(text.slice(at, end));
      if (end === text.length) break;
      if (this.#isEnd(text[end]!)) return end + 1;
      at = end + 1;
    }
    return -1;
  }

  /** The next character from `at` on that may mean something here; the text's length when there is none. */
  #special(text: string, at: number): number {
    const special = this.state === "quoted" ? QUOTE : SPECIAL;
    special.lastIndex = at;
    return special.test(text) ? special.lastIndex - 1 : text.length;
  }

  /** Takes a character that may mean something. Returns `true` when it ends the line. */
  #isEnd(character: string): boolean {
    if (this.state === "quoted") this.state = "closing";
    else if (character === ",") this.endField();
    else if (character === "\n") return true;
    else if (character === '"') {
      if (this.state === "plain" && this.field !== "") this.#append('"');
      else {
        // Right behind a closing quote it is a doubled one.
        if (this.state === "closing") this.#append('"');
        this.state = "quoted";
      }
    }
    return false;
  }

  #append(text: string): void {
    if (text === "") return;
    this.field += text;
    if (this.field.length > LONGEST_ROW) throw unfit("a row is too long");
  }
}

// A carriage return that is not within quotes is left out.
const SPECIAL = /[,\n\r"]/g;
const QUOTE = /"/g;

/** Lines of fields, from text that is cut anywhere. */
class Lines {
  #line = new Line();

  /** The lines that `text` completes, but for empty ones. */
  *read(text: string): Generator<readonly string[]> {
    let at = 0;
    while ((at = this.#line.take(text, at)) >= 0) {
      const { fields } = this.#line;
      this.#line.endField();
      this.#line = new Line();
      if (fields.length > 1 || fields[0] !== "") yield fields;
    }
  }

  /** The last line, when it has no end of its own. */
  end(): readonly string[] | undefined {
    const line = this.#line;
    if (line.state === "quoted") throw unfit("a quote is not closed");
    if (line.field === "" && line.fields.length === 0) return undefined;
    line.endField();
    return line.fields;
  }
}

async function* decode(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    throw error instanceof TypeError ? unfit("it is not UTF-8") : error;
  }
}

function unfit(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot read CSV: ${found}`);
}

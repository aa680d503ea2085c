/**
 * Comma-separated values (RFC 4180), read as they come: bytes in, rows out, one row in memory at a time.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";

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
  let header: readonly string[] | undefined;
  for await (const fields of readLines(chunks)) {
    if (header === undefined) {
      header = fields.map((name) => name.trim().toLowerCase());
      continue;
    }
    const row = new Map<string, string>();
    for (const [i, name] of header.entries()) row.set(name, fields[i] ?? "");
    yield row;
  }
  if (header === undefined) throw unfit("it is empty, expected a header row");
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

  /** Takes a character. Returns `true` when it ends the line. */
  take(character: string): boolean {
    if (this.state === "quoted") {
      if (character === '"') this.state = "closing";
      else this.#append(character);
      return false;
    }
    if (this.state === "closing" && character === '"') {
      this.state = "quoted";
      this.#append(character);
      return false;
    }
    if (character === ",") this.endField();
    else if (character === "\n") return true;
    else if (character === '"' && this.field === "" && this.state === "plain") {
      this.state = "quoted";
    } else if (character !== "\r") this.#append(character);
    return false;
  }

  #append(character: string): void {
    this.field += character;
    if (this.field.length > LONGEST_ROW) throw unfit("a row is too long");
  }
}

async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  let line = new Line();
  for await (const text of decode(chunks)) {
    for (const character of text) {
      if (!line.take(character)) continue;
      line.endField();
      if (line.fields.length > 1 || line.fields[0] !== "") yield line.fields;
      line = new Line();
    }
  }
  if (line.state === "quoted") throw unfit("a quote is not closed");
  if (line.field === "" && line.fields.length === 0) return;
  line.endField();
  yield line.fields;
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

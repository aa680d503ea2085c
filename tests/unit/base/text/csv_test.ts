import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeUtf8 } from "../../../../src/base/bytes.ts";
import { readCsv } from "../../../../src/base/text/csv.ts";
import { seed } from "../../../support/seed.ts";

async function* chunked(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = encodeUtf8(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size = Infinity): Promise<Record<string, string>[]> {
  const rows: Record<string, string>[] = [];
  for await (const row of readCsv(chunked(text, Math.min(size, 1 << 20)))) {
    rows.push(Object.fromEntries(row.columns));
  }
  return rows;
}

describe("readCsv()", () => {
  it("names fields by the header row, independent of its case and the order of its columns", async () => {
    assert.deepEqual(await read("To, Call_From\n+1,+2\n+3,+4\n"), [
      { to: "+1", call_from: "+2" },
      { to: "+3", call_from: "+4" },
    ]);
  });

  it("reads quotes, commas, line ends and doubled quotes within them, CRLF, and a last line without an end", async () => {
    assert.deepEqual(await read('a,b\r\n"x, y","1\n2"\r\n"say ""hi""",\r\n"",z'), [
      { a: "x, y", b: "1\n2" },
      { a: 'say "hi"', b: "" },
      { a: "", b: "z" },
    ]);
  });

  it("skips empty lines, fills missing fields and ignores further ones", async () => {
    assert.deepEqual(await read("a,b\n\n1\n\r\n1,2,3\n"), [{ a: "1", b: "" }, { a: "1", b: "2" }]);
  });

  it("reads what spreadsheets write: semicolons, tabs, lines that end with CR alone, quoted names", async () => {
    const expected = [{ to: "+1", name: "a,b" }, { to: "+2", name: "" }];
    for (const end of ["\n", "\r\n", "\r"]) {
      for (
        const [text, name] of [["to;name", "a,b"], ["to\tname", "a,b"], ['"to",name', '"a,b"']]
      ) {
        const by = text!.includes(";") ? ";" : text!.includes("\t") ? "\t" : ",";
        const lines = [text, `+1${by}${name}`, `+2${by}`, ""];
        for (const size of [1, 3, Infinity]) {
          assert.deepEqual(await read(lines.join(end), size), expected, JSON.stringify(lines));
        }
      }
    }
  });

  it("counts the lines of the file, those within quotes and empty ones too", async () => {
    for (const end of ["\n", "\r\n"]) {
      const text = ["to", "+1", "", `"+2${end}x"`, "+3", "+4"].join(end);
      for (const size of [1, 2, Infinity]) {
        const lines: number[] = [];
        for await (const { line } of readCsv(chunked(text, Math.min(size, 99)))) lines.push(line);
        assert.deepEqual(lines, [2, 4, 6, 7]);
      }
    }
  });

  it("says what the header row is, also when no row follows", async () => {
    const headers: (readonly string[])[] = [];
    const onHeader = (names: readonly string[]) => void headers.push(names);
    for await (const _ of readCsv(chunked("Number;Name", 4), { onHeader })) assert.fail("no row");
    assert.deepEqual(headers, [["number", "name"]]);
  });

  it("skips a byte order mark, and reads a quote in the middle as a character", async () => {
    assert.deepEqual(await read('\ufeffa\n5" pipe\n'), [{ a: '5" pipe' }]);
  });

  it("says what is wrong with text that is not CSV", async () => {
    const refused = (text: string) => assert.rejects(read(text), { code: "ERR_VALUE_INVALID" });
    await assert.rejects(read(""), { message: /it is empty, expected a header row/ });
    await assert.rejects(read('a\n"1'), { message: /a quote is not closed/ });
    await assert.rejects(read(`a\n${"x".repeat(16 * 1024 + 1)}`), { message: /a row is too long/ });
    await assert.rejects(read(",".repeat(64)), { message: /a row has too many columns/ });
    await refused('"');
    const latin1 = (async function* () {
      yield new Uint8Array([0x61, 0x0a, 0xe9]);
    })();
    await assert.rejects(readCsv(latin1).next(), { message: /it is not UTF-8/ });
  });

  it("reads back what is written by the rules of RFC 4180, however the bytes are cut", async () => {
    const field = fc.string({ unit: "grapheme", maxLength: 8 }).filter((text) =>
      text.isWellFormed()
    );
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), {
      minLength: 1,
      maxLength: 8,
    });
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 40 }), async (rows, size) => {
        const columns = ["a", "b", "c", "d"];
        const text = [columns, ...rows].map((row) => row.map(quote).join(",")).join("\r\n");
        const expected = rows.map((row) =>
          Object.fromEntries(columns.map((name, i) => [name, row[i] ?? ""]))
        );
        assert.deepEqual(await read(text, size), expected);
      }),
      { seed, numRuns: 300 },
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseServiceAccount } from "../../../src/credentials/service_account.ts";

const members = { tenant_id: "acme", private_key: "key", private_key_id: "2026-11" };
const text = JSON.stringify(members);
const base64 = btoa(text);

function refuses(input: string | Uint8Array, found: string): void {
  assert.throws(() => parseServiceAccount(input), {
    name: "TeleQuickError",
    code: "ERR_CREDENTIALS_INVALID",
    message: `Cannot parse service account: ${found}`,
  });
}

// What stands beside the faults that service_account_test.ts names: the edges of each pattern.
const rows: readonly (readonly [what: string, input: string, found: string])[] = [
  [
    "the text NaN",
    "NaN",
    'text is "NaN", expected JSON (is the variable set?)',
  ],
  ["NaN among other words", "x NaN", "text is not JSON, expected an object in braces"],
  ["undefined and more", "undefined x", "text is not JSON, expected an object in braces"],
  [
    "a text with undefined at its end",
    "x undefined",
    "text is not JSON, expected an object in braces",
  ],
  [
    "quotes around it and white space",
    `\` \n${text}`,
    "text has quotes around it, expected JSON without them",
  ],
  [
    "a quote before the brace, but not first",
    `x'{`,
    "JSON ends early, expected a closing brace (is the file cut off?)",
  ],
  [
    "single quotes after white space",
    `{ \n'a': 1}`,
    "JSON has single quotes, expected double quotes",
  ],
  [
    "a quoted brace later on",
    `{"a": {'`,
    "JSON ends early, expected a closing brace (is the file cut off?)",
  ],
  [
    "quotes escaped twice, after white space",
    `{ \\\\"a\\\\": 1}`,
    "JSON has escaped quotes, expected plain ones (it was encoded twice: decode it once)",
  ],
  [
    "an escaped quote later on",
    `{"a": {\\"`,
    "JSON ends early, expected a closing brace (is the file cut off?)",
  ],
  ["PEM after other text", `x -----BEGIN`, "text is not JSON, expected an object in braces"],
  [
    "a file name without a folder",
    "account.json",
    "text is a path, expected the file's content (pass the path to loadServiceAccount)",
  ],
  ["a file name and more", "account.json5", "text is not JSON, expected an object in braces"],
  ["a path of two lines", "a/b\nc", "text is not JSON, expected an object in braces"],
  [
    "a path of 1024 characters",
    `/${"x".repeat(1_023)}`,
    "text is a path, expected the file's content (pass the path to loadServiceAccount)",
  ],
  [
    "a path of 1025 characters",
    `/${"x".repeat(1_024)}`,
    "text is not JSON, expected an object in braces",
  ],
  [
    "base64 with white space first in it",
    btoa(` \n {"a":1}`),
    "text is base64, expected JSON (decode it first)",
  ],
  [
    "base64 of something else",
    btoa("hello {world}"),
    "text is not JSON, expected an object in braces",
  ],
  [
    "base64url of an object, in lines with spaces",
    `  ${base64.slice(0, 40)} \n ${base64.slice(40)}`,
    "text is base64, expected JSON (decode it first)",
  ],
  [
    "a token is mentioned later on",
    `x eyJhbGciOiJSUzI1NiJ9.aa.b`,
    "text is not JSON, expected an object in braces",
  ],
  [
    "a comma before a closing bracket",
    `{"a": [1, \n], "b": ",}"}`,
    "JSON has a comma before a closing brace, expected none",
  ],
  ["a comma and brace in a string only", `{"b": "\\",}", x}`, "text is not JSON"],
  ["a boolean", "true", "JSON is a boolean, expected an object"],
  ["17 levels", `${'{"a":'.repeat(17)}1${"}".repeat(17)}`, "text is nested too deep"],
];

describe("the text of a service account", () => {
  for (const [what, input, found] of rows) {
    it(`has its own fault: ${what}`, () => refuses(input, found));
  }

  it("is taken when it has 64 KiB, as text and as bytes, and 16 levels", () => {
    const nested = JSON.parse(`${'{"a":'.repeat(14)}1${"}".repeat(14)}`);
    const deep = JSON.stringify({ ...members, nested });
    for (
      const input of [text.padEnd(65_536), new TextEncoder().encode(text.padEnd(65_536)), deep]
    ) {
      assert.equal(parseServiceAccount(input).tenantId, "acme");
    }
  });

  it("is taken for UTF-16, from four bytes, only where every other one is zero", () => {
    const found = "file is UTF-16, expected UTF-8 (save it again as UTF-8)";
    for (const bytes of [[0xff, 0xfe], [0xfe, 0xff], [0, 1, 0, 1], [1, 0, 1, 0]]) {
      refuses(Uint8Array.from(bytes), found);
    }
    for (const bytes of [[0xff, 0xff], [0xfe, 0xfe], [0xff], [0xfe]]) {
      refuses(Uint8Array.from(bytes), "bytes are not UTF-8 text");
    }
    for (const bytes of [[0, 1, 1, 1], [1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 0]]) {
      refuses(
        Uint8Array.from(bytes),
        "text was read as UTF-16, expected UTF-8 (save it again as UTF-8)",
      );
    }
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkLinks } from "../../../../scripts/checks/links.ts";

const files = new Set(["README.md", "src/wire/PROTOCOL.md", "src/wire/mod.ts", "src"]);
const repository = { has: (path: string) => files.has(path) };

function check(source: string, page = ""): string[] {
  const pages = new Map([["README.md", page], [
    "src/wire/PROTOCOL.md",
    "# Frames\n\n## Length & size\n",
  ]]);
  return checkLinks(new Map([["src/wire/mod.ts", source]]), pages, repository);
}

describe("checkLinks() reports", () => {
  const samples: readonly (readonly [what: string, found: string[], RegExp])[] = [
    [
      "a page's link to a file that does not exist",
      check("", "\n\nSee [it](src/missing.md)."),
      /^README\.md:3: the link leads to src\/missing\.md/,
    ],
    [
      "a link to a heading that does not exist",
      check("", "[it](src/wire/PROTOCOL.md#lengths)"),
      /^README\.md:1: src\/wire\/PROTOCOL\.md has no heading for #lengths/,
    ],
    [
      "a doc comment's link",
      check("/**\n * See [the rules](./RULES.md).\n */\nexport const a = 1;"),
      /^src\/wire\/mod\.ts:2: the link leads to src\/wire\/RULES\.md/,
    ],
    [
      "a document that a comment cites",
      check("// As in protocol.md section 3.\nexport const a = 1;"),
      /^src\/wire\/mod\.ts:1: the comment cites protocol\.md/,
    ],
  ];
  for (const [what, found, pattern] of samples) {
    it(what, () => {
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0]!, pattern);
    });
  }
});

it("checkLinks() accepts links that lead somewhere, and code", () => {
  const page =
    "[a](src/wire/PROTOCOL.md#length--size) [b](https://example.com/x.md) [c](src)\n\n```md\n[d](nowhere.md)\n```\n";
  const source =
    "/** See [frames](./PROTOCOL.md#frames), PROTOCOL.md and README.md. */\nexport const a = 1;";
  assert.deepEqual(check(source, page), []);
});

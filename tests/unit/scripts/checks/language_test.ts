import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkLanguage, patterns } from "../../../../scripts/checks/language.ts";

function check(text: string, page = ""): string[] {
  return checkLanguage(new Map([["src/a.ts", text]]), new Map([["README.md", page]]));
}

describe("checkLanguage()", () => {
  const samples: readonly (readonly [text: string, found: RegExp])[] = [
    ['throw new Error("tenant_id is no string");', /^src\/a\.ts:1: .*is no string/],
    ["// The peer allowed none, as it has none left.\n", /has none/],
    ["/** Whoever keeps a payload copies it. */\n", /Whoever/],
    ['it("shows nothing to nobody", () => {});', /nobody/],
    ["/**\n * The gateway is told of it.\n */\n", /told/],
    ["/** Who calls in. */\nconst a = 1;", /name the subject/],
    ["/** Reads a key. The same, with a file. */\n", /say what is the same/],
    ['fail("No session came about with the gateway");', /came about/],
    ["const text = `The key is ${kind}, a sound one`;", /a sound one/],
    ['fail("a value that means nothing");', /means nothing/],
    ["// A stranger\n// waits.\n", /A stranger waits/],
    ["// The gateway's word counts.\n", /word/],
    ["// Closed unheard.\n", /unheard/],
    ["// What the gateway pushes unasked.\n", /unasked/],
    ["// Queued behind the last event.\n", /behind the last/],
    ["// The listener said so.\n", /said so/],
    ["// The server goes its way.\n", /goes its way/],
  ];

  for (const [text, found] of samples) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const violations = check(text);
      assert.equal(violations.length, 1, violations.join("\n"));
      assert.match(violations[0]!, found);
    });
  }

  it("has a sample for each pattern", () => {
    const found = samples.flatMap(([text]) => check(text));
    for (const { instead } of patterns) {
      assert.ok(found.some((each) => each.endsWith(`(write: ${instead})`)), instead);
    }
  });

  it("reads pages without their code", () => {
    const page = "Text.\n\n```ts\n// nobody\n```\n\nIt is told to `whoever` asks.\n";
    assert.deepEqual(check("", page).map((each) => each.split(":", 2).join(":")), ["README.md:7"]);
  });

  it("accepts plain sentences", () => {
    assert.deepEqual(
      check(
        [
          "/** Returns the key. There is no longer a default. Behaves the same as `open`. */",
          '// Who may import whom? The table says it: "the same, as ever" stays.',
          'const text = "No value is given";',
        ].join("\n"),
      ),
      [],
    );
  });
});

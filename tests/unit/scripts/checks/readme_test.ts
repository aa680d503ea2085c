import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkDocumentation } from "../../../../scripts/checks/readme.ts";

/** Checks a page, and source text when there is some, and runs the page. */
async function check(page: string, source = ""): Promise<readonly string[]> {
  const { violations } = await checkDocumentation({
    pages: new Map([["README.md", page]]),
    sources: new Map([["src/a.ts", source]]),
    run: true,
  });
  return violations;
}

function fenced(head: string, code: string): string {
  return `# Title\n\n\`\`\`${head}\n${code}\n\`\`\`\n`;
}

describe("checkDocumentation() reports", () => {
  for (
    const [what, page, found] of [
      [
        "a type error, with its line in the page",
        fenced("ts no-run: only looked at", "const a = 1;\nconst b: string = 2;"),
        /TS2322[\s\S]* README\.md:5:7/,
      ],
      [
        "a name that the package does not have",
        fenced("ts", 'import { Nowhere } from "@telequick/sdk/audio";\nNowhere;'),
        /has no exported member 'Nowhere'[\s\S]* README\.md:4:10/,
      ],
      [
        "a door that the package does not have",
        fenced("ts", 'import "@telequick/sdk/nowhere";'),
        /README\.md:4/,
      ],
      [
        "a program that throws",
        fenced("js", 'throw new Error("thrown");'),
        /^README\.md:3: does not run\n[\s\S]*thrown/,
      ],
      ["a command that fails", fenced("sh", "false | true"), /^README\.md:3: does not run/],
      [
        "a mark without a reason",
        fenced("ts no-run", "1;"),
        /^README\.md:3: "no-run" is not understood/,
      ],
      [
        "a mark that is misspelt",
        fenced("sh norun: slow", "true"),
        /"norun: slow" is not understood/,
      ],
      [
        "a task that deno.json does not have",
        fenced("sh no-run: it is slow", "npx -y deno@2.9.6 task nowhere"),
        /^README\.md:3: deno\.json has no task "nowhere"/,
      ],
    ] as const
  ) {
    it(what, async () => {
      const violations = await check(page);
      assert.ok(violations.some((each) => found.test(each)), violations.join("\n"));
    });
  }

  it("a command that would run this very check, and does not run it", async () => {
    const { violations } = await checkDocumentation({
      pages: new Map([["README.md", fenced("sh", "deno task test")]]),
      sources: new Map(),
      run: false,
    });
    assert.match(violations.join("\n"), /^README\.md:3: the task "test" runs this check/);
  });

  it("a type error in a doc comment, with its line in the source", async () => {
    const source = "/**\n * ```ts\n * const a: string = 1;\n * ```\n */\nexport const b = 1;\n";
    assert.match((await check("", source)).join("\n"), /TS2322[\s\S]* src\/a\.ts:3:7/);
  });
});

it("checkDocumentation() accepts what is right, and skips what says why", async () => {
  const page = [
    fenced("ts", 'import { encodePcmu } from "@telequick/sdk/audio";\nconst unused = encodePcmu;'),
    fenced("ts no-run: it throws", 'throw new Error("no");'),
    fenced("ts no-check: there is no such package", 'import "nowhere";'),
    fenced("sh", "deno --version"),
    fenced("json", "{ neither checked nor run"),
    fenced("", "plain"),
  ].join("\n");
  const source =
    "/**\n * ```ts\n * throw new Error('doc comments do not run');\n * ```\n */\nexport const b = 1;\n";
  assert.deepEqual(await check(page, source), []);
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { docBlocks, markdownBlocks } from "../../../../../scripts/checks/support/blocks.ts";

describe("markdownBlocks()", () => {
  it("gives language, info string, code and the fence's line", () => {
    const text =
      "# Title\n\n```TS no-run: a reason\nconst a = 1;\n\nconst b = 2;\n```\n\n```\nplain\n```\n";
    assert.deepEqual(markdownBlocks("a.md", text), [
      {
        path: "a.md",
        line: 3,
        language: "ts",
        info: "no-run: a reason",
        code: "const a = 1;\n\nconst b = 2;",
      },
      { path: "a.md", line: 9, language: "", info: "", code: "plain" },
    ]);
  });

  it("keeps shorter and other fences inside, and takes off the fence's own indent", () => {
    const [first, second] = markdownBlocks(
      "a.md",
      "````md\n```ts\n~~~\n```\n````\n  ~~~sh\n  a\n b\n  ~~~~",
    );
    assert.equal(first?.code, "```ts\n~~~\n```");
    assert.deepEqual([second?.line, second?.code], [6, "a\nb"]);
  });

  it("does not take inline code for a fence, and ends an open block with the text", () => {
    assert.deepEqual(markdownBlocks("a.md", "```a``` b\n    ```ts\n"), []);
    assert.equal(markdownBlocks("a.md", "```ts\nconst a = 1;")[0]?.code, "const a = 1;");
  });

  it("reads lines that end in CRLF", () => {
    assert.equal(markdownBlocks("a.md", "```ts\r\na;\r\nb;\r\n```\r\n")[0]?.code, "a;\nb;");
  });
});

describe("docBlocks()", () => {
  it("finds the examples of doc comments, with the file's lines", () => {
    const text = [
      "/**",
      " * Module.",
      " *",
      " * ```ts",
      ' * import { a } from "x";',
      " * ```",
      " */",
      "",
      "interface A {",
      "  /** ",
      "   * ```ts",
      "   * if (a) {",
      "   *   b;",
      "   * }",
      "   * ```",
      "   */",
      "  a: string;",
      "}",
    ].join("\n");
    assert.deepEqual(
      docBlocks("a.ts", text).map(({ line, code }) => ({ line, code })),
      [
        { line: 4, code: 'import { a } from "x";' },
        { line: 11, code: "if (a) {\n  b;\n}" },
      ],
    );
  });

  it("looks neither into other comments nor into text", () => {
    const text =
      "// ```ts\n// a\n// ```\n/* ```ts\n b\n``` */\nconst a = `\n/**\n * \\`\\`\\`ts\n * c\n */`;\n";
    assert.deepEqual(docBlocks("a.ts", text), []);
  });
});

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import ts from "typescript";
import { type CatalogueEntry, errorCatalogue } from "../../../src/catalogue/errors.ts";
import {
  endingCatalogue,
  eventCatalogue,
  q850Entry,
  refusalCatalogue,
  wireCatalogue,
} from "../../../src/catalogue/wire.ts";
import { ErrorCode, EventType, q850Causes } from "../../../src/wire/mod.ts";

const root = new URL("../../../src/", import.meta.url);

/** A use of a code in `src/`, apart from the registry itself and the union. */
interface Use {
  readonly code: string;
  readonly place: string;
  /** Whether it is on its way into an error: not only compared with, or listed. */
  readonly isMade: boolean;
  /** The text of `retryable` in the construction that it stands in; `""` without one, `undefined` outside any. */
  readonly retryable: string | undefined;
}

async function sources(): Promise<ts.SourceFile[]> {
  const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".ts"));
  return await Promise.all(names.map(async (name) =>
    ts.createSourceFile(
      name,
      await readFile(new URL(name, root), "utf8"),
      ts.ScriptTarget.Latest,
      true,
    )
  ));
}

function usesIn(file: ts.SourceFile): Use[] {
  const uses: Use[] = [];
  visit(file, (node) => {
    if (!ts.isStringLiteral(node) || !/^ERR_[A-Z_]+$/.test(node.text)) return;
    if (ts.isLiteralTypeNode(node.parent)) return;
    const construction = ancestor(node, isErrorConstruction);
    uses.push({
      code: node.text,
      place: `${file.fileName}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`,
      isMade: !isComparison(node.parent) && !ts.isArrayLiteralExpression(node.parent),
      retryable: construction && retryableOf(construction),
    });
  });
  return uses;
}

function isComparison(node: ts.Node): boolean {
  const { EqualsEqualsEqualsToken, ExclamationEqualsEqualsToken } = ts.SyntaxKind;
  return ts.isCaseClause(node) ||
    (ts.isBinaryExpression(node) &&
      [EqualsEqualsEqualsToken, ExclamationEqualsEqualsToken].includes(
        node.operatorToken.kind as typeof EqualsEqualsEqualsToken,
      ));
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

function isErrorConstruction(node: ts.Node): node is ts.NewExpression {
  return ts.isNewExpression(node) && node.expression.getText() === "TeleQuickError";
}

/** The construction whose first argument holds the node. */
function ancestor<T extends ts.Node>(
  node: ts.Node,
  is: (node: ts.Node) => node is T,
): T | undefined {
  for (let at: ts.Node | undefined = node; at !== undefined; at = at.parent) {
    if (is(at)) return at;
    if (ts.isBlock(at) || ts.isSourceFile(at)) return undefined;
  }
  return undefined;
}

function retryableOf(construction: ts.NewExpression): string {
  return /\bretryable\b/.exec(construction.arguments?.[2]?.getText() ?? "")?.[0] ?? "";
}

const files = await sources();
const uses = files
  .filter(({ fileName }) => !/^(cli|catalogue)\//.test(fileName) && fileName !== "base/errors.ts")
  .flatMap(usesIn);
const constructed = uses.filter(({ retryable }) => retryable !== undefined);
const ours = Object.keys(errorCatalogue) as (keyof typeof errorCatalogue)[];

describe("errorCatalogue", () => {
  it("has every code that src/ names", () => {
    assert.ok(constructed.length > 40, "the scan finds constructions");
    assert.deepEqual(uses.filter(({ code }) => !(ours as string[]).includes(code)), []);
  });

  it("has no code that nothing in src/ throws", () => {
    const made = new Set(uses.filter(({ isMade }) => isMade).map(({ code }) => code));
    assert.deepEqual(ours.filter((code) => !made.has(code)), []);
  });

  it("says of each code whether another try helps, as the places say that throw it", () => {
    for (const code of ours) {
      const said = constructed.filter((use) => use.code === code).map(({ retryable }) => retryable);
      const expected = !said.includes("retryable")
        ? "never"
        : said.includes("")
        ? "sometimes"
        : errorCatalogue[code].retryable;
      assert.equal(errorCatalogue[code].retryable, expected, code);
    }
  });
});

describe("the registry of what comes over the wire", () => {
  it("has every error code, event type and Q.850 cause that the wire knows, and no other", () => {
    assert.deepEqual(Object.keys(wireCatalogue), Object.keys(ErrorCode));
    assert.deepEqual(Object.keys(eventCatalogue), Object.keys(EventType));
    for (let cause = 0; cause < 200; cause++) {
      assert.equal(q850Entry(cause) !== undefined, Object.hasOwn(q850Causes, cause), `${cause}`);
    }
  });

  it("has every close code that the gateway uses, and no other", () => {
    const used = new Set<string>();
    for (const file of files.filter(({ fileName }) => fileName.startsWith("gateway/"))) {
      visit(file, (node) => {
        if (!ts.isNumericLiteral(node) || !/^[45]\d\d$/.test(node.text)) return;
        const { parent } = node;
        const name = ts.isPropertyAssignment(parent)
          ? parent.name.getText()
          : ts.isCallExpression(parent)
          ? parent.expression.getText()
          : "";
        if (/^code$|close|turnAway/i.test(name)) used.add(node.text);
      });
    }
    assert.deepEqual([...used].sort(), Object.keys(endingCatalogue));
  });

  it("agrees with the client on which error codes are worth another try", () => {
    const again = Object.entries(wireCatalogue).filter(([, { retryable }]) =>
      retryable !== "never"
    );
    assert.deepEqual(again.map(([name]) => ErrorCode[name as keyof typeof ErrorCode]), [3, 4, 5]);
  });
});

describe("every entry of the registry", () => {
  const entries: readonly (readonly [string, Omit<CatalogueEntry, "retryable">])[] = [
    ...Object.entries(errorCatalogue),
    ...Object.entries(wireCatalogue),
    ...Object.entries(refusalCatalogue),
    ...Object.entries(endingCatalogue),
    ...Object.entries(eventCatalogue),
    ...Object.keys(q850Causes).map((cause) => [cause, q850Entry(Number(cause))!] as const),
  ];

  it("has a meaning, causes and a fix, each a sentence without a full stop", () => {
    for (const [code, { meaning, causes, fix }] of entries) {
      assert.ok(causes.length > 0, code);
      for (const text of [meaning, ...causes, fix]) {
        assert.match(text, /^[A-Za-z].{5,}[^.]$/, `${code}: ${text}`);
      }
    }
  });

  it("names only commands and codes that exist", async () => {
    const { commands } = await import("../../../src/cli/commands.ts");
    for (const [code, { causes, fix }] of entries) {
      for (const text of [...causes, fix]) {
        for (const [, name] of text.matchAll(/telequick ([a-z]+(?: [a-z]+)?)/g)) {
          const [word] = name!.split(" ");
          assert.ok(name! in commands || word! in commands, `${code} names telequick ${name}`);
        }
      }
    }
  });
});

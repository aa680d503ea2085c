/**
 * Keeps every text that a person reads in plain English: string literals, comments and test titles of the code, and the pages.
 * `deno run -A scripts/checks/language.ts [path...]` looks at everything, or at the files whose path begins so.
 *
 * @module
 */

import ts from "typescript";
import { readPages } from "../support/pages.ts";
import { parse, readSources, type Sources, walk } from "../support/source.ts";
import { conclude } from "../support/terminal.ts";

/** A turn of phrase that is refused. */
export interface Pattern {
  readonly pattern: RegExp;
  /** What to write in its place. */
  readonly instead: string;
}

/** The worst patterns, each with a plain way to say it. */
export const patterns: readonly Pattern[] = [
  {
    pattern: /(?<!\bthere )\b(is|are|was|were) no (?!longer|more|less|different)\w/i,
    instead: "is not a ...",
  },
  {
    pattern: /\b(is|are|was|were|has|have|gives?|takes?) none\b/i,
    instead: "there is no ..., not ...",
  },
  {
    pattern: /\b(who|whom|what)ever\b/i,
    instead: "name the caller, the peer, the user, the value",
  },
  { pattern: /\b(some|no)body\b/i, instead: "name the caller, the peer, the user" },
  { pattern: /\b(tells|told)\b/i, instead: "reports, says, returns; is reported, is called with" },
  {
    pattern: /(^|[.;:!?] )who (?![^.]*\?)/i,
    instead: "name the subject: a peer that, a caller that",
  },
  { pattern: /(^|[.;:] )the same(, (?!as\b)|\.|;|$)/i, instead: "say what is the same" },
  { pattern: /\bcame about\b/i, instead: "could not be opened, did not happen" },
  { pattern: /\ba (sound|good) one\b/i, instead: "valid" },
  { pattern: /\b(has|have|takes|took) its leave\b|\bgoes its way\b/i, instead: "ends, continues" },
  { pattern: /\bmeans nothing\b/i, instead: "is invalid" },
  { pattern: /\bword (is|was) good for\b|'s word\b/i, instead: "is trusted up to ..." },
  {
    pattern: /\b(lobby|keeper|house|blend|strangers?|neighbou?rs?)\b/i,
    instead: "the field's own term",
  },
  { pattern: /\bunheard\b/i, instead: "without an answer" },
  { pattern: /\bof (one's|its|their) own accord\b|\bunasked\b/i, instead: "without a request" },
  {
    pattern: /\bbehind (it|them|the (last|reply|event|frame|answer|word|token|name|header))\b/i,
    instead: "after",
  },
  { pattern: /\bsaid so\b/i, instead: "reported it" },
];

interface Text {
  readonly line: number;
  readonly text: string;
}

/** Finds what is written in a private dialect: place, the words, what to write. */
export function checkLanguage(sources: Sources, pages: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [path, text] of sources) {
    for (const each of textsIn(path, text)) found.push(...judge(path, each));
  }
  for (const [path, text] of pages) {
    for (const each of proseIn(text)) found.push(...judge(path, each));
  }
  return found;
}

function judge(path: string, { line, text }: Text): string[] {
  return patterns.flatMap(({ pattern, instead }) => {
    const match = pattern.exec(text);
    if (match === null) return [];
    const from = Math.max(0, match.index - 30);
    const words = text.slice(from, match.index + match[0].length + 30).replace(/\s+/g, " ").trim();
    return [`${path}:${line}: "${words}" (write: ${instead})`];
  });
}

/** String literals, templates and comments. A run of line comments is one text, as it is read. */
function textsIn(path: string, source: string): Text[] {
  const file = parse(path, source);
  const texts: Text[] = [];
  const lineOf = (position: number): number =>
    file.getLineAndCharacterOfPosition(position).line + 1;
  walk(file, (node) => {
    if (ts.isStringLiteralLike(node) && !ts.isImportDeclaration(node.parent)) {
      texts.push({ line: lineOf(node.getStart()), text: node.text });
    } else if (ts.isTemplateExpression(node)) {
      const text = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join(
        "...",
      );
      texts.push({ line: lineOf(node.getStart()), text });
    }
  });
  texts.push(...commentsIn(file, source, lineOf));
  return texts;
}

function commentsIn(
  file: ts.SourceFile,
  source: string,
  lineOf: (position: number) => number,
): Text[] {
  const ranges = new Map<number, ts.CommentRange>();
  walk(file, (node) => {
    const all = [
      ...ts.getLeadingCommentRanges(source, node.getFullStart()) ?? [],
      ...ts.getTrailingCommentRanges(source, node.getEnd()) ?? [],
    ];
    for (const range of all) ranges.set(range.pos, range);
  });
  const texts: { line: number; text: string; last: number; isBlock: boolean }[] = [];
  for (const { pos, end, kind } of [...ranges.values()].sort((a, b) => a.pos - b.pos)) {
    const line = lineOf(pos);
    const isBlock = kind === ts.SyntaxKind.MultiLineCommentTrivia;
    const text = source.slice(pos, end)
      .replace(/^\/\*\*?|\*\/$/g, "").replace(/^\s*\*+ ?/gm, "").replace(/^\/\/ ?/, "");
    const previous = texts.at(-1);
    if (!isBlock && previous?.isBlock === false && previous.last === line - 1) {
      previous.text += ` ${text}`;
      previous.last = line;
    } else texts.push({ line, text: text.trim(), last: line, isBlock });
  }
  return texts;
}

/** The paragraphs of a page, without its code. */
function proseIn(page: string): Text[] {
  const texts: Text[] = [];
  let fence = "";
  for (const [index, line] of page.split("\n").entries()) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === "" && mark !== undefined) fence = mark;
    else if (fence !== "" && mark === fence) fence = "";
    else if (fence === "") texts.push({ line: index + 1, text: line.replace(/`[^`]*`/g, "...") });
  }
  return texts;
}

if (import.meta.main) {
  const only = Deno.args;
  const isWanted = ([path]: [string, string]): boolean =>
    only.length === 0 || only.some((start) => path.startsWith(start));
  // This file and its test hold the patterns themselves.
  const isPattern = (path: string): boolean => /checks\/language(_test)?\.ts$/.test(path);
  const sources = new Map(
    [...await readSources(["mod.ts", "src", "scripts", "tests"])].filter(isWanted)
      .filter(([path]) => !isPattern(path)),
  );
  const pages = new Map([...await readPages()].filter(isWanted));
  conclude("language", `${sources.size + pages.size} files`, checkLanguage(sources, pages));
}

/**
 * Checks that no link leads nowhere: relative links of the pages and of the doc comments, with their anchors, and every document
 * that a comment names. `deno run -A scripts/checks/links.ts`
 *
 * @module
 */

import ts from "typescript";
import { readPages } from "../support/pages.ts";
import { parse, readSources, root, type Sources, walk } from "../support/source.ts";
import { conclude } from "../support/terminal.ts";

interface Link {
  readonly line: number;
  /** Path, with an anchor where there is one. */
  readonly target: string;
}

/** What there is in the repository. */
export interface Repository {
  /** Whether a file or folder exists, by its path from the repository's folder. */
  has(path: string): boolean;
}

/** Finds links that lead nowhere, one sentence each. */
export function checkLinks(
  sources: Sources,
  pages: ReadonlyMap<string, string>,
  repository: Repository,
): string[] {
  const violations: string[] = [];
  const judge = (path: string, { line, target }: Link): void => {
    const [file = "", anchor] = target.split("#");
    const found = file === "" ? path : resolve(path, file);
    if (!repository.has(found)) {
      violations.push(`${path}:${line}: the link leads to ${found}, which does not exist`);
    } else if (
      anchor !== undefined && pages.has(found) && !anchors(pages.get(found)!).has(anchor)
    ) {
      violations.push(`${path}:${line}: ${found} has no heading for #${anchor}`);
    }
  };
  for (const [path, text] of pages) {
    for (const link of linksIn(withoutCode(text), 1)) judge(path, link);
  }
  for (const [path, text] of sources) {
    for (const { line, comment } of commentsIn(path, text)) {
      for (const link of linksIn(comment, line)) judge(path, link);
      for (const name of citedDocuments(comment)) {
        if (![resolve(path, name), name].some((each) => repository.has(each))) {
          violations.push(
            `${path}:${line}: the comment cites ${name}, which is not in the repository (state the fact, or link to a page of a room)`,
          );
        }
      }
    }
  }
  return violations;
}

/** Relative targets of Markdown links; those with a scheme lead outside the repository. */
function linksIn(text: string, firstLine: number): Link[] {
  return text.split("\n").flatMap((line, index) =>
    [...line.matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, target = ""]) =>
      /^[a-z][a-z0-9+.-]*:/i.test(target) ? [] : [{ line: firstLine + index, target }]
    )
  );
}

/** Names of Markdown documents that are mentioned outside a link. */
function citedDocuments(comment: string): string[] {
  const text = comment.replace(/\]\([^()\s]+\)/g, "]");
  return [...text.matchAll(/(?<![\w/.-])((?:[\w.-]+\/)*[\w-]+\.md)\b/g)].map(([, name = ""]) =>
    name
  );
}

function resolve(from: string, target: string): string {
  return decodeURI(new URL(target, `file:///${from}`).pathname.slice(1)).replace(/\/$/, "");
}

/** The page with blank lines in place of its code blocks. */
function withoutCode(page: string): string {
  return page.replace(/^(`{3,})[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]+/g, ""));
}

/** The anchors of a page's headings, as code hosts form them. */
function anchors(page: string): ReadonlySet<string> {
  const headings = withoutCode(page).match(/^#+ .*$/gm) ?? [];
  return new Set(
    headings.map((heading) =>
      heading.replace(/^#+ /, "").trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(
        " ",
        "-",
      )
    ),
  );
}

function commentsIn(
  path: string,
  text: string,
): { readonly line: number; readonly comment: string }[] {
  const file = parse(path, text);
  const found = new Map<number, { readonly line: number; readonly comment: string }>();
  walk(file, (node) => {
    for (const { pos, end } of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) {
      const line = file.getLineAndCharacterOfPosition(pos).line + 1;
      found.set(pos, { line, comment: text.slice(pos, end) });
    }
  });
  return [...found.values()];
}

if (import.meta.main) {
  const sources = await readSources(["mod.ts", "src", "scripts", "tests"]);
  const pages = await readPages();
  const has = (path: string): boolean => {
    try {
      Deno.statSync(new URL(path, root));
      return true;
    } catch {
      return false;
    }
  };
  conclude("links", `${sources.size + pages.size} files`, checkLinks(sources, pages, { has }));
}

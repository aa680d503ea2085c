import ts from "typescript";
import { parse, walk } from "../../support/source.ts";

/** A fenced code block. */
export interface Block {
  /** The file it stands in. */
  readonly path: string;
  /** The line of its opening fence, counted from 1. */
  readonly line: number;
  /** The first word behind the fence, in lower case. */
  readonly language: string;
  /** What follows that word. */
  readonly info: string;
  /** The lines between the fences. */
  readonly code: string;
}

/** Takes the fenced code blocks out of Markdown (CommonMark section 4.5). A block that nothing closes ends with the text. */
export function markdownBlocks(path: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: { readonly fence: string; readonly indent: number; readonly line: number } | undefined;
  let head = "";
  let code: string[] = [];
  const close = (): void => {
    if (open === undefined) return;
    const [language = "", ...rest] = head.split(/\s+/);
    const info = rest.join(" ");
    const { line } = open;
    blocks.push({ path, line, language: language.toLowerCase(), info, code: code.join("\n") });
    open = undefined;
    code = [];
  };
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const [, space = "", fence, rest = ""] = /^( {0,3})(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      if (fence === undefined || (fence.startsWith("`") && rest.includes("`"))) continue;
      open = { fence, indent: space.length, line: i + 1 };
      head = rest.trim();
    } else if (fence?.startsWith(open.fence) && rest.trim() === "") close();
    else code.push(line.replace(new RegExp(`^ {0,${open.indent}}`), ""));
  }
  close();
  return blocks;
}

/** Takes the fenced code blocks out of the doc comments of a TypeScript file, with the file's own line numbers. */
export function docBlocks(path: string, text: string): Block[] {
  const lines = text.split("\n").map(() => "");
  const file = parse(path, text);
  const lineAt = (position: number): number => file.getLineAndCharacterOfPosition(position).line;
  walk(file, (node) => {
    for (const { pos, end } of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) {
      if (!text.startsWith("/**", pos)) continue;
      const comment = text.slice(pos + 3, end - 2).split("\n");
      for (const [i, line] of comment.entries()) {
        lines[lineAt(pos) + i] = line.replace(/^\s*\* ?/, "");
      }
    }
  });
  return markdownBlocks(path, lines.join("\n"));
}

/**
 * Where in a JSON text a value stands, for messages about it.
 *
 * @module
 */

/** A place in a text, both counted from 1; columns count UTF-16 code units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** The line and column of an offset in UTF-16 code units. Lines end with LF, CR LF or CR. */
export function positionAt(text: string, offset: number): TextPosition {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

// RFC 8259: strings, what nests, and everything else that is a value.
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

/**
 * Finds a value in a text that is JSON (RFC 8259).
 *
 * @param text The text: valid, and without names that are written with escapes.
 * @param path Names of members and indices of items, from the whole to the value.
 * @returns How many UTF-16 code units come before the value; before the last part of the path that is there, where the rest is missing.
 */
export function findJsonValue(text: string, path: readonly (string | number)[]): number {
  const wanted = path.map(String);
  // The names and indices that lead to the value that comes next, and which of the objects and arrays around it are arrays.
  const trail: string[] = [];
  const nesting: ("{" | "[")[] = [];
  let best = { depth: -1, at: 0 };
  let isName = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (isName && token !== "}") {
      trail[nesting.length - 1] = token.slice(1, -1);
      isName = false;
      continue;
    }
    if (token === ":") continue;
    if (token === "}" || token === "]") {
      nesting.pop();
      trail.length = nesting.length;
      isName = false;
      continue;
    }
    if (token === ",") {
      const inner = nesting.length - 1;
      if (nesting[inner] === "[") trail[inner] = String(Number(trail[inner]) + 1);
      else isName = true;
      continue;
    }
    const depth = trail.length;
    if (depth > best.depth && depth <= wanted.length && isPrefix(trail, wanted)) {
      best = { depth, at: index };
    }
    if (token === "{" || token === "[") {
      nesting.push(token);
      isName = token === "{";
      if (token === "[") trail.push("0");
    }
  }
  return best.at;
}

function isPrefix(start: readonly string[], whole: readonly string[]): boolean {
  return start.every((part, i) => part === whole[i]);
}

/**
 * JSON that reads one way only: no member name twice, a bounded depth, no name that could reach a prototype.
 *
 * @module
 */

const TOKENS = /"(?:[^"\\]|\\.)*"(\s*:)?/g;
const PROTOTYPE_NAMES: readonly string[] = ["__proto__", "constructor", "prototype"];

/**
 * Parses JSON text (RFC 8259) and freezes what it finds. Where `JSON.parse` silently keeps the last of two members with one name,
 * this refuses: two readers of the same text must not see two values (RFC 7515 section 4, RFC 7519 section 4).
 *
 * @param text The text, without a byte order mark.
 * @param maxDepth How many objects and arrays may lie within each other; a lone object has depth 1.
 * @returns The value, frozen at every level.
 * @throws `SyntaxError` whose message is a fixed predicate ("is not JSON") that quotes nothing from the text.
 */
export function parseStrictJson(text: string, maxDepth: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError("is not JSON");
  }
  // In valid JSON a string before a colon is always a member name, so a name that JSON.parse dropped shows in the count.
  let names = 0;
  for (const token of text.matchAll(TOKENS)) {
    if (token[1] !== undefined) names++;
  }
  if (names !== seal(value, maxDepth)) throw new SyntaxError("repeats a member name");
  return value;
}

/** Freezes a parsed value at every level and returns how many members it holds. */
function seal(value: unknown, depth: number): number {
  if (typeof value === "string") return checkText(value);
  if (typeof value !== "object" || value === null) return 0;
  if (depth === 0) throw new SyntaxError("is nested too deep");
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += seal(item, depth - 1);
  } else {
    for (const [name, member] of Object.entries(value)) {
      if (PROTOTYPE_NAMES.includes(name)) throw new SyntaxError("has a forbidden member name");
      members += 1 + checkText(name) + seal(member, depth - 1);
    }
  }
  Object.freeze(value);
  return members;
}

function checkText(text: string): 0 {
  if (!text.isWellFormed()) throw new SyntaxError("holds a lone surrogate");
  return 0;
}

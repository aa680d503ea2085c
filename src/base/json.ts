/**
 * JSON that reads one way only: no member name twice, a bounded depth, no name that could reach a prototype.
 *
 * @module
 */

// RFC 8259 section 8.1: UTF-8, without a byte order mark.
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses JSON (RFC 8259) and freezes what it finds. Where `JSON.parse` silently keeps the last of two members with one name,
 * this refuses: two readers of the same text must not see two values (RFC 7515 section 4, RFC 7519 section 4).
 *
 * @param bytes The text in UTF-8.
 * @param maxDepth How many objects and arrays may lie within each other; a lone object has depth 1.
 * @param refuse Throws an error about what was found, a predicate ("is not JSON in UTF-8") that quotes nothing from the text.
 * @returns The value, frozen at every level.
 */
export function parseStrictJson(
  bytes: Uint8Array,
  maxDepth: number,
  refuse: (found: string) => never,
): unknown {
  let text = "";
  let value: unknown;
  try {
    text = decoder.decode(bytes);
    value = JSON.parse(text);
  } catch {
    refuse("is not JSON in UTF-8");
  }
  // In valid JSON every colon outside of strings follows a member name, so a name that JSON.parse dropped shows in their number.
  const between = text.replace(/\\./g, "").replace(/"[^"]*"/g, "").split(":");
  if (between.length - 1 !== seal(value, maxDepth, refuse)) refuse("repeats a name");
  return value;
}

/** Freezes a value at every level and returns how many members its objects have. */
function seal(value: unknown, depth: number, refuse: (found: string) => never): number {
  if (typeof value === "string" && !value.isWellFormed()) refuse("holds a lone surrogate");
  if (!(value instanceof Object)) return 0;
  if (depth === 0) refuse("is nested too deep");
  Object.freeze(value);
  let members = 0;
  for (const name of Object.keys(value)) {
    if (/^(__proto__|constructor|prototype)$/.test(name)) refuse("has a forbidden name");
    members += seal(name, 1, refuse) +
      seal((value as Record<string, unknown>)[name], depth - 1, refuse) + +!Array.isArray(value);
  }
  return members;
}

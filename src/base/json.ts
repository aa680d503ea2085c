/**
 * JSON that reads one way only: no member name twice, a bounded depth, no name that could reach a prototype.
 *
 * @module
 */

import { decodeUtf8 } from "./bytes.ts";

/**
 * Parses JSON (RFC 8259) and freezes what it finds. Where `JSON.parse` silently keeps the last of two members with one name,
 * this refuses: two readers of the same text must not see two values (RFC 7515 section 4, RFC 7519 section 4).
 *
 * It does not use `JSON.parse` for objects: V8's (seen in Node 24 and 26 and in Deno 2.9) can read a name with an escape as another
 * name after it has parsed a certain other text. Names with a backslash are refused for the same reason: no two readers can differ.
 *
 * @param bytes The text in UTF-8, without a byte order mark (RFC 8259 section 8.1).
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
  try {
    text = decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    refuse(NOT_JSON);
  }
  return new Reader(text, refuse).readDocument(maxDepth);
}

const NOT_JSON = "is not JSON in UTF-8";

// The tokens of RFC 8259 sections 2 to 7. None can backtrack: what follows each repetition cannot begin as the repetition does.
const SPACE = /[ \t\n\r]*/y;
const STRING = /"[ !#-[\]-\uFFFF]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[ !#-[\]-\uFFFF]*)*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;

const LITERALS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };
const FORBIDDEN_NAMES: readonly string[] = ["__proto__", "constructor", "prototype"];

class Reader {
  readonly #text: string;
  readonly #refuse: (found: string) => never;
  #at = 0;

  constructor(text: string, refuse: (found: string) => never) {
    this.#text = text;
    this.#refuse = refuse;
  }

  readDocument(maxDepth: number): unknown {
    const value = this.#readValue(maxDepth);
    this.#take(SPACE);
    if (this.#at !== this.#text.length) this.#refuse(NOT_JSON);
    return value;
  }

  /** Reads a value with the white space before it. */
  #readValue(depth: number): unknown {
    this.#take(SPACE);
    const first = this.#text[this.#at];
    if (first === "{") return this.#readObject(depth);
    if (first === "[") return this.#readArray(depth);
    if (first === '"') return this.#readString();
    const literal = this.#take(LITERAL);
    if (literal !== undefined) return LITERALS[literal];
    const number = this.#take(NUMBER);
    return number === undefined ? this.#refuse(NOT_JSON) : Number(number);
  }

  #readObject(depth: number): unknown {
    if (depth === 0) this.#refuse("is nested too deep");
    const members = new Map<string, unknown>();
    this.#at++;
    if (!this.#skip("}")) {
      do {
        this.#take(SPACE);
        const name = this.#readName();
        if (members.has(name)) this.#refuse("repeats a name");
        if (!this.#skip(":")) this.#refuse(NOT_JSON);
        members.set(name, this.#readValue(depth - 1));
      } while (this.#skip(","));
      if (!this.#skip("}")) this.#refuse(NOT_JSON);
    }
    // Defines members instead of assigning them, so that nothing on Object.prototype takes part.
    return Object.freeze(Object.fromEntries(members));
  }

  #readArray(depth: number): unknown {
    if (depth === 0) this.#refuse("is nested too deep");
    const values: unknown[] = [];
    this.#at++;
    if (!this.#skip("]")) {
      do values.push(this.#readValue(depth - 1)); while (this.#skip(","));
      if (!this.#skip("]")) this.#refuse(NOT_JSON);
    }
    return Object.freeze(values);
  }

  #readName(): string {
    const quoted = this.#take(STRING);
    if (quoted === undefined) this.#refuse(NOT_JSON);
    if (quoted.includes("\\")) this.#refuse("has a name with an escape");
    const name = quoted.slice(1, -1);
    if (FORBIDDEN_NAMES.includes(name)) this.#refuse("has a forbidden name");
    return name;
  }

  #readString(): string {
    const quoted = this.#take(STRING);
    if (quoted === undefined) this.#refuse(NOT_JSON);
    const value: string = quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
    if (!value.isWellFormed()) this.#refuse("holds a lone surrogate");
    return value;
  }

  /** Takes one character, with the white space before it, if it comes next. */
  #skip(character: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** Takes a token if it comes next. */
  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}

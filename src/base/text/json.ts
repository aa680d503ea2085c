/**
 * JSON that reads one way only: no member name twice, a bounded depth, no name that could reach a prototype.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes.ts";

/**
 * Parses JSON (RFC 8259) and freezes what it finds. Where `JSON.parse` silently keeps the last of two members with one name,
 * this refuses: two readers of the same text must not see two values (RFC 7515 section 4, RFC 7519 section 4).
 *
 * It does not use `JSON.parse` for objects: V8's (seen in Node 24 and 26 and in Deno 2.9) can read a name with an escape as another
 * name after it has parsed a certain other text. Names with a backslash are refused for the same reason: no two readers can differ.
 *
 * @param bytes The text in UTF-8, without a byte order mark (RFC 8259 section 8.1).
 * @param maxDepth How many objects and arrays may lie within each other; a lone object has depth 1.
 * @param refuse Throws an error about what was found, a predicate ("is not JSON in UTF-8") that quotes nothing from the text, and
 * where: how many UTF-16 code units come before it.
 * @returns The value, frozen at every level.
 */
export function parseStrictJson(
  bytes: Uint8Array,
  maxDepth: number,
  refuse: (found: string, at: number) => never,
): unknown {
  let text = "";
  try {
    text = decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    refuse(NOT_JSON, 0);
  }
  return parseStrictJsonText(text, maxDepth, refuse);
}

/** Parses JSON as {@linkcode parseStrictJson} does, from text. */
export function parseStrictJsonText(
  text: string,
  maxDepth: number,
  refuse: (found: string, at: number) => never,
): unknown {
  return new Reader(text, refuse).readDocument(maxDepth);
}

const NOT_JSON = "is not JSON in UTF-8";

/** Tab, line feed, carriage return and space (RFC 8259 section 2). */
const WHITE_SPACE: readonly number[] = [0x09, 0x0a, 0x0d, 0x20];

// RFC 8259 sections 6 and 7. Neither can backtrack: what follows each repetition cannot begin as the repetition does.
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"[ !#-[\]-\uFFFF]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[ !#-[\]-\uFFFF]*)*"/y;

const LITERALS = [["true", true], ["false", false], ["null", null]] as const;
const FORBIDDEN_NAMES: readonly string[] = ["__proto__", "constructor", "prototype"];

class Reader {
  readonly #text: string;
  readonly #onFault: (found: string, at: number) => never;
  #at = 0;

  constructor(text: string, onFault: (found: string, at: number) => never) {
    this.#text = text;
    this.#onFault = onFault;
  }

  readDocument(maxDepth: number): unknown {
    const value = this.#readValue(maxDepth);
    this.#skipSpace();
    if (this.#at !== this.#text.length) this.#refuse(NOT_JSON);
    return value;
  }

  /** Reads a value with the white space before it. */
  #readValue(depth: number): unknown {
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === "{") return this.#readObject(depth);
    if (first === "[") return this.#readArray(depth);
    if (first === '"') return this.#readString();
    for (const [word, value] of LITERALS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    const number = this.#match(NUMBER);
    return number === undefined ? this.#refuse(NOT_JSON) : Number(number);
  }

  #readObject(depth: number): unknown {
    if (depth === 0) this.#refuse("is nested too deep");
    const members = new Map<string, unknown>();
    this.#at++;
    if (!this.#take("}")) {
      do {
        this.#skipSpace();
        const nameAt = this.#at;
        const name = this.#readName();
        if (members.has(name)) this.#refuse("repeats a name", nameAt);
        if (!this.#take(":")) this.#refuse(NOT_JSON);
        members.set(name, this.#readValue(depth - 1));
      } while (this.#take(","));
      if (!this.#take("}")) this.#refuse(NOT_JSON);
    }
    // Defines members instead of assigning them, so that nothing on Object.prototype takes part.
    return Object.freeze(Object.fromEntries(members));
  }

  #readArray(depth: number): unknown {
    if (depth === 0) this.#refuse("is nested too deep");
    const values: unknown[] = [];
    this.#at++;
    if (!this.#take("]")) {
      do values.push(this.#readValue(depth - 1)); while (this.#take(","));
      if (!this.#take("]")) this.#refuse(NOT_JSON);
    }
    return Object.freeze(values);
  }

  #readName(): string {
    this.#skipSpace();
    const quoted = this.#readQuoted();
    if (quoted.includes("\\")) this.#refuse("has a name with an escape");
    const name = quoted.slice(1, -1);
    if (FORBIDDEN_NAMES.includes(name)) this.#refuse("has a forbidden name");
    return name;
  }

  #readString(): string {
    const quoted = this.#readQuoted();
    const value: string = quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
    if (!value.isWellFormed()) this.#refuse("holds a lone surrogate");
    return value;
  }

  /** Takes a string as it stands, with its quotes. */
  #readQuoted(): string {
    return this.#match(STRING) ?? this.#refuse(NOT_JSON);
  }

  #refuse(found: string, at = this.#at): never {
    return this.#onFault(found, at);
  }

  /** Takes one character, with the white space before it, if it comes next. */
  #take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (WHITE_SPACE.includes(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  /** Takes what a pattern matches if it comes next. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseStrictJson } from "../../../src/base/json.ts";
import { seed } from "../../support/seed.ts";

class Refused extends Error {}

function parse(text: string | Uint8Array, maxDepth = 64): unknown {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return parseStrictJson(bytes, maxDepth, (found) => {
    throw new Refused(found);
  });
}

function isFrozen(value: unknown): boolean {
  return typeof value !== "object" || value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isFrozen));
}

const forbidden = ["__proto__", "constructor", "prototype"];
const value = fc.jsonValue({ maxDepth: 5, stringUnit: "grapheme" });

describe("parseStrictJson()", () => {
  it("parseStrictJson() gives what JSON.parse gives, frozen, for every text of unique names", () => {
    fc.assert(
      fc.property(value, fc.constantFrom("", " ", "\t\r\n"), (json, space) => {
        const text = `${space}${JSON.stringify(json, null, space === " " ? 2 : undefined)}${space}`;
        if (forbidden.some((name) => text.includes(name))) return;
        const parsed = parse(text);
        assert.deepEqual(parsed, JSON.parse(text));
        assert.ok(isFrozen(parsed));
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it("parseStrictJson() refuses a name that stands twice in one object, at every level, however it is written", () => {
    const escape = (name: string): string =>
      [...name].map((unit) => unit.charCodeAt(0)).map((code) =>
        `\\u${code.toString(16).padStart(4, "0")}`
      ).join("");
    const name = fc.stringMatching(/^[a-z "\\]{1,4}$/);
    fc.assert(
      fc.property(name, value, value, fc.nat(3), fc.boolean(), (name, a, b, depth, escaped) => {
        const twin = escaped ? `"${escape(name)}"` : JSON.stringify(name);
        const pair = `{${JSON.stringify(name)}:${JSON.stringify(a)},"zz":[1], ${twin} : ${
          JSON.stringify(b)
        }}`;
        const text = `${'{"x":['.repeat(depth)}${pair}${"]}".repeat(depth)}`;
        if (forbidden.some((word) => text.includes(word))) return;
        assert.throws(() => parse(text), new Refused("repeats a name"));
      }),
      { seed, numRuns: 1_000 },
    );
  });

  it("parseStrictJson() takes one name in several objects, and a colon after a string that is no name", () => {
    for (
      const text of [
        '[{"a":1},{"a":1}]',
        '{"a":{"a":{"a":1}}}',
        '["a",":","\\":",{"b":"\\":"}]',
        '{"a":"b\\": c"}',
      ]
    ) {
      assert.deepEqual(parse(text), JSON.parse(text));
    }
  });

  const refused: readonly (readonly [string, string | Uint8Array])[] = [
    ["is not JSON in UTF-8", ""],
    ["is not JSON in UTF-8", "{}{}"],
    ["is not JSON in UTF-8", '{"a":1,}'],
    ["is not JSON in UTF-8", "{/* */}"],
    ["is not JSON in UTF-8", '{"a":NaN}'],
    ["is not JSON in UTF-8", '{"a":0x10}'],
    ["is not JSON in UTF-8", '{"a":01}'],
    ["is not JSON in UTF-8", '\uFEFF{"a":1}'],
    ["is not JSON in UTF-8", new Uint8Array([0x22, 0xc0, 0x80, 0x22])],
    ["is not JSON in UTF-8", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ["holds a lone surrogate", '{"a":"\\ud800"}'],
    ["holds a lone surrogate", '{"\\udc00":1}'],
    ["holds a lone surrogate", '["\\udc00\\ud800"]'],
    ["has a forbidden name", '{"__proto__":{}}'],
    ["has a forbidden name", '{"a":[{"constructor":1}]}'],
    ["has a forbidden name", '{"proto\\u0074ype":1}'],
  ];
  for (const [found, text] of refused) {
    it(`parseStrictJson() refuses ${JSON.stringify(text)}: ${found}`, () => {
      assert.throws(() => parse(text), new Refused(found));
    });
  }

  it("parseStrictJson() takes a surrogate pair, written out or escaped", () => {
    assert.deepEqual(parse('["\\ud83d\\ude00","\u{1F600}"]'), ["\u{1F600}", "\u{1F600}"]);
  });

  it("parseStrictJson() counts depth by objects and arrays alike", () => {
    for (const text of ["1", "{}", '{"a":[{"b":[]}]}']) parse(text, 4);
    for (const text of ['{"a":[{"b":[[]]}]}', "[".repeat(2000) + "]".repeat(2000)]) {
      assert.throws(() => parse(text, 4), new Refused("is nested too deep"));
    }
  });
});

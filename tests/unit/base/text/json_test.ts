import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseStrictJson } from "../../../../src/base/text/json.ts";
import { seed } from "../../../support/seed.ts";

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
// A name that JSON.stringify would write with an escape is refused, so none is made here.
const name = fc.string({ unit: "grapheme" }).filter((text) => !JSON.stringify(text).includes("\\"));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue({ maxDepth: 0, stringUnit: "binary" }).filter((json) =>
      typeof json !== "string" || json.isWellFormed()
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie("value")), { maxLength: 4 }).map((pairs) =>
      Object.fromEntries(pairs)
    ),
  ),
}));

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

  it("parseStrictJson() refuses a name that stands twice in one object, at every level", () => {
    const word = fc.stringMatching(/^[a-z ]{1,4}$/);
    fc.assert(
      fc.property(word, value, value, fc.nat(3), (word, a, b, depth) => {
        const twin = JSON.stringify(word);
        const pair = `{${twin}:${JSON.stringify(a)},"zz":[1], ${twin} : ${JSON.stringify(b)}}`;
        const text = `${'{"x":['.repeat(depth)}${pair}${"]}".repeat(depth)}`;
        if (forbidden.some((word) => text.includes(word))) return;
        assert.throws(() => parse(text), new Refused("repeats a name"));
      }),
      { seed, numRuns: 1_000 },
    );
  });

  it("parseStrictJson() reads every text alike after JSON.parse has read others, escaped names among them", () => {
    // V8's JSON.parse keeps the shapes of objects it has made, and can take an escaped name for another one's after a certain text.
    const word = fc.constantFrom("sub", "iss", "exp", "alg", "kid", "tenant_id", "private_key");
    const escapeAt = (text: string, at: number): string => {
      const index = at % text.length;
      const code = text.charCodeAt(index).toString(16).padStart(4, "0");
      return `${text.slice(0, index)}\\u${code}${text.slice(index + 1)}`;
    };
    const member = fc.record({ word, at: fc.nat(), escaped: fc.boolean(), value: fc.nat(9) });
    const textOf = (
      members: readonly { word: string; at: number; escaped: boolean; value: number }[],
    ) =>
      `{${
        members.map(({ word, at, escaped, value }) =>
          `"${escaped ? escapeAt(word, at) : word}":${value}`
        ).join(",")
      }}`;
    const members = fc.array(member, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(members, { maxLength: 4 }), members, (primers, decisive) => {
        for (const primer of primers) {
          for (let i = 0; i < 3; i++) JSON.parse(textOf(primer));
        }
        const names = decisive.map(({ word }) => word);
        const isUnique = new Set(names).size === names.length;
        if (decisive.some(({ escaped }) => escaped) || !isUnique) {
          assert.throws(() => parse(textOf(decisive)), Refused);
        } else {
          assert.deepEqual(
            parse(textOf(decisive)),
            Object.fromEntries(decisive.map(({ word, value }) => [word, value])),
          );
        }
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it("parseStrictJson() takes what JSON.parse takes, and refuses what it refuses, near every text", () => {
    const junk = fc.constantFrom(
      "",
      " ",
      ",",
      ":",
      "{",
      "}",
      "[",
      "]",
      '"',
      "\\",
      "0",
      "1",
      "-",
      ".",
      "e",
      "+",
      "t",
      "n",
      "\u0000",
      "\t",
      "\u00a0",
    );
    fc.assert(
      fc.property(value, fc.nat(), fc.nat(3), junk, (json, at, cut, junk) => {
        const whole = JSON.stringify(json);
        const index = at % (whole.length + 1);
        const text = whole.slice(0, index) + junk + whole.slice(index + cut);
        if (!text.isWellFormed()) return;
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          assert.throws(() => parse(text), Refused, text);
          return;
        }
        try {
          assert.deepEqual(parse(text), expected, text);
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          assert.match(
            error.message,
            /^(repeats a name|has a name with an escape|has a forbidden name|holds a lone surrogate)$/,
            text,
          );
        }
      }),
      { seed, numRuns: 5_000 },
    );
  });

  it("parseStrictJson() adds no member from Object.prototype, and needs none of it", () => {
    const prototype = Object.prototype as unknown as Record<string, unknown>;
    Object.defineProperty(prototype, "sub", {
      configurable: true,
      get: () => "evil",
      set: () => assert.fail("a setter ran"),
    });
    try {
      assert.deepEqual(Object.entries(parse('{"sub":"acme"}') as object), [["sub", "acme"]]);
    } finally {
      Reflect.deleteProperty(prototype, "sub");
    }
  });

  it("parseStrictJson() takes one name in several objects, and a colon after a string that is not a name", () => {
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
    ["has a name with an escape", '{"\\udc00":1}'],
    ["has a name with an escape", '{"a":1,"\\n":1}'],
    ["is not JSON in UTF-8", '{"a":"\t"}'],
    ["is not JSON in UTF-8", '{"a":1 "b":2}'],
    ["is not JSON in UTF-8", "[1,,2]"],
    ["is not JSON in UTF-8", "{a:1}"],
    ["is not JSON in UTF-8", "-"],
    ["is not JSON in UTF-8", "1."],
    ["is not JSON in UTF-8", "truefalse"],
    ["holds a lone surrogate", '["\\udc00\\ud800"]'],
    ["has a forbidden name", '{"__proto__":{}}'],
    ["has a forbidden name", '{"a":[{"constructor":1}]}'],
    ["has a name with an escape", '{"proto\\u0074ype":1}'],
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

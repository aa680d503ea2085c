import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseStrictJsonText } from "../../../../src/base/text/json.ts";
import { findJsonValue, positionAt } from "../../../../src/base/text/json_position.ts";

describe("positionAt()", () => {
  it("counts lines and columns from 1, with every kind of line end", () => {
    const text = "ab\ncd\r\nef\rg";
    const where = [0, 1, 3, 4, 7, 10].map((offset) => positionAt(text, offset));
    assert.deepEqual(where.map(({ line, column }) => [line, column]), [
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
      [3, 1],
      [4, 1],
    ]);
  });
});

describe("findJsonValue()", () => {
  const text = `{
  "a": [1, {"b": "x,]}\\"", "c": []}, [[], 7]],
  "d": {"a": {}, "e": null}
}`;
  const at = (...path: (string | number)[]) => text.slice(findJsonValue(text, path)).slice(0, 6);

  it("finds members and items at any depth", () => {
    assert.equal(at(), '{\n  "a');
    assert.equal(at("a"), '[1, {"');
    assert.equal(at("a", 0), '1, {"b');
    assert.equal(at("a", 1), '{"b": ');
    assert.equal(at("a", 1, "b"), '"x,]}\\');
    assert.equal(at("a", 1, "c"), "[]}, [");
    assert.equal(at("a", 2, 1), "7]],\n ");
    assert.equal(at("d", "a"), '{}, "e');
    assert.equal(at("d", "e"), "null}\n");
  });

  it("stops at the last part of the path that is there", () => {
    assert.equal(at("d", "x"), at("d"));
    assert.equal(at("a", 9, "b"), at("a"));
    assert.equal(at("x"), at());
  });

  it("finds every value of every document", () => {
    const names = fc.constantFrom("a", "b", "c", "long name");
    const { document } = fc.letrec<{ document: unknown }>((tie) => ({
      document: fc.oneof(
        { depthSize: "small" },
        fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.string()),
        fc.array(tie("document"), { maxLength: 4 }),
        fc.dictionary(names, tie("document"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(fc.property(document, fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const visit = (part: unknown, path: (string | number)[]): void => {
        const found = text.slice(findJsonValue(text, path));
        const written = JSON.stringify(part, null, indent);
        // Within a document that is indented, only the first line of a value is written as it is alone.
        assert.ok(found.startsWith(written.split("\n")[0]!), `${path.join(".")} in ${text}`);
        if (typeof part !== "object" || part === null) return;
        if (Array.isArray(part)) part.forEach((item, i) => visit(item, [...path, i]));
        else for (const [name, member] of Object.entries(part)) visit(member, [...path, name]);
      };
      visit(value, []);
    }));
  });
});

describe("parseStrictJsonText()", () => {
  it("reports where the fault is", () => {
    const faults = [
      ['{"a": 1,}', 8],
      ['{"a": 01}', 7],
      ['{"a": 1, "a": 2}', 9],
      ['{"a" 1}', 5],
      ["[1, tru]", 4],
      ['["\t"]', 1],
      ["[1] x", 4],
      ["", 0],
    ] as const;
    for (const [text, expected] of faults) {
      let found = -1;
      assert.throws(() =>
        parseStrictJsonText(text, 8, (_, at): never => {
          found = at;
          throw new Error("refused");
        })
      );
      assert.equal(found, expected, text);
    }
  });
});

import { describe, it } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, encodeHex } from "../../../../src/base/bytes.ts";
import {
  decodeHuffman,
  decodeRequestHeader,
  encodeResponseHeader,
} from "../../../../src/transport/http3/qpack.ts";
import { seed } from "../../../support/seed.ts";

function hex(digits: string): Uint8Array {
  const pairs = digits.replaceAll(" ", "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/** A literal field line with a literal name, neither of them Huffman-coded. */
function literal(name: string, value: string): Uint8Array {
  const text = (s: string): number[] => [...new TextEncoder().encode(s)];
  assert.ok(value.length < 127);
  const head = name.length < 7 ? [0x20 | name.length] : [0x27, name.length - 7];
  return Uint8Array.from([...head, ...text(name), value.length, ...text(value)]);
}

const PREFIX = Uint8Array.of(0, 0);

describe("decodeHuffman()", () => {
  // RFC 7541 appendix C.4 and C.6.
  const vectors: readonly (readonly [text: string, digits: string])[] = [
    ["www.example.com", "f1e3 c2e5 f23a 6ba0 ab90 f4ff"],
    ["no-cache", "a8eb 1064 9cbf"],
    ["custom-key", "25a8 49e9 5ba9 7d7f"],
    ["custom-value", "25a8 49e9 5bb8 e8b4 bf"],
    ["302", "6402"],
    ["private", "aec3 771a 4b"],
    ["Mon, 21 Oct 2013 20:13:21 GMT", "d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff"],
    ["https://www.example.com", "9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3"],
    ["307", "640e ff"],
    [
      "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
      "94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ],
  ];
  for (const [text, digits] of vectors) {
    it(`decodes "${text}"`, () => assert.equal(decodeHuffman(hex(digits)), text));
  }

  it("decodes the rarer symbols: brackets, quotes, the tilde", () => {
    // RFC 7541 appendix B: "{" is 7ffe (15 bits), "~" is 1ffd (13), "|" is 7fc (11), "(" is 3fa (10).
    assert.equal(decodeHuffman(hex("fffd")), "{");
    assert.equal(decodeHuffman(hex("ffef")), "~");
    assert.equal(decodeHuffman(hex("ff9f")), "|");
    assert.equal(decodeHuffman(hex("febf")), "(");
    // A query may hold a backslash as it is (URL Standard, query percent-encode set): 7fff0, 19 bits.
    assert.equal(decodeHuffman(hex("fffe1f")), "\\");
    assert.equal(decodeHuffman(hex("")), "");
  });

  it("refuses padding of a byte or more, padding that is not all ones, and symbols that it does not know", () => {
    assert.equal(decodeHuffman(hex("6402ff")), undefined);
    assert.equal(decodeHuffman(hex("f1e3c2e5f23a6ba0ab90f4fe")), undefined);
    assert.equal(decodeHuffman(hex("ffffffff")), undefined);
    // Bytes of 19 and 20 bits that are not ASCII: 195 is 7fff1, 128 is fffe6.
    assert.equal(decodeHuffman(hex("fffe3f")), undefined);
    assert.equal(decodeHuffman(hex("fffe6f")), undefined);
  });
});

describe("decodeRequestHeader()", () => {
  it("reads RFC 9204 appendix B.1", () => {
    const header = decodeRequestHeader(hex("0000 510b 2f69 6e64 6578 2e68 746d 6c"));
    assert.equal(header?.path, "/index.html");
    assert.equal(header?.method, undefined);
  });

  it("reads a CONNECT request in all the forms that static and literal fields have", () => {
    const header = decodeRequestHeader(concatBytes([
      PREFIX,
      hex("cf"), // indexed, static 15: ":method" CONNECT
      literal(":protocol", "webtransport"),
      hex("d7"), // indexed, static 23: ":scheme" https
      hex("50 8c f1e3 c2e5 f23a 6ba0 ab90 f4ff"), // name of static 0, value Huffman-coded
      hex("c1"), // indexed, static 1: ":path" /
      hex("5f4b 91 9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3"), // name of static 90: "origin"
      literal("sec-webtransport-http3-draft02", "1"),
      literal("x-other", "y"),
      literal("x-other", "z"),
    ]));
    assert.deepEqual(header, {
      method: "CONNECT",
      protocol: "webtransport",
      authority: "www.example.com",
      path: "/",
      origin: "https://www.example.com",
      draft02: "1",
    });
  });

  it("reads other methods", () => {
    for (const [index, method] of [[0xd0, "DELETE"], [0xd1, "GET"], [0xd4, "POST"]] as const) {
      assert.equal(decodeRequestHeader(Uint8Array.of(0, 0, index))?.method, method);
    }
  });

  it("skips fields whose value it cannot decode, but not their near misses", () => {
    const header = decodeRequestHeader(
      concatBytes([PREFIX, hex("22 7878 83 fffe6f"), literal(":path", "/p")]),
    );
    assert.equal(header?.path, "/p");
  });

  const malformed: readonly (readonly [what: string, bytes: Uint8Array])[] = [
    ["nothing", hex("")],
    ["half a prefix", hex("00")],
    ["a dynamic table", hex("0200 c1")],
    ["a reference to a dynamic entry", hex("0000 80")],
    ["a name reference to a dynamic entry", hex("0000 40 01 61")],
    ["a post-base index", hex("0000 10")],
    ["a post-base name reference", hex("0000 00 01 61")],
    ["a length beyond the end", hex("0000 51 7f 61")],
    ["a name beyond the end", hex("0000 27 ff 01")],
    ["a path that it cannot decode", hex("0000 51 83 fffe6f")],
    ["an endless integer", hex("0000 ff ff ff ff ff ff ff 01")],
    ["an integer that is cut off", hex("0000 ff 80")],
    ["the path twice", concatBytes([PREFIX, hex("c1"), literal(":path", "/b")])],
    ["the origin twice", concatBytes([PREFIX, literal("origin", "a"), literal("origin", "b")])],
    ["a thousand fields", concatBytes([PREFIX, new Uint8Array(1_000).fill(0xd7)])],
  ];
  for (const [what, bytes] of malformed) {
    it(`refuses ${what}`, () => assert.equal(decodeRequestHeader(bytes), undefined));
  }

  it("never throws, for any input", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        decodeRequestHeader(bytes);
        decodeRequestHeader(concatBytes([PREFIX, bytes]));
      }),
      { seed, numRuns: 3_000 },
    );
  });
});

describe("encodeResponseHeader()", () => {
  it("writes the status with the name of static entry 24, and other fields as literals", () => {
    assert.equal(encodeHex(encodeResponseHeader(200)), "00005f0903323030");
    const draft = encodeResponseHeader(200, { "sec-webtransport-http3-draft": "draft02" });
    const name = encodeHex(new TextEncoder().encode("sec-webtransport-http3-draft"));
    assert.equal(encodeHex(draft), `00005f09033230302715${name}076472616674${"3032"}`);
  });
});

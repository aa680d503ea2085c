import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { verifyToken } from "../../src/token/verify.ts";
import { TeleQuickError } from "../../src/base/errors.ts";
import {
  acme,
  claims,
  evil,
  forge,
  header,
  NOW,
  outcome,
  segment,
  signSegments,
  verifier,
} from "../support/tokens.ts";

const good = forge();
const [first = "", second = "", third = ""] = good.split(".");
const form = "form is not three segments in 64 to 4096 characters";
const canonical = "base64url is malformed";

describe("form attacks", () => {
  it("J-09 sizes: 4096 characters pass, 4097 and more are refused unread", async () => {
    // base64url has no segment of 4n + 1 characters, so some lengths need a header of another length.
    const fill = (length: number): string => {
      for (const space of ["", " ", "  "]) {
        const head = segment(JSON.stringify(header) + space);
        for (let room = 2_500; room < 2_900; room++) {
          const text = segment({ ...claims, x: "x".repeat(room) });
          if (`${head}.${text}.${third}`.length === length) return signSegments(head, text);
        }
      }
      throw new Error(`No token has ${length} characters`);
    };
    assert.equal(await outcome(fill(4096)), "accepted");
    assert.equal(await outcome(fill(4097)), form);
    const short = (length: number): string =>
      `${"a".repeat(20)}.${"a".repeat(length - 40)}.${"a".repeat(18)}`;
    assert.equal(await outcome(short(63)), form);
    assert.equal(await outcome(short(64)), canonical);
    for (
      const text of [
        "a".repeat(2 ** 20),
        ".".repeat(2 ** 20),
        "a.".repeat(2 ** 19),
        "",
        "a.b.c",
        "a".repeat(63),
      ]
    ) {
      assert.equal(await outcome(text), form);
    }
    assert.equal(await outcome(`${first}.${"A".repeat(2 ** 24)}.${third}`), form);
  });

  it("J-09 depth and number of members within the size are bounded too", async () => {
    const nested = (depth: number): string => `{"x":`.repeat(depth) + "1" + "}".repeat(depth);
    const body = (x: string): string => JSON.stringify(claims).slice(0, -1) + `,"x":${x}}`;
    assert.equal(await outcome(forge(header, body(nested(3)))), "accepted");
    assert.equal(await outcome(forge(header, body(nested(4)))), "payload is nested too deep");
    const deep = `${"[".repeat(1100)}${"]".repeat(1100)}`;
    assert.equal(await outcome(forge(header, body(deep))), "payload is nested too deep");
    assert.equal(await outcome(forge(deep.slice(900, 1300), claims)), "header is nested too deep");
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`m${i}`, i]));
    assert.equal(await outcome(forge(header, { ...claims, ...many })), "accepted");
  });

  it("J-10 padding, other alphabets, white space and invisible characters, around and inside", async () => {
    const strange = [
      "=",
      "==",
      "+",
      "/",
      " ",
      "\n",
      "\r\n",
      "\t",
      "\0",
      "#",
      "%2E",
      "\u3002",
      "\uFEFF",
      "\u200b",
      "\u0661",
      "\u00e9",
    ];
    for (const text of strange) {
      for (
        const at of [
          0,
          5,
          first.length,
          first.length + 1,
          first.length + 9,
          good.length - 342,
          good.length - 9,
          good.length,
        ]
      ) {
        assert.equal(
          await outcome(good.slice(0, at) + text + good.slice(at)),
          canonical,
          JSON.stringify([text, at]),
        );
      }
    }
    for (const dot of ["\u2024", "\uff0e", ",", "%2e"]) {
      assert.equal(await outcome(good.replaceAll(".", dot)), form);
    }
  });

  it("J-10 every other spelling of the same bytes, and lengths that no bytes have", async () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const twins = (text: string): string[] => {
      const unused = [0, 0, 4, 2][text.length % 4]!;
      const last = alphabet.indexOf(text.at(-1)!);
      return Array.from(
        { length: 2 ** unused - 1 },
        (_, i) => text.slice(0, -1) + alphabet[last + i + 1],
      );
    };
    // Any lengths of header and payload, so that each leaves 0, 2 and 4 bits unused once.
    for (const pad of ["", " ", "  "]) {
      const head = segment(JSON.stringify(header) + pad);
      const body = segment(JSON.stringify(claims) + pad);
      assert.equal(await outcome(signSegments(head, body)), "accepted");
      for (const twin of twins(head)) {
        assert.equal(await outcome(signSegments(twin, body)), canonical);
      }
      for (const twin of twins(body)) {
        assert.equal(await outcome(signSegments(head, twin)), canonical);
      }
    }
    assert.equal(twins(third).length, 15);
    for (const twin of twins(third)) {
      assert.deepEqual(Buffer.from(twin, "base64url"), Buffer.from(third, "base64url"));
      assert.equal(await outcome(`${first}.${second}.${twin}`), canonical);
    }
    for (const length of [341, 337]) {
      assert.equal(await outcome(`${first}.${second}.${third.slice(0, length)}`), canonical);
    }
  });

  it("J-10 every insertion, deletion and substitution of one character", async () => {
    const characters = [
      ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0",
    ];
    const edits: string[] = [];
    for (let at = 0; at <= good.length; at++) {
      if (at < good.length) edits.push(good.slice(0, at) + good.slice(at + 1));
      for (const character of characters) {
        edits.push(good.slice(0, at) + character + good.slice(at));
        if (character !== good[at]) edits.push(good.slice(0, at) + character + good.slice(at + 1));
      }
    }
    let refused = 0;
    for (let at = 0; at < edits.length; at += 256) {
      await Promise.all(
        edits.slice(at, at + 256).map(async (token) => {
          if (token === good) return;
          await assert.rejects(verifyToken(token, verifier), TeleQuickError);
          refused++;
        }),
      );
    }
    const same = edits.filter((token) => token === good).length;
    assert.equal(refused, edits.length - same);
    assert.ok(refused > 60_000, `${refused}`);
  });

  it("J-11 signatures of every other length and value", async () => {
    const replaced = (bytes: Uint8Array): Promise<string> =>
      outcome(`${first}.${second}.${Buffer.from(bytes).toString("base64url")}`);
    const signature = Buffer.from(third, "base64url");
    const n = Buffer.from(acme.publicKey.export({ format: "jwk" }).n!, "base64url");
    assert.equal(await outcome(`${first}.${second}.`), form);
    for (const length of [1, 20, 255, 513, 1024]) {
      assert.equal(await replaced(new Uint8Array(length)), "signature is wrong");
    }
    const sum = BigInt(`0x${n.toString("hex")}`) + BigInt(`0x${signature.toString("hex")}`);
    const wrong: Record<string, Uint8Array> = {
      "all zero": new Uint8Array(256),
      "all ones": new Uint8Array(256).fill(255),
      "one": new Uint8Array(256).fill(1, 255),
      "the modulus": n,
      "the modulus and the signature": Buffer.from(sum.toString(16).padStart(514, "0"), "hex"),
      "a zero before": Buffer.concat([Buffer.of(0), signature]),
      "a zero after": Buffer.concat([signature, Buffer.of(0)]),
      "the last byte twice": Buffer.concat([signature, signature.subarray(-1)]),
      "twice": Buffer.concat([signature, signature]),
      "of another payload": Buffer.from(
        forge(header, { ...claims, x: 1 }).split(".")[2]!,
        "base64url",
      ),
      "of another key": Buffer.from(
        forge(header, claims, evil.privateKey).split(".")[2]!,
        "base64url",
      ),
    };
    for (const [name, bytes] of Object.entries(wrong)) {
      assert.equal(await replaced(bytes), "signature is wrong", name);
    }
  });

  it("J-11 every single bit of a signature", async () => {
    const signature = Buffer.from(third, "base64url");
    const flipped = Array.from({ length: 2048 }, (_, bit) => {
      const bytes = Buffer.from(signature);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      return outcome(`${first}.${second}.${bytes.toString("base64url")}`);
    });
    assert.deepEqual(new Set(await Promise.all(flipped)), new Set(["signature is wrong"]));
    assert.equal((await verifyToken(good, verifier)).expiresAtMs, (NOW + 3600) * 1000);
  });
});

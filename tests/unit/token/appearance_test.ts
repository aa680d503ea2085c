import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { tokenOf } from "../../../src/token/appearance.ts";
import { assertHidden } from "../../support/canary.ts";
import { seed } from "../../support/seed.ts";
import { acme, forge } from "../../support/tokens.ts";

const token = forge();

function looksLike(value: unknown): string {
  try {
    tokenOf(value);
  } catch (error) {
    assert.ok(error instanceof TeleQuickError, `${error}`);
    assert.equal(error.code, "ERR_TOKEN_INVALID");
    assert.equal(error.retryable, true);
    const [, found] =
      /^Cannot present token: the token function returned (.*), expected a token: three base64url segments with dots between$/
        .exec(error.message) ?? assert.fail(error.message);
    return found!;
  }
  return assert.fail("it was taken for a token");
}

describe("tokenOf()", () => {
  it("tokenOf() returns a compact JWS unchanged, also of another algorithm", () => {
    const header = btoa('{"alg":"ES256"}').replace(/=+$/, "");
    for (const each of [token, forge({ alg: "none" }), `${header}.e30.AA`, `${header}..AA`]) {
      assert.equal(tokenOf(each), each);
    }
  });

  it("tokenOf() forgives white space around", () => {
    for (const each of [`${token}\n`, ` ${token}`, `\r\n\t${token}\r\n`, `\uFEFF${token}`]) {
      assert.equal(tokenOf(each), token);
    }
  });

  const cases: readonly (readonly [what: string, value: unknown, found: string])[] = [
    ["nothing", undefined, "undefined (is a return or an await missing?)"],
    ["null", null, "null"],
    ["a number", 7, "a number"],
    ["a function", () => token, "a function"],
    ["bytes", new TextEncoder().encode(token), "an object"],
    ["an array", [token], "an array"],
    ["an object", {}, "an object"],
    ["an object with the token", { token }, "an object: return its member token"],
    [
      "a Response",
      new Response(token),
      "a Response (return await response.text(), after looking at response.ok)",
    ],
    ["an empty text", "", "an empty text"],
    ["white space", " \n", "an empty text"],
    ["the text undefined", "undefined", 'the text "undefined" (is the variable set?)'],
    ["the text of an object", `${{}}`, 'the text "[object Object]" (return its token instead)'],
    [
      "a page",
      "<!DOCTYPE html><title>502</title>",
      "an HTML page beginning <!DOCTYPE (look at the address and at response.ok)",
    ],
    [
      "a page without a doctype",
      "\n<html><body>sign in</body></html>",
      "an HTML page beginning <html (look at the address and at response.ok)",
    ],
    ["XML", "<Error/>", "a page in HTML or XML (look at the address and at response.ok)"],
    [
      "a header's value",
      `Bearer ${token}`,
      'a text with "Bearer " before the token (return the token alone)',
    ],
    ["JSON with a token", JSON.stringify({ token }), "a JSON object: return its member token"],
    [
      "an OAuth answer",
      JSON.stringify({ access_token: token, token_type: "Bearer" }),
      "a JSON object: return its member access_token",
    ],
    [
      "JSON with an error",
      '{"error":"no such user"}',
      "a JSON object with a member error (look at response.ok)",
    ],
    ["JSON without either", "{}", "a JSON object"],
    [
      "JSON that is cut off",
      '{"token":"',
      "a text that begins like JSON and is cut off or damaged",
    ],
    ["a JSON array", JSON.stringify([token]), "a JSON array"],
    [
      "a JSON string",
      JSON.stringify(token),
      "a text in quotes (return await response.json(), or parse it)",
    ],
    [
      "a service account",
      acme.made.json,
      "a JSON object with a private key: sign a token with it at your backend, and never send it to a page",
    ],
    [
      "a private key",
      acme.made.account.privateKey,
      "a PEM key (a token is signed with it, at your backend)",
    ],
    ["a URL-encoded token", token.replaceAll(".", "%2E"), "a text that is URL-encoded (decode it)"],
    ["a sentence", "Internal Server Error", "a text with white space or punctuation in it"],
    ["two tokens", `${token} ${token}`, "a text with white space or punctuation in it"],
    ["a JWE", "a.b.c.d.e", "a text of 5 segments, as an encrypted token (JWE) has"],
    ["a word", "secret", "a text of 1 segment"],
    ["an unsigned token", token.split(".", 2).join("."), "a text of 2 segments"],
    ["a host name", "www.example.com", "a text whose first segment is not a token's header"],
    ["a padded token", `${token}==`, "a text whose first segment is not a token's header"],
    ["a long text", "a".repeat(70_000), "a text of 70000 characters"],
  ];
  for (const [what, value, found] of cases) {
    it(`tokenOf() says what it looks like: ${what}`, () => assert.equal(looksLike(value), found));
  }

  it("tokenOf() names what returned it", () => {
    assert.throws(() => tokenOf("", "GET /token"), {
      message: /^Cannot present token: GET \/token returned an empty text, /,
    });
  });

  it("tokenOf() quotes nothing of what it refuses", () => {
    const secret = "hunter2hunter2hunter2";
    const text = fc.string().map((noise) => `${noise}${secret}`);
    const value = fc.oneof(
      text,
      text.map((each) => `Bearer ${each}.${each}`),
      text.map((each) => JSON.stringify({ error: each, [each]: each })),
      text.map((each) => `<html>${each}`),
      text.map((each) => ({ message: each })),
    );
    fc.assert(
      fc.property(value, (each) => {
        try {
          tokenOf(each);
        } catch (error) {
          assert.ok(error instanceof TeleQuickError);
          assertHidden(error, [secret], "an error");
        }
      }),
      { seed, numRuns: 500 },
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mintBrowserToken, type MintBrowserTokenOptions } from "../../../src/token/browser.ts";
import type { ScopeWord } from "../../../src/token/scope.ts";
import { decodeToken } from "../../../src/token/decode.ts";
import { verifyToken } from "../../../src/token/verify.ts";
import { acme, claims, forge, header, NOW, verifier } from "../../support/tokens.ts";

const now = NOW * 1000;

describe("mintBrowserToken()", () => {
  it("mintBrowserToken() lives 300 seconds and carries what it is given", async () => {
    const token = await mintBrowserToken(acme.signer, {
      now,
      scope: "call.dial call.barge",
      origin: "https://app.example",
      endUser: "Zo\u00eb \u{1F600}",
      jti: "6f1c",
    });
    assert.deepEqual(decodeToken(token), {
      header: { ...header },
      claims: {
        ...claims,
        exp: NOW + 300,
        scope: "call.dial call.barge",
        origin: "https://app.example",
        end_user: "Zo\u00eb \u{1F600}",
        jti: "6f1c",
      },
    });
    const verified = await verifyToken(token, verifier);
    assert.equal(verified.kind, "browser");
    assert.equal(verified.endUser, "Zo\u00eb \u{1F600}");
  });

  it("mintBrowserToken() leaves out the claims that are not given", async () => {
    const { claims: bare } = decodeToken(await mintBrowserToken(acme.signer, { now }));
    assert.deepEqual(bare, { ...claims, exp: NOW + 300 });
  });

  it("C-10 mintBrowserToken() refuses more than 300 seconds", async () => {
    for (const lifetimeSeconds of [1, 299, 300]) {
      const { claims } = decodeToken(await mintBrowserToken(acme.signer, { now, lifetimeSeconds }));
      assert.equal(claims["exp"], NOW + lifetimeSeconds);
    }
    for (const lifetimeSeconds of [0, 301, 3600, 0.5]) {
      await assert.rejects(mintBrowserToken(acme.signer, { lifetimeSeconds }), {
        code: "ERR_TOKEN_LIFETIME",
        message:
          `Cannot sign token: lifetimeSeconds is ${lifetimeSeconds}, expected a whole number from 1 to 300`,
      });
    }
  });

  it("mintBrowserToken() takes an origin as browsers send it, and nothing near it", async () => {
    for (
      const origin of [
        "https://app.example",
        "http://localhost:3000",
        "https://xn--bcher-kva.example",
        "http://[::1]:8080",
        "http://127.0.0.1",
        "https://my_app.example",
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "app://obsidian.md",
        "chrome-extension://aapocclcgogkmnckokdopfmhonfmgoek",
        "moz-extension://d0b6a5a3-0c4a-4c55-9b5c-5f1f0c1a0b2c",
        "vscode-webview://0a1b",
      ]
    ) {
      const token = await mintBrowserToken(acme.signer, { now, origin });
      assert.equal((await verifyToken(token, verifier)).origin, origin);
    }
    for (
      const origin of [
        "",
        "null",
        "app.example",
        "https://app.example/",
        "https://App.example",
        "https://app.example/path",
        "https://u@app.example",
        "ftp://app.example",
        "file://",
        "file://app.example",
        "blob://app.example",
        "javascript://app.example",
        "capacitor://",
        "capacitor://localhost/",
        "capacitor:localhost",
        "1app://localhost",
        `https://${"a".repeat(512)}`,
        "https://b\u00fccher.example",
        "https://app.example\n",
        "https://a, https://b",
      ]
    ) {
      await refuses({ origin }, "origin");
    }
  });

  it("mintBrowserToken() refuses claims that are empty, too long, no text, or hold control characters", async () => {
    for (const name of ["scope", "endUser", "jti"] as const) {
      const wire = name === "endUser" ? "end_user" : name;
      const lists = name === "scope" ? [[], ["a b"], [""], [1], [["a"]]] : [["a"]];
      for (const value of ["", "a\nb", "a\0", "\u202e", "x".repeat(513), 1, null, ...lists]) {
        await refuses({ [name]: value as string }, wire);
      }
      await mintBrowserToken(acme.signer, { [name]: "x".repeat(512) });
    }
  });

  it("mintBrowserToken() takes free-form text of any language, joiners and emoji sequences included", async () => {
    const texts = [
      "\u{1F469}\u200D\u{1F4BB}",
      "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645",
      "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
      "\u2764\uFE0F",
      "\u05D0\u200F\u05D1",
      "a\u0301",
      "\u00AD",
      "\u0378",
      "\uE000",
    ];
    for (const endUser of texts) {
      const token = await mintBrowserToken(acme.signer, { now, endUser });
      assert.equal((await verifyToken(token, verifier)).endUser, endUser);
    }
  });

  it("mintBrowserToken() refuses a fixed list of code points, here and in verification", async () => {
    const ranges = [
      [0x00, 0x1f],
      [0x7f, 0x9f],
      [0x200b, 0x200b],
      [0x2028, 0x2029],
      [0x202a, 0x202e],
      [0x2066, 0x2069],
      [0xfdd0, 0xfdef],
      [0xfeff, 0xfeff],
      [0xfff9, 0xfffb],
      [0xfffe, 0xffff],
      [0x1fffe, 0x1ffff],
      [0x10fffe, 0x10ffff],
      [0xd800, 0xd800],
      [0xdfff, 0xdfff],
    ] as const;
    for (const [first, last] of ranges) {
      for (let code = first; code <= last; code++) {
        const endUser = `a${String.fromCodePoint(code)}`;
        await refuses({ endUser }, "end_user");
        const token = forge(header, { ...claims, exp: NOW + 60, end_user: endUser });
        await assert.rejects(verifyToken(token, verifier), { code: "ERR_TOKEN_INVALID" });
      }
    }
  });

  it("mintBrowserToken() takes a scope as an array of known words, or as a string", async () => {
    const scopeOf = async (scope: readonly ScopeWord[] | string) =>
      decodeToken(await mintBrowserToken(acme.signer, { scope })).claims["scope"];
    assert.equal(await scopeOf(["call.dial", "call.barge"]), "call.dial call.barge");
    assert.equal(await scopeOf("call.dial their.own"), "call.dial their.own");
    // @ts-expect-error A word that is misspelt does not compile.
    assert.equal(await scopeOf(["call.dail"]), "call.dail");
  });

  it("mintBrowserToken() refuses claims that together make a token which no verifier takes", async () => {
    const long = "\u{1f600}".repeat(512);
    await mintBrowserToken(acme.signer, { endUser: long });
    await assert.rejects(mintBrowserToken(acme.signer, { endUser: long, scope: long }), {
      code: "ERR_TOKEN_INVALID",
      message: /^Cannot sign token: it has [0-9]+ characters, expected at most 4096/,
    });
  });
});

async function refuses(options: MintBrowserTokenOptions, claim: string): Promise<void> {
  await assert.rejects(mintBrowserToken(acme.signer, options), {
    code: "ERR_TOKEN_INVALID",
    message: new RegExp(`^Cannot sign token: ${claim} is .*, expected `),
  }, JSON.stringify(options));
}

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { describe, it } from "node:test";
import { pem } from "../support/openssl.ts";
import {
  acme,
  claims,
  evil,
  forge,
  header,
  lookups,
  outcome,
  type Part,
  segment,
  signSegments,
} from "../support/tokens.ts";

/** Refused for `reason`, by any signer, and before any key was looked for. */
async function refusedUnseen(head: Part, reason: string): Promise<void> {
  for (const key of [acme.privateKey, evil.privateKey]) {
    lookups.length = 0;
    assert.equal(await outcome(forge(head, claims, key)), reason, JSON.stringify(head));
    assert.deepEqual(lookups, [], "no key may be looked for");
  }
}

/** Afterwards an honest token still passes. */
async function stillTakesGoodTokens(): Promise<void> {
  assert.equal(await outcome(forge()), "accepted");
}

describe("header attacks", () => {
  it("J-01 alg none in every spelling and type", async () => {
    for (
      const alg of ["none", "None", "nOnE", "NONE", "", null, 0, true, [], {}, ["RS256"], {
        RS256: 1,
      }]
    ) {
      await refusedUnseen({ ...header, alg }, "alg is not RS256");
    }
    const { alg: _, ...missing } = header;
    await refusedUnseen(missing, "alg is not RS256");
    const unsigned = `${segment({ ...header, alg: "none" })}.${segment(claims)}.`;
    const form = "form is not three segments in 64 to 4096 characters";
    for (
      const token of [unsigned, unsigned.slice(0, -1), `${segment(header)}.${segment(claims)}.`]
    ) {
      assert.equal(await outcome(token), form);
    }
    await stillTakesGoodTokens();
  });

  it("J-02 HMAC keyed with every form of the public key", async () => {
    const spki = acme.made.publicKeyPem;
    const jwk = acme.publicKey.export({ format: "jwk" });
    const secrets: Record<string, string | Uint8Array> = {
      "PEM": spki,
      "DER": acme.publicKey.export({ format: "der", type: "spki" }),
      "JWK": JSON.stringify(jwk),
      "modulus": Buffer.from(jwk.n!, "base64url"),
      "PEM with a blank before": ` \n${spki}`,
      "PEM without its last line end": spki.trimEnd(),
    };
    for (const [bits, hash] of [["256", "sha256"], ["384", "sha384"], ["512", "sha512"]] as const) {
      for (const [name, secret] of Object.entries(secrets)) {
        const signed = `${segment({ ...header, alg: `HS${bits}` })}.${segment(claims)}`;
        const mac = createHmac(hash, secret).update(signed).digest("base64url");
        lookups.length = 0;
        assert.equal(await outcome(`${signed}.${mac}`), "alg is not RS256", name);
        assert.deepEqual(lookups, []);
      }
    }
    const honest = `${segment(header)}.${segment(claims)}`;
    const mac = createHmac("sha256", spki).update(honest).digest("base64url");
    assert.equal(await outcome(`${honest}.${mac}`), "signature is wrong");
    await stillTakesGoodTokens();
  });

  it("J-03 other algorithms, and RS256 in every other spelling", async () => {
    const others = [
      "RS384",
      "RS512",
      "PS256",
      "ES256",
      "EdDSA",
      "RSA1_5",
      "rs256",
      "RS256 ",
      " RS256",
      "RS256\0",
      "RS256\n",
      "\uff32\uff33\uff12\uff15\uff16",
      "R\u017f256",
    ];
    for (const alg of others) await refusedUnseen({ ...header, alg }, "alg is not RS256");
    await stillTakesGoodTokens();
  });

  it("J-04 kid as a path, a query, a prototype's member, of another type, or another's", async () => {
    const malformed = [
      "../../etc/passwd",
      "/dev/null",
      "' OR 1=1--",
      "",
      "a".repeat(129),
      "a\0",
      "a\n",
      "a b",
      "\u0430cme-1",
      "acme-1 ",
      1,
      null,
      true,
      [acme.keyId],
      { kid: acme.keyId },
    ];
    for (const kid of malformed) await refusedUnseen({ ...header, kid }, "kid is malformed");
    const { kid: _, ...missing } = header;
    await refusedUnseen(missing, "kid is malformed");
    for (
      const kid of [
        "__proto__",
        "constructor",
        "toString",
        "hasOwnProperty",
        "ACME-1",
        "acme",
        "acme-2",
        "a".repeat(128),
      ]
    ) {
      assert.equal(await outcome(forge({ ...header, kid })), "kid is unknown", kid);
    }
    assert.equal(await outcome(forge({ ...header, kid: evil.keyId })), "signature is wrong");
    assert.equal(await outcome(forge(header, claims, evil.privateKey)), "signature is wrong");
    assert.equal(({} as Record<string, unknown>)["acme-1"], undefined);
    await stillTakesGoodTokens();
  });

  it("J-05 a key or its address brought along is refused, and no address is visited", async () => {
    let visits = 0;
    const server = createServer((_request, response) => {
      visits++;
      response.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    try {
      const jwk = evil.publicKey.export({ format: "jwk" });
      const certificate = pem.certificate().replace(/-----[^-]+-----|\s/g, "");
      const brought: Record<string, unknown>[] = [
        { jku: `http://127.0.0.1:${port}/keys.json` },
        { jku: "http://169.254.169.254/latest/meta-data/" },
        { x5u: `http://127.0.0.1:${port}/cert.pem` },
        { x5c: [certificate.slice(0, 64)] },
        { x5t: "a" },
        { "x5t#S256": "a" },
        { jwk },
        { jwk: acme.publicKey.export({ format: "jwk" }) },
      ];
      for (const more of brought) {
        await refusedUnseen(
          { ...header, ...more },
          "header has members other than alg, typ and kid",
        );
      }
      const whole = forge({ ...header, x5c: [certificate] }, claims, evil.privateKey);
      assert.match(await outcome(whole), /^form is not/);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    assert.equal(visits, 0);
    await stillTakesGoodTokens();
  });

  it("J-06 crit in every form, and an unencoded payload", async () => {
    for (const crit of [[], ["exp"], ["b64"], "exp", ["alg"], ["exp", "exp"], {}, null]) {
      await refusedUnseen({ ...header, crit }, "header has members other than alg, typ and kid");
    }
    for (const more of [{ b64: false }, { b64: false, crit: ["b64"] }, { b64: true }]) {
      await refusedUnseen({ ...header, ...more }, "header has members other than alg, typ and kid");
    }
    await stillTakesGoodTokens();
  });

  it("J-07 members that stand twice, escaped twins among them", async () => {
    const heads = [
      '{"alg":"none","alg":"RS256","kid":"acme-1"}',
      '{"alg":"RS256","alg":"none","kid":"acme-1"}',
      '{"alg":"RS256","kid":"evil-1","kid":"acme-1"}',
      '{"alg":"RS256","kid":"acme-1","kid":"acme-1"}',
      '{"alg":"RS256","typ":"JWT","typ":"JWT","kid":"acme-1"}',
    ];
    for (const head of heads) await refusedUnseen(head, "header repeats a name");
    const body = JSON.stringify(claims).slice(1, -1);
    const bodies = [
      `{${body},"sub":"evil"}`,
      `{"sub":"evil",${body}}`,
      `{${body},"exp":${claims.exp}}`,
      `{"exp":1,${body}}`,
      `{"iss":"other",${body}}`,
      `{${body},"x":{"y":1,"y":2}}`,
    ];
    for (const text of bodies) {
      assert.equal(await outcome(forge(header, text)), "payload repeats a name", text);
    }
    await refusedUnseen(
      '{"alg":"RS256","kid":"acme-1","k\\u0069d":"acme-1"}',
      "header has a name with an escape",
    );
    for (const text of [`{${body},"s\\u0075b":"acme"}`, `{${body},"x":[{"y":1,"\\u0079":1}]}`]) {
      assert.equal(await outcome(forge(header, text)), "payload has a name with an escape", text);
    }
    await stillTakesGoodTokens();
  });

  it("J-08 nested tokens, encrypted ones, and the JSON serializations", async () => {
    const inner = forge();
    const form = "form is not three segments in 64 to 4096 characters";
    await refusedUnseen(
      { ...header, cty: "JWT" },
      "header has members other than alg, typ and kid",
    );
    assert.equal(await outcome(forge(header, inner)), "payload is not JSON in UTF-8");
    assert.equal(await outcome(forge(header, JSON.stringify(inner))), "payload is not an object");
    const [first = "", second = "", third = ""] = inner.split(".");
    const flattened = { protected: first, payload: second, signature: third };
    const general = { payload: second, signatures: [{ protected: first, signature: third }] };
    const texts = [
      `${first}.${second}.${third}.${third}.${third}`,
      `${first}..${second}.${third}.${third}`,
      `${inner}.`,
      `.${inner}`,
      `${first}.${third}`,
      JSON.stringify(flattened),
      JSON.stringify(general),
    ];
    for (const text of texts) assert.equal(await outcome(text), form, text.slice(0, 40));
    const dotted = [
      `{"a":"${inner}"}`,
      `[${JSON.stringify(inner)}]`,
      JSON.stringify(inner),
      `Bearer ${inner}`,
    ];
    for (const text of dotted) {
      assert.equal(await outcome(text), "base64url is malformed", text.slice(0, 40));
    }
    const polyglot = signSegments(segment(`${JSON.stringify(header)}.x`), segment(claims));
    assert.equal(await outcome(polyglot), "header is not JSON in UTF-8");
    await stillTakesGoodTokens();
  });

  it("typ other than JWT", async () => {
    for (const typ of ["jwt", "at+jwt", "JOSE", "", null, 1, ["JWT"]]) {
      await refusedUnseen({ ...header, typ }, "typ is not JWT");
    }
    const { typ: _, ...without } = header;
    assert.equal(await outcome(forge(without)), "accepted");
  });

  it("a header over 512 bytes, not an object, or not JSON", async () => {
    const form = "form is not three segments in 64 to 4096 characters";
    const padded = (length: number): string => JSON.stringify(header).padEnd(length);
    assert.equal(await outcome(forge(padded(512))), "accepted");
    assert.equal(await outcome(forge(padded(513))), form);
    for (const head of ["[]", '"RS256"', "null", "1"]) {
      await refusedUnseen(head, "header is not an object");
    }
    for (const head of ["{", "{}{}", "not json", "\uFEFF{}", new Uint8Array([0x7b, 0xff, 0x7d])]) {
      await refusedUnseen(head, "header is not JSON in UTF-8");
    }
    await refusedUnseen(
      '{"alg":"RS256","kid":"acme-1","__proto__":{}}',
      "header has a forbidden name",
    );
  });
});

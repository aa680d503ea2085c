import { describe, it } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { checkEndpoint, endpointName, parseEndpoint } from "../../../src/transport/endpoint.ts";
import { seed } from "../../support/seed.ts";

const accepted: readonly (readonly [given: string, href: string])[] = [
  ["https://engine.telequick.dev:9090", "https://engine.telequick.dev:9090/"],
  ["quic://engine.telequick.dev:9090", "https://engine.telequick.dev:9090/"],
  ["QUIC://Engine.TeleQuick.dev:9090", "https://engine.telequick.dev:9090/"],
  ["https://engine.telequick.dev", "https://engine.telequick.dev:9090/"],
  ["https://engine.telequick.dev:", "https://engine.telequick.dev:9090/"],
  ["https://engine.telequick.dev:443", "https://engine.telequick.dev/"],
  ["quic://engine.telequick.dev:443/", "https://engine.telequick.dev/"],
  ["https://127.0.0.1:1", "https://127.0.0.1:1/"],
  ["https://[::1]:9090", "https://[::1]:9090/"],
  ["https://[::1]", "https://[::1]:9090/"],
  ["https://h:65535/a/b?c=d", "https://h:65535/a/b?c=d"],
  ["quic://b\u00fccher.example", "https://xn--bcher-kva.example:9090/"],
];

const refused: readonly (readonly [given: string, found: RegExp])[] = [
  ["", /it is empty/],
  ["http://h:9090", /its scheme is "http:"/],
  ["http://localhost:9090", /its scheme is "http:"/],
  ["ws://h", /its scheme is "ws:"/],
  ["wss://h", /its scheme is "wss:"/],
  ["file:///etc/passwd", /its scheme is "file:"/],
  ["javascript:alert(1)", /its scheme is "javascript:"/],
  ["localhost:9090", /its scheme is "localhost:"/],
  ["127.0.0.1:9090", /it has no scheme/],
  ["engine.telequick.dev", /it has no scheme|its scheme is/],
  ["//h:9090", /it has no scheme/],
  ["https:h:9090", /"\/\/" does not follow its scheme/],
  ["https:/h:9090", /"\/\/" does not follow its scheme/],
  ["https://", /its host is empty/],
  ["https://:9090", /its host is empty/],
  ["https:////h", /its host is empty/],
  ["quic:///path", /its host is empty/],
  ["https://user@h", /user name or password/],
  ["https://user:pass@h:9090", /user name or password/],
  ["https://@h", /user name or password/],
  ["https://good.example@evil.example", /user name or password/],
  ["https://h#f", /it holds a fragment/],
  ["https://h/#", /it holds a fragment/],
  ["https://h:0", /its port is 0/],
  ["https://h:65536", /not a valid URL/],
  ["https://h:9x", /not a valid URL/],
  ["https://[::1", /not a valid URL/],
  ["https://h\\@evil.example", /blank, a control character or a backslash/],
  [" https://h", /blank/],
  ["https://h\n", /blank/],
  ["https://h\t:9090", /blank/],
  ["https://h\u0000", /blank/],
  [`https://${"h".repeat(2_050)}`, /characters long/],
];

describe("parseEndpoint()", () => {
  for (const [given, href] of accepted) {
    it(`takes ${given}`, () => assert.equal(parseEndpoint(given).href, href));
  }

  for (const [given, found] of refused) {
    it(`refuses ${JSON.stringify(given.slice(0, 40))}`, () => {
      assert.throws(() => parseEndpoint(given), (error) => {
        assert.ok(error instanceof TeleQuickError);
        assert.equal(error.code, "ERR_ENDPOINT_INVALID");
        assert.match(error.message, /^Cannot use endpoint: /);
        assert.match(error.message, found);
        assert.match(error.message, /expected "https:\/\/host:9090" or "quic:\/\/host:9090"$/);
        return true;
      });
    });
  }

  it("throws a TypeError for what is not a string", () => {
    for (const given of [undefined, null, 9090, {}, new URL("https://h")]) {
      assert.throws(() => parseEndpoint(given as unknown as string), TypeError);
    }
  });

  it("never quotes what it refuses: a secret may have been put in its place", () => {
    const secret = "eyJhbGciOiJSUzI1NiJ9.CANARY";
    for (
      const given of [secret, `https://${secret}@h`, `http://h/${secret}`, `https://h#${secret}`]
    ) {
      assert.throws(() => parseEndpoint(given), (error) => !String(error).includes("CANARY"));
    }
  });

  it("returns an https URL without user info and fragment, or throws ERR_ENDPOINT_INVALID, for any text", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.webUrl(),
      fc.tuple(
        fc.constantFrom("https://", "quic://", "https:", "quic:", "http://"),
        fc.string({ unit: fc.constantFrom(..."ab1.:/@#?[]%\\\u00e9 -") }),
      ).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (given) => {
        let url: URL;
        try {
          url = parseEndpoint(given);
        } catch (error) {
          assert.ok(error instanceof TeleQuickError);
          assert.equal(error.code, "ERR_ENDPOINT_INVALID");
          return;
        }
        assert.equal(url.protocol, "https:");
        assert.notEqual(url.hostname, "");
        assert.equal(url.username + url.password + url.hash, "");
        assert.equal(checkEndpoint(url).href, url.href);
      }),
      { seed, numRuns: 500 },
    );
  });
});

describe("checkEndpoint()", () => {
  it("keeps the port of a URL, 443 when it names none", () => {
    assert.equal(endpointName(checkEndpoint(new URL("https://h"))), "https://h:443");
    assert.equal(endpointName(checkEndpoint(new URL("https://h:9090/a"))), "https://h:9090/a");
  });

  it("refuses other schemes, user info, fragments and port 0", () => {
    for (
      const href of [
        "http://h",
        "quic://h:9090",
        "https://u@h",
        "https://:p@h",
        "https://h#",
        "https://h:0",
      ]
    ) {
      assert.throws(() => checkEndpoint(new URL(href)), { code: "ERR_ENDPOINT_INVALID" });
    }
  });

  it("throws a TypeError for what is not a URL", () => {
    assert.throws(() => checkEndpoint(42 as unknown as URL), TypeError);
    assert.throws(() => checkEndpoint(null as unknown as URL), TypeError);
  });
});

describe("endpointName()", () => {
  it("leaves the query out", () => {
    assert.equal(endpointName(new URL("https://h:1/p?token=CANARY")), "https://h:1/p");
  });
});

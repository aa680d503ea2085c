import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BODY_BYTES, hostsAt, judge, type Route } from "../../../src/panel/guard.ts";

const key = "AbCdEfGhIjKlMnOpQrStUvWxYz012345";
const hosts = hostsAt(4000);
const routes: ReadonlyMap<string, Route> = new Map([
  ["/", { method: "GET", needsKey: false }],
  ["/panel/main.js", { method: "GET", needsKey: false }],
  ["/api/state", { method: "GET", needsKey: true }],
  ["/api/revoke", { method: "POST", needsKey: true }],
]);

type Headers = Readonly<Record<string, string | readonly string[]>>;

const good: Headers = { Host: hosts[0]!, Authorization: `Bearer ${key}` };
const post: Headers = { ...good, "Content-Type": "application/json", "Content-Length": "2" };

/** The status with which a request is refused; 200 when it is answered. */
function statusOf(method: string, target: string, headers: Headers): number {
  const rawHeaders = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => [name, value])
  );
  const judged = judge({ method, target, rawHeaders }, { hosts, key, routes });
  return "status" in judged ? judged.status : 200;
}

describe("the panel's guard", () => {
  it("answers the page's own requests", () => {
    const page = { ...post, Origin: "http://127.0.0.1:4000", "Sec-Fetch-Site": "same-origin" };
    assert.equal(statusOf("GET", "/", { Host: hosts[0]! }), 200);
    assert.equal(statusOf("GET", "/", { Host: hosts[1]!, "Sec-Fetch-Site": "none" }), 200);
    assert.equal(statusOf("GET", "/panel/main.js", { Host: hosts[0]! }), 200);
    assert.equal(statusOf("GET", "/api/state", good), 200);
    assert.equal(statusOf("POST", "/api/revoke", page), 200);
    const utf8 = { ...page, "Content-Type": "application/json; charset=utf-8" };
    assert.equal(statusOf("POST", "/api/revoke", utf8), 200);
  });

  it("has the port in its hosts, and can be without it at port 80", () => {
    assert.deepEqual(hosts, ["127.0.0.1:4000", "localhost:4000"]);
    assert.deepEqual(hostsAt(80), ["127.0.0.1", "127.0.0.1:80", "localhost", "localhost:80"]);
  });

  const refused: readonly [why: string, status: number, string, string, Headers][] = [
    ["no Host", 421, "GET", "/", {}],
    ["another name for this address", 421, "GET", "/", { Host: "evil.example:4000" }],
    ["this address without the port", 421, "GET", "/", { Host: "127.0.0.1" }],
    ["another port", 421, "GET", "/", { Host: "127.0.0.1:4001" }],
    ["a Host with a dot at its end", 421, "GET", "/", { Host: "localhost.:4000" }],
    ["a Host in capitals", 421, "GET", "/", { Host: "LOCALHOST:4000" }],
    ["a Host that contains this one", 421, "GET", "/", { Host: "127.0.0.1:4000.evil.example" }],
    ["two Hosts", 421, "GET", "/", { Host: [hosts[0]!, hosts[0]!] }],
    ["another origin", 403, "GET", "/api/state", { ...good, Origin: "https://evil.example" }],
    ["another port's origin", 403, "POST", "/api/revoke", {
      ...post,
      Origin: "http://127.0.0.1:4001",
    }],
    ["the origin of another name", 403, "POST", "/api/revoke", {
      ...post,
      Origin: "http://localhost:4000",
    }],
    ["https in the origin", 403, "POST", "/api/revoke", {
      ...post,
      Origin: "https://127.0.0.1:4000",
    }],
    ["an opaque origin", 403, "POST", "/api/revoke", { ...post, Origin: "null" }],
    ["two origins", 403, "GET", "/api/state", {
      ...good,
      Origin: ["http://127.0.0.1:4000", "https://evil.example"],
    }],
    ["an unknown path", 404, "GET", "/etc/passwd", good],
    ["a path that leads upward", 404, "GET", "/panel/../api/state", good],
    ["an encoded path", 404, "GET", "/api/%73tate", good],
    ["a query", 404, "GET", `/api/state?key=${key}`, good],
    ["a slash at the end", 404, "GET", "/api/state/", good],
    ["an absolute target", 404, "GET", "http://127.0.0.1:4000/api/state", good],
    ["the prototype's members", 404, "GET", "constructor", good],
    ["another site", 403, "GET", "/panel/main.js", { ...good, "Sec-Fetch-Site": "cross-site" }],
    ["another port, which is the same site", 403, "GET", "/panel/main.js", {
      ...good,
      "Sec-Fetch-Site": "same-site",
    }],
    ["a link on another page", 403, "GET", "/", { ...good, "Sec-Fetch-Site": "cross-site" }],
    ["the API in the address bar", 403, "GET", "/api/state", {
      ...good,
      "Sec-Fetch-Site": "none",
    }],
    ["no key", 401, "GET", "/api/state", { Host: hosts[0]! }],
    ["an empty key", 401, "GET", "/api/state", { ...good, Authorization: "Bearer " }],
    ["another key", 401, "GET", "/api/state", { ...good, Authorization: `Bearer ${key}x` }],
    ["the beginning of the key", 401, "GET", "/api/state", {
      ...good,
      Authorization: `Bearer ${key.slice(0, -1)}`,
    }],
    ["the key by another scheme", 401, "GET", "/api/state", {
      ...good,
      Authorization: `Basic ${key}`,
    }],
    ["two keys", 401, "GET", "/api/state", {
      ...good,
      Authorization: [`Bearer ${key}`, `Bearer ${key}`],
    }],
    ["the key in a cookie", 401, "GET", "/api/state", { Host: hosts[0]!, Cookie: `key=${key}` }],
    ["another method", 405, "POST", "/api/state", post],
    ["a preflight without the key", 401, "OPTIONS", "/api/revoke", { Host: hosts[0]! }],
    ["a preflight of a file", 405, "OPTIONS", "/panel/main.js", { Host: hosts[0]! }],
    ["HEAD", 405, "HEAD", "/api/state", good],
    ["the body of a GET", 400, "GET", "/api/state", { ...good, "Content-Length": "2" }],
    ["a form", 415, "POST", "/api/revoke", {
      ...post,
      "Content-Type": "application/x-www-form-urlencoded",
    }],
    ["text", 415, "POST", "/api/revoke", { ...post, "Content-Type": "text/plain" }],
    ["no type", 415, "POST", "/api/revoke", good],
    ["a type that begins like JSON", 415, "POST", "/api/revoke", {
      ...post,
      "Content-Type": "application/json, text/plain",
    }],
    ["a long body", 413, "POST", "/api/revoke", {
      ...post,
      "Content-Length": String(BODY_BYTES + 1),
    }],
    ["a malformed length", 400, "POST", "/api/revoke", { ...post, "Content-Length": "0x10" }],
  ];
  for (const [why, status, method, target, headers] of refused) {
    it(`refuses ${why}: ${status}`, () => {
      assert.equal(statusOf(method, target, headers), status);
    });
  }

  it("looks at the Host before the origin, the path, the site, the key, the method and the body", () => {
    const steps: readonly [number, Headers][] = [
      [421, { Host: hosts[0]! }],
      [403, { Origin: "http://127.0.0.1:4000" }],
      [404, {}],
      [403, { "Sec-Fetch-Site": "same-origin" }],
      [401, { Authorization: `Bearer ${key}` }],
      [405, {}],
      [415, { "Content-Type": "application/json" }],
      [413, { "Content-Length": "2" }],
      [200, {}],
    ];
    let headers: Headers = {
      ...{ Host: "evil.example", Origin: "null", "Sec-Fetch-Site": "cross-site" },
      ...{ Authorization: "Bearer x", "Content-Type": "text/plain", "Content-Length": "99999999" },
    };
    let [method, target] = ["GET", "/nowhere"];
    for (const [status, repair] of steps) {
      assert.equal(statusOf(method, target, headers), status);
      headers = { ...headers, ...repair };
      if (status === 404) target = "/api/revoke";
      if (status === 405) method = "POST";
    }
  });

  it("takes no key but the one", () => {
    fc.assert(fc.property(fc.string({ maxLength: 64 }), (shown) => {
      fc.pre(shown !== key);
      const headers = { ...good, Authorization: `Bearer ${shown}` };
      assert.equal(statusOf("GET", "/api/state", headers), 401);
    }));
  });
});

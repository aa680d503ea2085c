import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { type Panel, startPanel } from "../../src/panel/mod.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { callOf, FakePanelGateway } from "../support/panel_gateway.ts";
import { type RawAnswer, rawHttp } from "../support/raw_http.ts";

const facts = {
  endpoint: "https://127.0.0.1:4433",
  certificateHashes: ["aGFzaA=="],
  tenantId: "acme",
  trunkId: "trunk-1",
  program: "import",
};

/** Lets the event loop turn once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A folder with the list of two files, and a file beside them that is not in it. */
async function makeSite(): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  await writeFile(folder.at("index.html"), "<!doctype html><title>panel</title>");
  await writeFile(folder.at("main.js"), "export {};");
  await writeFile(folder.at("private.pem"), "-----BEGIN PRIVATE KEY-----");
  const list = { "/": "index.html", "/panel/main.js": "main.js" };
  await writeFile(folder.at("files.json"), JSON.stringify(list));
  return folder;
}

describe("G-35 the panel", () => {
  const fake = new FakePanelGateway();
  let folder: TemporaryFolder;
  let panel: Panel;
  let port: number;
  let key: string;

  before(async () => {
    folder = await makeSite();
    panel = (await startPanel({
      ...{ ...facts, gateway: fake.gateway },
      folder: pathToFileURL(`${folder.path}/`),
    }))!;
    const { port: text, hash } = new URL(panel.url);
    port = Number(text);
    key = hash.slice(1);
  });
  after(async () => {
    await panel.close();
    await folder[Symbol.asyncDispose]();
  });

  /** Sends a request with the headers of the page's own, but for those given; an empty one is left out. */
  function send(
    target: string,
    { method = "GET", body = "", ...headers }: Record<string, string> = {},
  ): Promise<RawAnswer> {
    const all: Record<string, string> = {
      ...{ host: `127.0.0.1:${port}`, authorization: `Bearer ${key}`, connection: "close" },
      ...(method === "POST" && {
        ...{ "content-type": "application/json", "content-length": String(body.length) },
      }),
      ...headers,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== "")
      .map(([name, value]) => `${name}: ${value}\r\n`);
    return rawHttp(port, `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  }

  it("G-35 has a key of 192 bits in the fragment of its URL, and listens on the loopback address", () => {
    assert.match(panel.url, /^http:\/\/127\.0\.0\.1:\d+\/#[\w-]{32}$/);
    assert.equal(new Set(key).size > 8, true);
  });

  it("G-35 gives its page, its state and its files to the page", async () => {
    const page = await send("/", { authorization: "" });
    assert.equal(page.status, 200);
    assert.match(page.body, /<title>panel<\/title>/);
    assert.equal((await send("/panel/main.js", { authorization: "" })).status, 200);
    const state = await send("/api/state");
    assert.equal(state.status, 200);
    assert.match(state.body, /"endpoint":"https:\/\/127\.0\.0\.1:4433"/);
  });

  it("G-35 sends the same headers with every answer, and never one of CORS", async () => {
    const answers = [
      await send("/"),
      await send("/api/state"),
      await send("/nowhere"),
      await send("/api/state", { authorization: "" }),
      await send("/", { host: "evil.example" }),
      await send("/api/revoke", { method: "OPTIONS", origin: "https://evil.example" }),
      await send("/api/revoke", { method: "POST", body: "[]" }),
    ];
    for (const { headers, status } of answers) {
      const policy = headers["content-security-policy"] ?? "";
      for (
        const part of [
          ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"],
          ...["frame-ancestors 'none'", "form-action 'none'", "require-trusted-types-for 'script'"],
          "connect-src 'self' https://127.0.0.1:4433;",
        ]
      ) {
        assert.ok(policy.includes(part), `${status}: ${part} in ${policy}`);
      }
      assert.equal(headers["cross-origin-resource-policy"], "same-origin");
      assert.equal(headers["cross-origin-opener-policy"], "same-origin");
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
      assert.equal(headers["cache-control"], "no-store");
      assert.match(headers["permissions-policy"] ?? "", /microphone=\(self\)/);
      const cors = Object.keys(headers).filter((name) => name.startsWith("access-control"));
      assert.deepEqual([...cors, headers["set-cookie"]], [undefined]);
    }
  });

  const rows: readonly [string, number, string, Record<string, string>][] = [
    ["DNS rebinding: another name in Host", 421, "/api/state", { host: "evil.example" }],
    ["another port in Host", 421, "/api/state", { host: "127.0.0.1:1" }],
    ["a page of another port, as text/plain", 403, "/api/revoke", {
      ...{ method: "POST", origin: "http://127.0.0.1:1", "content-type": "text/plain" },
      body: "{}",
    }],
    ["a page of another site", 403, "/api/state", { origin: "https://evil.example" }],
    ["a sandboxed frame", 403, "/api/state", { origin: "null" }],
    ["an image of another page", 403, "/panel/main.js", {
      ...{ "sec-fetch-site": "same-site", "sec-fetch-dest": "image", "sec-fetch-mode": "no-cors" },
    }],
    ["a script of another page", 403, "/panel/main.js", { "sec-fetch-site": "cross-site" }],
    ["a frame of another page", 403, "/", {
      ...{ "sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe" },
    }],
    ["its own origin without the key", 401, "/api/state", { authorization: "" }],
    ["another key", 401, "/api/events", { authorization: "Bearer AAAA" }],
    ["a file that is not in the list", 404, "/panel/private.pem", {}],
    ["the list itself", 404, "/files.json", {}],
    ["a path that leads out", 404, "/panel/../../../../etc/passwd", {}],
    ["an encoded path that leads out", 404, "/panel/%2e%2e/private.pem", {}],
    ["a backslash", 404, "/panel\\..\\private.pem", {}],
    ["a GET of an action", 405, "/api/revoke", {}],
    ["DELETE", 405, "/api/state", { method: "DELETE" }],
    ["a form", 415, "/api/revoke", {
      ...{ method: "POST", body: "a=1", "content-type": "application/x-www-form-urlencoded" },
    }],
    ["a length above the limit", 413, "/api/revoke", {
      ...{ method: "POST", "content-length": "65537" },
    }],
    ["an array", 400, "/api/revoke", { method: "POST", body: "[]" }],
    ["text that is not JSON", 400, "/api/revoke", { method: "POST", body: "{" }],
    ["text that is not UTF-8", 400, "/api/revoke", { method: "POST", body: "\xff" }],
    ["a value of another type", 400, "/api/revoke", { method: "POST", body: '{"tenantId":7}' }],
  ];
  for (const [what, status, target, headers] of rows) {
    it(`G-35 refuses ${what}: ${status}`, async () => {
      fake.asked.length = 0;
      const answer = await send(target, headers);
      assert.equal(answer.status, status, answer.body);
      assert.deepEqual(fake.asked, []);
      assert.equal(answer.body.includes("PRIVATE KEY"), false);
    });
  }

  it("G-35 stops reading a body without a length at its limit", async () => {
    const chunk = `${(16_384).toString(16)}\r\n${" ".repeat(16_384)}\r\n`;
    const answer = await send("/api/revoke", {
      ...{ method: "POST", "content-length": "", "transfer-encoding": "chunked" },
      body: chunk.repeat(5),
    });
    assert.equal(answer.status, 413);
  });

  it("G-35 answers no request with headers of a megabyte", async () => {
    const answer = await send("/api/state", { "x-long": "x".repeat(1_000_000) })
      .catch(() => ({ status: 0 }));
    assert.notEqual(answer.status, 200);
  });

  it("G-35 names the gateways that have not confirmed a revocation", async () => {
    fake.unconfirmed = ["east"];
    const body = JSON.stringify({ tenantId: "acme", keyId: "key-2" });
    const answer = await send("/api/revoke", { method: "POST", body });
    fake.unconfirmed = [];
    assert.match(answer.body, /^\{"unconfirmed":\["east"\]\}\r?$/m);
  });

  it("G-35 does what its page asks for, and mints a token for the page's origin alone", async () => {
    fake.asked.length = 0;
    const asks = { tenantId: "acme", keyId: "key-1", callSid: "c", cause: 21 };
    for (const path of ["revoke", "hangup", "token"]) {
      const answer = await send(`/api/${path}`, { method: "POST", body: JSON.stringify(asks) });
      assert.equal(answer.status, 200, answer.body);
    }
    await send("/api/faults", {
      method: "POST",
      body: '{"faults":{"lossPercent":5},"at":{"tenantId":"acme"}}',
    });
    assert.deepEqual(fake.asked, [
      { revoke: { tenantId: "acme", privateKeyId: "key-1" } },
      { endCall: "c", q850Cause: 21, tenantId: "acme" },
      { token: { origin: `http://127.0.0.1:${port}` } },
      { setFaults: { lossPercent: 5 }, at: { tenantId: "acme" } },
    ]);
  });

  it("G-35 goes on when it cannot read the state that a stream begins with", async () => {
    fake.inspect = () => {
      throw new Error("private");
    };
    const answer = await send("/api/events");
    assert.doesNotMatch(answer.body, /private/);
    Reflect.deleteProperty(fake, "inspect");
    assert.equal((await send("/api/state")).status, 200);
  });

  it("G-35 ends the stream of a page that does not read, at 4 MiB", async () => {
    const socket = connect(port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.on("connect", resolve));
    socket.write(
      `GET /api/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${key}\r\n\r\n`,
    );
    socket.pause();
    while (fake.watching.levels === 0) await turn();
    // Each line has the call's last hundred events: 50 kB.
    let sent = 0;
    while (fake.watching.levels > 0 && sent < 10_000) {
      fake.call(callOf("long"), "CHANNEL_ANSWER", "x".repeat(512));
      sent++;
      await turn();
    }
    assert.ok(sent > 100 && sent < 10_000, `it ended after ${sent} lines`);
    socket.destroy();
    fake.calls.clear();
  });

  it("G-35 gives a page a state that is longer than what may wait for it", async () => {
    for (let i = 0; i < 1_000; i++) {
      fake.call(callOf(`${i}`, { from: "x".repeat(5_000) }), "CHANNEL_CREATE", "INITIATED");
      if (i % 100 === 0) await turn();
    }
    const response = await fetch(`http://127.0.0.1:${port}/api/events`, {
      headers: { authorization: `Bearer ${key}` },
    });
    let received = 0;
    for await (const bytes of response.body!) {
      received += bytes.length;
      if (bytes.at(-1) === 10) break;
    }
    assert.ok(received > 5_000_000, `${received}`);
    fake.calls.clear();
  });

  it("G-35 has four pages at a time, so that a browser has connections left, and no more", async () => {
    const gone = new AbortController();
    const open = (): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/api/events`, {
        headers: { authorization: `Bearer ${key}` },
        signal: gone.signal,
      });
    // The page of the test before is gone when the gateway has noticed.
    while (fake.watching.levels > 0) await turn();
    const pages = await Promise.all(Array.from({ length: 4 }, open));
    assert.deepEqual(pages.map(({ status }) => status), Array(4).fill(200));
    const fifth = await open();
    assert.equal(fifth.status, 503);
    assert.match(await fifth.text(), /4 pages show the panel already/);
    assert.deepEqual(fake.watching, { all: 2, levels: 1 });
    gone.abort();
    for (const page of pages) await page.body?.cancel().catch(() => {});
  });
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fetchPolicy } from "../../../../src/gateway/fetch_policy.ts";
import { findSource } from "../../../../src/gateway/campaign/source.ts";

async function read(url: string, allowed: readonly string[] = []): Promise<string | undefined> {
  const source = findSource(url, fetchPolicy(allowed));
  if (source === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of source(new AbortController().signal)) chunks.push(chunk);
  return new TextDecoder().decode(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

describe("findSource()", () => {
  it("reads data: URLs, percent-encoded and base64", async () => {
    assert.equal(await read("data:text/csv,to%0A%2B1%2c2"), "to\n+1,2");
    assert.equal(await read("data:,a\nb"), "a\nb");
    assert.equal(await read("data:text/csv;base64,dG8KKzE="), "to\n+1");
    assert.equal(await read("data:,\u00e9%C3%A9"), "\u00e9\u00e9");
    assert.equal(await read("data:,"), "");
    for (
      const bad of ["data:", "data:text/csv", "data:,%", "data:,%4", "data:,%zz", "data:;base64,?"]
    ) {
      assert.equal(await read(bad), undefined, bad);
    }
  });

  it("reads files in a named folder alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "source-"));
    try {
      const text = "to\n" + "+15550100\n".repeat(20_000);
      await writeFile(join(folder, "a b.csv"), text);
      const url = `file://${folder}/a%20b.csv`;
      assert.equal(await read(url, [`file://${folder}`]), text);
      assert.equal(await read(url, [`file://${folder}/other`]), undefined);
      assert.equal(await read(url), undefined);
      const missing = findSource(`file://${folder}/none.csv`, fetchPolicy([`file://${folder}/`]))!;
      await assert.rejects(missing(new AbortController().signal)[Symbol.asyncIterator]().next(), {
        code: "ERR_VALUE_INVALID",
        message: /none\.csv: ENOENT/,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("fetches from named hosts alone, follows no redirect, and wants a 200", async () => {
    const { fetch } = globalThis;
    const seen: (string | undefined)[] = [];
    globalThis.fetch = (input, init) => {
      seen.push(`${input} ${init?.redirect}`);
      const isMissing = String(input).endsWith("/missing");
      return Promise.resolve(new Response("to\n", { status: isMissing ? 404 : 200 }));
    };
    try {
      assert.equal(await read("http://127.0.0.1:8080/a.csv", ["127.0.0.1:8080"]), "to\n");
      assert.equal(await read("http://127.0.0.1:8081/a.csv", ["127.0.0.1:8080"]), undefined);
      await assert.rejects(read("https://x.example/missing", ["https://x.example"]), {
        message: /answered 404, expected 200/,
      });
    } finally {
      globalThis.fetch = fetch;
    }
    assert.deepEqual(seen, [
      "http://127.0.0.1:8080/a.csv manual",
      "https://x.example/missing manual",
    ]);
  });
});

describe("fetchPolicy()", () => {
  it("matches origins, hosts and folders exactly", () => {
    const policy = fetchPolicy(["https://a.example", "b.example:8443", "file:///data/in"]);
    const allows = (url: string) => policy.allows(new URL(url));
    for (
      const url of [
        ...["https://a.example/x?y", "https://a.example:443/", "http://b.example:8443/"],
        ...["https://b.example:8443/", "file:///data/in/x/y.csv"],
      ]
    ) assert.equal(allows(url), true, url);
    for (
      const url of [
        ...[
          "http://a.example/",
          "https://a.example:8443/",
          "https://x.a.example/",
          "https://b.example/",
        ],
        ...[
          "https://u@a.example/",
          "https://u:p@a.example/",
          "file:///data/input/x",
          "file:///data/in",
        ],
        ...[
          "file:///data/in/../x",
          "file:///data/in/%2e%2e/x",
          "file:///data/in/..%2fx",
          "ws://a.example/",
        ],
      ]
    ) assert.equal(allows(url), false, url);
  });
});

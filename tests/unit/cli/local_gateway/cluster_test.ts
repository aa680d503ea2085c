import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openHealthServer } from "../../../../src/cli/health_server.ts";
import { openCluster } from "../../../../src/cli/local_gateway/cluster.ts";
import { UsageError } from "../../../../src/cli/usage.ts";

const fault = async (work: Promise<unknown>): Promise<string> =>
  await work.then(() => "none", (error) => {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  });

describe("openCluster()", () => {
  it("needs a name for the gateway", async () => {
    const message = await fault(openCluster("postgres://a@127.0.0.1/b", undefined));
    assert.match(message, /--cluster needs --gateway-id/);
  });

  it("names what is wrong with the URL, and never quotes it", async () => {
    for (const url of ["mysql://u:s3cret@h/d", "s3cret", "", "postgres:/\\s3cret:99999999"]) {
      const message = await fault(openCluster(url, "a"));
      assert.ok(!message.includes("s3cret"), message);
    }
  });

  it("says why the database cannot be used, without its password", async () => {
    // Nothing listens at port 1.
    const message = await fault(openCluster("postgres://u:s3cret@127.0.0.1:1/d", "a"));
    assert.match(message, /^Cannot use PostgreSQL: /);
    assert.match(message, /ECONNREFUSED/);
    assert.ok(!message.includes("s3cret"), message);
  });
});

describe("openHealthServer()", () => {
  it("says whether sessions are admitted, and nothing else", async () => {
    let ready = true;
    const options = { hostname: "127.0.0.1", port: 0, isReady: () => ready };
    const server = await openHealthServer(options);
    const url = `http://127.0.0.1:${server.port}/any`;
    const ask = async (init: RequestInit = {}): Promise<string> => {
      const response = await fetch(url, init);
      assert.equal(response.headers.get("cache-control"), "no-store");
      return `${response.status} ${await response.text()}`.trim();
    };
    assert.equal(await ask(), "200 ready");
    assert.equal(await ask({ method: "HEAD" }), "200");
    ready = false;
    assert.equal(await ask(), "503 not ready");
    assert.equal(await ask({ method: "HEAD" }), "503");
    assert.equal(await ask({ method: "POST", body: "x" }), "405");
    await assert.rejects(openHealthServer({ ...options, port: server.port }));
    await server.close();
    await assert.rejects(fetch(url));
  });
});

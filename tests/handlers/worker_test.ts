import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { Miniflare } from "miniflare";
import { generateServiceAccount, importVerifyingKey, verifyToken } from "../../mod.ts";

// What a Worker keeps at module scope outlives the request that began it, and the request's own work does not.

const root = fileURLToPath(new URL("../../", import.meta.url));
const { json, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
const key = await importVerifyingKey(publicKeyPem);

/** Bundles a program of this repository for workerd. */
async function bundle(contents: string): Promise<string> {
  const { outputFiles: [file] } = await esbuild.build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    format: "esm",
    conditions: ["workerd", "worker"],
    external: ["node:*"],
    write: false,
    logLevel: "silent",
  });
  return file!.text;
}

async function worker(contents: string): Promise<Miniflare> {
  const made = new Miniflare({
    modules: true,
    script: await bundle(contents),
    compatibilityDate: "2026-01-01",
    bindings: { ACCOUNT: json },
  });
  await made.ready;
  return made;
}

/** A server that accepts requests and never answers, and a promise for the first of them. */
async function silentServer(): Promise<{ server: Server; port: number; asked: Promise<void> }> {
  let tell = (): void => {};
  const asked = new Promise<void>((resolve) => tell = resolve);
  const server = createServer(() => tell());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return { server, port: (server.address() as AddressInfo).port, asked };
}

describe("a Worker", () => {
  it("answers later requests when the one that began to mint is gone", async () => {
    const { server, port, asked } = await silentServer();
    const made = await worker(`
      import { createTokenSource, importSigner, parseServiceAccount } from "./src/token/mod.ts";
      let asked = 0;
      let account = "";
      const source = createTokenSource(async () => {
        // The first time, the store of the key does not answer.
        if (asked++ === 0) await fetch("http://127.0.0.1:${port}/");
        return await importSigner(parseServiceAccount(account));
      });
      export default {
        async fetch(request, env) {
          account = env.ACCOUNT;
          return new Response(await source.get());
        },
      };`);
    try {
      const { href } = await made.ready;
      const controller = new AbortController();
      const first = fetch(href, { signal: controller.signal });
      await asked;
      controller.abort();
      await assert.rejects(first);
      // Each mint is given up after 10 s; these must not have to wait for that.
      const answers = await Promise.all([2, 3, 4, 5].map(async () => {
        const response = await fetch(href, { signal: AbortSignal.timeout(8_000) });
        return await response.text();
      }));
      assert.equal(new Set(answers).size, 1);
      const verified = await verifyToken(answers[0]!, {
        resolveKey: () => ({ tenantId: "acme", key }),
      });
      assert.equal(verified.tenantId, "acme");
    } finally {
      await made.dispose();
      server.closeAllConnections();
      server.close();
    }
  });

  it("makes a client and a gateway where its module is loaded: no randomness, no timer, no I/O", async () => {
    const made = await worker(`
      import { TeleQuickClient } from "./mod.ts";
      import { createGateway } from "./src/gateway/mod.ts";
      const gateway = createGateway();
      const client = new TeleQuickClient("https://gateway.test:9090", () => "token", true, {
        webTransport: gateway.webTransport,
      });
      export default { fetch: () => new Response(client.clientId) };`);
    try {
      const response = await fetch((await made.ready).href);
      assert.match(await response.text(), /^[0-9a-f-]{36}$/);
    } finally {
      await made.dispose();
    }
  });
});

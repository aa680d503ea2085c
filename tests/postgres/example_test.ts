/** The example of a service with two replicas, on the real server. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { importSigner } from "../../src/credentials/mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { testAccount } from "../../src/testing/accounts.ts";
import { mintBrowserToken, signToken } from "../../src/token/mod.ts";
import { openStore, PostgresServer } from "./support/server.ts";

const root = new URL("../../", import.meta.url);

interface Replica {
  readonly default: {
    request(path: string, init: RequestInit): Response | Promise<Response>;
  };
  close(): Promise<void>;
}

/** The example as two processes would load it. */
async function loadTwice(folder: string): Promise<Replica[]> {
  const code = (await readFile(new URL("tests/examples/token_verifier.ts", root), "utf8"))
    .replaceAll(
      /"@telequick\/sdk\/(\w+)"/g,
      (_, room) => JSON.stringify(new URL(`src/${room}/mod.ts`, root).href),
    );
  return await Promise.all(["one", "two"].map(async (name) => {
    const file = join(folder, `${name}.ts`);
    await writeFile(file, code);
    return await import(pathToFileURL(file).href);
  }));
}

describe("the example token_verifier.ts", () => {
  it("refuses a revoked key and a used token at both replicas", async () => {
    await using server = await PostgresServer.start();
    await using open = openStore(server.port);
    await open.store.migrate();
    await using gateway = createGateway({ cluster: { store: open.store, gatewayId: "a" } });
    const { account, publicKeyPem } = await testAccount("acme", "example");
    const { tenantId, privateKeyId } = account;
    await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
    process.env["DATABASE_URL"] = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
    const folder = await mkdtemp(join(tmpdir(), "telequick-"));
    const replicas = await loadTwice(folder);
    const ask = async (replica: number, token: string): Promise<string> => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await replicas[replica]!.default.request("/whoami", { headers });
      return `${response.status} ${await response.text()}`;
    };
    const signer = await importSigner(account);
    const token = await signToken(signer);
    const OK = '200 {"tenantId":"acme"}';
    for (const replica of [0, 1, 0, 1]) assert.equal(await ask(replica, token), OK);
    const once = await mintBrowserToken(signer, { jti: "once" });
    assert.equal(await ask(0, once), OK);
    assert.equal(await ask(1, once), "401 rejected");
    await gateway.revokeServiceAccount({ tenantId, privateKeyId });
    // Two reads later at most; with a hint, at once.
    for (const replica of [0, 1]) {
      while (await ask(replica, token) === OK) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.equal(await ask(replica, token), "401 revoked");
    }
    await server.kill();
    const other = await testAccount("acme", "never-published");
    const unknown = await signToken(await importSigner(other.account));
    assert.equal(await ask(0, unknown), "503 try again");
    await Promise.all(replicas.map((replica) => replica.close()));
    await rm(folder, { recursive: true });
  });
});

// deno-lint-ignore-file no-console
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type ClientStatus, type ServiceAccount, TeleQuickClient } from "../../mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";

interface Entry {
  readonly atMs: number;
  readonly text: string;
}

describe("One full story over QUIC", () => {
  it("start, renewal, rotation, kill, recovery, close: every step is logged, and the log of it is printed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "telequick-"));
    const path = join(folder, "service-account.json");
    await using host = await GatewayHost.start({}, ["acme", "acme"]);
    const [first, second] = host.accounts;
    const log: Entry[] = [];
    const told: ClientStatus[] = [];
    const startedAt = performance.now();
    const note = (text: string): void => {
      log.push({ atMs: performance.now() - startedAt, text });
    };
    try {
      await writeFile(path, fileOf(first!), { mode: 0o600 });
      const client = new TeleQuickClient(host.endpoint, path, false, {
        serverCertificateHash: host.certificatePem,
        requestTimeoutMs: 30_000,
      });
      const watching = (async () => {
        for await (const status of client.status()) {
          told.push(status);
          note(`    ${lineOf(status)}`);
        }
      })();
      const speak = async (): Promise<string> => {
        const call = await client.dial({ to: "+15550100", trunkId: "main" });
        await call.answered();
        const link = call.audio({ silence: "send" });
        const reader = link.readable.getReader();
        await reader.read();
        reader.releaseLock();
        return call.sid;
      };

      note("connect()");
      await client.connect();
      await speak();
      note("a call talks; renew()");
      await client.renew();
      note("the file holds another key; renew()");
      await writeFile(path, fileOf(second!), { mode: 0o600 });
      await client.renew();
      const { keyId, opened } = client.stats().session;
      assert.deepEqual([keyId, opened], [second!.privateKeyId, 3]);
      assert.equal(client.stats().audio.sendDropped, 0);
      note("SIGKILL to the gateway, and a new one on the same port");
      const statuses = client.status();
      await host.kill();
      await host.restart();
      for await (const { type } of statuses) if (type === "events-may-be-missing") break;
      await speak();
      note("a call talks; close()");
      await client.close();
      await watching;
    } finally {
      await rm(folder, { recursive: true });
    }
    console.log(
      log.map(({ atMs, text }) => `${atMs.toFixed(0).padStart(8)} ms  ${text}`).join("\n"),
    );
    const types = told.map(({ type }) => type).filter((type) => type !== "reconnecting");
    assert.deepEqual(types, [
      ...["idle", "connecting", "open", "renewing", "open", "renewing", "open"],
      ...["events-may-be-missing", "open", "closed"],
    ]);
    assert.ok(told.some(({ type }) => type === "reconnecting"));
  });
});

function lineOf(status: ClientStatus): string {
  switch (status.type) {
    case "open":
      return `open { tenantId: ${status.tenantId}, keyId: ${status.keyId.slice(0, 8)}, connectMs: ${
        status.connectMs.toFixed(0)
      } }`;
    case "renewing":
      return `renewing { reason: ${status.reason} }`;
    case "reconnecting": {
      const cause = status.cause instanceof Error ? status.cause.message : String(status.cause);
      return `reconnecting { attempt: ${status.attempt}, delayMs: ${status.delayMs}, cause: ${cause} }`;
    }
    case "closed":
      return `closed { code: ${status.code}, reason: ${status.reason} }`;
    default:
      return status.type;
  }
}

function fileOf({ tenantId, privateKeyId, privateKey }: ServiceAccount): string {
  return JSON.stringify({
    tenant_id: tenantId,
    private_key_id: privateKeyId,
    private_key: privateKey,
  });
}

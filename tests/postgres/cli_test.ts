/** `telequick gateway --cluster`, on the real server. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../src/client/mod.ts";
import { startCliGateway } from "../support/cli_gateway.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freeTcpPort, openStore, PostgresServer } from "./support/server.ts";

describe("telequick gateway --cluster", () => {
  it("shares keys and trunks, says when it admits sessions, and shows no password", async () => {
    await using server = await PostgresServer.start();
    await using folder = await temporaryFolder();
    const url = `postgres://postgres:s3cret@127.0.0.1:${server.port}/postgres`;
    const healthPort = await freeTcpPort();
    const credentials = folder.at("service-account.json");
    const start = (id: string, ...more: string[]) =>
      startCliGateway([
        ...["--cluster", url, "--gateway-id", id, "--credentials", credentials, "--verbose"],
        ...more,
      ]);
    const one = await start("one", "--channels", "7");
    const two = await start("two", "--health-port", `${healthPort}`);
    const health = async () => (await fetch(`http://127.0.0.1:${healthPort}`)).status;
    assert.equal(await health(), 200);
    // The trunk of the first one is not replaced by the second one's default.
    await using open = openStore(server.port);
    const { entries } = await open.store.read({ kind: "trunk" });
    assert.deepEqual(entries.map(({ value }) => JSON.parse(value).channelLimit), [7]);
    const clients = [one, two].map(({ env }) =>
      new TeleQuickClient(
        env["TELEQUICK_ENDPOINT"]!,
        credentials,
        false,
        env["TELEQUICK_CERTIFICATE_HASH"]!,
      )
    );
    for (const client of clients) {
      await client.connect();
      assert.ok((await client.dial({ trunkId: "trunk-1", to: "+15550100" })).callSid);
      await client.close();
    }
    assert.deepEqual(await Promise.all([one.stop(), two.stop()]), [0, 0]);
    assert.ok(!JSON.stringify([one.records(), two.records()]).includes("s3cret"));
    await assert.rejects(fetch(`http://127.0.0.1:${healthPort}`));
  });
});

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../../../mod.ts";
import { createClientTokens } from "../../../../src/client/sign_in/token_provider.ts";
import { watchCredentials } from "../../../../src/client/sign_in/credentials_watch.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { temporaryFolder } from "../../../support/folder.ts";
import { scriptedGateway } from "../../../../src/testing/mod.ts";
import { tokenOf } from "../../../support/token_of.ts";
import { decodeToken } from "../../../../src/token/mod.ts";
import { testAccount } from "../../../support/tenant_kit.ts";

/** Writes the account's file. */
async function write(
  path: string,
  { tenantId, keyId, account }: Awaited<ReturnType<typeof testAccount>>,
): Promise<void> {
  await writeFile(
    path,
    JSON.stringify({
      tenant_id: tenantId,
      private_key_id: keyId,
      private_key: account.privateKey,
    }),
  );
}

describe("watchCredentials()", () => {
  it("looks at once and after each interval, forgives what cannot be read, and ends with its signal", async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const answers = [false, true, new Error("half swapped"), true];
    const found: number[] = [];
    let looks = 0;
    const watching = watchCredentials(() => {
      const answer = answers[looks++];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer!);
    }, {
      clock,
      intervalMs: 30_000,
      signal: controller.signal,
      onStale: () => found.push(looks),
    });
    await settle();
    assert.equal(looks, 1);
    for (let i = 0; i < 3; i++) await clock.advance(30_000);
    assert.deepEqual(found, [2, 4]);
    controller.abort();
    await watching;
    assert.equal(clock.pending, 0);
  });
});

describe("createClientTokens()", () => {
  it("compares a credentials file with what a session's token was made with, not a supervision's", async () => {
    await using folder = await temporaryFolder();
    const path = folder.at("account.json");
    await write(path, await testAccount("acme"));
    const options = { clock: new FakeClock(), timeoutMs: 1_000, allowInBrowser: false };
    const { provide, isStale } = createClientTokens(path, false, options);
    const { signal } = new AbortController();
    await provide({ reason: "connect", signal });
    assert.equal(await isStale?.(), false);
    await write(path, await testAccount("acme", "second"));
    await provide({ reason: "supervise", signal });
    assert.equal(await isStale?.(), true);
    await provide({ reason: "renew", signal });
    assert.equal(await isStale?.(), false);
  });
});

describe("TeleQuickClient with watchCredentials", () => {
  it("takes a key that was put in place while the first session was being opened, and renews once", async () => {
    await using folder = await temporaryFolder();
    const path = folder.at("account.json");
    const [first, second] = [await testAccount("acme"), await testAccount("acme", "second")];
    await write(path, first);
    const clock = new FakeClock();
    const keys: unknown[] = [];
    const renewed = Promise.withResolvers<void>();
    const gateway = scriptedGateway({
      scripts: {
        Authenticate: async (request) => {
          keys.push(decodeToken(tokenOf(request)).header["kid"]);
          if (keys.length === 1) await write(path, second);
          else renewed.resolve();
          return { status: "OK", tenantId: "acme" };
        },
      },
    });
    const client = new TeleQuickClient("https://gateway.test", path, false, {
      webTransport: gateway.webTransport,
      clock,
      watchCredentials: true,
    });
    await client.connect();
    await renewed.promise;
    await clock.advance(120_000);
    assert.deepEqual(keys, [first.keyId, second.keyId]);
    await client.close();
  });
});

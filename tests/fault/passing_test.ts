import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { type ClientStatus, TeleQuickClient, TeleQuickError } from "../../mod.ts";
import { FakeClock, scriptedGateway } from "../../src/testing/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Fault, outage } from "../support/outage.ts";
import { testAccount } from "../support/tenant_kit.ts";

// How many tokens are asked for, and handshakes made, at most: the back-off's own law.
const MOST: ReadonlyMap<number, number> = new Map([[3_000, 6], [60_000, 14], [299_000, 45]]);

const faults: Readonly<
  Record<string, Fault & { readonly cause: RegExp; readonly refusal?: string }>
> = {
  "the gateway restarts and does not have its keys yet": {
    answer: () => ({ errorCode: 7, errorMessage: "rejected" }),
    cause: /refused the token as rejected/,
    refusal: "rejected",
  },
  "the gateway's clock is two hours ahead": {
    answer: (nowMs) => ({
      errorCode: 7,
      errorMessage: "expired",
      serverTimeMs: nowMs + 7_200_000,
    }),
    cause: /refused the token as expired/,
    refusal: "expired",
  },
  "the gateway's clock is two hours behind": {
    answer: (nowMs) => ({
      errorCode: 7,
      errorMessage: "not yet valid",
      serverTimeMs: nowMs - 7_200_000,
    }),
    cause: /refused the token as not yet valid/,
    refusal: "not yet valid",
  },
  "the gateway has no room": {
    answer: () => ({ errorCode: 3, errorMessage: "Too many sessions" }),
    cause: /cannot take one more session now/,
  },
  "the token backend answers 502 with a page": {
    token: () => "<html><h1>502 Bad Gateway</h1></html>",
    cause: /an HTML page beginning <html/,
  },
  "the token backend answers with nothing": {
    token: () => "",
    cause: /an empty string/,
  },
  "the token function throws a TeleQuickError": {
    token: () => {
      throw new TeleQuickError("ERR_TOKEN_INVALID", "The vault is sealed");
    },
    cause: /The vault is sealed/,
  },
  "the token function throws": {
    token: () => Promise.reject(new TypeError("fetch failed")),
    cause: /fetch failed/,
  },
  "the gateway cannot be reached": {
    isUnreachable: true,
    cause: /Cannot connect to/,
  },
};

describe("F-19 faults that pass", () => {
  for (const [name, fault] of Object.entries(faults)) {
    for (const [lastsMs, most] of MOST) {
      it(`F-19 ${name} for ${lastsMs / 1_000} s: the client lives`, async () => {
        const { statuses, tokens, handshakes, status } = await outage(fault, lastsMs);
        assert.equal(status, "open");
        assert.ok(tokens <= most + 1, `${tokens} tokens`);
        assert.ok(handshakes <= most + 1, `${handshakes} handshakes`);
        const waits = statuses.filter((each) => each.type === "reconnecting");
        for (const wait of waits.slice(1)) {
          assert.match(String((wait.cause as Error).message), fault.cause);
          assert.equal(wait.refusal, fault.refusal);
        }
        const failed = waits.length - 1;
        assert.ok(failed >= 1 || lastsMs === 3_000);
      });
    }

    it(`F-19 ${name} for good: the client gives up after 5 minutes, with 45 tokens at most`, async () => {
      const { statuses, tokens, handshakes, status } = await outage(fault, 330_000);
      assert.equal(status, "closed");
      assert.ok(tokens >= 20 && tokens <= 46, `${tokens} tokens`);
      assert.ok(handshakes <= 46, `${handshakes} handshakes`);
      const last = statuses.findLast((each) => each.type === "closed");
      assert.match(last?.reason ?? "", /^Cannot reconnect within 300 s: /);
    });
  }

  for (const isEmpty of [false, true]) {
    it(`F-19 the credentials file is ${isEmpty ? "empty" : "absent"} for 3 s: the client lives`, async () => {
      await using folder = await temporaryFolder();
      const path = folder.at("account.json");
      const { account } = await testAccount("acme");
      const text = JSON.stringify({
        tenant_id: account.tenantId,
        private_key: account.privateKey,
        private_key_id: account.privateKeyId,
      });
      await writeFile(path, text, { mode: 0o600 });
      const clock = new FakeClock();
      const gateway = scriptedGateway();
      const client = new TeleQuickClient("https://gateway.test", path, false, {
        webTransport: gateway.webTransport,
        clock,
      });
      await client.connect();
      if (isEmpty) await writeFile(path, "");
      else await rename(path, `${path}.old`);
      gateway.peers[0]?.pair.sever();
      let attempts = 0;
      for await (const status of client.status()) {
        if (status.type === "open" && attempts > 0) break;
        if (status.type !== "reconnecting") continue;
        if (attempts++ > 0) assert.match(messageOf(status), /^Cannot .*account/i);
        if (attempts === 5) {
          await rm(`${path}.old`, { force: true });
          await writeFile(path, text, { mode: 0o600 });
        }
        await clock.advance(status.delayMs);
      }
      assert.equal(attempts, 5);
      assert.equal(client.stats().session.status, "open");
      await client.close();
    });
  }

  it("F-19 a first connect() fails at once", async () => {
    for (const fault of Object.values(faults)) {
      if (fault.token === undefined) continue;
      const { token } = fault;
      const client = new TeleQuickClient("https://gateway.test", token, true, {
        webTransport: scriptedGateway().webTransport,
      });
      await assert.rejects(client.connect(), fault.cause);
      assert.equal(client.stats().session.status, "idle");
      await client.close();
    }
  });
});

function messageOf({ cause }: Extract<ClientStatus, { readonly type: "reconnecting" }>): string {
  return cause instanceof Error ? cause.message : String(cause);
}

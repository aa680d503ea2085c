import assert from "node:assert/strict";
import { inspect } from "node:util";
import { describe, it } from "node:test";
import {
  type ClientOptions,
  parseServiceAccount,
  signToken,
  TeleQuickClient,
} from "../../../../mod.ts";
import { hasCode } from "../../../support/client_kit.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { scriptedGateway } from "../../../../src/testing/mod.ts";
import { tokenOf } from "../../../support/token_of.ts";
import { testAccount } from "../../../support/tenant_kit.ts";

const URL_OF_GATEWAY = "https://gateway.test:9090";

describe("TeleQuickClient constructor", () => {
  for (
    const endpoint of [
      "http://gateway.test:9090",
      "ws://gateway.test",
      "file:///etc/passwd",
      "javascript:alert(1)",
      "https://user:pass@gateway.test",
      "https://gateway.test/#part",
      "gateway.test:9090",
      "",
    ]
  ) {
    it(`refuses ${JSON.stringify(endpoint)} before anything is sent`, () => {
      assert.throws(
        () => new TeleQuickClient(endpoint, () => "token", true),
        hasCode("ERR_ENDPOINT_INVALID"),
      );
    });
  }

  it("throws TypeError for wrong types", () => {
    const make = (...args: unknown[]) => () =>
      new TeleQuickClient(...args as ConstructorParameters<typeof TeleQuickClient>);
    assert.throws(make(5), TypeError);
    // The file's JSON, not yet parsed by parseServiceAccount, is the usual mistake.
    for (const wrong of [5, null, {}, { tenant_id: "acme", private_key: "", private_key_id: "" }]) {
      assert.throws(make(URL_OF_GATEWAY, wrong), {
        name: "TypeError",
        message:
          /^Cannot create client: credentials must be a path, what parseServiceAccount gives/,
      });
    }
    assert.throws(make(URL_OF_GATEWAY, undefined, "yes"), TypeError);
    assert.throws(make(URL_OF_GATEWAY, undefined, true), TypeError);
    assert.throws(make(URL_OF_GATEWAY, undefined, false, 5), TypeError);
    assert.throws(make(URL_OF_GATEWAY, undefined, false, { clientId: "" }), TypeError);
    for (
      const option of [{ connectTimeoutMs: "1" }, { serverCertificateHashes: 5 }, {
        log: "console",
      }]
    ) {
      assert.throws(make(URL_OF_GATEWAY, undefined, false, option), {
        name: "TypeError",
        message:
          /^Option \w+ is a (string|number), expected (a number of milliseconds|an array|a function)$/,
      });
    }
  });

  it("refuses option values that do not exist", () => {
    const make = (options: object) => () =>
      new TeleQuickClient(URL_OF_GATEWAY, undefined, false, options as ClientOptions);
    assert.throws(make({ connectTimeoutMs: 0 }), hasCode("ERR_VALUE_INVALID"));
    assert.throws(make({ audioStreams: "each" }), hasCode("ERR_VALUE_INVALID"));
    assert.throws(make({ handshake: "header" }), hasCode("ERR_VALUE_INVALID"));
    assert.throws(make({ requestLength: "both" }), hasCode("ERR_VALUE_INVALID"));
  });

  it("takes neither a token nor a key for a path, and repeats neither", async () => {
    const { account, signer } = await testAccount("acme");
    const { signToken } = await import("../../../../mod.ts");
    const token = await signToken(signer);
    for (const secret of [token, account.privateKey, `{"private_key":"canary"}`]) {
      assert.throws(() => new TeleQuickClient(URL_OF_GATEWAY, secret), (error: Error) => {
        hasCode("ERR_CREDENTIALS_INVALID")(error);
        assert.ok(!error.message.includes(secret.slice(8, 40)));
        return true;
      });
    }
  });

  it("loadServiceAccount() repeats no token that was given as its path", async () => {
    const { signer } = await testAccount("acme");
    const { loadServiceAccount, signToken } = await import("../../../../mod.ts");
    const token = await signToken(signer);
    await assert.rejects(loadServiceAccount(token), (error: Error) => {
      hasCode("ERR_CREDENTIALS_NOT_FOUND")(error);
      assert.ok(!error.message.includes(token.slice(8, 40)));
      return true;
    });
  });

  it("keeps its credentials out of every printed form", async () => {
    const { account } = await testAccount("acme");
    const client = new TeleQuickClient(URL_OF_GATEWAY, account);
    const line = account.privateKey.split("\n")[1]!;
    const printed = [
      inspect(client, { depth: 10, showHidden: true }),
      JSON.stringify(client),
      String(client),
    ];
    for (const text of printed) assert.ok(!text.includes(line));
    await client.close();
  });
});

describe("Credentials of a client", () => {
  it("mints a fresh token for every session, from the service account", async () => {
    const { account } = await testAccount("acme");
    const tokens: string[] = [];
    const gateway = scriptedGateway({
      scripts: {
        Authenticate: (request) => {
          tokens.push(tokenOf(request));
          return { status: "OK", tenantId: "acme" };
        },
      },
    });
    let now = 1_800_000_000_000;
    const { systemClock } = await import("../../../../src/base/signal.ts");
    const client = new TeleQuickClient(URL_OF_GATEWAY, account, false, {
      webTransport: gateway.webTransport,
      clock: { ...systemClock, now: () => now },
    });
    await client.connect();
    now += 5_000;
    await client.renew();
    assert.equal(tokens.length, 2);
    assert.notEqual(tokens[0], tokens[1]);
    await client.close();
  });

  it("rejects with ERR_CREDENTIALS_NOT_FOUND before a packet leaves", async () => {
    const gateway = scriptedGateway();
    const client = new TeleQuickClient(URL_OF_GATEWAY, "/no/such/file.json", false, {
      webTransport: gateway.webTransport,
    });
    await assert.rejects(client.connect(), hasCode("ERR_CREDENTIALS_NOT_FOUND"));
    assert.equal(gateway.attempts, 0);
    await client.close();
  });

  it("rejects as the token function does, and with ERR_TOKEN_INVALID when it gives no text", async () => {
    const reason = new Error("the vault is sealed");
    for (
      const [provider, expected] of [
        [() => Promise.reject(reason), (error: unknown) => error === reason],
        [() => 5 as unknown as string, hasCode("ERR_TOKEN_INVALID")],
        [() => "", hasCode("ERR_TOKEN_INVALID")],
      ] as const
    ) {
      const gateway = scriptedGateway();
      const client = new TeleQuickClient(URL_OF_GATEWAY, provider, true, {
        webTransport: gateway.webTransport,
      });
      await assert.rejects(client.connect(), expected);
      assert.equal(gateway.attempts, 0);
      await client.close();
    }
  });

  it("presents a fetched token that is over by this machine's clock, and says so where the gateway agrees", async () => {
    const { signer } = await testAccount("acme");
    const clock = new FakeClock();
    const token = await signToken(signer, { now: clock.now() - 600_000, lifetimeSeconds: 300 });
    let isOver = true;
    const gateway = scriptedGateway({
      scripts: {
        Authenticate: () =>
          isOver ? { errorCode: 7, errorMessage: "expired" } : { status: "OK", tenantId: "acme" },
      },
    });
    const client = new TeleQuickClient(URL_OF_GATEWAY, () => token, true, {
      webTransport: gateway.webTransport,
      clock,
    });
    await assert.rejects(client.connect(), (error: Error) => {
      assert.match(error.message, /expired 300 s ago \(the token function gave a token/);
      return hasCode("ERR_TOKEN_EXPIRED")(error);
    });
    isOver = false;
    await client.connect();
    assert.equal(client.stats().session.expiresAtMs, clock.now() - 300_000);
    await client.close();
    // A token that cannot be fetched again is known to be over.
    const plain = new TeleQuickClient(URL_OF_GATEWAY, token, true, {
      webTransport: gateway.webTransport,
      clock,
    });
    await assert.rejects(plain.connect(), hasCode("ERR_TOKEN_EXPIRED"));
    assert.equal(gateway.peers.length, 2);
    await plain.close();
  });

  it("presents the token in the URL when the handshake is a query, and hands the step to a function", async () => {
    const urls: string[] = [];
    const gateway = scriptedGateway();
    function Seen(url: string) {
      urls.push(url);
      return new gateway.webTransport(url);
    }
    const webTransport = Seen as unknown as typeof gateway.webTransport;
    const byQuery = new TeleQuickClient(URL_OF_GATEWAY, () => "opaque", true, {
      webTransport,
      handshake: "query",
    });
    await byQuery.connect();
    assert.equal(new URL(urls[0]!).searchParams.get("token"), "opaque");
    assert.deepEqual(gateway.peers[0]?.calls, ["StreamEvents"]);
    const presented: string[] = [];
    const byFunction = new TeleQuickClient(URL_OF_GATEWAY, () => "opaque", true, {
      webTransport,
      handshake: (_session, token) => {
        presented.push(token);
        return Promise.resolve();
      },
    });
    await byFunction.connect();
    assert.deepEqual(presented, ["opaque"]);
    assert.equal(new URL(urls[1]!).search, "");
    // One that has nothing to wait for, and one that refuses at once.
    const atOnce = new TeleQuickClient(URL_OF_GATEWAY, () => "opaque", true, {
      webTransport,
      handshake: (() => {}) as unknown as () => Promise<void>,
    });
    await atOnce.connect();
    const no = new Error("no");
    const refusing = new TeleQuickClient(URL_OF_GATEWAY, () => "opaque", true, {
      webTransport,
      handshake: () => {
        throw no;
      },
    });
    await assert.rejects(refusing.connect(), no);
    await Promise.all([byQuery, byFunction, atOnce, refusing].map((client) => client.close()));
    await settle();
  });

  it("takes a parsed service account", async () => {
    const { account } = await testAccount("acme");
    const parsed = parseServiceAccount({
      tenant_id: account.tenantId,
      private_key: account.privateKey,
      private_key_id: account.privateKeyId,
    });
    const gateway = scriptedGateway();
    const client = new TeleQuickClient(URL_OF_GATEWAY, parsed, false, {
      webTransport: gateway.webTransport,
    });
    await client.connect();
    await client.close();
  });
});

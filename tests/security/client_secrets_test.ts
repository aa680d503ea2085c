import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type ClientOptions,
  importSigner,
  type LogRecord,
  signToken,
  TeleQuickClient,
  TeleQuickError,
} from "../../mod.ts";
import { methods } from "../../src/wire/mod.ts";
import type { WebTransportConstructor } from "../../src/transport/mod.ts";
import { assertHidden, linesOf } from "../support/canary.ts";
import { clientSetup } from "../support/client_kit.ts";
import { FakeClock, settle } from "../../src/testing/mod.ts";
import { scriptedGateway } from "../../src/testing/mod.ts";
import { tokenOf } from "../support/token_of.ts";
import { testAccount } from "../support/tenant_kit.ts";

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(() => assert.fail("it was expected to fail"), (error) => error);
}

/** The signature is the part of a token that only the key's owner can write; the payload is shown by `decodeToken` on purpose. */
function secretsOf(token: string): string[] {
  return [token, token.slice(token.lastIndexOf(".") + 1)];
}

describe("C-01 redaction", () => {
  it("C-01 no public object shows the key or a token, however it is printed", async () => {
    const records: LogRecord[] = [];
    await using story = await clientSetup({ client: { log: (record) => records.push(record) } });
    const { client, setup } = story;
    const { account, signer } = await testAccount("acme");
    const token = await signToken(signer, { now: setup.clock.now() });
    const secrets = [...linesOf(account.privateKey), ...secretsOf(token)];
    assert.ok(secrets.length > 20, "there is something to look for");
    const call = await client.dial({ to: "+15550100", trunkId: "main" });
    await setup.clock.advance(250);
    await call.answered();
    const link = call.audio();
    const { webTransport } = setup.gateway;
    const shown: Record<string, unknown> = {
      account,
      signer,
      client,
      call,
      link,
      readable: link.readable,
      writable: link.writable,
      statuses: client.status(),
      events: client.events(),
      callEvents: call.events(),
      stats: client.stats(),
      report: await client.check(),
      gateway: setup.gateway,
      withToken: new TeleQuickClient("https://gateway.test", token, true, { webTransport }),
      withFunction: new TeleQuickClient("https://gateway.test", () => token, true),
      withPath: new TeleQuickClient("https://gateway.test", "service-account.json"),
    };
    await client.renew();
    for (const [name, value] of Object.entries(shown)) assertHidden(value, secrets, name);
    assert.ok(records.length > 3);
    for (const record of records) assertHidden(record, secrets, `record ${record.event}`);
    await link.close();
  });

  /** A client whose gateway says the token back wherever it can put words. */
  async function echoing(
    scripts: Parameters<typeof scriptedGateway>[0] & { readonly client?: ClientOptions },
  ) {
    const { signer } = await testAccount("acme");
    const clock = new FakeClock();
    const token = await signToken(signer, { now: clock.now() });
    const gateway = scriptedGateway(scripts);
    const records: LogRecord[] = [];
    const client = new TeleQuickClient("https://gateway.test", () => token, true, {
      webTransport: gateway.webTransport,
      clock,
      log: (record) => records.push(record),
      ...scripts.client,
    });
    return { client, clock, gateway, token, records };
  }

  it("C-01 no error repeats a token that a gateway says back: refusal, reply, ending, close", async () => {
    const refusing = await echoing({
      scripts: { Authenticate: (request) => ({ errorCode: 7, errorMessage: tokenOf(request) }) },
    });
    const errors = [await failureOf(refusing.client.connect())];
    let reported = "";
    const { client, clock, gateway, token, records } = await echoing({
      scripts: {
        Authenticate: (request) => {
          reported = tokenOf(request);
          return { tenantId: "acme" };
        },
        Originate: () => ({ errorCode: 6, errorMessage: `no such caller: ${reported}` }),
        Terminate: () => ({ errorCode: 7, errorMessage: reported }),
      },
    });
    errors.push(await failureOf(client.dial({ to: "+15550100", trunkId: "main" })));
    errors.push(await failureOf(client.terminate("call-1")));
    const statuses = client.status();
    await gateway.peers[0]!.push(methods.SessionEnding, { code: 0, reason: token });
    await settle();
    gateway.peers[0]!.session.close({ closeCode: 1, reason: token });
    await clock.advance(1_000);
    errors.push(await failureOf(client.connect()));
    for await (const status of statuses) errors.push(status);
    for (const error of errors) assertHidden(error, secretsOf(token), "error");
    for (const record of [...records, ...refusing.records]) {
      assertHidden(record, secretsOf(token), `record ${record.event}`);
    }
    assert.ok(errors.filter((error) => error instanceof TeleQuickError).length >= 4);
  });

  it("C-01 no error quotes the URL that carries a token, for any error of the transport", async () => {
    const { signer } = await testAccount("acme");
    const clock = new FakeClock();
    const token = await signToken(signer, { now: clock.now() });
    let dialled = "";
    function Failing(url: string): never {
      dialled = url;
      throw new Error(`cannot reach ${url}`, { cause: { url } });
    }
    const records: LogRecord[] = [];
    const client = new TeleQuickClient("https://gateway.test", () => token, true, {
      handshake: "query",
      webTransport: Failing as unknown as WebTransportConstructor,
      clock,
      log: (record) => records.push(record),
    });
    const error = await failureOf(client.connect());
    assert.ok(dialled.includes(token), "the transport did see it");
    assertHidden(error, secretsOf(token), "error");
    for (const record of records) assertHidden(record, secretsOf(token), record.event);
    await client.close();
  });

  it("C-01 a key or token in the place of a path is refused without being repeated", async () => {
    const { account, signer } = await testAccount("acme");
    const token = await signToken(signer, { now: Date.UTC(2026, 0, 1) });
    for (const mistaken of [token, account.privateKey, JSON.stringify({ ...account })]) {
      try {
        new TeleQuickClient("https://gateway.test", mistaken);
        assert.fail("it was expected to throw");
      } catch (error) {
        assert.ok(error instanceof TeleQuickError);
        assertHidden(error, [...secretsOf(token), ...linesOf(account.privateKey)], "error");
      }
    }
  });
});

describe("C-02 keys", () => {
  it("C-02 a signer's key can sign and nothing else, and the PEM is not kept", async () => {
    const { account } = await testAccount("acme");
    const signer = await importSigner(account);
    assert.equal(signer.key.extractable, false);
    assert.deepEqual(signer.key.usages, ["sign"]);
    for (const format of ["pkcs8", "jwk"] as const) {
      await assert.rejects(crypto.subtle.exportKey(format as "pkcs8", signer.key));
    }
    assert.deepEqual(Object.keys(signer).sort(), ["key", "keyId", "tenantId"]);
    const text = JSON.stringify(Object.values(signer).filter((value) => typeof value === "string"));
    for (const line of linesOf(account.privateKey)) assert.ok(!text.includes(line));
  });
});

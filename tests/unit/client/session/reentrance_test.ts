import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClientOptions, TeleQuickClient } from "../../../../mod.ts";
import { settle } from "../../../../src/testing/mod.ts";
import { hasCode } from "../../../support/client_kit.ts";
import { type Story, story } from "../../../support/session_story.ts";
import { UNSIGNED_TOKEN } from "../../../support/unsigned_token.ts";

/** A client whose token function first does something with the client. */
function inside(
  act: (client: TeleQuickClient) => unknown,
  options: ClientOptions = {},
): Story {
  const token = async (client: TeleQuickClient): Promise<string> => {
    await act(client);
    return UNSIGNED_TOKEN;
  };
  return story({ token, client: options });
}

async function end({ client, clock }: Story): Promise<void> {
  const closing = client.close();
  await clock.advance(10_000);
  await closing;
}

describe("C-16 a client that is used from inside its own callbacks", () => {
  const calls: Readonly<Record<string, (client: TeleQuickClient) => Promise<unknown>>> = {
    "connect()": (client) => client.connect(),
    "dial()": (client) => client.dial({ to: "+15550100", trunkId: "main" }),
    "renew()": (client) => client.renew(),
    "getActiveBuckets()": (client) => client.getActiveBuckets(),
    "check()": (client) => client.check(),
  };

  for (const [name, call] of Object.entries(calls)) {
    it(`C-16 joins the opening where the token function calls ${name}`, async () => {
      const made: Promise<unknown>[] = [];
      const one = inside((client) => {
        made.push(call(client));
      });
      await one.client.connect();
      await one.clock.advance(1_000);
      await Promise.all(made);
      assert.equal(one.asked.length, 1);
      assert.equal(one.gateway.peers.length, 1);
      await end(one);
    });

    it(`C-16 ends at the timeout where the token function awaits ${name}, and names the cause`, async () => {
      const one = inside((client) => call(client).catch(() => {}));
      const refused = assert.rejects(one.client.connect(), (error: Error) => {
        hasCode("ERR_CONNECT_FAILED")(error);
        assert.match(
          error.message,
          /the token function did not settle \(1 call of this client waits for its token: a connect\(\) or dial\(\) that is awaited inside the token function waits for itself\) within 10000 ms/,
        );
        return true;
      });
      await one.clock.advance(10_000);
      await refused;
      assert.equal(one.asked.length, 1);
      assert.equal(one.gateway.attempts, 0);
      await end(one);
    });
  }

  it("C-16 joins the opening from the log, at every record", async () => {
    let records = 0;
    const one: Story = inside(() => {}, {
      log: () => {
        if (records++ < 1_000) one.client.connect().catch(() => {});
      },
    });
    await one.client.connect();
    await one.client.renew();
    one.gateway.peers.at(-1)?.pair.sever();
    await one.clock.advance(5_000);
    assert.equal(one.asked.length, 3);
    assert.equal(one.gateway.peers.length, 3);
    assert.ok(records < 50, `${records} records`);
    await end(one);
  });

  it("C-16 joins the opening from the loop over status(), at every status", async () => {
    const one = inside(() => {});
    void (async () => {
      for await (const _ of one.client.status()) one.client.connect().catch(() => {});
    })();
    await settle();
    await one.client.connect();
    one.gateway.peers[0]?.pair.sever();
    await one.clock.advance(5_000);
    assert.equal(one.asked.length, 2);
    assert.equal(one.gateway.peers.length, 2);
    await end(one);
  });

  it("C-16 can be closed from the log, at every record", async () => {
    for (let at = 1; at < 12; at++) {
      let records = 0;
      const one: Story = inside(() => {}, {
        log: () => {
          if (++records === at) void one.client.close();
        },
      });
      await one.client.connect().catch(() => {});
      one.gateway.peers.at(-1)?.pair.sever();
      await one.clock.advance(20_000);
      await end(one);
      assert.equal(one.clock.pending, 0, `closed at record ${at}`);
      assert.ok(one.gateway.peers.every(({ session }) => session.isClosed));
    }
  });
});

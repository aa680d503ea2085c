import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeToken } from "../../../../mod.ts";
import { settle } from "../../../../src/testing/mod.ts";
import { methods } from "../../../../src/wire/mod.ts";
import { story, types } from "../../../support/session_story.ts";
import { tokenOf } from "../../../support/token_of.ts";
import { unsignedToken } from "../../../support/unsigned_token.ts";

describe("SessionManager", () => {
  it("connects once however many ask, and says so", async () => {
    const { client, gateway, statuses, asked } = story();
    await Promise.all([client.connect(), client.connect(), client.barge("call-1")]);
    await settle();
    assert.equal(gateway.peers.length, 1);
    assert.deepEqual(gateway.peers[0]?.calls, ["Authenticate", "StreamEvents", "Barge"]);
    assert.deepEqual(asked, ["connect"]);
    assert.deepEqual(types(statuses), ["idle", "connecting", "open"]);
    await client.close();
    await settle();
    assert.deepEqual(types(statuses).at(-1), "closed");
  });

  it("leaves no timer after close()", async () => {
    const { client, clock } = story({ life: 3_600_000 });
    await client.connect();
    assert.ok(clock.pending > 0, "a renewal is armed");
    await client.close();
    await settle();
    assert.equal(clock.pending, 0);
  });

  it("renews at 70 to 80 % of the token's life, before the old session is given up", async () => {
    const { client, clock, gateway, statuses, asked } = story({ life: 100_000 });
    await client.connect();
    await clock.advance(69_000);
    assert.equal(gateway.peers.length, 1);
    await clock.advance(12_000);
    await clock.advance(0);
    assert.equal(gateway.peers.length, 2);
    assert.deepEqual(asked, ["connect", "renew"]);
    assert.deepEqual(types(statuses), ["idle", "connecting", "open", "renewing", "open"]);
    assert.equal(gateway.peers[0]?.session.isClosed, true, "the old session was closed at last");
    await client.barge("call-1");
    assert.equal(gateway.peers[1]?.calls.at(-1), "Barge");
    await client.close();
  });

  it("lets an RPC that is under way finish on the old session during a renewal", async () => {
    let answer: (() => void) | undefined;
    const { client, clock, gateway } = story({
      scripts: { Barge: () => new Promise((resolve) => answer = () => resolve({})) },
    });
    const barge = client.barge("call-1");
    await settle();
    await client.renew();
    await clock.advance(5_000);
    assert.equal(gateway.peers.length, 2);
    assert.equal(gateway.peers[0]?.session.isClosed, false, "the old session waits for its RPC");
    answer?.();
    await barge;
    await clock.advance(2_000);
    assert.equal(gateway.peers[0]?.session.isClosed, true);
    await client.close();
  });

  it("keeps the old session while a renewal fails, and tries again", async () => {
    const { client, clock, gateway, network } = story();
    await client.connect();
    network.isUp = false;
    const renewal = client.renew();
    await clock.advance(3_000);
    await client.barge("call-1");
    assert.equal(gateway.peers[0]?.calls.at(-1), "Barge");
    network.isUp = true;
    await clock.advance(15_000);
    await renewal;
    assert.equal(gateway.peers.length, 2);
    await client.close();
  });

  it("renews once more for who asks while a renewal has its token already, once for all who do", async () => {
    let minted = 0;
    let proceed = (): void => {};
    const presented: string[] = [];
    const { client, clock, gateway } = story({
      token: () => unsignedToken({ number: ++minted }),
      scripts: {
        Authenticate: async (request, { index }) => {
          presented.push(tokenOf(request));
          if (index > 0) await new Promise<void>((resolve) => proceed = resolve);
          return { status: "OK", tenantId: "acme" };
        },
      },
    });
    await client.connect();
    const told: string[] = [];
    const first = client.renew().then(() => told.push("first"));
    await settle();
    const others = [client.renew(), client.renew()].map((one) =>
      one.then(() => told.push("other"))
    );
    await settle();
    proceed();
    await settle();
    assert.deepEqual(told, ["first"]);
    proceed();
    await Promise.all([first, ...others]);
    const numbers = presented.map((token) => decodeToken(token).claims["number"]);
    assert.deepEqual(numbers, [1, 2, 3]);
    assert.equal(gateway.peers.length, 3);
    const closing = client.close();
    await clock.advance(5_000);
    await closing;
  });

  it("does not renew once more where the renewal that is joined asks for its token later", async () => {
    const { client, clock, gateway, asked, network } = story();
    await client.connect();
    network.isUp = false;
    const first = client.renew();
    await settle();
    // It has failed once, and waits.
    const second = client.renew();
    network.isUp = true;
    await clock.advance(15_000);
    await Promise.all([first, second]);
    assert.deepEqual(asked, ["connect", "renew", "renew"]);
    assert.equal(gateway.peers.length, 2);
    await client.close();
  });

  it("follows a gateway that ends every session at once, and backs off", async () => {
    const { client, clock, gateway } = story();
    await client.connect();
    for (let quarter = 0; quarter < 240; quarter++) {
      const ending = { code: 0, reason: "again", reconnect: true };
      await gateway.peers.at(-1)?.push(methods.SessionEnding, ending).catch(() => {});
      await clock.advance(250);
    }
    assert.ok(gateway.peers.length >= 3, "it does follow");
    assert.ok(gateway.peers.length <= 40, `${gateway.peers.length} sessions in a minute`);
    await client.close();
  });
});

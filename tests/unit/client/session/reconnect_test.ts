import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ClientStatus, TeleQuickClient, TeleQuickError } from "../../../../mod.ts";
import { FakeClock, scriptedGateway, settle } from "../../../../src/testing/mod.ts";
import { methods } from "../../../../src/wire/mod.ts";
import { hasCode, plainToken, story, types } from "../../../support/session_story.ts";
import { UNSIGNED_TOKEN } from "../../../support/unsigned_token.ts";

describe("SessionManager without a session", () => {
  it("stays idle after a failed first connect, and connects at the next call", async () => {
    const { client, gateway, statuses } = story({
      onAttempt: (attempt) => {
        if (attempt === 1) throw new Error("unreachable");
      },
    });
    await assert.rejects(client.connect(), hasCode("ERR_CONNECT_FAILED"));
    await client.connect();
    await settle();
    assert.equal(gateway.attempts, 2);
    assert.deepEqual(types(statuses), ["idle", "connecting", "idle", "connecting", "open"]);
    await client.close();
  });

  it("rejects what is in flight at once when the session is lost, as retryable, and does not send it again", async () => {
    const { client, clock, gateway } = story({
      scripts: { Originate: () => new Promise(() => {}) },
    });
    await client.connect();
    const dial = client.dial({ to: "+15550100", trunkId: "t" });
    await settle();
    gateway.peers[0]?.pair.sever();
    await assert.rejects(dial, (error: unknown) => {
      assert.ok(error instanceof TeleQuickError);
      assert.equal(error.code, "ERR_SESSION_CLOSED");
      assert.equal(error.retryable, true);
      return true;
    });
    await clock.advance(1_000);
    assert.deepEqual(gateway.peers[1]?.calls, ["Authenticate", "StreamEvents"]);
    await client.close();
  });

  it("ends after a loss when reconnect is false", async () => {
    const { client, gateway, statuses } = story({ reconnect: false });
    await client.connect();
    gateway.peers[0]?.pair.sever();
    await settle();
    assert.deepEqual(types(statuses).at(-1), "closed");
    await assert.rejects(client.barge("call-1"), hasCode("ERR_SESSION_CLOSED"));
  });

  for (const giveUpAfterMs of [0, 60_000, undefined, Infinity]) {
    it(`gives up by time on refused tokens: giveUpAfterMs is ${giveUpAfterMs}`, async () => {
      let isRefused = false;
      const { client, clock, gateway, statuses } = story({
        ...(giveUpAfterMs !== undefined && { giveUpAfterMs }),
        scripts: {
          Authenticate: () =>
            isRefused
              ? { status: "ERROR", errorCode: 7, errorMessage: "revoked" }
              : { status: "OK", tenantId: "acme" },
        },
      });
      await client.connect();
      isRefused = true;
      gateway.peers[0]?.pair.sever();
      const limitMs = giveUpAfterMs ?? 300_000;
      await clock.advance(Math.max(0, Math.min(limitMs, 900_000) - 1_000));
      if (limitMs > 0) {
        const last = statuses.at(-1);
        assert.equal(last?.type, "reconnecting");
        assert.equal(last?.type === "reconnecting" && last.refusal, "revoked");
        assert.ok(last?.type === "reconnecting" && hasCode("ERR_UNAUTHORIZED")(last.cause));
      }
      await clock.advance(20_000);
      if (limitMs === Infinity) {
        isRefused = false;
        await clock.advance(15_000);
        assert.equal(client.stats().session.status, "open");
        return await client.close();
      }
      const last = statuses.at(-1);
      assert.equal(last?.type, "closed");
      assert.equal(last?.type === "closed" && last.code, "ERR_UNAUTHORIZED");
      if (limitMs === 0) assert.equal(gateway.peers.length, 2);
      assert.ok(gateway.peers.length <= 46, `${gateway.peers.length - 1} handshakes`);
      await assert.rejects(client.connect(), (error: unknown) => {
        assert.ok(error instanceof TeleQuickError);
        assert.equal(error.code, "ERR_UNAUTHORIZED");
        assert.equal(error.refusal, "revoked");
        assert.match(error.message, /^Cannot reconnect within \d+ s: Cannot sign in/);
        return true;
      });
      assert.equal(clock.pending, 0);
    });
  }

  it("does not count time in which the program did not run", async () => {
    const { client, clock, gateway, network } = story();
    await client.connect();
    network.isUp = false;
    gateway.peers[0]?.pair.sever();
    await clock.advance(10_000);
    // A laptop is closed for two hours.
    clock.suspend(7_200_000);
    await clock.advance(30_000);
    assert.equal(client.stats().session.status, "reconnecting");
    network.isUp = true;
    await clock.advance(16_000);
    assert.equal(client.stats().session.status, "open");
    await client.close();
  });

  it("rejects a refused first connect with the gateway's reason", async () => {
    const { client } = story({
      scripts: { Authenticate: () => ({ errorCode: 7, errorMessage: "expired" }) },
    });
    await assert.rejects(client.connect(), (error: unknown) => {
      assert.ok(error instanceof TeleQuickError);
      assert.equal(error.code, "ERR_UNAUTHORIZED");
      assert.equal(error.refusal, "expired");
      return true;
    });
    await client.close();
  });

  it("ends a client with a plain token when the token does, and says how to renew", async () => {
    const clock = new FakeClock();
    const gateway = scriptedGateway({ expiresAtMs: () => clock.now() + 300_000 });
    const client = new TeleQuickClient("https://gateway.test", plainToken(clock), true, {
      webTransport: gateway.webTransport,
      clock,
    });
    await client.connect();
    await clock.advance(301_000);
    await gateway.peers[0]?.push(methods.SessionEnding, { code: 401, reason: "expired" });
    gateway.peers[0]?.session.close();
    await settle();
    await assert.rejects(client.connect(), (error: unknown) => {
      assert.ok(error instanceof TeleQuickError);
      assert.equal(error.code, "ERR_TOKEN_EXPIRED");
      assert.match(error.message, /pass a function/);
      return true;
    });
    assert.equal(gateway.peers.length, 1);
  });

  it("bounds a token function that never settles", async () => {
    const { client, clock } = story({ token: () => new Promise(() => {}) });
    const connect = client.connect();
    const rejection = assert.rejects(connect, hasCode("ERR_CONNECT_FAILED"));
    await clock.advance(10_000);
    await rejection;
    await client.close();
  });

  it("stops a reconnect in the middle when the client closes", async () => {
    const { client, clock, gateway } = story({
      onAttempt: (attempt) => {
        if (attempt > 1) throw new Error("unreachable");
      },
    });
    await client.connect();
    gateway.peers[0]?.pair.sever();
    await clock.advance(500);
    const waiting = assert.rejects(client.barge("call-1"), hasCode("ERR_SESSION_CLOSED"));
    await client.close();
    await waiting;
    assert.equal(clock.pending, 0);
  });

  it("ends a wait for a session with the caller's signal, and leaves the rest usable", async () => {
    const { client, clock, gateway, network } = story();
    await client.connect();
    network.isUp = false;
    gateway.peers[0]?.pair.sever();
    await clock.advance(1_000);
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const barge = client.barge("call-1", { signal: controller.signal });
    const refused = assert.rejects(barge, (error) => error === reason);
    controller.abort(reason);
    await refused;
    network.isUp = true;
    await clock.advance(15_000);
    await client.barge("call-1");
    assert.equal(gateway.peers[1]?.calls.at(-1), "Barge");
    await client.close();
  });

  it("gives up a wait for a session when the RPC's own time is over, with nothing sent", async () => {
    const { client, clock, gateway } = story({
      onAttempt: (attempt) => {
        if (attempt > 1) throw new Error("unreachable");
      },
    });
    await client.connect();
    gateway.peers[0]?.pair.sever();
    await settle();
    const barge = assert.rejects(
      client.barge("call-1", { timeoutMs: 2_000 }),
      (error: unknown) =>
        error instanceof TeleQuickError && error.code === "ERR_TIMEOUT" && error.retryable,
    );
    await clock.advance(2_000);
    await barge;
    await client.close();
  });

  it("reconnects however early an RPC sees the loss", async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { client, clock, gateway, statuses } = story({
        onAttempt: (attempt) => {
          if (attempt === 2) throw new Error("unreachable");
        },
      });
      await client.connect();
      gateway.peers[0]?.pair.sever();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const barge = client.barge("call-1").catch(() => {});
      await clock.advance(5_000);
      await barge;
      assert.equal(client.stats().session.status, "open", `after ${turns} turns`);
      assert.ok(types(statuses).includes("events-may-be-missing"));
      await client.close();
    }
  });

  it("does not renew without a pause what the gateway calls expired", async () => {
    const { client, clock, gateway } = story({ life: -1_000 });
    await client.connect();
    await clock.advance(60_000);
    assert.ok(gateway.peers.length >= 2, "it does renew");
    assert.ok(gateway.peers.length <= 13, `${gateway.peers.length} sessions in a minute`);
    await client.close();
  });

  it("closes the session under a handshake of the caller's that never settles", async () => {
    const clock = new FakeClock();
    const gateway = scriptedGateway();
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
      clock,
      handshake: () => new Promise(() => {}),
    });
    const connecting = assert.rejects(client.connect(), hasCode("ERR_CONNECT_FAILED"));
    await clock.advance(10_000);
    await connecting;
    await settle();
    assert.equal(gateway.peers[0]?.session.isClosed, true);
    await client.close();
  });

  it("ends a client with a plain token at its first refusal as expired, with the advice", async () => {
    const clock = new FakeClock();
    let isExpired = false;
    const gateway = scriptedGateway({
      scripts: {
        Authenticate: () =>
          isExpired ? { errorCode: 7, errorMessage: "expired" } : { tenantId: "acme" },
      },
    });
    const client = new TeleQuickClient("https://gateway.test", plainToken(clock), true, {
      webTransport: gateway.webTransport,
      clock,
    });
    await client.connect();
    isExpired = true;
    gateway.peers[0]?.pair.sever();
    await clock.advance(60_000);
    assert.equal(gateway.peers.length, 2);
    await assert.rejects(client.connect(), hasCode("ERR_TOKEN_EXPIRED"));
    assert.equal(clock.pending, 0);
  });

  it("waits for a token function that fails as long as the network does, and comes back", async () => {
    let isUp = true;
    const { client, clock, gateway, statuses } = story({
      giveUpAfterMs: Infinity,
      token: () => isUp ? UNSIGNED_TOKEN : Promise.reject(new TypeError("fetch failed")),
      onAttempt: () => {
        if (!isUp) throw new Error("unreachable");
      },
    });
    await client.connect();
    isUp = false;
    // Its backend cannot be asked either.
    gateway.peers[0]?.pair.sever();
    for (let minute = 0; minute < 10; minute++) await clock.advance(60_000);
    assert.equal(statuses.at(-1)?.type, "reconnecting");
    isUp = true;
    await clock.advance(16_000);
    assert.equal(client.stats().session.status, "open");
    await client.close();
  });

  it("says that it is reconnecting when the old session is lost while a renewal waits", async () => {
    const { client, clock, gateway, statuses, network } = story();
    await client.connect();
    network.isUp = false;
    void client.renew().catch(() => {});
    await clock.advance(20_000);
    assert.equal(statuses.at(-1)?.type, "renewing");
    gateway.peers[0]?.pair.sever();
    await clock.advance(20_000);
    assert.equal(statuses.at(-1)?.type, "reconnecting");
    network.isUp = true;
    await clock.advance(16_000);
    assert.deepEqual(types(statuses).slice(-2), ["events-may-be-missing", "open"]);
    await client.close();
  });

  it("says that it is reconnecting when the old session is lost while a renewal is on its way", async () => {
    const { promise: slow, resolve: answer } = Promise.withResolvers<string>();
    let tokens = 0;
    const { client, clock, gateway, statuses } = story({
      token: () => tokens++ === 0 ? UNSIGNED_TOKEN : slow,
    });
    await client.connect();
    void client.renew().catch(() => {});
    await clock.advance(1_000);
    assert.equal(statuses.at(-1)?.type, "renewing");
    gateway.peers[0]?.pair.sever();
    await settle();
    const { type, attempt, delayMs } = statuses.at(-1) as ClientStatus & { type: "reconnecting" };
    assert.deepEqual([type, attempt, delayMs], ["reconnecting", 1, 0]);
    answer(UNSIGNED_TOKEN);
    await settle();
    assert.deepEqual(types(statuses).slice(-2), ["events-may-be-missing", "open"]);
    await client.close();
  });

  it("connects not at all for a signal that is aborted already, and ends a wait for a renewal", async () => {
    const { client, clock, gateway, network } = story();
    const reason = new Error("changed my mind");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(client.connect({ signal }), (error) => error === reason);
    assert.equal(gateway.attempts, 0);
    await client.connect();
    network.isUp = false;
    const controller = new AbortController();
    const renewal = assert.rejects(
      client.renew({ signal: controller.signal }),
      (error) => error === reason,
    );
    await clock.advance(1_000);
    controller.abort(reason);
    await renewal;
    await client.barge("call-1");
    await client.close();
  });
});

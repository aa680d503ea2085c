import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type ClientStatus,
  decodeToken,
  TeleQuickClient,
  TeleQuickError,
} from "../../../../mod.ts";
import { encodeFrame, methods } from "../../../../src/wire/mod.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { scriptedGateway, type ScriptedGatewayOptions } from "../../../../src/testing/mod.ts";
import { tokenOf } from "../../../support/token_of.ts";
import { UNSIGNED_TOKEN, unsignedToken } from "../../../support/unsigned_token.ts";

interface Story {
  readonly client: TeleQuickClient;
  readonly clock: FakeClock;
  readonly gateway: ReturnType<typeof scriptedGateway>;
  readonly statuses: ClientStatus[];
  /** Reasons the token function was given. */
  readonly asked: string[];
}

function story(
  options: ScriptedGatewayOptions & {
    readonly token?: () => string | Promise<string>;
    readonly reconnect?: boolean;
    readonly life?: number;
    readonly giveUpAfterMs?: number;
  } = {},
): Story {
  const clock = new FakeClock();
  const asked: string[] = [];
  const gateway = scriptedGateway({
    ...(options.life !== undefined && { expiresAtMs: () => clock.now() + options.life! }),
    ...options,
  });
  const client = new TeleQuickClient(
    "https://gateway.test:9090",
    ({ reason }) => {
      asked.push(reason);
      return options.token?.() ?? UNSIGNED_TOKEN;
    },
    true,
    {
      webTransport: gateway.webTransport,
      clock,
      reconnect: options.reconnect ?? true,
      giveUpAfterMs: options.giveUpAfterMs,
    },
  );
  const statuses: ClientStatus[] = [];
  void (async () => {
    for await (const status of client.status()) statuses.push(status);
  })();
  return { client, clock, gateway, statuses, asked };
}

function types(statuses: readonly ClientStatus[]): string[] {
  return statuses.map((status) => status.type);
}

/** The last gap that was reported. */
function gapOf(
  statuses: readonly ClientStatus[],
): Extract<ClientStatus, { type: "events-may-be-missing" }> | undefined {
  return statuses.findLast((status) => status.type === "events-may-be-missing");
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof TeleQuickError && error.code === code;
}

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

  it("reconnects after a loss with bounded, growing delays, and says that events may be missing", async () => {
    let isUp = true;
    const { client, clock, gateway, statuses } = story({
      onAttempt: () => {
        if (!isUp) throw new Error("unreachable");
      },
    });
    await client.connect();
    isUp = false;
    const lostAt = clock.now();
    gateway.peers[0]?.pair.sever();
    await clock.advance(60_000);
    isUp = true;
    await clock.advance(15_000);
    const waits = statuses.filter((status) => status.type === "reconnecting");
    for (const [index, wait] of waits.entries()) {
      assert.equal(wait.attempt, index + 1);
      assert.ok(wait.delayMs <= Math.min(15_000, 250 * 2 ** index), `attempt ${wait.attempt}`);
    }
    assert.ok(waits.length >= 5);
    assert.deepEqual(types(statuses).slice(-2), ["events-may-be-missing", "open"]);
    const gap = statuses.find((status) => status.type === "events-may-be-missing");
    assert.equal(gap?.sinceMs, lostAt);
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
    let isUp = true;
    const { client, clock, gateway } = story({
      onAttempt: () => {
        if (!isUp) throw new Error("unreachable");
      },
    });
    await client.connect();
    isUp = false;
    gateway.peers[0]?.pair.sever();
    await clock.advance(10_000);
    // A laptop is closed for two hours.
    clock.suspend(7_200_000);
    await clock.advance(30_000);
    assert.equal(client.stats().session.status, "reconnecting");
    isUp = true;
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

  it("opens a new session when the gateway announces an end, and reports the gap in between", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    await clock.advance(1_000);
    const since = clock.now();
    await gateway.peers[0]?.push(methods.SessionEnding, {
      code: 401,
      reason: "revoked",
      reconnect: false,
    });
    await clock.advance(0);
    assert.equal(gateway.peers.length, 2);
    assert.deepEqual(types(statuses).slice(-3), ["renewing", "events-may-be-missing", "open"]);
    assert.equal(gapOf(statuses)?.sinceMs, since);
    // Its end is not another gap.
    gateway.peers[0]?.session.close();
    await clock.advance(5_000);
    assert.equal(statuses.at(-1)?.type, "open");
    assert.equal(types(statuses).filter((type) => type === "events-may-be-missing").length, 1);
    await client.close();
  });

  it("keeps the old session while a renewal fails, and tries again", async () => {
    let isUp = true;
    const { client, clock, gateway } = story({
      onAttempt: () => {
        if (!isUp) throw new Error("unreachable");
      },
    });
    await client.connect();
    isUp = false;
    const renewal = client.renew();
    await clock.advance(3_000);
    await client.barge("call-1");
    assert.equal(gateway.peers[0]?.calls.at(-1), "Barge");
    isUp = true;
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
    let isUp = true;
    const { client, clock, gateway, asked } = story({
      onAttempt: () => {
        if (!isUp) throw new Error("unreachable");
      },
    });
    await client.connect();
    isUp = false;
    const first = client.renew();
    await settle();
    // It has failed once, and waits.
    const second = client.renew();
    isUp = true;
    await clock.advance(15_000);
    await Promise.all([first, second]);
    assert.deepEqual(asked, ["connect", "renew", "renew"]);
    assert.equal(gateway.peers.length, 2);
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
    let isUp = true;
    const { client, clock, gateway } = story({
      onAttempt: () => {
        if (!isUp) throw new Error("unreachable");
      },
    });
    await client.connect();
    isUp = false;
    gateway.peers[0]?.pair.sever();
    await clock.advance(1_000);
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const barge = client.barge("call-1", { signal: controller.signal });
    const refused = assert.rejects(barge, (error) => error === reason);
    controller.abort(reason);
    await refused;
    isUp = true;
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

  it("replaces a session whose event stream broke off, and says that events may be missing", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    const since = clock.now();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    const event = encodeFrame(methods.CallEvent, { callSid: "call-1", eventType: 1 });
    void writer.write(event).catch(() => {});
    await settle();
    await writer.abort(new Error("reset"));
    await clock.advance(1_000);
    assert.deepEqual(types(statuses).slice(2), [
      ...["open", "renewing", "events-may-be-missing", "open"],
    ]);
    const gap = statuses.find((status) => status.type === "events-may-be-missing");
    assert.equal(gap?.sinceMs, since);
    await client.close();
  });

  it("says that events may be missing when the stream of a session broke off that was just replaced", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    void writer.write(encodeFrame(methods.CallEvent, { callSid: "call-1" })).catch(() => {});
    await settle();
    await writer.abort(new Error("reset"));
    await client.renew();
    await clock.advance(5_000);
    assert.equal(gateway.peers.length, 2);
    assert.deepEqual(types(statuses).slice(2), [
      ...["open", "renewing", "open", "events-may-be-missing", "open"],
    ]);
    await client.close();
  });

  it("counts what may be missing from the first thing that broke, not from the last", async () => {
    let isUp = true;
    const { client, clock, gateway, statuses } = story({
      onAttempt: () => {
        if (!isUp) throw new Error("unreachable");
      },
    });
    await client.connect();
    const since = clock.now();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    await writer.abort(new Error("reset"));
    isUp = false;
    await clock.advance(5_000);
    gateway.peers[0]!.pair.sever();
    await clock.advance(5_000);
    isUp = true;
    await clock.advance(16_000);
    const gap = statuses.find((status) => status.type === "events-may-be-missing");
    assert.equal(gap?.sinceMs, since);
    await client.close();
  });

  it("counts what may be missing from when the gateway was last heard: a loss is noticed late", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    await clock.advance(1_000);
    await gateway.peers[0]!.push(methods.CallEvent, { callSid: "call-1", eventType: 1 });
    await clock.advance(1_000);
    const since = clock.now() - 1_000;
    // Nothing passes any more; what has been set meanwhile is the wall clock.
    await clock.advance(12_000);
    clock.jump(3_600_000);
    gateway.peers[0]!.pair.sever();
    await clock.advance(1_000);
    assert.equal(gapOf(statuses)?.sinceMs, since + 3_600_000);

    await client.barge("call-1");
    const answeredAt = clock.now();
    await clock.advance(12_000);
    gateway.peers[1]!.pair.sever();
    await clock.advance(1_000);
    assert.equal(gapOf(statuses)?.sinceMs, answeredAt);
    await client.close();
  });

  it("counts an event that was under way when a session was lost as missing, even where more was heard later", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    const event = encodeFrame(methods.CallEvent, { callSid: "call-1", eventType: 1 });
    await clock.advance(1_000);
    const since = clock.now();
    void writer.write(event).catch(() => {});
    await clock.advance(1_000);
    void writer.write(event.subarray(0, 20)).catch(() => {});
    await clock.advance(1_000);
    await client.barge("call-1");
    gateway.peers[0]!.pair.sever();
    await clock.advance(1_000);
    assert.equal(gapOf(statuses)?.sinceMs, since);
    await client.close();
  });

  it("says that events may be missing when a replaced session is lost before it is given up", async () => {
    for (const isAnnounced of [false, true]) {
      const { client, clock, gateway, statuses } = story();
      await client.connect();
      const since = clock.now();
      await clock.advance(5_000);
      await client.renew();
      if (isAnnounced) {
        // The new one hears everything already.
        const ending = { code: 0, reason: "replaced", reconnect: true };
        await gateway.peers[0]!.push(methods.SessionEnding, ending);
        await settle();
      }
      gateway.peers[0]!.pair.sever();
      await clock.advance(1_000);
      assert.equal(gapOf(statuses)?.sinceMs, isAnnounced ? undefined : since);
      assert.equal(statuses.at(-1)?.type, "open");
      assert.equal(gateway.peers.length, 2);
      await client.close();
    }
  });

  it("says that events may be missing when a session was subscribed and could not be opened", async () => {
    const { client, clock, gateway, statuses } = story({
      scripts: {
        StreamEvents: (_, { index }) => index === 1 ? new Promise(() => {}) : {},
      },
    });
    await client.connect();
    await clock.advance(5_000);
    const since = clock.now();
    const renewal = client.renew();
    await clock.advance(30_000);
    await renewal;
    assert.equal(gateway.peers.length, 3);
    assert.deepEqual(types(statuses).slice(2), [
      ...["open", "renewing", "events-may-be-missing", "open"],
    ]);
    assert.equal(gapOf(statuses)?.sinceMs, since);
    await client.close();
  });

  it("says that events may be missing once a session that hears nothing is replaced, not before", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    for (let round = 0; round < 3; round++) {
      const writer = (await gateway.peers.at(-1)!.session.openUnidirectional()).getWriter();
      await writer.abort(new Error("reset"));
      await clock.advance(5_000);
    }
    assert.equal(gateway.peers.length, 4);
    const [, , , ...later] = types(statuses);
    const each = ["renewing", "events-may-be-missing", "open"];
    assert.deepEqual(later, [...each, ...each, ...each]);
    await client.close();
  });

  it("keeps a replaced session as long as the gateway still speaks on it, and no longer than 30 s", async () => {
    const { client, clock, gateway } = story();
    await client.connect();
    const told: string[] = [];
    void (async () => {
      for await (const { callSid } of client.events()) told.push(callSid);
    })();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    await client.renew();
    // An event that takes its time: one byte each 100 ms.
    const event = encodeFrame(methods.CallEvent, { callSid: "call-1", eventType: 1 });
    for (const byte of event) {
      await writer.write(new Uint8Array([byte]));
      await clock.advance(100);
    }
    assert.ok(event.length * 100 > 5_000);
    assert.deepEqual(told, ["call-1"]);
    for (let tenth = 0; tenth < 300; tenth++) {
      await writer.write(event.subarray(0, 1)).catch(() => {});
      await clock.advance(100);
    }
    assert.equal(gateway.peers[0]!.session.isClosed, true);
    await client.close();
  });

  it("keeps a session of which one call's audio stream broke off", async () => {
    const { client, clock, gateway } = story();
    await client.connect();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    void writer.write(encodeFrame(methods.AudioFrame, { callSid: "call-1" })).catch(() => {});
    await settle();
    await writer.abort(new Error("reset"));
    await clock.advance(1_000);
    assert.equal(gateway.peers.length, 1);
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
    let isUp = true;
    const { client, clock, gateway, statuses } = story({
      onAttempt: () => {
        if (!isUp) throw new Error("unreachable");
      },
    });
    await client.connect();
    isUp = false;
    void client.renew().catch(() => {});
    await clock.advance(20_000);
    assert.equal(statuses.at(-1)?.type, "renewing");
    gateway.peers[0]?.pair.sever();
    await clock.advance(20_000);
    assert.equal(statuses.at(-1)?.type, "reconnecting");
    isUp = true;
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
    let isUp = true;
    const { client, clock, gateway } = story({
      onAttempt: () => {
        if (!isUp) throw new Error("unreachable");
      },
    });
    const reason = new Error("changed my mind");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(client.connect({ signal }), (error) => error === reason);
    assert.equal(gateway.attempts, 0);
    await client.connect();
    isUp = false;
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

/** A token that looks like one and lives five minutes; its signature is not looked at here. */
function plainToken(clock: FakeClock): string {
  const now = Math.floor(clock.now() / 1_000);
  const part = (value: object): string =>
    btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  const header = part({ alg: "RS256", typ: "JWT", kid: "key-1" });
  const claims = part({ iss: "telequick-sdk", sub: "acme", iat: now, exp: now + 300 });
  return `${header}.${claims}.${"A".repeat(342)}`;
}

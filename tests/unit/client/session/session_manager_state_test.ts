import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickError } from "../../../../src/base/errors.ts";
import { Connection } from "../../../../src/client/session/connection.ts";
import type { OpenRequest } from "../../../../src/client/session/session_effects.ts";
import { SessionManager } from "../../../../src/client/session/session_manager.ts";
import type { ClientStatus } from "../../../../src/client/session/status.ts";
import { createSessionPair } from "../../../../src/transport/pair.ts";
import { Session } from "../../../../src/transport/session.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";

/** A manager whose sessions have no gateway. */
function managed(options: { reconnect?: boolean; transport?: object } = {}) {
  const clock = new FakeClock();
  const opened: Connection[] = [];
  const requests: OpenRequest[] = [];
  const log: string[] = [];
  const fields: unknown[] = [];
  const state = { isDown: false };
  const open = (request: OpenRequest): Promise<Connection> => {
    requests.push(request);
    if (state.isDown) return Promise.reject(new Error("unreachable"));
    request.onToken();
    const transport = Object.assign(createSessionPair().client, options.transport);
    const session = new Session(transport, { clock });
    const principal = { tenantId: "acme", keyId: "k0", expiresAtMs: 0, clockSkewMs: undefined };
    const connection = new Connection(session, principal, {
      ...{ clock, requestLength: "inclusive", skewMs: 0 },
    });
    opened.push(connection);
    return Promise.resolve(connection);
  };
  const manager = new SessionManager({
    ...{ clock, open, reconnect: options.reconnect ?? true, renewable: true, random: () => 0.5 },
    log: (_level, name, more) => {
      log.push(name);
      fields.push(more);
    },
    hasCalls: () => false,
    probeIdleMs: Infinity,
    giveUpAfterMs: Infinity,
    onOpen: () => {},
    onClosed: () => {},
  });
  const types: string[] = [];
  const follow = async () => {
    for await (const { type } of manager.statuses()) types.push(type);
    types.push("over");
  };
  void follow();
  return { clock, fields, log, manager, opened, requests, state, types };
}

const ending = { code: 503, reason: "restart", reconnect: true };

describe("SessionManager by itself", () => {
  it("logs each status, and what the gateway announced", async () => {
    const { fields, log, manager } = managed();
    manager.announce(await manager.connection(), ending);
    const of = (name: string) => fields.filter((_, i) => log[i] === name);
    assert.deepEqual(of("session.ending"), [{ code: 503, reason: "restart" }]);
    assert.deepEqual(of("status").slice(0, 2), [{ status: "connecting" }, { status: "open" }]);
  });

  it("logs a session that cannot be opened, except the first, which its caller hears of", async () => {
    const { clock, log, manager, opened, state } = managed();
    state.isDown = true;
    await assert.rejects(manager.connection(), /unreachable/);
    assert.ok(!log.includes("session.open-failed"));
    state.isDown = false;
    await manager.connection();
    state.isDown = true;
    opened[0]!.session.close();
    await clock.advance(1_000);
    assert.ok(log.includes("session.open-failed"));
  });

  it("takes a session for lost that is over when it is opened", async () => {
    const { clock, manager, opened, types } = managed();
    const first = await manager.connection();
    first.session.close();
    void manager.connection().catch(() => {});
    await clock.advance(1_000);
    assert.equal(opened.length, 2);
    assert.equal(types.filter((type) => type === "reconnecting").length, 1);
    assert.equal(manager.current, opened[1]);
  });

  it("opens nothing for a caller that has gone", async () => {
    const { manager, requests } = managed();
    const reason = new Error("gone");
    await assert.rejects(manager.connection(AbortSignal.abort(reason)), reason);
    await assert.rejects(manager.renew("requested", AbortSignal.abort(reason)), reason);
    assert.equal(requests.length, 0);
  });

  it("does not hand out a session whose loss has not been noticed yet", async () => {
    const { clock, manager, opened } = managed();
    const first = await manager.connection();
    assert.equal(await manager.connection(), first);
    first.session.close();
    assert.equal(manager.current, undefined);
    assert.equal(manager.ready, undefined);
    const next = manager.connection();
    await clock.advance(1_000);
    assert.equal(await next, opened[1]);
    assert.notEqual(await next, first);
  });

  it("ends the statuses with `closed`, also for one that listens only then", async () => {
    const { manager, types } = managed();
    await manager.connection();
    await settle();
    await manager.close(() => Promise.resolve(), 1_000);
    await settle();
    assert.deepEqual(types, ["idle", "connecting", "open", "closed", "over"]);
    const late: ClientStatus[] = [];
    for await (const status of manager.statuses()) late.push(status);
    assert.deepEqual(late.map(({ type }) => type), ["closed"]);
    await assert.rejects(manager.connection(), { code: "ERR_SESSION_CLOSED" });
    await manager.close(() => assert.fail("closed already"), 1_000);
  });

  it("replaces a session that the peer drains, once, and not one whose end was announced", async () => {
    const { log, manager, opened } = managed();
    const first = await manager.connection();
    manager.announce(first, ending);
    await settle();
    assert.equal(opened.length, 2);
    manager.drain(first);
    await settle();
    assert.deepEqual([opened.length, log.includes("session.draining")], [2, false]);
    manager.drain(opened[1]!);
    await settle();
    assert.equal(log.filter((name) => name === "session.draining").length, 1);
    manager.drain(first);
    assert.equal(opened.length <= 3, true);
  });

  it("opens a session beside the one that the peer drains", async () => {
    const { manager, opened } = managed();
    manager.drain(await manager.connection());
    await settle();
    assert.equal(opened.length, 2);
    assert.equal(manager.current, opened[1]);
  });

  it("replaces no session that is not in use", async () => {
    const { manager, opened, types } = managed();
    const first = await manager.connection();
    await manager.renew("requested");
    assert.equal(opened.length, 2);
    const before = types.filter((type) => type === "renewing").length;
    manager.announce(first, ending);
    manager.drain(first);
    void manager.suspect(first, { heardAt: 0, isMidFrame: false });
    manager.checkCredit(first);
    await settle();
    assert.equal(opened.length, 2);
    assert.equal(types.filter((type) => type === "renewing").length, before);
  });

  it("takes a broken stream of events for a reason to replace the session, after a moment", async () => {
    const { clock, log, manager, opened, types } = managed();
    const first = await manager.connection();
    void manager.suspect(first, { heardAt: 0, isMidFrame: false });
    await clock.advance(249);
    assert.equal(opened.length, 1);
    await clock.advance(1);
    await settle();
    assert.equal(opened.length, 2);
    assert.ok(log.includes("push.broken"));
    assert.ok(types.includes("events-may-be-missing"));
  });

  it("does nothing about a broken stream where it does not reconnect, or the client is closed", async () => {
    const { clock, log, manager, opened } = managed({ reconnect: false });
    const first = await manager.connection();
    void manager.suspect(first, { heardAt: 0, isMidFrame: true });
    await clock.advance(1_000);
    assert.deepEqual([opened.length, log.includes("push.broken")], [1, false]);
    const other = managed();
    const used = await other.manager.connection();
    void other.manager.suspect(used, { heardAt: 0, isMidFrame: true });
    await other.manager.close(() => Promise.resolve(), 1_000);
    await other.clock.advance(1_000);
    assert.ok(!other.log.includes("push.broken"));
  });

  it("reports missing events for a frame that the end of its session cut off, and for no other", async () => {
    for (const isMidFrame of [true, false]) {
      const { clock, log, manager, types } = managed();
      const first = await manager.connection();
      void manager.suspect(first, { heardAt: 0, isMidFrame });
      await clock.advance(100);
      first.session.close();
      await clock.advance(5_000);
      assert.ok(!log.includes("push.broken"));
      assert.ok(types.includes("reconnecting"));
    }
  });

  it("replaces a session that has 16 streams left, and does not hand out one that has 1", async () => {
    const transport = { streamsLeft: 17 };
    const { manager, opened } = managed({ transport });
    const first = await manager.connection();
    manager.checkCredit(first);
    await settle();
    assert.equal(opened.length, 1);
    Object.defineProperty(first.session, "streamsLeft", { value: 16, configurable: true });
    manager.checkCredit(first);
    await settle();
    assert.equal(opened.length, 2);
  });

  it("says in the log what a drain did not finish", async () => {
    const { clock, log, manager } = managed();
    await manager.connection();
    const closing = manager.close(() => new Promise(() => {}), 700);
    await clock.advance(700);
    await closing;
    assert.ok(log.includes("close.drain-incomplete"));
    const failing = managed();
    await failing.manager.connection();
    await failing.manager.close(() => Promise.reject(new TeleQuickError("ERR_LIMIT", "x")), 700);
    assert.ok(failing.log.includes("close.drain-incomplete"));
  });
});

/**
 * Rows of the table of failures on a fake clock: what takes long, and what is counted in a second. The statements go to the real server, some
 * through relays that go black; what waits for them waits on the clock.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createRandom } from "../../src/base/random.ts";
import { eventLoopTurn } from "../../src/base/turn.ts";
import { createKeySet, mintBrowserToken, signToken, verifyToken } from "../../src/token/mod.ts";
import type { SharedStore } from "../../src/base/store/shared_store.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { ErrorCode, methods } from "../../src/wire/mod.ts";
import { faultyStore } from "../support/faulty_store.ts";
import { seed } from "../support/seed.ts";
import { type TestAccount, testAccount, TestGateway } from "../support/tenant_kit.ts";
import {
  type OpenStore,
  openStore,
  PostgresServer,
  startTcpRelay,
  type TcpRelay,
} from "./support/server.ts";

const WAYS = ["both", "up", "down"] as const;
// Shrunk, so that a black-out of 5 s keeps to both bounds, one of 30 s passes the first, and one of 90 s both.
const BOUNDS = { admitStaleMs: 15_000, sessionStaleMs: 60_000 };
const dial = { trunkId: "main", to: "+15550106", defaultApp: 1 } as const;

/** A gateway behind a relay of its own. */
interface Far {
  readonly way: (typeof WAYS)[number];
  readonly relay: TcpRelay;
  readonly open: OpenStore;
  readonly gateway: TestGateway;
  readonly events: string[];
}

describe("on PostgreSQL and a fake clock", () => {
  let server: PostgresServer;
  let clock: FakeClock;
  let open: OpenStore;
  /** The store of the one that is not cut off, and how many keys it was asked for. */
  let store: SharedStore;
  let keyReads = 0;
  let near: TestGateway;
  let fars: Far[];

  /** A store of its own whose answers the clock waits for, unless they are lost on the way. */
  const openOn = (port: number, relay?: TcpRelay): OpenStore =>
    openStore(port, {
      ...{ clock, timeoutMs: 1_000, listens: false },
      watch: (statement) => void (relay?.black === undefined && clock.track(statement)),
    });

  before(async () => {
    server = await PostgresServer.start();
    clock = new FakeClock();
    open = openOn(server.port);
    await open.store.migrate();
    const make = (store: SharedStore, gatewayId: string, events: string[] = []) =>
      new TestGateway({
        clock,
        cluster: { store, gatewayId, ...{ timeoutMs: 1_200, pullMs: 1_000, ...BOUNDS } },
        log: ({ event }) => void events.push(event),
      });
    const { store: found } = open;
    store = {
      ...found,
      read(query) {
        if (query.kind === "key" && query.key !== undefined) keyReads++;
        return found.read(query);
      },
    };
    near = make(store, "near");
    fars = await Promise.all(WAYS.map(async (way) => {
      const relay = await startTcpRelay(server.port);
      const open = openOn(relay.port, relay);
      const events: string[] = [];
      return { way, relay, open, gateway: make(open.store, way, events), events };
    }));
    await Promise.all([near, ...fars.map(({ gateway }) => gateway)].map((g) => g.gateway.ready));
  });

  after(async () => {
    await near[Symbol.asyncDispose]();
    for (const { gateway, open, relay } of fars) {
      await gateway[Symbol.asyncDispose]();
      await open[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    }
    await open[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const token = (account: TestAccount) => signToken(account.signer, { now: clock.now() });
  const forge = async (account: TestAccount) =>
    `${(await token(account)).split(".").slice(0, 2).join(".")}.${"A".repeat(342)}`;
  const signIn = async ({ gateway }: { readonly gateway: TestGateway }, shown: string) => {
    const session = gateway.dial();
    const reply = await session.authenticate(shown);
    const isLater = reply?.errorCode === ErrorCode.ERR_RATE_LIMITED;
    const outcome = reply?.status === "OK" ? "OK" : isLater ? "later" : `${reply?.errorMessage}`;
    return { outcome, session };
  };
  const outcomes = async (far: Far, tokens: readonly string[]) => {
    const found = [];
    for (const shown of tokens) found.push((await signIn(far, shown)).outcome);
    return found;
  };
  const revoke = ({ tenantId, keyId: privateKeyId }: TestAccount) =>
    clock.runUntil(near.gateway.revokeServiceAccount({ tenantId, privateKeyId }));

  for (const seconds of [5, 30, 90]) {
    it(`gateways keep to both bounds where the network is black for ${seconds} s, both ways and either way`, async () => {
      const kept = await near.addTenant("acme", { name: `kept-${seconds}` });
      const lost = await near.addTenant("acme", { name: `lost-${seconds}` });
      const unknown = await testAccount("acme", `unknown-${seconds}`);
      await clock.advance(1_000);
      const sessions = [];
      for (const far of fars) {
        const callSid = `live-${seconds}-${far.way}`;
        const { outcome, session } = await signIn(far, await token(kept));
        assert.equal(outcome, "OK");
        const { reply } = await session.rpc(methods.Originate, { ...dial, callSid });
        assert.equal(reply?.status, "QUEUED");
        const { session: cut } = await signIn(far, await token(lost));
        sessions.push({ far, callSid, session, cut });
        far.events.length = 0;
      }

      await clock.advance(0);
      const blackAt = clock.monotonic();
      for (const { relay, way } of fars) relay.black = way;
      assert.deepEqual(await revoke(lost), { unconfirmed: [...WAYS].sort() });
      const once = await mintBrowserToken(kept.signer, {
        ...{ now: clock.now(), jti: `once-${seconds}`, expiresInSeconds: 600 },
      });
      for (const { far, session } of sessions) {
        // What needs the store is refused, to be tried again.
        const { fault } = await clock.runUntil(
          session.rpc(methods.Originate, { ...dial, callSid: crypto.randomUUID() }),
        );
        assert.equal(fault.errorCode, ErrorCode.ERR_RATE_LIMITED);
        assert.match(fault.errorMessage, /it was not placed/);
        assert.equal((await clock.runUntil(signIn(far, once))).outcome, "later");
      }
      await clock.advance(blackAt + seconds * 1_000 - clock.monotonic());

      const isAdmitting = seconds * 1_000 < BOUNDS.admitStaleMs;
      const isLive = seconds * 1_000 < BOUNDS.sessionStaleMs;
      for (const { far, callSid, session, cut } of sessions) {
        assert.equal(far.gateway.gateway.isReady, isAdmitting, far.way);
        const tokens = [await token(kept), await token(unknown), await forge(kept)];
        const known = isAdmitting ? "OK" : "later";
        assert.deepEqual(await outcomes(far, tokens), [known, "later", "later"], far.way);
        assert.deepEqual([session, cut].map(({ isClosed }) => isClosed), [!isLive, !isLive]);
        if (isLive) {
          const { fault } = await session.rpc(methods.Barge, { callSid });
          assert.equal(fault.errorCode, 0);
        } else {
          for (const { endings: [ending] } of [session, cut]) {
            assert.deepEqual({ ...ending }, { code: 503, reason: "stale", reconnect: true });
          }
        }
      }
      assert.deepEqual(await outcomes({ gateway: near } as Far, [await token(kept)]), ["OK"]);

      for (const { relay } of fars) relay.black = undefined;
      await clock.runUntil(() =>
        fars.every(({ events, gateway }) =>
          events.includes("store.reached") && gateway.gateway.isReady
        )
      );
      await clock.advance(1_000);
      assert.deepEqual(await revoke(lost), { unconfirmed: [] });
      let uses = 0;
      for (const { far, session, cut } of sessions) {
        const tokens = [await token(kept), await token(lost), await token(unknown)];
        assert.deepEqual(await outcomes(far, tokens), ["OK", "revoked", "rejected"], far.way);
        assert.ok(cut.isClosed);
        assert.equal(cut.endings[0]?.reason, isLive ? "key revoked" : "stale");
        assert.equal(session.isClosed, !isLive);
        // Asked for while nothing could be known, it is accepted once, or used up.
        if ((await signIn(far, once)).outcome === "OK") uses++;
        session.close();
      }
      assert.ok(uses <= 1, `${uses}`);
    });
  }

  it("no session is left of a key that is revoked at any point between its look-up and the session's entry", async () => {
    const random = createRandom(seed);
    await using open = openOn(server.port);
    const view = faultyStore(open.store);
    await using edge = new TestGateway({
      clock,
      cluster: { store: view, gatewayId: "edge", pullMs: 1_000, ...BOUNDS },
    });
    await edge.gateway.ready;
    const seen = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const account = await near.addTenant("acme", { name: `raced-${round}` });
      let revoking: Promise<unknown> | undefined;
      const act = () => revoking ??= revoke(account);
      const isLookUp = (method: string, what: string) => method === "read" && what !== "";
      if (round === 0) view.before = async (...asked) => isLookUp(...asked) && await act();
      if (round === 1) view.after = async (...asked) => isLookUp(...asked) && await act();
      const signing = signIn({ gateway: edge }, await token(account));
      // Then at any turn of the look-up on the server, and of the check of the signature.
      for (let turns = Math.floor(random() * 3 * round); turns > 0; turns--) await eventLoopTurn();
      await act();
      const { outcome, session } = await clock.runUntil(signing);
      seen.add(outcome);
      Object.assign(view, { before: () => {}, after: () => {} });
      await clock.advance(2_000);
      assert.ok(session.isClosed, `round ${round}`);
      assert.equal(edge.gateway.stats().sessions.open, 0, `round ${round}`);
    }
    assert.ok(seen.has("revoked"));
  });

  it("a gateway bounds what invented key ids make it read, and admits known keys meanwhile", async () => {
    const acme = await near.addTenant("acme", { name: "flood" });
    assert.equal((await signIn({ gateway: near }, await token(acme))).outcome, "OK");
    const [head = "", ...rest] = (await token(acme)).split(".");
    const header = JSON.parse(atob(head));
    await clock.advance(1_000);
    const before = keyReads;
    const found: Record<string, number> = {};
    for (let i = 0; i < 200; i++) {
      const invented = btoa(JSON.stringify({ ...header, kid: `invented-${i}` }));
      const shown = [invented.replaceAll("=", ""), ...rest].join(".");
      const reply = await near.dial({ address: "203.0.113.9" }).authenticate(shown);
      found[`${reply?.errorCode}`] = (found[`${reply?.errorCode}`] ?? 0) + 1;
    }
    assert.ok(keyReads - before <= 50, `${keyReads - before}`);
    assert.deepEqual(found, {
      [ErrorCode.ERR_UNAUTHORIZED]: 50,
      [ErrorCode.ERR_RATE_LIMITED]: 150,
    });
    assert.equal((await signIn({ gateway: near }, await token(acme))).outcome, "OK");
  });

  it("a service bounds what invented key ids make it read", async () => {
    const keys = createKeySet({ store, clock });
    const acme = await near.addTenant("acme", { name: "service" });
    const { resolveKey } = keys;
    assert.ok(await resolveKey(acme.keyId, { tenantId: "acme" }));
    const before = keyReads;
    let later = 0;
    const names = Array.from({ length: 1_500 }, (_, i) => `invented-${i}`).values();
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (const name of names) {
        await Promise.resolve(resolveKey(name, { tenantId: "acme" })).then(
          (key) => assert.equal(key, undefined),
          ({ code }) => {
            assert.equal(code, "ERR_UNAVAILABLE");
            later++;
          },
        );
      }
    }));
    assert.ok(keyReads - before < 1_000, `${keyReads - before}`);
    assert.equal(later, 1_500 - (keyReads - before));
    assert.ok(await resolveKey(acme.keyId, { tenantId: "acme" }));
    keys.close();
  });

  it("a service that is cut off does not show which key ids exist", async () => {
    await using relay = await startTcpRelay(server.port);
    await using open = openOn(relay.port, relay);
    const keys = createKeySet({ store: open.store, clock, ...BOUNDS, idleMs: 600_000 });
    const acme = await near.addTenant("acme", { name: "cut-off" });
    const unused = await near.addTenant("acme", { name: "unused" });
    const unknown = await testAccount("acme", "nowhere");
    const verify = (shown: string) =>
      clock.runUntil(
        verifyToken(shown, { resolveKey: keys.resolveKey, now: clock.now() })
          .then(() => "accepted", ({ code, message }) => `${code} ${message}`),
      );
    assert.equal(await verify(await token(acme)), "accepted");
    relay.black = "both";
    for (const seconds of [5, 30]) {
      await clock.advance(seconds * 1_000);
      const isKnown = seconds * 1_000 < BOUNDS.admitStaleMs;
      const answers = [];
      for (const account of [unused, unknown]) answers.push(await verify(await token(account)));
      for (const account of [acme, unused, unknown]) {
        answers.push(await verify(await forge(account)));
      }
      const genuine = await verify(await token(acme));
      if (isKnown) assert.equal(genuine, "accepted");
      else answers.push(genuine);
      assert.equal(new Set(answers).size, 1, answers.join("\n"));
      assert.match(answers[0]!, /^ERR_UNAVAILABLE /);
    }
    relay.black = undefined;
    await clock.runUntil(() => keys.trust === "all");
    assert.equal(await verify(await token(acme)), "accepted");
    for (const shown of [await token(unknown), await forge(acme)]) {
      assert.match(await verify(shown), /^ERR_TOKEN_INVALID /);
    }
    keys.close();
  });
});

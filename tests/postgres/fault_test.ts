/** The table of failures with the real server and gateways in processes of their own, over QUIC. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createRandom } from "../../src/base/random.ts";
import { importSigner, type ServiceAccount } from "../../src/credentials/mod.ts";
import { testAccount } from "../../src/testing/accounts.ts";
import type { RevokeResult } from "../../src/gateway/mod.ts";
import { createReplayStore, mintBrowserToken, signToken } from "../../src/token/mod.ts";
import { ErrorCode, methods } from "../../src/wire/mod.ts";
import { seed } from "../support/seed.ts";
import type { RawClient } from "../support/raw_client.ts";
import { ClusterGateway, type GatewayRequest } from "./support/gateway_host.ts";
import { note, openStore, PostgresServer, startTcpRelay, type TcpRelay } from "./support/server.ts";

const LATER = { code: "ERR_UNAVAILABLE", retryable: true };
// Shrunk: a minute and five in production.
const TIMES = { admitStaleMs: 3_000, sessionStaleMs: 6_000, timeoutMs: 1_200, confirmMs: 4_000 };
const dial = { trunkId: "main", to: "+15550106", defaultApp: 1 } as const;

/** Waits until something holds. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`Does not come to hold: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Asks again for as long as the answer is to try again later: on a busy machine a statement can take longer than the shrunk limits. */
async function repeat<T>(what: string, ask: () => Promise<T>, isLater: (answer: T) => boolean) {
  let answer: T | undefined;
  await until(what, async () => {
    answer = await ask();
    return !isLater(answer);
  });
  return answer!;
}

/** A change that is made in the end. */
async function change(gateway: ClusterGateway, request: GatewayRequest): Promise<unknown> {
  const ask = () => gateway.ask(request).then((result) => ({ result }), (error) => ({ error }));
  const answer = await repeat(
    request.do,
    ask,
    (answer) => "error" in answer && answer.error.retryable === true,
  );
  if ("error" in answer) throw answer.error;
  return answer.result;
}

/** A revocation that is accepted in the end. */
async function revoke(gateway: ClusterGateway, account: ServiceAccount): Promise<RevokeResult> {
  const { tenantId, privateKeyId } = account;
  return await change(gateway, { do: "revoke", key: { tenantId, privateKeyId } }) as RevokeResult;
}

/** A session that is accepted, or why it is not. */
function signIn(gateway: ClusterGateway, token: string) {
  return repeat("a sign-in", () => gateway.signIn(token), ({ outcome }) => outcome === "later");
}

function originate(session: RawClient, callSid: string) {
  return repeat(
    "a dial",
    () => session.rpc(methods.Originate, { ...dial, callSid }),
    ({ fault }) => fault.errorCode === ErrorCode.ERR_RATE_LIMITED,
  );
}

async function account(name: string) {
  const { account, publicKeyPem } = await testAccount("acme", name);
  const signer = await importSigner(account);
  const { tenantId, privateKeyId } = account;
  return { account, signer, key: { tenantId, privateKeyId, publicKeyPem } };
}

describe("gateways on PostgreSQL", () => {
  let server: PostgresServer;
  let relay: TcpRelay;
  let gateways: ClusterGateway[];

  before(async () => {
    server = await PostgresServer.start();
    await using open = openStore(server.port);
    await open.store.migrate();
    relay = await startTcpRelay(server.port);
    gateways = await Promise.all([0, 1, 2].map((i) =>
      ClusterGateway.start({
        databasePort: i === 2 ? relay.port : server.port,
        ...{ gatewayId: `gateway-${i}`, times: TIMES, timeoutMs: 1_000 },
      })
    ));
    await change(gateways[0]!, {
      do: "trunk",
      trunk: { tenantId: "acme", trunkId: "main", channelLimit: 500 },
    });
  });

  after(async () => {
    await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
    await relay[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const ready = () =>
    until(
      "all gateways are ready",
      async () =>
        (await Promise.all(gateways.map((gateway) => gateway.stats()))).every((s) => s.isReady),
    );

  it("cut a revoked key's sessions everywhere", async () => {
    for (const name of ["cut-1", "cut-2", "cut-3"]) {
      const { account: found, signer, key } = await account(name);
      await change(gateways[0]!, { do: "publish", key });
      const sessions = await Promise.all(
        gateways.map(async (gateway) => await signIn(gateway, await signToken(signer))),
      );
      assert.deepEqual(sessions.map(({ outcome }) => outcome), ["OK", "OK", "OK"]);
      assert.deepEqual(await revoke(gateways[1]!, found), { unconfirmed: [] });
      await Promise.all(sessions.map(({ session }) => session.closed));
      for (const { session } of sessions) assert.equal(session.endings[0]?.reason, "key revoked");
      for (const gateway of gateways) {
        assert.equal((await signIn(gateway, await signToken(signer))).outcome, "revoked");
      }
    }
  });

  it("lose no revocation that was acknowledged, when the server or a backend is killed", async () => {
    const random = createRandom(seed);
    const acknowledged = new Set<string>();
    let rejected = 0;
    let isOver = false;
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      await using open = openStore(server.port, { timeoutMs: 2_000, connections: 2 });
      for (let i = 0; !isOver; i++) {
        const key = `${writer}.${i}`;
        try {
          await open.store.commit([{
            kind: "revoke",
            key,
            value: "{}",
            ifRevision: 0,
            isFinal: true,
          }]);
          acknowledged.add(key);
        } catch (error) {
          const { code, retryable } = error as { code?: string; retryable?: boolean };
          assert.deepEqual({ code, retryable }, LATER);
          rejected++;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    });
    try {
      for (let kills = 0; kills < 4; kills++) {
        const before = acknowledged.size;
        await until(
          "revocations are acknowledged",
          () => acknowledged.size > before + 20 + random() * 60,
        );
        for (let backends = 0; backends < 3; backends++) {
          await using open = openStore(server.port);
          await server.endBackend(open.sql());
        }
        await until("revocations go on", () => acknowledged.size > before + 100);
        await server.kill();
        await server.restart();
      }
    } finally {
      isOver = true;
    }
    await Promise.all(writers);
    await using open = openStore(server.port);
    const found = new Set<string>();
    let after = 0;
    for (let hasMore = true; hasMore;) {
      const page = await open.store.read({ kind: "revoke", after });
      for (const { key, isFinal } of page.entries) if (isFinal) found.add(key);
      ({ revision: after, hasMore } = page);
    }
    const missing = [...acknowledged].filter((key) => !found.has(key));
    note(
      `# ${acknowledged.size} revocations acknowledged, ${rejected} rejected, ${missing.length} missing`,
    );
    assert.deepEqual(missing, []);
    await ready();
  });

  it("accept no token twice at two verifiers, with a kill in between", async () => {
    const count = 10_000;
    const random = createRandom(seed);
    const stores = [
      openStore(server.port, { connections: 16 }),
      openStore(server.port, { connections: 16 }),
    ];
    const accepted = new Map<number, number>();
    const unknown = new Set<number>();
    let shown = 0;
    const verify = async ({ store }: (typeof stores)[number]): Promise<void> => {
      const replay = createReplayStore({ store, timeoutMs: 5_000 });
      const order = Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      const queue = order.values();
      await Promise.all(Array.from({ length: 32 }, async () => {
        for (const token of queue) {
          shown++;
          try {
            const isFirst = await replay.claim(`acme ${token}`, Date.now() + 300_000, Date.now());
            if (isFirst) accepted.set(token, (accepted.get(token) ?? 0) + 1);
          } catch {
            // Neither accepted nor refused; it can be burnt.
            unknown.add(token);
          }
        }
      }));
    };
    const verifying = Promise.all(stores.map(verify));
    await until("half of the tokens were shown", () => shown > count);
    await server.kill();
    await server.restart();
    await verifying;
    await Promise.all(stores.map((open) => open[Symbol.asyncDispose]()));
    const twice = [...accepted.values()].filter((times) => times > 1).length;
    note(
      `# ${accepted.size} of ${count} tokens accepted, ${unknown.size} not known, ${twice} twice`,
    );
    assert.equal(twice, 0);
    assert.ok(accepted.size + unknown.size >= count);
    await ready();
  });

  it("dial a call_sid at one of two gateways that are asked at once", async () => {
    const { signer, key } = await account("dial");
    await change(gateways[0]!, { do: "publish", key });
    const sessions = await Promise.all(
      gateways.map(async (gateway) => (await signIn(gateway, await signToken(signer))).session),
    );
    let placed = 0;
    for (let i = 0; i < 20; i++) {
      const callSid = crypto.randomUUID();
      const replies = await Promise.all(
        sessions.map((session) => originate(session, callSid)),
      );
      const codes = replies.map(({ fault }) => fault.errorCode).sort();
      assert.deepEqual(codes, [
        0,
        ErrorCode.ERR_VALIDATION_FAILED,
        ErrorCode.ERR_VALIDATION_FAILED,
      ]);
      placed++;
    }
    const live = (await Promise.all(gateways.map((gateway) => gateway.stats())))
      .reduce((sum, { calls }) => sum + calls.live, 0);
    assert.equal(live, placed);
    for (const session of sessions) session.close();
  });

  for (const black of ["both", "up", "down"] as const) {
    it(`keep to both bounds at a gateway whose network is black, ${black} ways`, async () => {
      const [here, , there] = gateways as [ClusterGateway, ClusterGateway, ClusterGateway];
      const { account: kept, signer, key } = await account(`black-${black}`);
      const { account: lost, signer: lostSigner, key: lostKey } = await account(`lost-${black}`);
      const { signer: unknown } = await account("never-published");
      await change(here, { do: "publish", key });
      await change(here, { do: "publish", key: lostKey });
      const { session, outcome } = await signIn(there, await signToken(signer));
      assert.equal(outcome, "OK");
      const { session: cut } = await signIn(there, await signToken(lostSigner));
      const { reply } = await originate(session, `live-${black}`);
      assert.equal(reply?.status, "QUEUED");

      relay.black = black;
      const startedAt = performance.now();
      // What needs the store is refused, to be tried again; what this gateway has of its own works.
      const asked = await session.rpc(methods.Originate, { ...dial, callSid: crypto.randomUUID() });
      assert.equal(asked.fault.errorCode, ErrorCode.ERR_RATE_LIMITED);
      assert.match(asked.fault.errorMessage, /it was not placed/);
      const once = await mintBrowserToken(signer, { jti: `black-${black}` });
      assert.equal((await there.signIn(once)).outcome, "later");
      assert.equal(
        (await session.rpc(methods.Barge, { callSid: `live-${black}` })).fault.errorCode,
        0,
      );
      assert.deepEqual(await revoke(here, lost), { unconfirmed: ["gateway-2"] });

      await until("no session is admitted", async () => !(await there.stats()).isReady);
      const unreadyMs = performance.now() - startedAt;
      const forged = `${(await signToken(signer)).split(".").slice(0, 2).join(".")}.${
        "A".repeat(342)
      }`;
      const outcomes = [];
      for (const token of [await signToken(signer), await signToken(unknown), forged]) {
        outcomes.push((await there.signIn(token)).outcome);
      }
      assert.deepEqual(outcomes, ["later", "later", "later"]);
      await Promise.all([session.closed, cut.closed]);
      const endedMs = performance.now() - startedAt;
      assert.deepEqual({ ...session.endings[0] }, { code: 503, reason: "stale", reconnect: true });
      assert.equal((await signIn(here, await signToken(signer))).outcome, "OK");

      relay.black = undefined;
      const healedAt = performance.now();
      await until("sessions are admitted again", async () => (await there.stats()).isReady);
      const healMs = performance.now() - healedAt;
      note(
        `# black ${black}: unready after ${unreadyMs | 0} ms, sessions ended after ${
          endedMs | 0
        } ms, ready ${healMs | 0} ms after it healed`,
      );
      assert.equal((await signIn(there, await signToken(signer))).outcome, "OK");
      assert.equal((await signIn(there, await signToken(lostSigner))).outcome, "revoked");
      assert.equal((await signIn(there, await signToken(unknown))).outcome, "rejected");
      // Asked for while nothing could be known, it is accepted once, or used up.
      const uses = [await signIn(there, once), await signIn(here, once)];
      assert.equal(uses[1]!.outcome, "rejected");
      assert.equal(kept.tenantId, "acme");
    });
  }

  it("go on while the server is away for a moment, and reject what it is needed for", async () => {
    const { account: found, signer, key } = await account("away");
    const [here, there] = gateways as [ClusterGateway, ClusterGateway];
    await change(here, { do: "publish", key });
    const { session } = await signIn(here, await signToken(signer));
    await originate(session, "away");
    assert.equal((await signIn(there, await signToken(signer))).outcome, "OK");
    await server.kill();
    assert.equal((await signIn(there, await signToken(signer))).outcome, "OK");
    for (const gateway of gateways) {
      await assert.rejects(gateway.revoke(found), LATER);
      await assert.rejects(
        gateway.ask({ do: "trunk", trunk: { tenantId: "acme", trunkId: "new" } }),
        LATER,
      );
    }
    const { fault } = await session.rpc(methods.Originate, {
      ...dial,
      callSid: crypto.randomUUID(),
    });
    assert.equal(fault.errorCode, ErrorCode.ERR_RATE_LIMITED);
    const ended = await session.rpc(methods.Terminate, { callSid: "away" });
    assert.equal(ended.reply?.status, "COMPLETED");
    await server.restart();
    // What was rejected can be repeated.
    assert.deepEqual(await revoke(here, found), { unconfirmed: [] });
    await session.closed.then(() => {}, () => {});
    assert.equal((await signIn(there, await signToken(signer))).outcome, "revoked");
  });

  it("never redial what a killed gateway has dialled, and name it until its sessions are over", async () => {
    const { account: found, signer, key } = await account("killed");
    const [here, there] = gateways as [ClusterGateway, ClusterGateway];
    await change(here, { do: "publish", key });
    const callSid = crypto.randomUUID();
    const { session } = await signIn(there, await signToken(signer));
    await originate(session, callSid);
    const once = await mintBrowserToken(signer, { jti: "killed" });
    assert.equal((await signIn(there, once)).outcome, "OK");
    await there.kill();
    const { session: next } = await signIn(here, await signToken(signer));
    const { fault } = await originate(next, callSid);
    assert.match(fault.errorMessage, /used before, at another gateway/);
    assert.equal((await signIn(here, once)).outcome, "rejected");
    assert.deepEqual(await revoke(here, found), { unconfirmed: ["gateway-1"] });
    next.close();
  });
});

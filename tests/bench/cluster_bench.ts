/** Gateways that share a store in PostgreSQL: how soon a revocation cuts sessions, and what 200,000 keys cost. Needs PostgreSQL's programs. */

import { importSigner } from "../../src/credentials/mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { testAccount } from "../../src/testing/accounts.ts";
import { signToken } from "../../src/token/mod.ts";
import { ClusterGateway } from "../postgres/support/gateway_host.ts";
import { openStore, PostgresServer } from "../postgres/support/server.ts";
import { percentile, scenario } from "./support/scenario.ts";

const KEYS = 200_000;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

for (const listens of [true, false]) {
  scenario({
    name: `cluster: revoke to cut over 3 gateways, ${listens ? "with" : "without"} NOTIFY`,
    fullOnly: true,
    async run() {
      await using server = await PostgresServer.start();
      await using open = openStore(server.port);
      await open.store.migrate();
      const gateways = await Promise.all(
        [0, 1, 2].map((i) =>
          ClusterGateway.start({ databasePort: server.port, gatewayId: `gateway-${i}`, listens })
        ),
      );
      const cuts: number[] = [];
      const firsts: number[] = [];
      const results: number[] = [];
      for (let i = 0; i < 60; i++) {
        const { account, publicKeyPem } = await testAccount("acme", `${listens}-${i}`);
        const { tenantId, privateKeyId } = account;
        await gateways[0]!.ask({ do: "publish", key: { tenantId, privateKeyId, publicKeyPem } });
        const signer = await importSigner(account);
        const sessions = await Promise.all(
          gateways.map(async (gateway) => (await gateway.signIn(await signToken(signer))).session),
        );
        const start = performance.now();
        const revoking = gateways[i % 3]!.revoke(account).then(() => performance.now() - start);
        const at = await Promise.all(sessions.map(async (session) => {
          while (session.endings.length === 0) await new Promise((next) => setTimeout(next, 0));
          return performance.now() - start;
        }));
        cuts.push(Math.max(...at));
        firsts.push(Math.min(...at));
        results.push(await revoking);
        for (const session of sessions) session.close();
      }
      await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
      return [
        { what: "first gateway, p50", value: percentile(firsts, 0.5), unit: "ms" },
        {
          what: "all gateways, p50",
          value: percentile(cuts, 0.5),
          unit: "ms",
          ...(listens && { atMost: 15 }),
        },
        {
          what: "all gateways, p99",
          value: percentile(cuts, 0.99),
          unit: "ms",
          atMost: listens ? 100 : 400,
        },
        { what: "all have confirmed, p50", value: percentile(results, 0.5), unit: "ms" },
      ];
    },
  });
}

scenario({
  name: `cluster: ${KEYS} keys in the store`,
  fullOnly: true,
  async run() {
    await using server = await PostgresServer.start();
    await using open = openStore(server.port);
    await open.store.migrate();
    const value = JSON.stringify({
      ...{ publicKey: "x".repeat(342), thumbprint: "", role: "sdk", expiresAtMs: 0 },
      ...{ isRevoked: false, revokedAtMs: 0 },
    });
    await open.sql()`insert into telequick.entries (kind, key, value, revision, is_final)
      select 'key', 't' || (n / 2) || '/k' || n, ${value}, n, false from generate_series(1, ${KEYS}) n`;
    await open.sql()`analyze telequick.entries`;
    const [size] = await open
      .sql()`select pg_total_relation_size('telequick.entries')::float8 as bytes`;
    const gateway = createGateway({ cluster: { store: open.store, gatewayId: "a" } });
    const readyMs = await timed(() => gateway.ready);
    const accounts = await Promise.all(
      Array.from({ length: 24 }, (_, i) => testAccount("acme", `many-${i}`)),
    );
    const revokes: number[] = [];
    for (const { account: { tenantId, privateKeyId }, publicKeyPem } of accounts) {
      await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
      revokes.push(
        await timed(() => gateway.revokeServiceAccount({ tenantId, privateKeyId })),
      );
    }
    const colds: number[] = [];
    for (let n = 1; n <= 500; n++) {
      const key = `t${(n * 331) >> 1}/k${n * 331}`;
      colds.push(await timed(() => open.store.read({ kind: "key", key })));
    }
    await gateway.close();
    return [
      { what: "bytes a key on disk", value: Number(size!["bytes"]) / KEYS, unit: "bytes" },
      { what: "gateway is ready", value: readyMs, unit: "ms", atMost: 2_000 },
      { what: "publish and revoke: revoke, p50", value: percentile(revokes, 0.5), unit: "ms" },
      { what: "look-up of a cold key, p50", value: percentile(colds, 0.5), unit: "ms" },
      {
        what: "look-up of a cold key, p99",
        value: percentile(colds, 0.99),
        unit: "ms",
        atMost: 10,
      },
    ];
  },
});

scenario({
  name: "cluster: claims with two gateways contending",
  fullOnly: true,
  async run() {
    await using server = await PostgresServer.start();
    await using one = openStore(server.port, { connections: 16 });
    await using two = openStore(server.port, { connections: 16 });
    await one.store.migrate();
    /** Both claim the same names, so many at a time. */
    const measure = async (atOnce: number): Promise<number> => {
      const count = 4_000;
      const ms = await timed(() =>
        Promise.all([one, two].map(async ({ store }, owner) => {
          const names = Array.from({ length: count }, (_, n) => `${atOnce}.${n}`).values();
          await Promise.all(Array.from({ length: atOnce }, async () => {
            for (const name of names) await store.claim("bench", name, `${owner}`, 60_000);
          }));
        }))
      );
      return 2 * count / ms * 1_000;
    };
    const rows = [];
    for (const atOnce of [16, 64]) {
      const what = `claims a second, ${atOnce} at a time`;
      rows.push({ what, value: await measure(atOnce), unit: "/s" });
    }
    return rows;
  },
});

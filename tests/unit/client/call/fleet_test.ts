import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  type Call,
  InboundRule,
  type InboundService,
  type TeleQuickClient,
} from "../../../../mod.ts";
import { createRandom } from "../../../../src/base/random.ts";
import { type NetworkConditions, testGateway } from "../../../../src/testing/mod.ts";

const WORKERS = 8;
const CALLS = 200;

interface Fleet extends AsyncDisposable {
  readonly clients: readonly TeleQuickClient[];
  readonly services: readonly InboundService[];
  /** Which worker answered each call, in the order of the answers. */
  readonly answers: { readonly callSid: string; readonly worker: number }[];
  /** The most calls that each worker had at once. */
  readonly most: number[];
  /** A call comes in. */
  ring(): Promise<void>;
  /** Lets time pass until so many calls were answered. */
  untilAnswered(count: number): Promise<void>;
  advance(ms: number): Promise<void>;
}

/** Eight workers on one trunk, each with a session of its own; callers stay on the line for `talkMs`. */
async function openFleet(
  t: TestContext,
  options: {
    readonly capacity: number;
    readonly talkMs: number;
    readonly network?: NetworkConditions;
    /** Calls that ring before a worker is there. */
    readonly ringing?: number;
  },
): Promise<Fleet> {
  t.mock.method(Math, "random", createRandom(3));
  const { capacity, talkMs, network = {}, ringing = 0 } = options;
  const kit = await testGateway({
    clock: "fake",
    farEnd: () => [{ type: "answer" }, { type: "wait", ms: talkMs }, { type: "hangUp" }],
    client: { requestTimeoutMs: 60_000 },
  });
  const { tenantId, trunkId, clock } = kit;
  await kit.client.setInboundRouting({
    trunkId,
    rule: InboundRule.NOTIFY_AND_HANGUP,
    webhookUrl: "https://hooks.example/calls",
  });
  kit.network(network);
  const ring = async (): Promise<void> => {
    await kit.gateway.simulateInboundCall({ tenantId, trunkId });
  };
  for (let i = 0; i < ringing; i++) await ring();
  const { connect } = await kit.gateway.addTenant({ tenantId, trunkId });
  const clients: TeleQuickClient[] = [];
  for (let i = 0; i < WORKERS; i++) clients.push(await clock.runUntil(connect()));
  const answers: { callSid: string; worker: number }[] = [];
  const most = clients.map(() => 0);
  const active = clients.map(() => 0);
  const services = clients.map((client, worker) =>
    client.serveInbound(trunkId, async ({ callSid, ended }: Call) => {
      answers.push({ callSid, worker });
      most[worker] = Math.max(most[worker]!, ++active[worker]!);
      await ended;
      active[worker]!--;
    }, { capacity })
  );
  return {
    ...{ clients, services, answers, most, ring },
    untilAnswered: (count) => clock.runUntil(() => answers.length >= count),
    advance: (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: () => kit.close(),
  };
}

/** What became of the calls: how many each worker had, and how many answers were refused. */
function outcome({ answers, services }: Fleet): {
  readonly perWorker: readonly number[];
  readonly refused: number;
} {
  const perWorker = services.map((_, i) => answers.filter(({ worker }) => worker === i).length);
  const missed = services.map((service) => service.stats().missed);
  return { perWorker, refused: missed.reduce((sum, each) => sum + each, 0) };
}

function assertSpread(fleet: Fleet): number {
  const { answers } = fleet;
  const { perWorker, refused } = outcome(fleet);
  assert.equal(new Set(answers.map(({ callSid }) => callSid)).size, answers.length, "none twice");
  const mean = answers.length / WORKERS;
  for (const count of perWorker) assert.ok(Math.abs(count - mean) <= mean / 2, `${perWorker}`);
  return refused;
}

describe("A fleet of 8 workers", () => {
  const networks: Readonly<Record<string, NetworkConditions>> = {
    "in one room": { delayMs: 1 },
    "20 ms away": { delayMs: 10, jitterMs: 5 },
  };
  for (const [where, network] of Object.entries(networks)) {
    it(`${where}: spreads 200 calls that come one after the other, none answered twice`, async (t) => {
      await using fleet = await openFleet(t, { capacity: 40, talkMs: 600_000, network });
      for (let i = 0; i < CALLS; i++) {
        await fleet.ring();
        await fleet.advance(100);
      }
      await fleet.untilAnswered(CALLS);
      await fleet.advance(1_000);
      assert.equal(fleet.answers.length, CALLS);
      const refused = assertSpread(fleet);
      // Answering each ring at once has 7 of 8 refused: 1,400.
      assert.ok(refused <= 80, `${refused} answers were refused`);
      t.diagnostic(`${outcome(fleet).perWorker}, ${refused} refused`);
    });

    it(`${where}: finds 200 calls that ring already, and spreads them`, async (t) => {
      await using fleet = await openFleet(t, {
        ...{ capacity: 30, talkMs: 600_000, network },
        ringing: CALLS,
      });
      await fleet.untilAnswered(CALLS);
      await fleet.advance(1_000);
      const refused = assertSpread(fleet);
      assert.ok(refused <= 30, `${refused} answers were refused`);
      t.diagnostic(`${outcome(fleet).perWorker}, ${refused} refused`);
    });
  }

  it("has no more calls at once than its capacity, and goes on when one ends", async (t) => {
    await using fleet = await openFleet(t, {
      ...{ capacity: 5, talkMs: 3_000, network: { delayMs: 1 } },
      ringing: CALLS,
    });
    await fleet.untilAnswered(CALLS);
    assert.deepEqual(fleet.most, Array(WORKERS).fill(5));
    assertSpread(fleet);
  });

  it("leaves calls to the others when a worker leaves", async (t) => {
    await using fleet = await openFleet(t, {
      ...{ capacity: 40, talkMs: 600_000, network: { delayMs: 1 } },
    });
    const leaving = fleet.services[0]!.close();
    for (let i = 0; i < 40; i++) await fleet.ring();
    await fleet.untilAnswered(40);
    await leaving;
    assert.equal(outcome(fleet).perWorker[0], 0);
  });
});

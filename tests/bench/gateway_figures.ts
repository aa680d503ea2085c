// deno-lint-ignore-file no-console
/**
 * Figures of the gateway that neither pass nor fail: what an idle session costs, and how long an honest session waits while 50 others flood, as a
 * multiple of how long it waits in peace in the same run. `deno run -A tests/bench/gateway_figures.ts`
 *
 * @module
 */

import { createGateway } from "../../src/gateway/mod.ts";
import { signToken } from "../../src/token/mod.ts";
import { createSessionPair } from "../../src/transport/mod.ts";
import { encodeRequest, methods } from "../../src/wire/mod.ts";
import { systemClock } from "../../src/base/signal.ts";
import { usedHeap } from "../support/gc.ts";
import { turn } from "../support/quick_clock.ts";
import { RawClient } from "../support/raw_client.ts";
import { type TestAccount, testAccount } from "../support/tenant_kit.ts";

const IDLE_SESSIONS = 1_000;
const FLOODERS = 50;
const HONEST_RPCS = 500;
const barge = encodeRequest(methods.Barge, { callSid: "none" });

// Low enough that 50 sessions in one process, clients included, come above it.
const gateway = createGateway({ limits: { rpcsPerSecond: 50, rpcsPerSecondPerTenant: Infinity } });

async function connect({ signer }: TestAccount): Promise<RawClient> {
  const pair = createSessionPair();
  void gateway.serve(pair.incoming);
  const client = new RawClient(pair.client);
  const reply = await client.authenticate(await signToken(signer));
  if (reply?.status !== "OK") throw new Error(reply?.errorMessage);
  return client;
}

async function register(account: TestAccount): Promise<void> {
  const { tenantId, keyId: privateKeyId, publicKeyPem } = account;
  await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

/** Round trips of an honest session that asks at most 40 times a second, below its rate. */
async function ask(client: RawClient, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = systemClock.monotonic();
    const { fault } = await client.exchange(methods.Barge, barge);
    if (fault.errorCode !== 7) throw new Error(`not answered: ${fault.errorMessage}`);
    times.push(systemClock.monotonic() - start);
    await new Promise<void>((resolve) => void systemClock.schedule(25, resolve));
  }
  return times;
}

/** Asks without a pause; comes back when it is cut. */
async function flood(account: TestAccount, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const client = await connect(account);
    const lane = async (): Promise<void> => {
      while (!client.isClosed && !isOver()) {
        await client.exchange(methods.Barge, barge).catch(turn);
        await turn();
      }
    };
    await Promise.all(Array.from({ length: 10 }, lane));
    client.close();
  }
}

const acme = await testAccount("acme");
const evil = await testAccount("evil");
await register(acme);
await register(evil);

const warm: RawClient[] = [];
for (let i = 0; i < 200; i++) warm.push(await connect(acme));
for (const client of warm.splice(0)) client.close();
await turn();
const before = await usedHeap();
const idle: RawClient[] = [];
for (let i = 0; i < IDLE_SESSIONS; i++) idle.push(await connect(acme));
const both = (await usedHeap() - before) / IDLE_SESSIONS;
for (const client of idle.splice(0)) client.close();
await turn();
console.log(
  `idle session: ${
    (both / 1024).toFixed(1)
  } KiB of heap, both sides of the pair and the test client included (limit 64 KiB)`,
);

const honest = await connect(acme);
const quiet = await ask(honest, HONEST_RPCS);
let isOver = false;
const floods = Array.from({ length: FLOODERS }, () => flood(evil, () => isOver));
const loud = await ask(honest, HONEST_RPCS);
isOver = true;
await Promise.all(floods);
const { streams, sessions } = gateway.stats();
const [p99quiet, p99loud] = [quantile(quiet, 0.99), quantile(loud, 0.99)];
console.log(
  `honest round trip: p50 ${quantile(quiet, 0.5).toFixed(2)} ms, p99 ${
    p99quiet.toFixed(2)
  } ms in peace; ` +
    `p50 ${quantile(loud, 0.5).toFixed(2)} ms, p99 ${
      p99loud.toFixed(2)
    } ms under ${FLOODERS} flooders ` +
    `(${(p99loud / p99quiet).toFixed(1)} times; goal 3)`,
);
console.log(
  `all ${2 * HONEST_RPCS} honest requests answered; ${streams.limited} limited, ${
    sessions.ended["too many requests"] ?? 0
  } sessions cut`,
);
await gateway.close();

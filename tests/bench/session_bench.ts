import { type ClientOptions, type ClientStatus, TeleQuickClient } from "../../mod.ts";
import { denoWebTransport } from "../../src/transport/deno/deno.ts";
import type { WebTransportConstructor } from "../../src/transport/mod.ts";
import { encodeRequest, methods } from "../../src/wire/mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";
import { median } from "./support/bench.ts";
import { openBare } from "./support/hosts.ts";
import { recordAudio, type WriteRecord } from "./support/recorder.ts";
import {
  compare,
  cpuMicroseconds,
  type Figure,
  now,
  pause,
  percentile,
  repeat,
  scenario,
  timed,
} from "./support/scenario.ts";

// What comes back for a request that is answered with nothing: an empty envelope.
const EMPTY_REPLY_BYTES = 6;

function clientOf(host: GatewayHost, options: ClientOptions = {}): TeleQuickClient {
  return new TeleQuickClient(host.endpoint, host.account, false, {
    serverCertificateHash: host.certificatePem,
    requestTimeoutMs: 60_000,
    ...options,
  });
}

scenario({
  name: "connect: token, session, sign-in, subscription",
  async run({ full }) {
    await using host = await GatewayHost.start();
    const cold: number[] = [];
    const warm: number[] = [];
    const transport: number[] = [];
    await using bare = await openBare();
    for (let round = 0; round < (full ? 50 : 10); round++) {
      transport.push(await timed(async () => (await bare.dial()).close()));
      await using client = clientOf(host);
      cold.push(await timed(() => client.connect()));
      warm.push(await timed(() => client.renew()));
    }
    return [
      { what: "the transport's own handshake, p50", value: median(transport), unit: "ms" },
      { what: "cold (key imported, token signed), p50", value: median(cold), unit: "ms" },
      { what: "warm (renewal of a live client), p50", value: median(warm), unit: "ms" },
      { what: "cold, slowest", value: Math.max(...cold), unit: "ms" },
      { what: "warm, slowest", value: Math.max(...warm), unit: "ms" },
    ];
  },
});

scenario({
  name: "renewal under a talking call",
  async run({ full }) {
    await using host = await GatewayHost.start();
    const writes: WriteRecord[] = [];
    await using client = clientOf(host, { webTransport: await recordAudio(writes) });
    const call = await client.dial({ to: "+15550100", trunkId: "main" });
    await call.answered();
    const link = call.audio({ silence: "send" });
    let lastHeard = now();
    let longestSilence = 0;
    void (async () => {
      for await (const { payload } of link.readable) {
        if (payload.length === 0) continue;
        longestSilence = Math.max(longestSilence, now() - lastHeard);
        lastHeard = now();
      }
    })();
    await pause(200);
    const gaps: number[] = [];
    for (let renewal = 0; renewal < (full ? 50 : 10); renewal++) {
      const from = writes.length;
      await client.renew();
      // Its first frame is due within one tick.
      await pause(100);
      const recent = writes.slice(Math.max(0, from - 5));
      const first = recent.findIndex(({ session }, i) =>
        i > 0 && session !== recent[i - 1]!.session
      );
      if (first > 0) gaps.push(recent[first]!.atMs - recent[first - 1]!.atMs);
    }
    const { lost } = link.stats();
    await call.hangUp();
    return [
      {
        what: "last frame on the old session to first on the new, p50",
        value: median(gaps),
        unit: "ms",
        atMost: 40,
      },
      { what: "renewal gap, longest", value: Math.max(...gaps), unit: "ms" },
      { what: "longest silence heard", value: longestSilence, unit: "ms" },
      { what: "frames lost", value: lost, unit: "", atMost: 0 },
      { what: "renewals seen", value: gaps.length, unit: "" },
    ];
  },
});

scenario({
  name: "recovery after SIGKILL, gateway back on the same port",
  async run({ full }) {
    const recoveries: Recovery[] = [];
    const [gateways, kills] = full ? [8, 4] as const : [4, 1] as const;
    // Side by side: a dead peer is noticed only after its idle timeout.
    await Promise.all(Array.from({ length: gateways }, async () => {
      await using host = await GatewayHost.start();
      await using client = clientOf(host);
      await client.connect();
      for (let kill = 0; kill < kills; kill++) {
        recoveries.push(await killAndRecover(host, client));
      }
    }));
    const noticed = recoveries.map(({ noticedMs }) => noticedMs);
    const open = recoveries.map(({ openMs }) => openMs);
    const multiples = recoveries.map(({ openMs, boundMs }) => openMs / boundMs);
    return [
      { what: "kill to loss noticed, p50", value: median(noticed), unit: "ms" },
      { what: "loss noticed to open, p50", value: median(open), unit: "ms" },
      { what: "loss noticed to open, p99", value: percentile(open, 0.99), unit: "ms" },
      { what: "recovery / bound of the back-off, p50", value: median(multiples), unit: "x" },
      {
        what: "recovery / bound of the back-off, p99",
        value: percentile(multiples, 0.99),
        unit: "x",
      },
      { what: "recovered", value: recoveries.length, unit: "", atLeast: gateways * kills },
    ];
  },
});

interface Recovery {
  readonly noticedMs: number;
  readonly openMs: number;
  /** The most that the back-off may wait in all attempts together. */
  readonly boundMs: number;
}

async function killAndRecover(host: GatewayHost, client: TeleQuickClient): Promise<Recovery> {
  const statuses = client.status();
  const killedAt = now();
  await host.kill();
  await host.restart();
  let lostAt = 0;
  let boundMs = 0;
  for await (const status of statuses) {
    if (status.type === "reconnecting") {
      if (lostAt === 0) lostAt = now();
      boundMs += backOffBound(status);
    } else if (status.type === "open" && lostAt > 0) break;
  }
  return { noticedMs: lostAt - killedAt, openMs: now() - lostAt, boundMs };
}

function backOffBound({ attempt }: ClientStatus & { readonly type: "reconnecting" }): number {
  return Math.min(15_000, 250 * 2 ** (attempt - 1));
}

scenario({
  name: "RPC against a bare echo of as many bytes, a stream each",
  async run({ full }) {
    await using host = await GatewayHost.start();
    await using client = clientOf(host);
    await client.connect();
    const { clientId } = client;
    const requestBytes = encodeRequest(methods.StreamEvents, { clientId }).length;
    await using bare = await openBare({ requestBytes, replyBytes: EMPTY_REPLY_BYTES });
    const ours = (): Promise<void> => client.streamEvents(clientId);
    const floor = (): Promise<void> => bare.exchange();
    const one = await compare(ours, floor, { count: 1, width: 1, rounds: full ? 5_000 : 1_500 });
    const many = await compare(ours, floor, { count: 64, width: 32, rounds: full ? 500 : 80 });
    return [
      { what: "one at a time, bare, p50", value: one.floor.wall, unit: "us" },
      { what: "one at a time, client, p50", value: one.ours.wall, unit: "us" },
      {
        what: "one at a time, client / bare",
        value: one.ours.wall / one.floor.wall,
        unit: "x",
        atMost: 1.25,
      },
      { what: "32 in flight, bare", value: 1e6 / many.floor.wall, unit: "/s" },
      { what: "32 in flight, client", value: 1e6 / many.ours.wall, unit: "/s" },
      {
        what: "32 in flight, client / bare",
        value: many.floor.wall / many.ours.wall,
        unit: "x",
        atLeast: 0.8,
      },
      {
        what: "32 in flight, bare, CPU of the client's process",
        value: many.floor.cpu,
        unit: "us",
      },
      { what: "32 in flight, client, CPU of its process", value: many.ours.cpu, unit: "us" },
    ];
  },
});

const native = (globalThis as { WebTransport?: WebTransportConstructor }).WebTransport;
const roads: Readonly<Record<string, WebTransportConstructor | undefined>> = {
  "inner streams": native && denoWebTransport(native),
  "rollover": native && denoWebTransport(native, { innerStreams: false }),
};

for (const [name, webTransport] of Object.entries(roads)) {
  scenario({
    name: `many RPCs through one client, by ${name}`,
    async run({ full }) {
      await using host = await GatewayHost.start();
      await using client = clientOf(host, { webTransport });
      await client.connect();
      const count = full ? 100_000 : 5_000;
      let longest = 0;
      const cpu = cpuMicroseconds();
      const takenMs = await timed(() =>
        repeat(count, 16, async () => {
          longest = Math.max(longest, await timed(() => client.streamEvents(client.clientId)));
        })
      );
      const { rpc, session } = client.stats();
      const figures: Figure[] = [
        { what: "answered", value: rpc.answered, unit: "", atLeast: count },
        { what: "rate, 16 in flight", value: count / takenMs * 1e3, unit: "/s" },
        {
          what: "CPU of the client's process",
          value: (cpuMicroseconds() - cpu) / count,
          unit: "us",
        },
        // A stall would last until streams are given up, 5 s at the least.
        { what: "longest", value: longest, unit: "ms", atMost: 5_000 },
        { what: "sessions", value: session.opened, unit: "" },
      ];
      return figures;
    },
  });
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { generateServiceAccount, importSigner, signToken } from "../../mod.ts";
import { createCertificate, createGateway } from "../../src/gateway/mod.ts";
import { listenQuic } from "../../src/transport/listen.ts";
import { certificateHash } from "../../src/transport/mod.ts";
import { echoBytes } from "./support/bare_echo.ts";
import { manyCalls, MAX_STREAMS, type Streams } from "./support/echo_calls.ts";
import { LoopLag } from "./support/loop_lag.ts";
import { cpuMicroseconds, type Figure, percentile, scenario } from "./support/scenario.ts";
import { FRAMES_PER_SECOND } from "./support/talker.ts";
import type { TalkOrder, TalkReport } from "./support/talk_process.ts";

const CALLS = 200;
const SCRIPT = fileURLToPath(new URL("./support/talk_process.ts", import.meta.url));

/** Calls in another process, and a gateway and a bare peer in this one. */
interface Rig extends AsyncDisposable {
  /** Lets the calls talk to the gateway, or the bytes alone to the bare peer. */
  talk(to: "gateway" | "bytes", seconds: number): Promise<TalkReport>;
}

async function startRig(calls: number, streams: Streams): Promise<Rig> {
  const certificate = await createCertificate();
  const gateway = createGateway({
    limits: { ...manyCalls, rpcsPerSecond: 1e6, rpcsPerSecondPerTenant: 1e6 },
  });
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
  const { tenantId, privateKeyId } = account;
  await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId, trunkId: "main", channelLimit: 2 * calls });
  const { endpoint } = await gateway.listen({ certificate });
  const bare = await listenQuic({ ...certificate, maxStreams: MAX_STREAMS });
  void (async () => {
    for await (const { session } of bare.accept()) {
      session.closed.catch(() => {});
      echoBytes(session, 1);
    }
  })();
  const { value: hash } = await certificateHash(certificate.certificatePem);
  const order: TalkOrder = {
    endpoint,
    bareEndpoint: `https://127.0.0.1:${bare.port}`,
    certificateHash: btoa(String.fromCharCode(...hash)),
    token: await signToken(await importSigner(account)),
    calls,
    streams,
  };
  const child = spawn(
    process.execPath,
    ["run", "-A", "--quiet", "--no-check", "--unstable-net", SCRIPT, JSON.stringify(order)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    async talk(to, seconds) {
      child.stdin.write(`${to} ${seconds}\n`);
      const { value = "" } = await lines.next();
      return JSON.parse(value) as TalkReport;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.stdin.end();
      await exited;
      await bare.close();
      await gateway.close();
    },
  };
}

for (const streams of ["call", "shared"] as const) {
  scenario({
    name: `gateway alone, ${CALLS} echo calls, streams: ${streams}`,
    async run({ full }) {
      await using rig = await startRig(CALLS, streams);
      const costs = { gateway: [] as number[], bytes: [] as number[] };
      const lag = new LoopLag();
      let report: TalkReport | undefined;
      for (let round = -1; round < (full ? 15 : 5); round++) {
        for (const to of ["gateway", "bytes"] as const) {
          const cpu = cpuMicroseconds();
          report = await rig.talk(to, 1);
          // What comes before the first round is for the compiler to learn from.
          if (round < 0) continue;
          costs[to].push((cpuMicroseconds() - cpu) / (CALLS * FRAMES_PER_SECOND));
        }
      }
      const lagMs = lag.stop();
      const gateway = percentile(costs.gateway, 0.5);
      const bytes = percentile(costs.bytes, 0.5);
      return [
        { what: "frames lost", value: report!.lost, unit: "", atMost: 0 },
        { what: "frame round trip, p99", value: report!.p99Ms, unit: "ms" },
        { what: "gateway's loop late by, p99", value: lagMs, unit: "ms", atMost: 20 },
        { what: "CPU per frame, the bytes alone", value: bytes, unit: "us" },
        { what: "CPU per frame, gateway", value: gateway, unit: "us" },
        { what: "gateway / the bytes alone", value: gateway / bytes, unit: "x" },
        {
          what: "calls that a core's time is enough for",
          value: Math.floor(1e6 / (gateway * FRAMES_PER_SECOND)),
          unit: "",
        },
      ];
    },
  });
}

scenario({
  name: "gateway alone, calls until the first frame is lost",
  fullOnly: true,
  async run() {
    const figures: Figure[] = [];
    for (let count = 800; count <= 2_000; count += 200) {
      await using rig = await startRig(count, "shared");
      await rig.talk("gateway", 1);
      const { lost, p99Ms } = await rig.talk("gateway", 5);
      figures.push({ what: `${count} calls, frame round trip, p99`, value: p99Ms, unit: "ms" });
      if (lost === 0) continue;
      figures.push({ what: `frames lost first at ${count} calls`, value: lost, unit: "" });
      break;
    }
    return figures;
  },
});

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { generateServiceAccount, importSigner, signToken } from "../../mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";
import { usedHeap } from "../support/gc.ts";
import type { CrowdOptions } from "./support/crowd_process.ts";
import { clientOf } from "./support/echo_calls.ts";
import { pause, percentile, scenario, timed } from "./support/scenario.ts";

async function liveBytes(): Promise<number> {
  return await usedHeap() + process.memoryUsage().external;
}

scenario({
  name: "an honest session beside 50 that flood",
  async run({ full }) {
    await using host = await GatewayHost.start({
      rpcsPerSecond: 100,
      rpcsPerSecondPerTenant: 1_000,
    }, ["acme", "globex"]);
    await using client = clientOf(host);
    await client.connect();
    const honest = async (): Promise<number[]> => {
      const trips: number[] = [];
      for (let i = 0; i < (full ? 1_000 : 250); i++) {
        trips.push(await timed(() => client.streamEvents(client.clientId)));
        await pause(12);
      }
      return trips;
    };
    await honest();
    const quiet = await honest();
    await using _flood = await startCrowd({
      endpoint: host.endpoint,
      certificateHash: host.certificatePem,
      token: await signToken(await importSigner(host.accounts[1]!)),
      sessions: 50,
      width: 4,
    });
    const loud = await honest();
    const p99 = percentile(quiet, 0.99);
    return [
      { what: "quiet, p50", value: percentile(quiet, 0.5), unit: "ms" },
      { what: "quiet, p99", value: p99, unit: "ms" },
      { what: "flooded, p50", value: percentile(loud, 0.5), unit: "ms" },
      { what: "flooded, p99", value: percentile(loud, 0.99), unit: "ms" },
      { what: "p99, flooded / quiet", value: percentile(loud, 0.99) / p99, unit: "x", atMost: 3 },
      { what: "answered", value: loud.length, unit: "" },
    ];
  },
});

async function startCrowd(options: CrowdOptions): Promise<AsyncDisposable> {
  const script = fileURLToPath(new URL("./support/crowd_process.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["run", "-A", "--quiet", "--no-check", "--unstable-net", script, JSON.stringify(options)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  for await (const _line of child.stdout) break;
  return {
    [Symbol.asyncDispose]() {
      child.stdin.end();
      return new Promise((resolve) => child.on("exit", () => resolve()));
    },
  };
}

scenario({
  name: "memory of an idle session in the gateway's process",
  async run({ full }) {
    await using gateway = createGateway();
    const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
    const { tenantId, privateKeyId } = account;
    await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
    const { endpoint, certificateHash } = await gateway.listen();
    const token = await signToken(await importSigner(account));
    const options = { endpoint, certificateHash, token, width: 0 };
    const count = full ? 1_000 : 150;
    // What comes with the first sessions is not theirs.
    await using _first = await startCrowd({ ...options, sessions: 20 });
    const [before, residentBefore] = [await liveBytes(), process.memoryUsage().rss];
    await using _crowd = await startCrowd({ ...options, sessions: count });
    const perSession = (await liveBytes() - before) / count;
    const resident = (process.memoryUsage().rss - residentBefore) / count;
    return [
      { what: "sessions", value: gateway.stats().sessions.open, unit: "" },
      { what: "heap and buffers of each", value: perSession / 1024, unit: "KiB", atMost: 40 },
      {
        what: "resident memory of each, the runtime's QUIC included",
        value: resident / 1024,
        unit: "KiB",
      },
    ];
  },
});

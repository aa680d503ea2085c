// deno-lint-ignore-file no-console
/**
 * How long an honest tenant's RPCs take while another tenant works the same gateway as hard as its limits allow, as multiples of what they take in quiet.
 * Gateway, honest client and attacker each have a process; with two cores they do not have a core each, so the same is measured beside a process that
 * does nothing but burn: what that costs no gateway can prevent. `deno run -A --unstable-net tests/bench/noisy_tenant_figures.ts`
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { TeleQuickClient } from "../../mod.ts";
import { encodeBase64 } from "../../src/base/base64.ts";
import { systemClock } from "../../src/base/signal.ts";
import { certificateHash } from "../../src/transport/mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";
import type { NoisyOptions } from "./support/noisy_process.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
const RPCS = 150;
const PAUSE_MS = 15;
const script = fileURLToPath(new URL("./support/noisy_process.ts", import.meta.url));

// The default limits of RPCs; calls without a limit of their own, so that the attacker's are there soon.
const limits = { rpcsPerSecond: 100, rpcsPerSecondPerTenant: 1_000, callsPerSecond: 100_000 };
await using host = await GatewayHost.start(limits, ["acme", "evil"], { channelLimit: 5_000 });
const hash = encodeBase64((await certificateHash(host.certificatePem)).value);

function noise(mode: NoisyOptions["mode"]): Promise<ChildProcess> {
  const { tenantId, privateKey, privateKeyId } = host.accounts[1]!;
  const told: NoisyOptions = {
    ...{ mode, endpoint: host.endpoint, certificateHash: hash },
    account: JSON.stringify({
      tenant_id: tenantId,
      private_key: privateKey,
      private_key_id: privateKeyId,
    }),
  };
  const child = spawn(
    process.execPath,
    ["run", "-A", "--quiet", "--no-check", "--unstable-net", script, JSON.stringify(told)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  return new Promise((resolve, reject) => {
    child.stdout!.once("data", () => resolve(child));
    child.once("exit", () => reject(new Error(`The ${mode} process ended`)));
  });
}

function end(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  return ended;
}

const sleep = (ms: number) =>
  new Promise<void>((resolve) => void systemClock.schedule(ms, resolve));

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

const client = new TeleQuickClient(host.endpoint, host.account, false, {
  serverCertificateHash: hash,
});
await client.connect();

/** Round trips in milliseconds. */
async function ask(): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < RPCS; i++) {
    const start = systemClock.monotonic();
    await client.getActiveBuckets();
    times.push(systemClock.monotonic() - start);
    await sleep(PAUSE_MS);
  }
  return times;
}

await ask();
const setUp = await noise("calls");
await end(setUp);
const results = new Map<string, { p50: number; p99: number }[]>();
const note = (name: string, times: readonly number[]) => {
  const before = results.get(name) ?? [];
  results.set(name, [...before, { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }]);
};
for (let round = 0; round < ROUNDS; round++) {
  note("quiet", await ask());
  for (const mode of ["burn", "lists", "rows", "flood"] as const) {
    const child = await noise(mode);
    await sleep(500);
    note(mode, await ask());
    await end(child);
    await sleep(1_500);
  }
}
await client.close();

const median = (name: string, which: "p50" | "p99") =>
  quantile(results.get(name)!.map((each) => each[which]), 0.5);
const quiet = { p50: median("quiet", "p50"), p99: median("quiet", "p99") };
for (const name of results.keys()) {
  const [p50, p99] = [median(name, "p50"), median(name, "p99")];
  const times = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
  const ratios = `${(p50 / quiet.p50).toFixed(1)} x and ${(p99 / quiet.p99).toFixed(1)} x of quiet`;
  console.log(`${name.padEnd(6)} ${times}: ${ratios}`);
}
process.exit(0);

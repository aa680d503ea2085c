// deno-lint-ignore-file no-console
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { TeleQuickClient } from "../../mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";

const SCRIPT = fileURLToPath(new URL("../support/limited_process.ts", import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Runs a command and collects what it prints. */
async function run(command: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => text.stdout += chunk);
  child.stderr.on("data", (chunk) => text.stderr += chunk);
  const code = await new Promise<number | null>((resolve) => {
    child.on("error", () => resolve(null));
    child.on("close", resolve);
  });
  return { code, lines: text.stdout.split("\n").filter(Boolean), stderr: text.stderr };
}

/** Runs the limited process behind a shell's preparation, such as `ulimit -n 64`. */
function limited(
  mode: string,
  preparation: string,
  flags: readonly string[] = [],
): Promise<Outcome> {
  const command = [process.execPath, "run", "-A", "--quiet", "--no-check", ...flags, SCRIPT, mode]
    .map((word) => `'${word}'`).join(" ");
  return run("sh", ["-c", `${preparation} && exec ${command}`]);
}

describe("F-17 process limits", () => {
  it("F-17 64 file descriptors, all in use: a typed error, and a session when there is room again", async () => {
    const { code, lines, stderr } = await limited("descriptors", "ulimit -n 64");
    assert.deepEqual(lines, ["ERR_CONNECT_FAILED", "open"], stderr);
    assert.equal(code, 0);
  });

  it("F-17 64 MB of heap: a call and 3,000 RPCs fit", async () => {
    const { code, lines, stderr } = await limited("memory", "true", [
      "--v8-flags=--max-old-space-size=64",
    ]);
    assert.deepEqual(lines, ["heard 25", "answered 3000"], stderr);
    assert.equal(code, 0);
  });
});

describe("F-08 a small MTU without ICMP", () => {
  it("F-08 in a network namespace of its own whose only link carries 1,280 bytes: it connects, talks and asks", async (t) => {
    const link = "ip link set lo up && ip link set lo mtu 1280";
    const probe = await run("unshare", ["-n", "sh", "-c", link]);
    if (probe.code !== 0) {
      const why = `no network namespaces here: ${probe.stderr.trim() || "unshare is missing"}`;
      console.log(`F-08 SKIPPED: ${why}`);
      return t.skip(why);
    }
    const own = [process.execPath, "run", "-A", "--quiet", "--no-check", SCRIPT, "mtu"];
    const { code, lines, stderr } = await run("unshare", [
      ...["-n", "sh", "-c", `${link} && exec "$@"`, "sh"],
      ...own,
    ]);
    assert.deepEqual(lines, ["heard 25", "answered 50"], stderr);
    assert.equal(code, 0);
  });
});

describe("F-14 the gateway stalls", () => {
  it("F-14 for 1 s and for 5 s under a talking call: RPCs wait, the session stays, the call talks on", async () => {
    await using host = await GatewayHost.start();
    await using client = new TeleQuickClient(host.endpoint, host.account, false, {
      serverCertificateHash: host.certificatePem,
      requestTimeoutMs: 30_000,
    });
    const call = await client.dial({ to: "+15550100", trunkId: "main" });
    await call.answered();
    const link = call.audio({ silence: "send" });
    const frames = link.readable.getReader();
    await frames.read();
    for (const stalledMs of [1_000, 5_000]) {
      host.suspend(true);
      const going = setTimeout(() => host.suspend(false), stalledMs);
      await client.streamEvents(client.clientId);
      clearTimeout(going);
      const { sent } = link.stats();
      while ((await frames.read()).value!.sequenceNumber < sent);
    }
    assert.equal(client.stats().session.opened, 1, "it was not given up");
    assert.equal(client.stats().rpc.timedOut, 0);
    frames.releaseLock();
    await call.hangUp();
    assert.equal((await call.ended).q850Cause, 16);
  });
});

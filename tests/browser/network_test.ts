import { strictEqual as equal } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { hears } from "./support/page_checks.ts";
import { openStage } from "./support/stage.ts";
import { until } from "./support/wait.ts";

/** Ends Chromium's process for the network: every session and every request of its pages breaks off at once. */
async function endNetwork(browser: Browser): Promise<void> {
  const protocol = await browser.newBrowserCDPSession();
  const { processInfo } = await protocol.send("SystemInfo.getProcessInfo");
  await protocol.detach();
  const commands = await Promise.all(
    processInfo.map(async ({ id }) => ({
      id,
      command: await readFile(`/proc/${id}/cmdline`, "utf8"),
    })),
  );
  const networks = commands.filter(({ command }) =>
    command.includes("network.mojom.NetworkService")
  );
  equal(networks.length, 1);
  Deno.kill(networks[0]!.id, "SIGKILL");
}

Deno.test("a page whose browser drops everything at once reports it, comes back, and its call goes on", async () => {
  await using stage = await openStage();
  await stage.call("open", {});
  await stage.call("dial", { to: "+15550106" });
  await hears(stage, true);
  const received = async (): Promise<number> =>
    (await stage.call<{ received: number }>("clientStats")).received;
  await stage.call("statuses");
  await endNetwork(stage.browser);
  const statuses: string[] = [];
  await until(
    async () => {
      statuses.push(...await stage.call<string[]>("statuses"));
      return statuses;
    },
    () => statuses.includes("open"),
  );
  equal(statuses[0], "reconnecting");
  const before = await received();
  await until(received, (now) => now > before);
  await hears(stage, true);
});

import type { CheckResult } from "../../tests/conformance/mod.ts";
import { liveChecks } from "../../tests/live/everywhere/checks.ts";
import { deskAt } from "../../tests/live/everywhere/desk.ts";
import { aioquicLegs } from "./aioquic_legs.ts";
import { type Browser, chromium, firefox, openPage } from "./browser.ts";
import { type Consumer, installConsumer } from "./consumer.ts";
import { type DeskServer, openDesk } from "./desk.ts";
import { type Leg, type LegResult, runModule } from "./legs.ts";
import {
  bun,
  deno,
  newestNode,
  node,
  oldestNode,
  type Runtime,
  withAddonLibrary,
} from "./runtimes.ts";

const LIVE = "tests/live/everywhere";

/** What gateways run on. */
interface Gateways {
  readonly suite: string;
  command(): Promise<readonly [string, ...string[]]>;
}

/** What a client runs on. */
interface Client {
  readonly runtime: string;
  run(desk: DeskServer): Promise<LegResult>;
}

/**
 * The live suite over QUIC: every client against the gateway on Deno, one of each kind against the gateway on Bun.
 *
 * @param tarball The package's.
 */
export async function liveLegs(tarball: string): Promise<readonly Leg[]> {
  const addon = { "@moq/web-transport": "0.1.4" };
  const consumer = await installConsumer("consumer-live", tarball, addon);
  const { quick, slow } = liveChecks(deskAt(""), { name: "", endpoint: "", certificateHash: "" });
  const leg = ({ suite, command }: Gateways, { runtime, run }: Client): Leg => ({
    suite,
    runtime,
    checks: quick.length + slow.length,
    async run() {
      await using desk = await openDesk(await command());
      return await run(desk);
    },
  });
  const onDeno = {
    suite: "live, Deno listens",
    command: () => Promise.resolve([...deno().command, `${LIVE}/gateway.ts`] as const),
  };
  const gateway = await consumer.bundle(`${LIVE}/gateway.ts`, "installed");
  const onBun = {
    suite: "live, Bun listens",
    command: async () => [...(await withAddonLibrary(await bun())).command, gateway] as const,
  };
  const { inDeno, inBun, inNode, inNewestNode, inChromium, inFirefox } = await clientsOf(consumer);
  const onQuiche = await quicheClient(tarball);
  return [
    ...[inDeno, inBun, inNode, inNewestNode, onQuiche, inChromium, inFirefox].map((client) =>
      leg(onDeno, client)
    ),
    ...[inDeno, inBun, onQuiche, inChromium, inFirefox].map((client) => leg(onBun, client)),
    ...aioquicLegs,
  ];
}

async function clientsOf(
  consumer: Consumer,
): Promise<
  Record<"inDeno" | "inBun" | "inNode" | "inNewestNode" | "inChromium" | "inFirefox", Client>
> {
  const module = await consumer.bundle(`${LIVE}/run/console.ts`, "installed");
  const pageModule = await consumer.bundle(`${LIVE}/run/page.ts`, "inside");
  const withAddon = (runtime: string, find: () => Promise<Runtime>): Client => ({
    runtime,
    run: async (desk) => await runWithDesk(await withAddonLibrary(await find()), module, desk),
  });
  const inPage = (browser: Browser): Client => ({
    runtime: browser.name,
    async run(desk) {
      await using page = await openPage(browser, pageModule, (request) => desk.serve(request));
      return { title: page.title, results: await page.call("live") as CheckResult[] };
    },
  });
  return {
    inDeno: {
      runtime: "Deno",
      run: (desk) => runWithDesk(deno(), `${LIVE}/run/console.ts`, desk),
    },
    inBun: withAddon("Bun", bun),
    inNode: withAddon(`Node ${oldestNode}`, () => node(oldestNode)),
    inNewestNode: withAddon(`Node ${newestNode}`, () => node(newestNode)),
    inChromium: inPage(chromium),
    inFirefox: inPage(firefox),
  };
}

/** The machine's own Node, with the package that does without a new C library. */
async function quicheClient(tarball: string): Promise<Client> {
  const quiche = { "@matrixai/quic": "2.0.9" };
  const consumer = await installConsumer("consumer-quiche", tarball, quiche);
  const module = await consumer.bundle(`${LIVE}/run/console.ts`, "installed");
  return {
    runtime: "Node on quiche",
    async run(desk) {
      const runtime = await node(oldestNode);
      const { title, results } = await runWithDesk(runtime, module, desk);
      return { title: `${title} with @matrixai/quic`, results };
    },
  };
}

/** Runs the console's module with a desk that it can ask over HTTP. */
async function runWithDesk(
  runtime: Runtime,
  module: string,
  desk: DeskServer,
): Promise<LegResult> {
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  await using server = Deno.serve(options, (request) => desk.serve(request));
  return await runModule(runtime, [module, `http://127.0.0.1:${server.addr.port}`]);
}

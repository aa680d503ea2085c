import * as esbuild from "esbuild";
import { chromium, type Locator } from "playwright-core";
import { findChromium } from "./browser.ts";
import { need } from "./install.ts";
import { bun, newestNode, node, oldestNode, type Runtime, withAddonLibrary } from "./runtimes.ts";
import { run } from "../support/run.ts";
import { root } from "../support/source.ts";

/** The panel outside of Deno. */
export interface PanelLeg {
  readonly title: string;
  /** What was wrong; empty when nothing was. */
  run(tarball: string): Promise<readonly string[]>;
}

const ADDON = "@moq/web-transport@0.1.4";
const CLI = "node_modules/@telequick/sdk/esm/cli.js";
const GUARD_TEST = "tests/security/panel_test.ts";
const LONGEST_MS = 60_000;
// There is no proxy at this address: every HTTP request to another machine fails.
const nowhere = {
  HTTP_PROXY: "http://127.0.0.1:9",
  HTTPS_PROXY: "http://127.0.0.1:9",
  NO_PROXY: "127.0.0.1,localhost",
};
// Of a meter that shows the root of the level.
const AUDIBLE = 0.2;

/** A whole agent: it calls the person, speaks, and says when it hears the person. */
const agent = `import { TeleQuickClient } from "@telequick/sdk";

const client = new TeleQuickClient();
const call = await client.dial({ to: "+15550120" });
console.log("ringing");
await call.answered();
const link = call.audio({ codec: "PCM16", sampleRate: 16_000 });

// What a voice model would say.
const speech = Int16Array.from({ length: 96_000 }, (_, i) => 8_000 * Math.sin(i / 6));
const speaking = link.play(speech);

for await (const samples of link.samples) {
  if (samples.some((sample) => Math.abs(sample) > 1_000)) break;
}
console.log("heard the person");
await speaking.finished;
await call.hangUp();
console.log((await call.ended).cause);
await client.close();
`;

/** A gateway in a process of its own. */
interface GatewayProcess extends AsyncDisposable {
  /** What it printed when it was ready. */
  readonly record: Readonly<Record<string, string>>;
  /** The panel's URL. */
  readonly panel: string;
}

async function startGateway(folder: string, { command }: Runtime): Promise<GatewayProcess> {
  const [program, ...args] = command;
  const child = new Deno.Command(program, {
    args: [...args, CLI, "gateway", "--ui", "--json"],
    cwd: folder,
    env: nowhere,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  // The gateway's line, then the panel's.
  while (text.split("\n").length < 3) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`telequick gateway ended: ${text}`);
    text += value;
  }
  const [record, panel] = text.split("\n");
  return {
    record: JSON.parse(record!),
    panel: JSON.parse(panel!).url,
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT");
      await reader.cancel();
      await child.status;
    },
  };
}

/** What npm is asked for: nothing of the machine's own cache, and no question that is not part of an installation. */
function npmInstall(tarball: string, cache: string, ...flags: readonly string[]): string[] {
  return ["install", "--no-audit", "--no-fund", "--cache", cache, ...flags, tarball, ADDON];
}

/**
 * From an empty folder to a conversation, offline: install, start the gateway, turn the phone on, let an agent dial, answer, hear it. Three commands
 * and one minute. npm's cache is filled before that, as it is on a machine that had the packages once.
 */
async function journey(tarball: string): Promise<readonly string[]> {
  const scratch = await Deno.makeTempDir({ prefix: "panel-journey-" });
  try {
    const [cache, before, folder] = ["cache", "before", "journey"].map((name) =>
      `${scratch}/${name}`
    ) as [string, string, string];
    await Deno.mkdir(before);
    await Deno.mkdir(folder);
    await need("npm", npmInstall(tarball, cache), { cwd: before });
    const runtime = await withAddonLibrary(await node(newestNode));
    await Deno.writeTextFile(`${folder}/agent.mjs`, agent);

    const start = performance.now();
    await need("npm", npmInstall(tarball, cache, "--offline"), { cwd: folder, env: nowhere });
    await using gateway = await startGateway(folder, runtime);
    const wrong = await talk(gateway, folder, runtime);
    const took = performance.now() - start;
    return took <= LONGEST_MS ? wrong : [...wrong, `It took ${Math.round(took)} ms`];
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function talk(
  { record, panel }: GatewayProcess,
  folder: string,
  { command: [program, ...args] }: Runtime,
): Promise<readonly string[]> {
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [
      // Chromium's own sandbox needs rights that a container does not have.
      "--no-sandbox",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
    ],
  });
  try {
    const page = await browser.newPage();
    await page.goto(panel);
    await page.getByRole("button", { name: "Turn the phone on" }).click();
    await page.getByText("Waiting for a call").waitFor();
    const ended = run(program, [...args, "agent.mjs"], {
      cwd: folder,
      env: {
        ...nowhere,
        TELEQUICK_ENDPOINT: record["endpoint"]!,
        TELEQUICK_CERTIFICATE_HASH: record["certificateHash"]!,
        TELEQUICK_CREDENTIALS: record["credentials"]!,
        TELEQUICK_TRUNK: record["trunkId"]!,
      },
      timeoutMs: LONGEST_MS,
    });
    await page.getByRole("button", { name: "Answer" }).click({ timeout: LONGEST_MS });
    const loudest = await loudestOf(page.getByLabel("Level: Program"), ended);
    const { ok, stdout, output } = await ended;
    const isGood = ok && /^heard the person$/m.test(stdout) &&
      /^normal call clearing$/m.test(stdout);
    return [
      ...(loudest > AUDIBLE ? [] : [`The page did not hear the agent: its level was ${loudest}`]),
      ...(isGood ? [] : [output]),
    ];
  } finally {
    await browser.close();
  }
}

/** The highest value that a meter shows until something has ended. */
async function loudestOf(meter: Locator, ended: Promise<unknown>): Promise<number> {
  let isOver = false;
  void ended.finally(() => isOver = true);
  let loudest = 0;
  while (!isOver) loudest = Math.max(loudest, Number(await meter.getAttribute("value")));
  return loudest;
}

/** The attacks on the panel in raw HTTP, on a runtime other than Deno. */
async function guardOn(
  { command: [program, ...args] }: Runtime,
  flags: readonly string[],
): Promise<readonly string[]> {
  const folder = await Deno.makeTempDir({ prefix: "panel-guard-" });
  try {
    const file = `${folder}/panel_test.mjs`;
    await esbuild.build({
      absWorkingDir: root.pathname,
      entryPoints: [GUARD_TEST],
      bundle: true,
      platform: "node",
      format: "esm",
      target: "es2022",
      outfile: file,
    });
    await esbuild.stop();
    const { ok, output } = await run(program, [...args, ...flags, file], { timeoutMs: LONGEST_MS });
    return ok ? [] : [output];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The panel's legs. */
export const panelLegs: readonly PanelLeg[] = [
  { title: "from an empty folder to a conversation, offline, Chromium and Node", run: journey },
  ...[oldestNode, newestNode].map((version) => ({
    title: `attacks in raw HTTP, Node ${version}`,
    run: async () => await guardOn(await node(version), ["--test"]),
  })),
  { title: "attacks in raw HTTP, Bun", run: async () => await guardOn(await bun(), ["test"]) },
];

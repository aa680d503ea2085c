import { markdownBlocks } from "../checks/support/blocks.ts";
import { bun, deno, node, nodeVersions, type Runtime, withAddonLibrary } from "./runtimes.ts";
import { run, type RunResult } from "../support/run.ts";
import { root } from "../support/source.ts";

/** From an empty folder to a call that is heard, as README.md says, on one runtime. */
export interface FirstMinutes {
  readonly title: string;
  /** What was wrong; empty when the program ended by itself and the call was heard. */
  run(tarball: string): Promise<readonly string[]>;
}

const ADDON = "@moq/web-transport@0.1.4";
const PROGRAM = "first.mjs";
const CLI = "node_modules/@telequick/sdk/esm/cli.js";
const LONGEST_MS = 120_000;
// What the README's program prints: samples that came back, and how the call ended.
const HEARD = /^heard \d+ samples\nnormal call clearing$/m;

/** README.md's first program, unedited. */
async function firstProgram(): Promise<string> {
  const page = await Deno.readTextFile(new URL("README.md", root));
  const program = markdownBlocks("README.md", page).find(({ language }) => language === "js");
  if (program === undefined) throw new Error("README.md has no program: expected a js block");
  return program.code;
}

/** An empty folder with the program in it, and a `PATH` on which the runtimes are found by their names. */
async function openFolder(
  runtimes: Readonly<Record<string, Runtime>>,
): Promise<{ readonly folder: string; readonly env: Record<string, string> }> {
  const folder = await Deno.makeTempDir({ prefix: "first-" });
  await Deno.writeTextFile(`${folder}/${PROGRAM}`, await firstProgram());
  const bin = `${folder}/.bin`;
  await Deno.mkdir(bin);
  for (const [name, { command }] of Object.entries(runtimes)) {
    const words = command.map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }
  const env = {
    PATH: `${bin}:${Deno.env.get("PATH")}`,
    npm_config_update_notifier: "false",
    npm_config_fund: "false",
  };
  return { folder, env };
}

async function inFolder(
  runtimes: Readonly<Record<string, Runtime>>,
  work: (
    step: (command: string, ...args: readonly string[]) => Promise<RunResult>,
    folder: string,
  ) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const { folder, env } = await openFolder(runtimes);
  try {
    return await work(
      (command, ...args) => run(command, args, { cwd: folder, env, timeoutMs: LONGEST_MS }),
      folder,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function judge({ ok, stdout, output }: RunResult): readonly string[] {
  return ok && HEARD.test(stdout) ? [] : [output];
}

function onNode(version: string): FirstMinutes {
  return {
    title: `Node ${version}`,
    run: async (tarball) =>
      await inFolder({ node: await withAddonLibrary(await node(version)) }, async (step) => {
        const installed = await step("npm", "install", tarball, ADDON);
        if (!installed.ok) return [installed.output];
        return judge(
          await step("npx", "telequick", "gateway", "exec", "--", "node", PROGRAM),
        );
      }),
  };
}

const onBun: FirstMinutes = {
  title: "Bun",
  run: async (tarball) =>
    await inFolder({ bun: await withAddonLibrary(await bun()) }, async (step) => {
      // Bun's own installer starts itself again by its path, which is the loader's where one is needed.
      const installed = await step("npm", "install", tarball, ADDON);
      if (!installed.ok) return [installed.output];
      return judge(await step("bun", CLI, "gateway", "exec", "--", "bun", PROGRAM));
    }),
};

/** What a program of the README's kind needs in Deno, and what the error says where one of them is missing. */
const permissions: readonly { readonly flag: (env: Env) => string; readonly error: RegExp }[] = [
  { flag: () => "--unstable-net", error: /--unstable-net/ },
  {
    flag: () => `--allow-env=${variables.join(",")}`,
    error: /--allow-env=TELEQUICK_|not allowed to read the environment/,
  },
  {
    flag: ({ TELEQUICK_CREDENTIALS: file }) => `--allow-read=${file}`,
    error: /--allow-read="\S+"/,
  },
  {
    flag: ({ TELEQUICK_ENDPOINT: url }) => `--allow-net=${new URL(url!).host}`,
    error: /--allow-net=127\.0\.0\.1:\d+/,
  },
];

type Env = Readonly<Record<string, string>>;

const variables = [
  "TELEQUICK_ENDPOINT",
  "TELEQUICK_CERTIFICATE_HASH",
  "TELEQUICK_CREDENTIALS",
  "TELEQUICK_TRUNK",
];

const onDeno: FirstMinutes = {
  title: "Deno",
  run: async (tarball) => {
    const { command: [command] } = deno();
    return await inFolder({ deno: { title: "Deno", command: [command] } }, async (step, folder) => {
      const installed = await step("npm", "install", tarball);
      if (!installed.ok) return [installed.output];
      const all = ["run", "-A", "--unstable-net"];
      const first = judge(
        await step("deno", ...all, CLI, "gateway", "exec", "--", "deno", ...all, PROGRAM),
      );
      return [...first, ...await withLeastPermissions(step, folder)];
    });
  },
};

/** Runs the program with what it needs and nothing more, then without each of these in turn. */
async function withLeastPermissions(
  step: (command: string, ...args: readonly string[]) => Promise<RunResult>,
  folder: string,
): Promise<string[]> {
  // `gateway exec` runs one command: the shell is it, and prints the environment that the command has.
  const script = `${folder}/permissions.sh`;
  const run = (flags: readonly string[]): string =>
    `deno run --no-prompt ${flags.join(" ")} ${PROGRAM} 2>&1; echo "code $?"; echo ====`;
  const flagsOf = (without: number): string[] =>
    permissions.filter((_, index) => index !== without)
      .map(({ flag }) =>
        flag({
          TELEQUICK_CREDENTIALS: "$TELEQUICK_CREDENTIALS",
          TELEQUICK_ENDPOINT: "https://host.invalid",
        })
          .replace("host.invalid", "${TELEQUICK_ENDPOINT#https://}")
      );
  const runs = [-1, ...permissions.keys()].map((without) => run(flagsOf(without)));
  await Deno.writeTextFile(script, runs.join("\n"));
  const { output } = await step(
    "deno",
    ...["run", "-A", "--unstable-net", CLI, "gateway", "exec", "--", "sh", script],
  );
  const [least = "", ...others] = output.split("====\n");
  const faults = HEARD.test(least) && least.includes("code 0")
    ? []
    : [`with the least permissions:\n${least}`];
  for (const [index, { error }] of permissions.entries()) {
    const text = others[index] ?? "";
    if (error.test(text) && !text.includes("code 0")) continue;
    faults.push(`without permission ${index + 1} the output does not hold ${error}:\n${text}`);
  }
  return faults;
}

const QUICHE = "@matrixai/quic@2.0.9";

/**
 * On Linux with an older C library than the addon needs: the sentence leads to a way that works there, which is then gone: the gateway on
 * Deno, the program on Node over another package.
 */
const onOldLibrary: FirstMinutes = {
  title: "Node, where the addon does not load",
  run: async (tarball) => {
    const loads = (await withAddonLibrary({ title: "", command: ["node"] })).command.length === 1;
    if (loads) return [];
    const { command: [command] } = deno();
    const runtimes = { node: await node(), deno: { title: "Deno", command: [command] } } as const;
    return await inFolder(runtimes, async (step) => {
      const installed = await step("npm", "install", tarball, ADDON);
      if (!installed.ok) return [installed.output];
      const refused = await step("npx", "telequick", "gateway", "exec", "--", "node", PROGRAM);
      const [, advice] = /what works here: .*\(npx (deno run .*)\)$/m.exec(refused.output) ?? [];
      if (advice === undefined) return [refused.output];
      const other = await step("npm", "install", QUICHE);
      if (!other.ok) return [other.output];
      const [first = "", ...words] = advice.split(" ");
      return judge(await step(first, ...words, "exec", "--", "node", PROGRAM));
    });
  },
};

/** Every runtime on which the README's first program has to run as it stands. */
export const firstMinutes: readonly FirstMinutes[] = [
  ...nodeVersions.map(onNode),
  onOldLibrary,
  onBun,
  onDeno,
];

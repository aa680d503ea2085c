import { type Figure, percentile, scenario } from "./support/scenario.ts";

const programs = ["empty", "ours", "jose", "bare"] as const;
type Program = (typeof programs)[number];

/** A runtime with the programs in it. */
interface Leg {
  readonly title: string;
  /** The command that runs a program. */
  readonly command: (program: Program) => readonly string[];
  /** The most of jose's CPU time that ours can add. Default: no such target. */
  readonly atMost?: number;
}

// WebCrypto's share is the runtime's, and the same for both: what is left is what the libraries cost.
const MOST_WITHOUT_WEBCRYPTO = 0.5;

// The shell counts whole milliseconds: so many processes in sequence give a finer mean.
const RUNS = 4;

/** CPU time of a process from its start to its end, all threads, in milliseconds: what else the machine does hardly counts. */
async function cpuOf(command: readonly string[], cwd: URL): Promise<number> {
  const { code, stdout } = await new Deno.Command("bash", {
    args: [
      "-c",
      `for i in {1..${RUNS}}; do "$@" > /dev/null || exit 1; done; times`,
      "bash",
      ...command,
    ],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  // The shell's own times, then those of what it ran.
  const [, times = ""] = new TextDecoder().decode(stdout).split("\n");
  const parts = [...times.matchAll(/(\d+)m([\d.]+)s/g)];
  if (code !== 0 || parts.length !== 2) throw new Error(`Cannot measure ${command.join(" ")}`);
  const sum = parts.reduce((sum, [, m, s]) => sum + Number(m) * 60_000 + Number(s) * 1_000, 0);
  return sum / RUNS;
}

async function coldStart(
  { title, command, atMost }: Leg,
  folder: URL,
  rounds: number,
): Promise<readonly Figure[]> {
  const samples: Record<Program, number[]> = { empty: [], ours: [], jose: [], bare: [] };
  // The first round fills the caches of the system and of the runtime.
  for (let round = -1; round < rounds; round++) {
    for (const program of programs) {
      const taken = await cpuOf(command(program), folder);
      if (round >= 0) samples[program].push(taken);
    }
  }
  // What else the machine does can only add: the lower quartile is steadier than the median.
  const cpu = (name: Program): number => percentile(samples[name], 0.25);
  const added = (name: Exclude<Program, "empty">): number => cpu(name) - cpu("empty");
  return [
    { what: `${title}: an empty process`, value: cpu("empty"), unit: "ms" },
    { what: `${title}: ours adds`, value: added("ours"), unit: "ms" },
    { what: `${title}: jose adds`, value: added("jose"), unit: "ms" },
    { what: `${title}: WebCrypto alone adds`, value: added("bare"), unit: "ms" },
    {
      what: `${title}: of jose's`,
      value: added("ours") / added("jose"),
      unit: "x",
      ...(atMost === undefined ? {} : { atMost }),
    },
    {
      what: `${title}: of jose's, both without WebCrypto`,
      value: (added("ours") - added("bare")) / (added("jose") - added("bare")),
      unit: "x",
      atMost: MOST_WITHOUT_WEBCRYPTO,
    },
  ];
}

/** Writes what starts each program: in a process, and as a worker in one module, as the edge's tools make it. */
async function writeStarts(folder: URL): Promise<void> {
  const esbuild = await import("esbuild");
  const sources = new URL("cold_start/", import.meta.url);
  const [ofProcess, ofWorker] = await Promise.all(
    ["process", "worker"].map((name) => Deno.readTextFile(new URL(`${name}.mjs`, sources))),
  ) as [string, string];
  for (const program of programs) {
    await Deno.copyFile(new URL(`${program}.mjs`, sources), new URL(`${program}.mjs`, folder));
    const start = (text: string): string => text.replace("./ours.mjs", `./${program}.mjs`);
    await Deno.writeTextFile(new URL(`${program}_process.mjs`, folder), start(ofProcess));
    await esbuild.build({
      stdin: { contents: start(ofWorker), resolveDir: folder.pathname },
      outfile: new URL(`${program}_worker.js`, folder).pathname,
      ...{ bundle: true, format: "esm", platform: "neutral", target: "es2024" },
    });
    await Deno.writeTextFile(
      new URL(`${program}.capnp`, folder),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  compatibilityDate = "2026-01-01",
  modules = [(name = "main", esModule = embed "${program}_worker.js")],
  bindings = [(name = "account", text = embed "account.json")],
))]);
`,
    );
  }
  await esbuild.stop();
}

scenario({
  name: "cold start: from a service account's file to its first token, CPU",
  async run({ full }) {
    // Other runtimes have no Deno to start processes with.
    if (!("Deno" in globalThis)) return [];
    const { install } = await import("../../scripts/matrix/install.ts");
    const { packPackage } = await import("../../scripts/build/package.ts");
    const { bun, deno, newestNode, node, oldestNode, workerd } = await import(
      "../../scripts/matrix/runtimes.ts"
    );
    const { generateServiceAccount } = await import("../../mod.ts");

    const { tarball } = await packPackage();
    const folder = await install("cold-start", { "@telequick/sdk": tarball, "jose": "6.2.18" });
    const { json } = await generateServiceAccount({ tenantId: "acme" });
    await Deno.writeTextFile(new URL("account.json", folder), json);
    await writeStarts(folder);

    const inProcess = (
      { title, command }: { readonly title: string; readonly command: readonly string[] },
      atMost: number,
    ): Leg => ({ title, atMost, command: (program) => [...command, `${program}_process.mjs`] });
    const { title, command: [program] } = deno();
    // The installed packages, as elsewhere, and not the source that the repository's configuration names.
    const alone = ["--no-config", "--no-lock", "--node-modules-dir=manual", "--no-check"];
    const edge = await workerd();
    const legs: readonly Leg[] = [
      inProcess(await node(oldestNode), 0.3),
      inProcess(await node(newestNode), 0.3),
      inProcess(await bun(), 0.5),
      inProcess({ title, command: [program, "run", "-A", "--quiet", ...alone] }, 0.5),
      {
        title: edge.title,
        command: (program) => [...edge.command, "test", `${program}.capnp`],
      },
    ];
    const figures: Figure[] = [];
    for (const leg of legs) figures.push(...await coldStart(leg, folder, full ? 20 : 5));
    return figures;
  },
});

import type { Runtime } from "../../scripts/matrix/runtimes.ts";
import { median } from "./support/bench.ts";
import { type Figure, scenario } from "./support/scenario.ts";

const programs = ["empty", "ours", "jose", "bare"] as const;

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
  { title, command }: Runtime,
  folder: URL,
  rounds: number,
  atMost: number,
): Promise<readonly Figure[]> {
  const samples: Record<(typeof programs)[number], number[]> = {
    ...{ empty: [], ours: [], jose: [], bare: [] },
  };
  // The first round fills the caches of the system and of the runtime.
  for (let round = -1; round < rounds; round++) {
    for (const program of programs) {
      const taken = await cpuOf([...command, `${program}.mjs`], folder);
      if (round >= 0) samples[program].push(taken);
    }
  }
  const added = (name: Exclude<(typeof programs)[number], "empty">): number =>
    median(samples[name]) - median(samples.empty);
  return [
    { what: `${title}: an empty process`, value: median(samples.empty), unit: "ms" },
    { what: `${title}: ours adds`, value: added("ours"), unit: "ms" },
    { what: `${title}: jose adds`, value: added("jose"), unit: "ms" },
    { what: `${title}: WebCrypto alone adds`, value: added("bare"), unit: "ms" },
    { what: `${title}: of jose's`, value: added("ours") / added("jose"), unit: "x", atMost },
    {
      what: `${title}: of jose's, both without WebCrypto`,
      value: (added("ours") - added("bare")) / (added("jose") - added("bare")),
      unit: "x",
      atMost: MOST_WITHOUT_WEBCRYPTO,
    },
  ];
}

scenario({
  name: "cold start: from a service account's file to its first token, CPU",
  async run({ full }) {
    // Other runtimes have no Deno to start processes with.
    if (!("Deno" in globalThis)) return [];
    const { install } = await import("../../scripts/matrix/install.ts");
    const { packPackage } = await import("../../scripts/build/package.ts");
    const { bun, deno, newestNode, node, oldestNode } = await import(
      "../../scripts/matrix/runtimes.ts"
    );
    const { generateServiceAccount } = await import("../../mod.ts");

    const { tarball } = await packPackage();
    const folder = await install("cold-start", { "@telequick/sdk": tarball, "jose": "6.2.18" });
    for (const program of programs) {
      const source = new URL(`cold_start/${program}.mjs`, import.meta.url);
      await Deno.copyFile(source, new URL(`${program}.mjs`, folder));
    }
    const { json } = await generateServiceAccount({ tenantId: "acme" });
    await Deno.writeTextFile(new URL("account.json", folder), json);

    const { title, command: [program] } = deno();
    // The installed packages, as elsewhere, and not the source that the repository's configuration names.
    const alone = ["--no-config", "--no-lock", "--node-modules-dir=manual", "--no-check"];
    const command = [program, "run", "-A", "--quiet", ...alone] as const;
    const rounds = full ? 15 : 5;
    return [
      ...await coldStart(await node(oldestNode), folder, rounds, 0.3),
      ...await coldStart(await node(newestNode), folder, rounds, 0.3),
      ...await coldStart(await bun(), folder, rounds, 0.5),
      ...await coldStart({ title, command }, folder, rounds, 0.5),
    ];
  },
});

/**
 * Mutation testing by room: `deno task mutation [room...] [--sample=300] [--seed=1] [--jobs=2]`.
 *
 * StrykerJS makes the mutants (`@stryker-mutator/instrumenter`); what runs them is ours, since its command runner neither samples by
 * a seed nor resumes, and knows no tests of Deno. Each mutant runs only those test files that execute it. Results are appended to
 * `.cache/mutation/<room>.jsonl`, and a run that was interrupted goes on where it stopped while the sources are the same.
 * Mutations of string literals are left out: they change the words of messages, which tests quote only in part.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { cache, install, need } from "./matrix/install.ts";
import { run } from "./support/run.ts";
import { readSources, root } from "./support/source.ts";
import { print } from "./support/terminal.ts";

/** A part of the source, and the tests that are to find its faults. */
interface Subject {
  readonly sources: readonly string[];
  readonly tests: readonly string[];
}

const subjects: Readonly<Record<string, Subject>> = {
  "token": { sources: ["src/token"], tests: ["tests/unit/token", "tests/security/token_"] },
  "credentials": { sources: ["src/credentials"], tests: ["tests/unit/credentials"] },
  "gateway/auth": {
    sources: ["src/gateway/auth"],
    tests: ["tests/unit/gateway/auth", "tests/security/admission", "tests/security/revocation"],
  },
  "wire/frames": {
    sources: ["frame", "frame_reader", "envelope", "reader", "writer", "reply_reader", "refusal"]
      .map((name) => `src/wire/${name}.ts`),
    tests: ["tests/unit/wire"],
  },
  "client/rpc": {
    sources: ["src/client/rpc"],
    tests: ["tests/unit/client/rpc", "tests/unit/client/call", "tests/conformance/deno_test.ts"],
  },
  "client/session": {
    sources: ["src/client/session"],
    tests: ["tests/unit/client/session", "tests/unit/client/check_test.ts"],
  },
};

interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  /** `"Ignored"` for a mutation that is left out. */
  readonly status?: string;
  readonly location: { readonly start: { readonly line: number } };
}

interface Result {
  readonly key: string;
  readonly outcome: "killed" | "survived" | "not covered" | "timed out";
}

interface Instrumented {
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly mutants: readonly Mutant[];
}

const TEST_LIMIT_MS = 90_000;

/** Mulberry32: the same sample for the same seed. */
export function sample<T>(all: readonly T[], size: number, seed: number): T[] {
  let state = seed >>> 0;
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const pool = [...all];
  const chosen: T[] = [];
  while (chosen.length < size && pool.length > 0) {
    chosen.push(...pool.splice(Math.floor(random() * pool.length), 1));
  }
  return chosen;
}

/** Makes every mutant of some files. Runs in a process of its own, beside the packages that it needs. */
async function instrument(sources: ReadonlyMap<string, string>): Promise<Instrumented> {
  const folder = await install("stryker", { "@stryker-mutator/instrumenter": "10.1.1" });
  await Deno.writeTextFile(
    new URL("instrument.mjs", folder),
    `import { readFileSync, writeFileSync } from "node:fs";
    import { Instrumenter } from "@stryker-mutator/instrumenter";
    const silent = () => {};
    const logger = { debug: silent, info: silent, warn: silent, isDebugEnabled: () => false };
    const files = JSON.parse(readFileSync("sources.json", "utf8"))
      .map(([name, content]) => ({ name, content, mutate: true }));
    const options = { plugins: null, ignorers: [], excludedMutations: ["StringLiteral"] };
    const result = await new Instrumenter(logger).instrument(files, options);
    writeFileSync("instrumented.json", JSON.stringify(result));`,
  );
  await Deno.writeTextFile(new URL("sources.json", folder), JSON.stringify([...sources]));
  const args = ["run", "-A", "--no-config", "--node-modules-dir=manual", "instrument.mjs"];
  await need(Deno.execPath(), args, { cwd: folder });
  return JSON.parse(await Deno.readTextFile(new URL("instrumented.json", folder)));
}

/** A copy of the repository with mutants in it, which a variable of the environment selects. */
async function prepare(room: string, files: Instrumented["files"]): Promise<string> {
  const folder = new URL(`mutation/${room.replace("/", "-")}/`, cache).pathname;
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["deno.json", "deno.lock", "mod.ts", "README.md", "src", "tests", "scripts"]) {
    await run("cp", ["-r", new URL(name, root).pathname, folder]);
  }
  for (const { name, content } of files) {
    // Reading the environment needs a permission that some tests take away: the preloaded module selects the mutant.
    const plain = content.replace(/if \(ns\.activeMutant === undefined[^{]*\{[^}]*\}/, "");
    await Deno.writeTextFile(`${folder}${name}`, plain);
  }
  await Deno.writeTextFile(
    `${folder}preload.ts`,
    `const stryker: any = (globalThis as any).__stryker__ ??= {};
    const [active, covered] = [Deno.env.get("ACTIVE_MUTANT"), Deno.env.get("COVERED")];
    if (active !== undefined) stryker.activeMutant = active;
    if (covered !== undefined) globalThis.addEventListener("unload", () => {
      Deno.writeTextFileSync(covered, Object.keys(stryker.mutantCoverage?.static ?? {}).join(" "));
    });`,
  );
  return folder;
}

interface TestFile {
  readonly path: string;
  readonly ms: number;
  readonly covers: ReadonlySet<string>;
}

async function test(folder: string, path: string, env: Readonly<Record<string, string>>) {
  const args = ["test", "-A", "--no-check", "--quiet", "--fail-fast", "--preload=preload.ts", path];
  const startedAt = performance.now();
  const result = await run(Deno.execPath(), args, { cwd: folder, env, timeoutMs: TEST_LIMIT_MS });
  return { ...result, ms: performance.now() - startedAt };
}

async function findTests(folder: string, { tests }: Subject): Promise<TestFile[]> {
  const folders = tests.map((path) =>
    path.replace(/[^/]*$/, (last) => /_$|\.ts$/.test(last) ? "" : last)
  );
  const paths = [...(await readSources([...new Set(folders)])).keys()].filter((path) =>
    path.endsWith("_test.ts") && tests.some((start) => path.startsWith(start))
  );
  const found: TestFile[] = [];
  for (const path of paths) {
    const covered = `${folder}covered.txt`;
    const { ok, output, ms } = await test(folder, path, { COVERED: covered });
    if (!ok) throw new Error(`${path} fails without a mutant:\n${output.slice(-2_000)}`);
    const ids = (await Deno.readTextFile(covered).catch(() => "")).split(" ").filter(Boolean);
    found.push({ path, ms, covers: new Set(ids) });
  }
  return found.sort((a, b) => a.ms - b.ms);
}

async function judge(
  folder: string,
  id: string,
  tests: readonly TestFile[],
): Promise<Result["outcome"]> {
  const covering = tests.filter(({ covers }) => covers.has(id));
  if (covering.length === 0) return "not covered";
  for (const { path } of covering) {
    const { ok, output } = await test(folder, path, { ACTIVE_MUTANT: id });
    if (/killed after/.test(output)) return "timed out";
    if (!ok) return "killed";
  }
  return "survived";
}

async function mutate(room: string, { size, seed, jobs }: Options): Promise<boolean> {
  const subject = subjects[room]!;
  const sources = await readSources(subject.sources);
  const { files, mutants } = await instrument(sources);
  const keyOf = ({ fileName, mutatorName, location, replacement, id }: Mutant): string => {
    const code = replacement.replace(/\s+/g, " ").slice(0, 60);
    return `${fileName}:${location.start.line + 1} ${mutatorName} -> ${code} #${id}`;
  };
  const counted = mutants.filter(({ status }) => status !== "Ignored");
  const chosen = sample(counted, size, seed);
  const log = new URL(`mutation/${room.replace("/", "-")}.jsonl`, cache);
  await Deno.mkdir(new URL(".", log), { recursive: true });
  const state = [...sources.values()].join("").length;
  const lines = (await Deno.readTextFile(log).catch(() => "")).split("\n").filter(Boolean);
  const [first = "", ...rest] = lines;
  const header = JSON.stringify({ state, seed, mutants: counted.length });
  const results: Result[] = first === header ? rest.map((line) => JSON.parse(line)) : [];
  if (first !== header) await Deno.writeTextFile(log, `${header}\n`);
  const isDone = new Set(results.map(({ key }) => key));
  const left = chosen.filter((mutant) => !isDone.has(keyOf(mutant)));
  if (left.length > 0) {
    const folder = await prepare(room, files);
    const tests = await findTests(folder, subject);
    const work = async (): Promise<void> => {
      for (let mutant = left.pop(); mutant !== undefined; mutant = left.pop()) {
        const result = { key: keyOf(mutant), outcome: await judge(folder, mutant.id, tests) };
        results.push(result);
        await Deno.writeTextFile(log, `${JSON.stringify(result)}\n`, { append: true });
      }
    };
    await Promise.all(Array.from({ length: jobs }, work));
    await Deno.remove(folder, { recursive: true });
  }
  const alive = results.filter(({ outcome }) =>
    outcome === "survived" || outcome === "not covered"
  );
  const killed = results.length - alive.length;
  const share = 100 * killed / results.length;
  print(
    `${room}: ${killed} of ${results.length} killed (${
      share.toFixed(1)
    } %), of ${counted.length} mutants`,
  );
  for (const { key, outcome } of alive.toSorted((a, b) => a.key < b.key ? -1 : 1)) {
    print(`  ${outcome}: ${key}`);
  }
  return share >= 90;
}

interface Options {
  readonly size: number;
  readonly seed: number;
  readonly jobs: number;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      sample: { type: "string", default: "300" },
      seed: { type: "string", default: "1" },
      jobs: { type: "string", default: "2" },
    },
  });
  const options = {
    size: Number(values.sample),
    seed: Number(values.seed),
    jobs: Number(values.jobs),
  };
  let isEnough = true;
  for (const room of positionals.length > 0 ? positionals : Object.keys(subjects)) {
    isEnough = await mutate(room, options) && isEnough;
  }
  Deno.exitCode = isEnough ? 0 : 1;
}

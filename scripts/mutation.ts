/**
 * Mutation testing by room: `deno task mutation [room...] [--sample=300] [--seed=1] [--jobs=1]`.
 *
 * StrykerJS makes the mutants (`@stryker-mutator/instrumenter`); what runs them is ours, since its command runner neither samples by
 * a seed nor resumes, and knows no tests of Deno. One process holds all mutants and all tests of a room and runs each mutant against
 * the tests that execute it, fastest first, up to the first that fails. A mutant that loading executes gets a process of its own.
 * A failure counts only if the same test passes right after it without the mutant. A test that does not end kills its mutant.
 * Results are appended to `.cache/mutation/<room>.jsonl`, and a run that was interrupted goes on where it stopped while the sources
 * are the same; what survived is judged again once the tests are not the same.
 * Left out: mutations of string literals (they change the words of messages, which tests quote only in part) and tests that take more
 * than 3 s. Property tests run 40 cases. Both can only lower the score.
 *
 * @module
 */

import { parseArgs } from "node:util";
import ts from "typescript";
import { cache, install, need } from "./matrix/install.ts";
import { Judge, type Outcome } from "./mutation/judge.ts";
import { run } from "./support/run.ts";
import { readSources, root } from "./support/source.ts";
import { print } from "./support/terminal.ts";

/** A part of the source, and the tests that are to find its faults: starts of their paths. */
interface Subject {
  readonly sources: readonly string[];
  readonly tests: readonly string[];
}

const subjects: Readonly<Record<string, Subject>> = {
  "token": {
    sources: ["src/token"],
    tests: ["tests/unit/token", "tests/security/token_", "tests/security/vectors"],
  },
  "credentials": { sources: ["src/credentials"], tests: ["tests/unit/credentials"] },
  "gateway/auth": {
    sources: ["src/gateway/auth"],
    tests: [
      "tests/unit/gateway/auth",
      "tests/security/admin",
      "tests/security/admission",
      "tests/security/gateway_tokens",
      "tests/security/key_registration",
      "tests/security/key_rotation",
      "tests/security/revocation",
      "tests/security/scope_test",
      "tests/security/single_use",
    ],
  },
  "wire/frames": {
    sources: ["frame", "frame_reader", "envelope", "reader", "writer", "reply_reader", "refusal"]
      .map((name) => `src/wire/${name}.ts`),
    tests: ["tests/unit/wire"],
  },
  "client/rpc": {
    sources: ["src/client/rpc"],
    tests: [
      "tests/unit/client/rpc",
      "tests/unit/client/session/request_sender",
      "tests/conformance/deno_test.ts",
    ],
  },
  "client/session": {
    sources: ["src/client/session"],
    tests: [
      "tests/unit/client",
      "tests/conformance/deno_test.ts",
      "tests/security/client_",
      "tests/fault/stream",
      "tests/fault/leaving",
      "tests/fault/token",
    ],
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
  readonly outcome: Outcome;
  readonly ms: number;
  /** Which tests a mutant survived. */
  readonly tests?: string;
}

interface Instrumented {
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly mutants: readonly Mutant[];
}

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
  const settings = JSON.parse(await Deno.readTextFile(`${folder}deno.json`));
  settings.imports["node:test"] = "./scripts/mutation/registry.ts";
  await Deno.writeTextFile(`${folder}deno.json`, JSON.stringify(settings));
  return folder;
}

async function findTests({ tests }: Subject): Promise<Map<string, string>> {
  const folders = tests.map((path) => path.replace(/[^/]*$/, "")).map((path) => path.slice(0, -1));
  const all = await readSources([...new Set(folders)]);
  const isWanted = (path: string): boolean =>
    path.endsWith("_test.ts") && tests.some((start) => path.startsWith(start));
  return new Map([...all].filter(([path]) => isWanted(path)));
}

/** A source without its comments. */
function code(text: string): string {
  const options = { target: ts.ScriptTarget.ESNext, removeComments: true };
  return ts.transpile(text, options);
}

async function digest(texts: Iterable<string>): Promise<string> {
  const bytes = new TextEncoder().encode([...texts].join("\0"));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 16);
}

function isAlive({ outcome }: Result): boolean {
  return outcome === "survived" || outcome === "not covered";
}

async function mutate(room: string, { size, seed, jobs }: Options): Promise<boolean> {
  const subject = subjects[room]!;
  const sources = await readSources(subject.sources);
  const { files, mutants } = await instrument(sources);
  const keyOf = ({ fileName, mutatorName, replacement, id }: Mutant): string =>
    `${fileName} ${mutatorName} -> ${replacement.replace(/\s+/g, " ").slice(0, 60)} #${id}`;
  const lineOf = new Map(mutants.map((each) => [keyOf(each), each.location.start.line + 1]));
  const counted = mutants.filter(({ status }) => status !== "Ignored");
  const chosen = sample(counted, size, seed);
  const log = new URL(`mutation/${room.replace("/", "-")}.jsonl`, cache);
  await Deno.mkdir(new URL(".", log), { recursive: true });
  const testFiles = await findTests(subject);
  const testsState = await digest(testFiles.values());
  const header = JSON.stringify({ sources: await digest([...sources.values()].map(code)), seed });
  const lines = (await Deno.readTextFile(log).catch(() => "")).split("\n").filter(Boolean);
  const [first = "", ...rest] = lines;
  if (first !== header) await Deno.writeTextFile(log, `${header}\n`);
  const known = first === header ? rest.map((line) => JSON.parse(line) as Result) : [];
  const results = new Map(known.map((result) => [result.key, result]));
  const left = chosen.filter((mutant) => {
    const result = results.get(keyOf(mutant));
    return result === undefined || isAlive(result) && result.tests !== testsState;
  });
  if (left.length > 0) {
    const folder = await prepare(room, files);
    const work = async (): Promise<void> => {
      const judge = new Judge(folder, [...testFiles.keys()]);
      await judge.measure();
      for (let mutant = left.pop(); mutant !== undefined; mutant = left.pop()) {
        const startedAt = performance.now();
        const outcome = await judge.judge(mutant.id);
        const ms = Math.round(performance.now() - startedAt);
        const result: Result = { key: keyOf(mutant), outcome, ms, tests: testsState };
        results.set(result.key, result);
        await Deno.writeTextFile(log, `${JSON.stringify(result)}\n`, { append: true });
      }
      await judge.close();
    };
    await Promise.all(Array.from({ length: jobs }, work));
    await Deno.remove(folder, { recursive: true });
  }
  const judged = chosen.flatMap((mutant) => results.get(keyOf(mutant)) ?? []);
  const alive = judged.filter(isAlive);
  const killed = judged.length - alive.length;
  const share = 100 * killed / judged.length;
  print(
    `${room}: ${killed} of ${judged.length} killed (${
      share.toFixed(1)
    } %), of ${counted.length} mutants`,
  );
  for (const { key, outcome } of alive.toSorted((a, b) => a.key < b.key ? -1 : 1)) {
    print(`  ${outcome}, line ${lineOf.get(key)}: ${key}`);
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
      jobs: { type: "string", default: "1" },
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

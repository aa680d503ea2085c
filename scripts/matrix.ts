/**
 * Runs the npm package as its users do, on every runtime: `deno task matrix [--only text] [--readme]`.
 *
 * Prints one line a step: what, on which runtime and version, how much passed and failed. The package is checked, which WebTransport
 * it finds by itself, and its types are compiled; the conformance suite runs in memory on Deno from the source, and from the built
 * package on Node, Bun, Chromium and workerd; the live suite over QUIC on 127.0.0.1, against the gateway on Deno and against the
 * gateway on Bun. The last line counts.
 *
 * `--only` runs the legs whose suite and runtime hold the text. `--readme` writes the table of runtimes into the README; without it
 * the README has to say what came out. Nothing has to be there but Node, npm and apt: what a leg needs it installs under `.cache/`,
 * Chromium and PostgreSQL by apt.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { checkPackage, describePackage } from "./checks/package.ts";
import { checkTransport, describeTransport } from "./checks/transport.ts";
import { checkTypes, describeTypes } from "./checks/types.ts";
import { bundlers, runBundler } from "./matrix/bundlers.ts";
import { conformanceLegs } from "./matrix/conformance_legs.ts";
import type { Leg } from "./matrix/legs.ts";
import { examples } from "./matrix/examples.ts";
import { firstMinutes } from "./matrix/first_minutes.ts";
import { installPostgres } from "./matrix/postgres.ts";
import { liveLegs } from "./matrix/live_legs.ts";
import { panelLegs } from "./matrix/panel.ts";
import { runners, runRunner } from "./matrix/runners.ts";
import { runReactHook } from "./matrix/react_hook.ts";
import { packPackage } from "./build/package.ts";
import {
  findTable,
  replaceTable,
  runtimeTable,
  sayTheSame,
  type TableEntry,
} from "./matrix/runtime_table.ts";
import { readSources, root } from "./support/source.ts";
import { runTests } from "./support/test_run.ts";
import { print } from "./support/terminal.ts";

// Live legs mostly wait: as many run side by side, and types are compiled meanwhile.
const LIVE_AT_ONCE = 4;

/** What came of a step. */
interface Outcome {
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  /** What was wrong, in words. */
  readonly faults: readonly string[];
}

let passed = 0;
let failed = 0;

/** Does something, counts it, and prints its line and what was wrong. */
async function step(what: string, title: string, work: () => Promise<Outcome>): Promise<Outcome> {
  const start = performance.now();
  const outcome = await work().catch((error: unknown): Outcome => ({
    ...{ title, passed: 0, failed: 1 },
    faults: [error instanceof Error ? error.message : String(error)],
  }));
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
  const mark = outcome.failed === 0 ? "ok  " : "FAIL";
  const counts = `${outcome.passed} passed, ${outcome.failed} failed`;
  print(`${mark}  ${what.padEnd(20)}${outcome.title.padEnd(48)}${counts.padEnd(22)}${seconds} s`);
  for (const fault of outcome.faults) print(fault);
  passed += outcome.passed;
  failed += outcome.failed;
  return outcome;
}

/** A step that has nothing to say, or is wrong. */
function check(
  what: string,
  title: string,
  work: () => Promise<readonly string[]>,
): Promise<Outcome> {
  return step(what, title, async () => {
    const faults = await work();
    return { title, faults, passed: faults.length === 0 ? 1 : 0, failed: faults.length };
  });
}

/** The tests of a folder, from the source. */
async function runFolder(folder: string, title: string): Promise<Outcome> {
  const files = [...(await readSources([folder])).keys()];
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const { passed, failed, output } = await runTests({
    files: files.filter((path) => path.endsWith("_test.ts")),
    report,
    args: ["--frozen"],
  });
  await Deno.remove(report);
  const faults = failed === 0 ? [] : [output];
  return { title, passed, failed, faults };
}

const inBrowser = "Chromium and Firefox, a voice in the page";
const onPostgres = "a store and three gateways, and kills";

const entries: TableEntry[] = [];

async function runLeg({ suite, runtime, checks, run }: Leg): Promise<void> {
  const { title, passed } = await step(suite, runtime, async () => {
    const { title, results } = await run();
    const broken = results.filter(({ fault }) => fault !== undefined);
    const missing = checks - results.length;
    return {
      title,
      passed: results.length - broken.length,
      failed: broken.length + Math.abs(missing),
      faults: [
        ...broken.map(({ title, fault }) => `${title}: ${fault}`),
        ...missing === 0 ? [] : [`${results.length} of ${checks} checks reported`],
      ],
    };
  });
  entries.push({ suite, title, passed, checks });
}

const { values: { only = "", readme } } = parseArgs({
  args: Deno.args,
  options: { only: { type: "string" }, readme: { type: "boolean" } },
});
const packed = await packPackage();
if (only === "") {
  await check("package", describePackage(packed), () => checkPackage(packed));
  await check("transport", describeTransport, () => checkTransport(packed.tarball));
}
for (const runner of runners) {
  if (!`test runner ${runner.title}`.includes(only)) continue;
  await check("test runner", runner.title, () => runRunner(runner, packed.tarball));
}
for (const bundler of bundlers) {
  if (!`bundler ${bundler.title}`.includes(only)) continue;
  await check("bundler", bundler.title, () => runBundler(bundler, packed.tarball));
}
for (const one of firstMinutes) {
  if (!`first minutes ${one.title}`.includes(only)) continue;
  await check("first minutes", one.title, () => one.run(packed.tarball));
}
for (const leg of panelLegs) {
  if (!`panel ${leg.title}`.includes(only)) continue;
  await check("panel", leg.title, () => leg.run(packed.tarball));
}
for (const example of examples) {
  if (!`example ${example.title}`.includes(only)) continue;
  await check("example", example.title, () => example.run(packed.tarball));
}
const isWanted = ({ suite, runtime }: Leg): boolean => `${suite} ${runtime}`.includes(only);
for (const leg of (await conformanceLegs(packed.tarball)).filter(isWanted)) await runLeg(leg);
const live = (await liveLegs(packed.tarball)).filter(isWanted);
const waiting = live.values();
const lanes = Array.from({ length: LIVE_AT_ONCE }, async () => {
  for (const leg of waiting) await runLeg(leg);
});
if (only === "") await check("types", describeTypes, () => checkTypes(packed.tarball));
await Promise.all(lanes);
// What the fake microphone hears is counted: it has the machine to itself.
if ("react".includes(only)) {
  await check(
    "react",
    "the hook in strict mode, built with Vite",
    () => runReactHook(packed.tarball),
  );
}
if ("browser".includes(only)) {
  await step("browser", inBrowser, () => runFolder("tests/browser", inBrowser));
}
if ("postgres".includes(only)) {
  await step("postgres", onPostgres, async () => {
    await installPostgres();
    return await runFolder("tests/postgres", onPostgres);
  });
}
// Side by side, legs end in any order.
const suites = [...new Set(["conformance", ...live.map(({ suite }) => suite)])];
entries.sort((a, b) => suites.indexOf(a.suite) - suites.indexOf(b.suite));

const page = new URL("README.md", root);
const text = await Deno.readTextFile(page);
const table = runtimeTable(entries);
if (readme) await Deno.writeTextFile(page, replaceTable(text, table));
else if (only === "" && failed === 0) {
  await check("readme", "the table of runtimes", () =>
    Promise.resolve(
      sayTheSame(findTable(text), table)
        ? []
        : [`README.md does not say what came out (deno task matrix --readme writes it):\n${table}`],
    ));
}
print(`${passed} passed, ${failed} failed`);
Deno.exitCode = failed === 0 && passed > 0 ? 0 : 1;

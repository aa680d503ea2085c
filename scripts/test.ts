/**
 * The one test command: `deno task test [--static] [--filter title]`.
 *
 * Every step prints one line, a step that fails its output as well; the last line counts the tests and the other steps.
 * `--static` leaves out all that runs the package. `--filter` runs nothing but the tests whose outermost title holds the text
 * (or matches, when it is written as `/expression/`).
 *
 * @module
 */

import { parseArgs } from "node:util";
import { readManifest } from "./build/manifest.ts";
import { runDeno } from "./support/run.ts";
import { readSources } from "./support/source.ts";
import { print } from "./support/terminal.ts";
import { type Outcome, runTests } from "./support/test_run.ts";

interface Step {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

/** A step that one command decides. */
function deno(name: string, ...args: readonly string[]): Step {
  return {
    name,
    async run() {
      const { ok, output, stdout } = await runDeno(args);
      const note = args[0] === "run" ? stdout.trimEnd().split("\n").at(-1) ?? "" : "";
      return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, note, output };
    },
  };
}

/** A step that is a script of ours, whose last line is its note. */
function script(name: string, ...args: readonly string[]): Step {
  return deno(name, "run", "-A", "--frozen", "--quiet", ...args);
}

/** The pages of the API's documentation, which have to come without a warning. */
function docPages(name: string, doors: readonly string[]): Step {
  return {
    name,
    async run() {
      const { ok, output } = await runDeno(["doc", "--html", `--output=${scratch}/doc`, ...doors]);
      const isClean = ok && /^Written \d+ files to .*$/.test(output.trim());
      return { passed: isClean ? 1 : 0, failed: isClean ? 0 : 1, note: "", output };
    },
  };
}

/** The tests in some folders. */
function tests(name: string, folders: readonly string[], ...args: readonly string[]): Step {
  return {
    name,
    async run() {
      const found = [...(await readSources(folders)).keys()];
      return await runTests({
        files: found.filter((path) => path.endsWith("_test.ts")),
        report: `${reports}/${name}.xml`,
        filter: flags.filter,
        args: ["--frozen", ...args],
      });
    },
  };
}

async function attempt({ run }: Step): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    return { passed: 0, failed: 1, note: "", output: String(error) };
  }
}

const { values: flags } = parseArgs({
  args: Deno.args,
  options: { static: { type: "boolean", default: false }, filter: { type: "string" } },
});
const { exports } = await readManifest();
const scratch = await Deno.makeTempDir({ prefix: "tests-" });
const reports = `${scratch}/reports`;
await Deno.mkdir(reports);

const still: readonly Step[] = [
  deno("lockfile", "install", "--frozen"),
  deno("format", "fmt", "--check"),
  deno("lint", "lint"),
  script("imports", "scripts/checks/imports.ts"),
  script("globals", "scripts/checks/globals.ts"),
  script("language", "scripts/checks/language.ts"),
  script("links", "scripts/checks/links.ts"),
  deno("types", "check", "--frozen", "mod.ts", "src", "scripts", "tests"),
  deno("doc comments", "doc", "--lint", ...Object.values(exports)),
  docPages("doc pages", Object.values(exports)),
  script("panel", "scripts/build/panel.ts"),
  deno("publish", "publish", "--dry-run", "--allow-dirty"),
  script("sizes", "scripts/checks/size.ts"),
  script("worklet", "scripts/build/worklet.ts", "--check"),
];
// What needs the network's timing, or breaks it, has the machine to itself.
const suites: readonly Step[] = [
  tests("tests", ["tests/unit", "tests/conformance"], "--parallel"),
  tests("security", ["tests/security"], "--parallel"),
  tests("live", ["tests/live"]),
  tests("command line", ["tests/cli", "tests/handlers"]),
  tests("faults", ["tests/fault"]),
];
const steps = flags.static
  ? [...still, script("documentation", "scripts/checks/readme.ts", "--static")]
  : flags.filter !== undefined
  ? suites
  : [
    ...still,
    ...suites,
    script("documentation", "scripts/checks/readme.ts"),
    script("catalogue", "scripts/checks/catalogue.ts", `--junit=${reports}`),
  ];

let passed = 0;
let failed = 0;
for (const step of steps) {
  const start = performance.now();
  const outcome = await attempt(step);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const mark = outcome.failed === 0 ? "ok  " : "FAIL";
  print(`${mark}  ${step.name.padEnd(14)}${seconds.padStart(6)} s  ${outcome.note}`.trimEnd());
  if (outcome.failed > 0) print(outcome.output);
  passed += outcome.passed;
  failed += outcome.failed;
}
await Deno.remove(scratch, { recursive: true });
if (passed + failed === 0) {
  print(`No test matches ${flags.filter}`);
  failed = 1;
}
print(`${passed} passed, ${failed} failed`);
Deno.exitCode = failed === 0 ? 0 : 1;

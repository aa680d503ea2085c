import { parseJunit } from "./junit.ts";
import { runDeno, type RunResult } from "./run.ts";
import { root } from "./source.ts";

/** Options of {@linkcode runTests}. */
export interface TestRunOptions {
  /** Test modules, by path from `cwd` or absolute. */
  readonly files: readonly string[];
  /** Where the JUnit report goes. */
  readonly report: string;
  /** Only tests whose outermost title holds this, or matches it when it is written as `/expression/`. Default: all. */
  readonly filter?: string | undefined;
  /** More arguments for `deno test`. Default: none. */
  readonly args?: readonly string[];
  /** Where it runs. Default: the repository's folder. */
  readonly cwd?: string | URL;
}

// A run that hangs must end all the same: its log names the test.
const longestRunMs = 1_800_000;

/** What a run of tests, or any other step, ended with. */
export interface Outcome {
  /** How many parts passed. */
  readonly passed: number;
  /** How many failed. */
  readonly failed: number;
  /** A few words for one line. */
  readonly note: string;
  /** What to show when something failed. */
  readonly output: string;
}

/**
 * Runs test modules, without checking their types, and counts. A run fails as well when a test ends the process, when an error belongs to no test
 * (`tests/support/strict.ts`), when `only` keeps tests from running, and when none passed without a filter.
 */
export async function runTests(options: TestRunOptions): Promise<Outcome> {
  const { files, report, filter, args = [], cwd = root } = options;
  // Without a name `deno test` would look for tests by itself, and find other ones.
  if (files.length === 0) {
    return { passed: 0, failed: 1, note: "no test", output: "No test module" };
  }
  const strict = new URL("tests/support/strict.ts", root).href;
  const narrowed = filter === undefined ? [] : [`--filter=${filter}`];
  const result = await runDeno([
    ...["test", "-A", "--no-check", `--preload=${strict}`, `--junit-path=${report}`],
    ...[...narrowed, ...args, ...files],
  ], { cwd, timeoutMs: longestRunMs });
  return judge(result, await Deno.readTextFile(report).catch(() => ""), filter !== undefined);
}

function judge({ ok, stdout, output }: RunResult, xml: string, narrowed: boolean): Outcome {
  const cases = parseJunit(xml);
  const count = (outcome: string): number =>
    cases.filter((each) => each.outcome === outcome).length;
  const passed = count("passed");
  const problems: string[] = [];
  if (!/^(ok|FAILED) \| /m.test(stdout)) problems.push("The run was cut off");
  else if (!narrowed) {
    if (/ filtered out/.test(stdout)) problems.push("Tests were left out: another says `only`");
    if (passed === 0) problems.push("No test passed");
  }
  const failed = Math.max(count("failed"), ok && problems.length === 0 ? 0 : 1);
  const skipped = narrowed ? 0 : count("skipped");
  return {
    passed,
    failed,
    note: `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`,
    output: [failuresIn(output), ...problems].join("\n"),
  };
}

/** What failed, with the seeds of the modules that it stands in; when the run did not come so far, all but what passed. */
function failuresIn(output: string): string {
  const lines = output.split("\n");
  const start = lines.indexOf(" ERRORS ");
  if (start < 0) return lines.filter((line) => !/ \.\.\. ok \(/.test(line)).join("\n");
  const errors = lines.slice(start).join("\n");
  const seeds = lines.filter((line) => {
    const module = /^SEED=.* (\S+)$/.exec(line)?.[1];
    return module !== undefined && errors.includes(module);
  });
  return [...seeds, errors].join("\n");
}

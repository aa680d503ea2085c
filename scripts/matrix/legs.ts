import type { CheckResult } from "../../tests/conformance/mod.ts";
import { run, type RunOptions } from "../support/run.ts";
import type { Runtime } from "./runtimes.ts";

/** A suite on a runtime. */
export interface Leg {
  /** Which suite. */
  readonly suite: string;
  /** Which runtime, without what is known only when it has run. */
  readonly runtime: string;
  /** How many checks it has. */
  readonly checks: number;
  /** Runs it. */
  run(): Promise<LegResult>;
}

/** What came of a leg. */
export interface LegResult {
  /** The runtime's name and version. */
  readonly title: string;
  /** How each check went. */
  readonly results: readonly CheckResult[];
}

/**
 * Runs a module that prints one line of JSON for each check.
 *
 * @param words The module's path, and its arguments.
 * @throws `Error` with all that it printed when it did not end well.
 */
export async function runModule(
  { title, command: [command, ...args] }: Runtime,
  words: readonly string[],
  options: RunOptions = {},
): Promise<LegResult> {
  const { ok, output, stdout } = await run(command, [...args, ...words], options);
  if (!ok) throw new Error(`${title} did not end well:\n${output}`);
  const results = stdout.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as CheckResult);
  return { title, results };
}

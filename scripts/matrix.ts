/**
 * Runs the package on every runtime: `deno task matrix [--only text]`, where the text is part of a suite's and a runtime's name.
 *
 * Prints one line a leg: suite, runtime, version, passed, failed. The conformance suite runs in memory on Deno from the source, and
 * from the built package on Node, Bun, Chromium and workerd; the live suite over QUIC on 127.0.0.1, against the gateway on Deno and
 * against the gateway on Bun. Nothing has to be there but Node, npm and apt: what a leg needs it installs under `.cache/`, Chromium by apt.
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { CheckResult } from "../tests/conformance/mod.ts";
import { conformanceLegs } from "./support/conformance_legs.ts";
import type { Leg } from "./support/legs.ts";
import { liveLegs } from "./support/live_legs.ts";
import { packPackage } from "./support/package.ts";
import { print } from "./support/terminal.ts";

/** Runs a leg and prints its line, and what failed. */
async function attempt({ suite, runtime, checks, run }: Leg): Promise<boolean> {
  const start = performance.now();
  let title = runtime;
  let results: readonly CheckResult[] = [];
  const faults: string[] = [];
  try {
    ({ title, results } = await run());
    if (results.length !== checks) faults.push(`${results.length} of ${checks} checks reported`);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  const broken = results.filter(({ fault }) => fault !== undefined);
  for (const { title, fault } of broken) faults.push(`${title}: ${fault}`);
  const failed = broken.length + Math.max(0, checks - results.length);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const mark = faults.length === 0 ? "ok  " : "FAIL";
  const counts = `${results.length - broken.length} passed, ${failed} failed`;
  print(
    `${mark}  ${suite.padEnd(20)}${title.padEnd(26)}${counts.padEnd(22)}${seconds.padStart(6)} s`,
  );
  for (const fault of faults) print(fault);
  return faults.length === 0;
}

const { values: { only = "" } } = parseArgs({
  args: Deno.args,
  options: { only: { type: "string" } },
});
const { tarball } = await packPackage();
const legs = [...await conformanceLegs(tarball), ...await liveLegs(tarball)]
  .filter(({ suite, runtime }) => `${suite} ${runtime}`.includes(only));
let failed = 0;
for (const leg of legs) if (!await attempt(leg)) failed++;
print(`matrix: ${legs.length - failed} legs passed, ${failed} failed`);
Deno.exitCode = failed === 0 && legs.length > 0 ? 0 : 1;

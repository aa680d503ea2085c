/**
 * Runs the package on every runtime: `deno task matrix [--only text]`.
 *
 * Prints one line a leg: suite, runtime, version, passed, failed. The conformance suite runs in memory on Deno from the source, and
 * from the built package on Node, Bun, Chromium and workerd. Nothing has to be there but Node, npm and apt: what a leg needs it
 * installs under `.cache/`, Chromium by apt.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type CheckResult, edge, everywhere } from "../tests/conformance/mod.ts";
import { openPage } from "./support/browser.ts";
import { type Consumer, installConsumer } from "./support/consumer.ts";
import { askWorker, workerdVersion } from "./support/edge.ts";
import { type Leg, runModule } from "./support/legs.ts";
import { bun, deno, node, nodeVersions, type Runtime } from "./support/runtimes.ts";
import { print } from "./support/terminal.ts";

const RUN = "tests/conformance/run";

/** The conformance suite, leg by leg. */
function conformanceLegs(consumer: Consumer): readonly Leg[] {
  const suite = "conformance";
  const console = (runtime: () => Promise<Runtime>): Leg => ({
    suite,
    checks: everywhere.length,
    run: async () =>
      await runModule(await runtime(), [await consumer.bundle(`${RUN}/console.ts`, "installed")]),
  });
  return [
    { suite, checks: everywhere.length, run: () => runModule(deno(), [`${RUN}/console.ts`]) },
    ...[undefined, ...nodeVersions].map((version) => console(() => node(version))),
    console(bun),
    {
      suite,
      checks: everywhere.length,
      async run() {
        await using page = await openPage(await consumer.bundle(`${RUN}/page.ts`, "inside"));
        return { title: page.title, results: await page.call("conformance") as CheckResult[] };
      },
    },
    {
      suite,
      checks: edge.length,
      async run() {
        const worker = await consumer.bundle(`${RUN}/worker.ts`, "inside");
        const results = await askWorker(worker) as CheckResult[];
        return { title: `workerd ${await workerdVersion()}`, results };
      },
    },
  ];
}

/** Runs a leg and prints its line, and what failed. */
async function attempt({ suite, checks, run }: Leg): Promise<boolean> {
  const start = performance.now();
  let title = "?";
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
    `${mark}  ${suite.padEnd(20)}${title.padEnd(24)}${counts.padEnd(22)}${seconds.padStart(6)} s`,
  );
  for (const fault of faults) print(fault);
  return faults.length === 0;
}

const { values: flags } = parseArgs({ args: Deno.args, options: { only: { type: "string" } } });
const consumer = await installConsumer("consumer");
let failed = 0;
for (const leg of conformanceLegs(consumer)) {
  if (flags.only !== undefined && !leg.suite.includes(flags.only)) continue;
  if (!await attempt(leg)) failed++;
}
print(failed === 0 ? "matrix: every leg passed" : `matrix: ${failed} legs failed`);
Deno.exitCode = failed === 0 ? 0 : 1;

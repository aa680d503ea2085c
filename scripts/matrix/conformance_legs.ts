import { type CheckResult, edge, everywhere } from "../../tests/conformance/mod.ts";
import { type Browser, chromium, firefox, openPage } from "./browser.ts";
import { installConsumer } from "./consumer.ts";
import { askWorker } from "./edge.ts";
import { type Leg, runModule } from "./legs.ts";
import { bun, deno, node, nodeVersions, type Runtime, workerdVersion } from "./runtimes.ts";

const RUN = "tests/conformance/run";

/**
 * The conformance suite: on Deno from the source, elsewhere with the built package.
 *
 * @param tarball The package's.
 */
export async function conformanceLegs(tarball: string): Promise<readonly Leg[]> {
  const consumer = await installConsumer("consumer", tarball);
  const module = await consumer.bundle(`${RUN}/console.ts`, "installed");
  const pageModule = await consumer.bundle(`${RUN}/page.ts`, "inside");
  const worker = await consumer.bundle(`${RUN}/worker.ts`, "inside");
  const leg = (runtime: string, run: Leg["run"], checks = everywhere.length): Leg => ({
    suite: "conformance",
    runtime,
    checks,
    run,
  });
  const console = (name: string, runtime: () => Promise<Runtime>): Leg =>
    leg(name, async () => await runModule(await runtime(), [module]));
  const inPage = (browser: Browser): Leg =>
    leg(browser.name, async () => {
      await using page = await openPage(browser, pageModule);
      return { title: page.title, results: await page.call("conformance") as CheckResult[] };
    });
  return [
    leg("Deno", () => runModule(deno(), [`${RUN}/console.ts`])),
    ...nodeVersions.map((version) => console(`Node ${version}`, () => node(version))),
    console("Bun", bun),
    inPage(chromium),
    inPage(firefox),
    leg("workerd", async () => {
      const results = await askWorker(worker) as CheckResult[];
      return { title: `workerd ${await workerdVersion()}`, results };
    }, edge.length),
  ];
}

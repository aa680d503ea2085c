import { install } from "./install.ts";
import { bun, deno, newestNode, node, type Runtime } from "./runtimes.ts";
import { run } from "../support/run.ts";
import { root } from "../support/source.ts";

/** A test runner, and the test of `tests/examples/runners/` that it runs with the package installed. */
export interface Runner {
  /** Its name, with its version where that is not the runtime's. */
  readonly title: string;
  /** The test. */
  readonly file: string;
  /** What stands in its output when one test passed and none failed. */
  readonly passed: RegExp;
  /** Packages that it needs besides ours. */
  readonly packages: Readonly<Record<string, string>>;
  /** The runtime. */
  runtime(): Promise<Runtime>;
  /** Its arguments; `folder` holds the test. */
  arguments(folder: string): readonly string[];
}

const VITEST = "5.1.2";
const JEST = "30.5.2";

/** Every runner that the kit's README shows. */
export const runners: readonly Runner[] = [
  {
    title: "node:test",
    file: "node.test.mjs",
    passed: /^\S+ pass 1$/m,
    packages: {},
    runtime: () => node(newestNode),
    arguments: () => ["--test", "node.test.mjs"],
  },
  {
    title: `vitest ${VITEST}`,
    file: "vitest.test.mjs",
    passed: /Tests\s+1 passed \(1\)/,
    packages: { vitest: VITEST },
    runtime: () => node(newestNode),
    arguments: (folder) => [`${folder}node_modules/vitest/vitest.mjs`, "run", "vitest.test.mjs"],
  },
  {
    title: `jest ${JEST}`,
    file: "jest.test.mjs",
    passed: /Tests:\s+1 passed, 1 total/,
    packages: { jest: JEST },
    runtime: () => node(newestNode),
    arguments: (folder) => [
      "--experimental-vm-modules",
      `${folder}node_modules/jest/bin/jest.js`,
      "--testMatch=**/*.test.mjs",
    ],
  },
  {
    title: "Deno.test",
    file: "inbound_test.js",
    passed: /^ok \| 1 passed \| 0 failed/m,
    packages: {},
    runtime: () => Promise.resolve({ ...deno(), command: [deno().command[0]] }),
    arguments: () => ["test", "--no-lock", "inbound_test.js"],
  },
  {
    title: "bun:test",
    file: "bun.test.js",
    passed: /^ 1 pass$/m,
    packages: {},
    runtime: bun,
    arguments: () => ["test", "bun.test.js"],
  },
];

/**
 * Runs one runner's test in a folder of its own, in which the package is installed.
 *
 * @returns What was wrong; empty when the one test passed and the runner ended by itself.
 */
export async function runRunner(runner: Runner, tarball: string): Promise<readonly string[]> {
  const name = runner.title.replace(/\W.*/, "");
  const folder = await install(`runner-${name}`, { "@telequick/sdk": tarball, ...runner.packages });
  const source = new URL(`tests/examples/runners/${runner.file}`, root);
  await Deno.copyFile(source, new URL(runner.file, folder));
  const { command: [command, ...words] } = await runner.runtime();
  const { ok, output } = await run(
    command,
    [...words, ...runner.arguments(folder.pathname)],
    { cwd: folder, timeoutMs: 120_000 },
  );
  return ok && runner.passed.test(output) ? [] : [output];
}

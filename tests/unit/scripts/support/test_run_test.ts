import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type Outcome, runTests } from "../../../../scripts/support/test_run.ts";

/** Runs test modules given by their text. */
async function runModules(modules: readonly string[], filter?: string): Promise<Outcome> {
  const cwd = await mkdtemp(join(tmpdir(), "test-run-"));
  try {
    await writeFile(join(cwd, "deno.json"), "{}");
    const files = modules.map((_, i) => `m${i}_test.ts`);
    for (const [i, text] of modules.entries()) {
      await writeFile(
        join(cwd, files[i]!),
        `import { describe, it, test } from "node:test";\n${text}`,
      );
    }
    return await runTests({
      files,
      report: join(cwd, "report.xml"),
      filter,
      cwd,
    });
  } finally {
    await rm(cwd, { recursive: true });
  }
}

const good = 'test("good", () => {});';

describe("runTests() counts", () => {
  it("tests and the parts of groups, not the groups", async () => {
    const group = 'describe("group", () => { it("one", () => {}); it("two", () => {}); });';
    const { passed, failed } = await runModules([
      `${good} ${group} test.skip("no", () => {});`,
      good,
    ]);
    assert.deepEqual({ passed, failed }, { passed: 4, failed: 0 });
  });

  it("a failure, and shows what failed but not what passed", async () => {
    const bad = 'test("bad", () => { throw new Error("thrown"); });';
    const { passed, failed, output } = await runModules([good + bad]);
    assert.deepEqual({ passed, failed }, { passed: 1, failed: 1 });
    assert.match(output, /^bad => [\s\S]*thrown/m);
    assert.doesNotMatch(output, /^good/m);
  });

  it("and shows the seed of a module that failed, and of no other", async () => {
    const said = "console.log(`SEED=${n} repeats ${import.meta.filename}`);";
    const { output } = await runModules([
      `const n = 1; ${said} ${good}`,
      `const n = 2; ${said} test("bad", () => { throw new Error("thrown"); });`,
    ]);
    assert.match(output, /^SEED=2 repeats .*m1_test\.ts$/m);
    assert.doesNotMatch(output, /SEED=1/);
  });

  it("what a filter leaves, and an empty selection does not fail", async () => {
    assert.deepEqual((await runModules([`${good} test("other", () => {});`], "other")).passed, 1);
    const { passed, failed } = await runModules([good], "nothing of the kind");
    assert.deepEqual({ passed, failed }, { passed: 0, failed: 0 });
  });
});

describe("runTests() fails", () => {
  for (
    const [why, text, told] of [
      ["a module that throws behind its tests", `${good} throw new Error("thrown");`, /thrown/],
      [
        "a module that rejects behind its tests",
        `${good} await Promise.reject(new Error("thrown"));`,
        /thrown/,
      ],
      [
        "an unhandled rejection",
        'test("a", () => { Promise.reject(new Error("thrown")); });' + good,
        /thrown/,
      ],
      ["a test that ends the process well", `test("a", () => Deno.exit(0)); ${good}`, /cut off/],
      ["a test that hides the others", `${good} test.only("a", () => {});`, /only/],
      ["a module without a test", "", /No test passed/],
      [
        "a group whose set-up fails",
        'import { before } from "node:test"; describe("a", () => { before(() => { throw new Error("thrown"); }); it("b", () => {}); });',
        /thrown/,
      ],
      ["a module that is not there", 'import "./nowhere.ts";', /nowhere/],
    ] as const
  ) {
    it(why, async () => {
      const { failed, output } = await runModules([text]);
      assert.ok(failed > 0, output);
      assert.match(output, told);
    });
  }

  it("without a module", async () => {
    const { passed, failed } = await runModules([]);
    assert.deepEqual({ passed, failed }, { passed: 0, failed: 1 });
  });
});

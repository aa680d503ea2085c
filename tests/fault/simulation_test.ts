// deno-lint-ignore-file no-console
import assert from "node:assert/strict";
import process from "node:process";
import { before, describe, it } from "node:test";
import { deriveSeed } from "../../src/base/random.ts";
import { seed } from "../support/seed.ts";
import { prepare, type Story, tellStory } from "../support/story.ts";

// SIMULATIONS=5000 for a long run; SEED=n SIMULATIONS=1 repeats the story that a failure names.
const COUNT = Number(process.env["SIMULATIONS"] ?? 250);

describe("I1 to I6: client and gateway under faults in random interleavings", () => {
  before(prepare);

  it("F-16 the same seed gives the same story", async () => {
    const first = await tellStory(seed);
    const second = await tellStory(seed);
    assert.deepEqual(second.trace, first.trace);
  });

  it(`F-16 ${COUNT} stories keep every promise`, async () => {
    const totals = { seconds: 0, dialled: 0, acknowledged: 0, sessions: 0, frames: 0, closed: 0 };
    const faults = new Map<string, number>();
    for (let n = 0; n < COUNT; n++) {
      const own = n === 0 ? seed : deriveSeed(seed, `${n}`);
      const story: Story = await tellStory(own);
      if (story.violations.length > 0) {
        console.log(story.trace.join("\n"));
        assert.fail(
          `${
            story.violations.join("; ")
          }\nrepeat it: SEED=${own} SIMULATIONS=1 deno test -A tests/fault/simulation_test.ts`,
        );
      }
      for (const name of Object.keys(totals) as (keyof typeof totals)[]) {
        totals[name] += story[name];
      }
      for (const [name, count] of story.actions) faults.set(name, (faults.get(name) ?? 0) + count);
    }
    console.log(`${COUNT} stories:`, JSON.stringify(totals));
    console.log(JSON.stringify(Object.fromEntries(faults)));
    // A simulation in which nothing happens would keep every promise too.
    assert.ok(totals.acknowledged >= COUNT && totals.sessions >= 2 * COUNT);
  });
});

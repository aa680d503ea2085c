/**
 * The long fuzz run: `deno task fuzz [--count n] [--seed n]`, 10 million mutated frames and envelopes by default.
 * An input that breaks a rule is written to tests/vectors/corpus, where the normal tests read it from then on.
 *
 * @module
 */

// deno-lint-ignore-file no-console
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { encodeHex } from "../../../src/base/bytes.ts";
import { corpusFolder, fuzz, FuzzFailure } from "./support/fuzzing.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);
console.log(`${count} inputs, seed ${seed} (repeat with: --seed ${seed})`);

const total = { values: 0, refusals: 0, roundTrips: 0, measured: 0 };
try {
  // In parts, each with a seed of its own, so that a failure is found again quickly.
  const part = 500_000;
  for (let done = 0; done < count; done += part) {
    const tally = fuzz(seed + done, Math.min(part, count - done));
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += tally[key];
    console.log(`${Math.min(done + part, count)} of ${count}: ${JSON.stringify(total)}`);
  }
  console.log("no rule was broken");
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  mkdirSync(corpusFolder, { recursive: true });
  const file = new URL(`${seed}-${error.bytes.length}.hex`, corpusFolder);
  writeFileSync(file, `${encodeHex(error.bytes)}\n`);
  console.log(`${error.message}\n${error.stack}\nkept as ${file.pathname}`);
  process.exitCode = 1;
}

/**
 * Runs the benches of tests/bench side by side with their peers, and reports missed targets.
 * `deno task bench [--check] [--full] [--filter text] [--rounds n] [--ms n]`: `--check` measures a miss up to twice more, then exits
 * with 1; `--full` measures sessions and calls at the sizes of their targets, which takes minutes. Runs on Node.js and Bun too, without
 * those that need a gateway.
 *
 * @module
 */

// deno-lint-ignore-file no-console
import { readdirSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Bench, benches, isMissed, measure, type Row } from "../tests/bench/support/bench.ts";
import { type Figure, misses, scenarios } from "../tests/bench/support/scenario.ts";

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    filter: { type: "string", default: "" },
    rounds: { type: "string", default: "7" },
    ms: { type: "string", default: "40" },
  },
});

const folder = new URL("../tests/bench/", import.meta.url);
for (const file of readdirSync(folder).sort()) {
  if (file.endsWith("_bench.ts")) await import(new URL(file, folder).href);
}

const options = { rounds: Number(values.rounds), sampleMs: Number(values.ms) };
const attempts = values.check ? 3 : 1;
const missed: string[] = [];
for (const bench of benches()) {
  if (!bench.name.includes(values.filter)) continue;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const rows = measure(bench, options);
    print(bench, rows);
    if (!rows.some(isMissed)) break;
    if (attempt === attempts) missed.push(bench.name);
  }
}
// They start gateways in processes of their own, by Deno's command line.
const waiting = "Deno" in globalThis ? scenarios() : [];
for (const { name, fullOnly = false, run } of waiting) {
  if (!name.includes(values.filter) || (fullOnly && !values.full)) continue;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const figures = await run({ full: values.full });
    printFigures(name, figures);
    if (!figures.some(misses)) break;
    if (attempt === attempts) missed.push(name);
  }
}
if (missed.length > 0) console.log(`\nTargets missed: ${missed.join("; ")}`);
if (values.check && missed.length > 0) process.exitCode = 1;

function print(bench: Bench, rows: readonly Row[]): void {
  console.log(`\n${bench.name}`);
  for (const row of rows) {
    const time = row.nanoseconds < 1e5
      ? `${row.nanoseconds.toFixed(1)} ns`
      : `${(row.nanoseconds / 1e6).toFixed(2)} ms`;
    const speed = row.megabytesPerSecond === undefined
      ? `${(1e3 / row.nanoseconds).toFixed(2)} M/s`
      : `${row.megabytesPerSecond.toFixed(0)} MB/s`;
    const ratio = row.contender === bench.baseline ? "" : `ours x ${row.ratio.toFixed(2)}`;
    const target = row.target === undefined
      ? ""
      : `target ${row.target}${isMissed(row) ? " MISSED" : ""}`;
    console.log(
      `  ${row.contender.padEnd(20)}${time.padStart(12)}${speed.padStart(14)}  ${
        ratio.padEnd(14)
      }${target}`,
    );
  }
}

function printFigures(name: string, figures: readonly Figure[]): void {
  console.log(`\n${name}`);
  for (const figure of figures) {
    const { what, value, unit, atMost, atLeast } = figure;
    const digits = Number.isInteger(value) ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
    const bounds = [
      ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
      ...(atMost === undefined ? [] : [`at most ${atMost}`]),
    ];
    const target = bounds.length === 0
      ? ""
      : `target ${bounds.join(", ")}${misses(figure) ? " MISSED" : ""}`;
    console.log(
      `  ${what.padEnd(56)}${value.toFixed(digits).padStart(10)} ${unit.padEnd(5)}${target}`,
    );
  }
}

// deno-lint-ignore-file no-console
import process from "node:process";

/** The seed of this run's random tests: `SEED` of the environment, else a fresh one. Hand it to fast-check: `fc.assert(property, { seed })`. */
export const seed: number = readSeed(process.env["SEED"]);

console.log(`SEED=${seed} repeats the random tests of ${process.argv[1]}`);

function readSeed(given: string | undefined): number {
  if (given === undefined) return Math.floor(Math.random() * 2 ** 31);
  const value = Number(given);
  if (given === "" || !Number.isSafeInteger(value)) {
    throw new TypeError(`Cannot read SEED: "${given}" is not an integer`);
  }
  return value;
}

/**
 * Runs one program again and again in a process of its own, each time with another trunk, and writes what came of it. Its one argument is
 * JSON, see {@linkcode LeavingProcess}. Ends by itself: a program that leaves a timer, a listener or a session behind keeps it alive.
 *
 * @module
 */

import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { TeleQuickError } from "../../mod.ts";

/** What is run. */
export interface LeavingProcess {
  /** The program's file. */
  readonly file: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** The trunk of each run. */
  readonly trunks: readonly string[];
}

const { file, args, trunks } = JSON.parse(process.argv[2] ?? "") as LeavingProcess;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  print(`# unhandled ${describe(event.reason)}`);
});

for (const [run, trunk] of trunks.entries()) {
  process.env["TELEQUICK_TRUNK"] = trunk;
  process.argv.splice(2, Infinity, ...args);
  print(`# run ${run}`);
  try {
    await import(`${pathToFileURL(file).href}?run=${run}`);
    print("# done");
  } catch (error) {
    print(`# threw ${describe(error)}`);
  }
  // A rejection that nothing handles is reported when the promises that are ready have run.
  await setTimeout(20);
}
print("# end");

function describe(error: unknown): string {
  const code = error instanceof TeleQuickError ? error.code : "";
  return `${code} ${error instanceof Error ? error.message : String(error)}`.trim();
}

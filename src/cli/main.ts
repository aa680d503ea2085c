#!/usr/bin/env -S deno run -A --unstable-net
/**
 * `telequick`, the command line. `telequick --help` says what it can do.
 *
 * @module
 */

import { createOutput } from "./terminal/output.ts";
import { reportFailure } from "./failure.ts";
import { isProgram, onUncaught, systemPlatform } from "./platform.ts";
import { run } from "./run.ts";

/**
 * Runs the command line with this process's arguments, and ends the process with the command's exit code.
 * Called by itself when this module is the program that was started.
 */
export async function main(): Promise<void> {
  onUncaught((error) => {
    systemPlatform.exit(reportFailure(error, createOutput(systemPlatform, { json: false })));
  });
  systemPlatform.exit(await run(systemPlatform));
}

if (import.meta.main ?? await isProgram(import.meta.url)) await main();

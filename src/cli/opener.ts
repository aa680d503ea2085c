/**
 * Opens the person's browser.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { sleep } from "../base/signal.ts";
import { UsageError } from "./usage.ts";

/** A program and its first arguments. */
type Opener = readonly [program: string, ...args: string[]];

const openers: Readonly<Record<string, Opener>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

// An opener that finds no browser ends sooner.
const FAILS_WITHIN_MS = 1_000;

/**
 * Opens a URL. Rejects with a {@linkcode UsageError} when there is no opener, or no browser.
 *
 * @param opener Default: the system's.
 */
export async function openUrl(
  url: string,
  opener: Opener = openers[process.platform] ?? ["xdg-open"],
): Promise<void> {
  const [program, ...args] = opener;
  const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
  const failed = new Promise<never>((_, reject) => {
    const fail = (found: string): void =>
      reject(new UsageError(`Cannot open a browser: ${found} (open the panel's URL yourself)`));
    child.once("error", () => fail(`${program} cannot be started`));
    child.once("exit", (code) => code !== 0 && fail(`${program} found none`));
  });
  // Deno's throws where the program could not be started.
  child.once("spawn", () => child.unref());
  await Promise.race([failed, sleep(FAILS_WITHIN_MS)]);
}

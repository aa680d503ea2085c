/**
 * A token that somebody hands in.
 *
 * @module
 */

import type { Platform } from "./platform.ts";
import { UsageError } from "./usage.ts";

/** Takes the token from the argument, or from the input when that is `-` or left out. */
export async function readTokenInput(
  argument: string | undefined,
  platform: Platform,
): Promise<string> {
  if (argument !== undefined && argument !== "-") return argument.trim();
  if (platform.stdinIsTerminal) {
    throw new UsageError("Argument TOKEN is missing: give it, or pipe it in");
  }
  const text = (await platform.readInput()).trim();
  if (text === "") throw new UsageError("Cannot read token: the input is empty");
  return text;
}

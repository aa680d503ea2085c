/**
 * Reads a token from the argument or the input.
 *
 * @module
 */

import type { Platform } from "./platform.ts";
import { UsageError } from "./usage.ts";

/** Reads the token from the argument, or from the input when the argument is `-` or missing. */
export async function readTokenInput(
  argument: string | undefined,
  platform: Platform,
): Promise<string> {
  if (argument !== undefined && argument !== "-") return argument.trim();
  if (platform.stdinIsTerminal) {
    throw new UsageError("Argument TOKEN is missing: pass it, or pipe it in");
  }
  const text = (await platform.readInput()).trim();
  if (text === "") throw new UsageError("Cannot read token: the input is empty");
  return text;
}

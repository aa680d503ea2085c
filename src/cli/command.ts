/**
 * What a command is.
 *
 * @module
 */

import type { Clock } from "../base/signal.ts";
import type { OptionSpecs, ParsedArgs } from "./terminal/args.ts";
import type { Output } from "./terminal/output.ts";
import type { EndSignal, Platform } from "./platform.ts";

/** What a command works with. */
export interface Context<S extends OptionSpecs = OptionSpecs> extends ParsedArgs<S> {
  readonly output: Output;
  readonly platform: Platform;
  readonly clock: Clock;
  /** Aborted when the user or the system asks to end: what is under way is finished, nothing new begun. */
  readonly signal: AbortSignal;
}

/** A command, as it is declared. */
export interface Command<S extends OptionSpecs = OptionSpecs> {
  /** More than the summary says, in paragraphs. Default: none. */
  readonly details?: string;
  /** Names of its arguments; one that ends with `?` may be left out. Default: none. */
  readonly positionals?: readonly string[];
  /** What may stand behind `--`, for the help. Default: nothing may. */
  readonly rest?: string;
  readonly options: S;
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Exit codes that mean something of its own. Default: none. */
  readonly exitCodes?: Readonly<Record<number, string>>;
  /** Whether it looks after signals itself; then {@linkcode Context.signal} never aborts. Default: `false`. */
  readonly ownSignals?: boolean;
  /** Does it; resolves with the exit code. */
  run(context: Context<S>): Promise<number>;
}

/** Declares a command, so that its options give the types of their values. */
export function command<const S extends OptionSpecs>(declared: Command<S>): Command {
  return declared as unknown as Command;
}

/** What a command's wait ends with when it is asked to end. */
export class Interrupted extends Error {
  /** The class name, `"Interrupted"`. */
  override readonly name = "Interrupted";
  /** What the process exits with, as shells count: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signal: EndSignal) {
    super(`Ended by ${signal}`);
    this.exitCode = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal];
  }
}

/** What a command exits with that was asked to end and is not done: the code of the signal that asked. */
export function interruptedCode(signal: AbortSignal): number {
  return signal.reason instanceof Interrupted ? signal.reason.exitCode : 1;
}

/** Exit codes of every command. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: "done",
  1: "failed: the gateway, the network or the far end said no",
  2: "not begun: a flag, an argument, a file, a port or a permission is not right",
  130: "ended by Ctrl-C (143: by SIGTERM) before it was done; what was under way was finished",
};

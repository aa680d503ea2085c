/**
 * The shape of a command.
 *
 * @module
 */

import type { Clock } from "../base/signal.ts";
import type { OptionSpecs, ParsedArgs } from "./terminal/args.ts";
import type { Output } from "./terminal/output.ts";
import type { EndSignal, Platform } from "./platform.ts";

/** What a command receives. */
export interface Context<S extends OptionSpecs = OptionSpecs> extends ParsedArgs<S> {
  readonly output: Output;
  readonly platform: Platform;
  readonly clock: Clock;
  /** Aborted when the user or the system asks to stop: work in progress is finished, nothing new is started. */
  readonly signal: AbortSignal;
}

/** The declaration of a command. */
export interface Command<S extends OptionSpecs = OptionSpecs> {
  /** Details beyond the summary, in paragraphs. Default: none. */
  readonly details?: string;
  /** Names of its arguments; those that end with `?` are optional. Default: none. */
  readonly positionals?: readonly string[];
  /** What follows `--`, for the help. Default: `--` is not accepted. */
  readonly rest?: string;
  readonly options: S;
  /** Command lines and what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Exit codes with a meaning specific to this command. Default: none. */
  readonly exitCodes?: Readonly<Record<number, string>>;
  /** Whether it handles signals itself; then {@linkcode Context.signal} never aborts. Default: `false`. */
  readonly ownSignals?: boolean;
  /** Runs the command; resolves with the exit code. */
  run(context: Context<S>): Promise<number>;
}

/** Declares a command; its options determine the types of their values. */
export function command<const S extends OptionSpecs>(declared: Command<S>): Command {
  return declared as unknown as Command;
}

/** The abort reason after a signal such as SIGINT. */
export class Interrupted extends Error {
  /** The class name, `"Interrupted"`. */
  override readonly name = "Interrupted";
  /** The exit code, as in shells: 128 plus the signal's number. */
  readonly exitCode: number;

  constructor(signal: EndSignal) {
    super(`Ended by ${signal}`);
    this.exitCode = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[signal];
  }
}

/** The exit code of an interrupted command: that of the signal. */
export function interruptedCode(signal: AbortSignal): number {
  return signal.reason instanceof Interrupted ? signal.reason.exitCode : 1;
}

/** Exit codes of every command. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: "done",
  1: "failed: rejected by the gateway or the far end, or a network error",
  2: "not started: a flag, an argument, a file, a port or a permission is wrong",
  130: "interrupted by Ctrl-C (143: by SIGTERM); work in progress was finished",
};

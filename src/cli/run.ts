/**
 * One run: finds the command, reads its arguments, runs it, reports errors.
 *
 * @module
 */

import { type Clock, systemClock } from "../base/signal.ts";
import { readArgs } from "./terminal/args.ts";
import { type Command, Interrupted } from "./command.ts";
import { commands } from "./commands.ts";
import { reportFailure } from "./failure.ts";
import { commandHelp, COMMON_OPTIONS, programHelp } from "./help.ts";
import { createOutput, type Output } from "./terminal/output.ts";
import type { Platform } from "./platform.ts";
import { nearest, UsageError } from "./usage.ts";
import { VERSION } from "../base/version.ts";

/** Options of {@linkcode run}. */
export interface RunOptions {
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** Runs the command line of the platform. Resolves with the exit code; never rejects. */
export async function run(platform: Platform, options: RunOptions = {}): Promise<number> {
  const { clock = systemClock } = options;
  const { own } = splitArgs(platform.args);
  const output = createOutput(platform, { json: own.includes("--json"), clock });
  let code: number;
  try {
    code = await dispatch(platform, output, clock);
  } catch (error) {
    code = reportFailure(error, output);
  }
  try {
    await output.flush();
    return code;
  } catch (error) {
    return reportFailure(error, output);
  }
}

async function dispatch(platform: Platform, output: Output, clock: Clock): Promise<number> {
  const { own, leading } = splitArgs(platform.args);
  // `telequick help dial` is `telequick dial --help`, `telequick version` is `telequick --version`.
  const [word, ...words] = leading;
  if (word === "help" || word === "version") {
    const args = [...words, ...own.slice(own.indexOf(word)).filter((arg) => arg.startsWith("-"))];
    return await dispatch({ ...platform, args: [...args, `--${word}`] }, output, clock);
  }
  const name = commandName(leading);
  if (name === undefined) {
    if (own.includes("--version")) {
      output.emit({ type: "version", version: VERSION }, `telequick ${VERSION}`);
      return 0;
    }
    const asksHelp = own.includes("--help") || own.includes("-h");
    const [group = ""] = leading;
    if (group !== "" && !isGroup(group)) throw unknownCommand(leading);
    if (!asksHelp && leading.length > 1) throw unknownCommand(leading);
    const stray = own.find((arg) => arg.startsWith("-") && !HARMLESS.includes(arg));
    if (group === "" && stray !== undefined) {
      throw new UsageError(`Option ${stray} has no command (see telequick --help)`);
    }
    if (asksHelp) output.raw(programHelp(output, group));
    else output.note(programHelp({ style: output.noteStyle, columns: output.noteColumns }, group));
    return asksHelp ? 0 : 2;
  }
  const entry = commands[name]!;
  const command = await entry.load();
  if (own.includes("--help") || own.includes("-h")) {
    output.raw(commandHelp(name, entry, command, output));
    return 0;
  }
  return await perform(name, command, platform, output, clock);
}

async function perform(
  name: string,
  command: Command,
  platform: Platform,
  output: Output,
  clock: Clock,
): Promise<number> {
  const words = name.split(" ").length;
  const parsed = readArgs(dropWords(platform.args, words), {
    ...command.options,
    ...COMMON_OPTIONS,
  }, {
    command: name,
    positionals: command.positionals ?? [],
    takesRest: command.rest !== undefined,
  });
  const controller = new AbortController();
  const stop = command.ownSignals === true ? () => {} : platform.onSignal((signal) => {
    const interrupted = new Interrupted(signal);
    if (controller.signal.aborted) return platform.exit(interrupted.exitCode);
    controller.abort(interrupted);
    if (platform.stderr.isTerminal) {
      output.note(
        output.noteStyle.dim("Finishing work in progress; press Ctrl-C again to stop at once"),
      );
    }
  });
  output.broken.addEventListener("abort", () => controller.abort(output.broken.reason));
  try {
    return await command.run({ ...parsed, output, platform, clock, signal: controller.signal });
  } finally {
    stop();
  }
}

const HARMLESS: readonly string[] = ["--json", "--help", "-h", "--version"];

/** Our own arguments, up to `--`; and their leading words, before the first option other than `--json`. */
function splitArgs(
  args: readonly string[],
): { readonly own: readonly string[]; readonly leading: readonly string[] } {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  const words = own.filter((arg) => arg !== "--json");
  const first = words.findIndex((arg) => arg.startsWith("-"));
  return { own, leading: first < 0 ? words : words.slice(0, first) };
}

/** The arguments without the command's name: the first `count` words. */
function dropWords(args: readonly string[], count: number): readonly string[] {
  let left = count;
  return args.filter((arg) => arg.startsWith("-") || left-- <= 0);
}

function commandName(words: readonly string[]): string | undefined {
  const [first = "", second] = words;
  return [`${first} ${second}`, first].find((name) => Object.hasOwn(commands, name));
}

function isGroup(word: string): boolean {
  return Object.keys(commands).some((name) => name.startsWith(`${word} `));
}

function unknownCommand(words: readonly string[]): UsageError {
  const typed = isGroup(words[0]!) ? `${words[0]} ${words[1]}` : words[0]!;
  const meant = nearest(typed, Object.keys(commands));
  const advice = meant === undefined ? "see telequick --help" : `did you mean ${meant}?`;
  return new UsageError(`Unknown command ${JSON.stringify(typed.slice(0, 32))} (${advice})`);
}

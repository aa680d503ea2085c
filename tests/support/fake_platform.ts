import { type EndSignal, type Platform, systemPlatform } from "../../src/cli/platform.ts";
import { run, type RunOptions } from "../../src/cli/run.ts";
import { type Clock, systemClock } from "../../src/base/signal.ts";

/** Options of {@linkcode fakePlatform}. */
export interface FakePlatformOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What is piped in. Default: a person sits at the input. */
  readonly input?: string;
  /** Whether both outputs are terminals. Default: no. */
  readonly isTerminal?: boolean;
  /** The columns of the terminal. Default: 80. */
  readonly columns?: number;
  /** Parts to replace. */
  readonly parts?: Partial<Platform>;
}

/** A platform whose outputs are caught. Files, processes and datagrams are the machine's own. */
export interface FakePlatform {
  readonly platform: Platform;
  /** What was written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Both, as they came; lines of the standard error begin with `! `. */
  readonly transcript: () => string;
  /** Sends a signal to the command. */
  readonly send: (signal: EndSignal) => void;
  /** Calls back with every piece that is written to the standard output. */
  onOutput(listener: (text: string) => void): void;
}

export function fakePlatform(options: FakePlatformOptions = {}): FakePlatform {
  const { args = [], env = {}, input, isTerminal = false, columns = 80 } = options;
  const written = { stdout: "", stderr: "", transcript: "" };
  const listeners: ((text: string) => void)[] = [];
  const handlers = new Set<(signal: EndSignal) => void>();
  const terminal = (name: "stdout" | "stderr") => ({
    isTerminal,
    columns,
    write(text: string) {
      written[name] += text;
      written.transcript += name === "stdout" ? text : text.replace(/^(?=.)/gm, "! ");
      if (name === "stdout") { for (const listener of listeners) listener(written.stdout); }
      return Promise.resolve();
    },
  });
  return {
    platform: {
      ...systemPlatform,
      args,
      stdout: terminal("stdout"),
      stderr: terminal("stderr"),
      stdinIsTerminal: input === undefined,
      variable: (name) => env[name] || undefined,
      readInput: () => Promise.resolve(input ?? ""),
      exit(code) {
        throw new Error(`The command line ends the process with ${code}`);
      },
      onSignal(handler) {
        handlers.add(handler);
        return () => handlers.delete(handler);
      },
      ...options.parts,
    },
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    transcript: () => written.transcript,
    send: (signal) => {
      for (const handler of handlers) handler(signal);
    },
    onOutput: (listener) => void listeners.push(listener),
  };
}

/** The machine's clock, by which nothing takes any time: a machine under load makes no gateway look slow. */
export const steadyClock: Clock = { ...systemClock, monotonic: () => 0 };

/** What became of a command line. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly transcript: string;
  /** The standard output as objects, one a line. */
  readonly records: () => readonly Record<string, unknown>[];
}

/** Runs a command line in this process. */
export async function runCli(
  args: readonly string[],
  options: Omit<FakePlatformOptions, "args"> & RunOptions = {},
): Promise<Outcome> {
  const { clock, ...rest } = options;
  const fake = fakePlatform({ ...rest, args });
  const code = await run(fake.platform, clock === undefined ? {} : { clock });
  return {
    code,
    stdout: fake.stdout(),
    stderr: fake.stderr(),
    transcript: fake.transcript(),
    records: () => recordsOf(fake.stdout()),
  };
}

/** Reads one object a line. */
export function recordsOf(text: string): readonly Record<string, unknown>[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

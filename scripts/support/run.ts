import { root } from "./source.ts";

/** Options of {@linkcode run}. */
export interface RunOptions {
  /** Where it runs. Default: the repository's folder. */
  readonly cwd?: string | URL;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** After how many milliseconds it is killed. Default: 600,000. */
  readonly timeoutMs?: number;
}

/** What a process left behind. */
export interface RunResult {
  /** Whether it ended by itself with exit code 0. */
  readonly ok: boolean;
  /** What it wrote to standard output. */
  readonly stdout: string;
  /** All that it wrote, standard output first, and how it ended when that was not well. */
  readonly output: string;
}

/** Runs a program to its end, without colours. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { cwd = root, env = {}, timeoutMs = 600_000 } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const { success, code, signal, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    signal: timeout,
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  const ending = timeout.aborted
    ? `killed after ${timeoutMs / 1000} s`
    : signal ?? (success ? "" : `exit code ${code}`);
  const output = [text, decoder.decode(stderr), ending].map((each) => each.trimEnd());
  return { ok: ending === "", stdout: text, output: output.filter(Boolean).join("\n") };
}

/** Runs this very Deno. */
export function runDeno(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run(Deno.execPath(), args, options);
}

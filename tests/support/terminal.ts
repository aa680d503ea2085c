import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The command line as a process of its own: runtime and arguments. */
export const telequick: readonly string[] = [
  process.execPath,
  "run",
  "-A",
  "--quiet",
  "src/cli/main.ts",
];

/** A process that a test drives. */
export interface Driven {
  /** Everything it has written, both outputs together. */
  readonly output: () => string;
  /** Resolves when the output holds `text` that was not there at the call before. */
  until(text: string): Promise<void>;
  /** Types. `"\x03"` is Ctrl-C. */
  type(keys: string): void;
  /** Sends a signal, unless it has ended. */
  kill(signal: string): void;
  /** The exit code; after a signal 128, or 137 for SIGKILL, as shells report it. */
  readonly code: Promise<number>;
}

/** Options of {@linkcode inTerminal} and {@linkcode inPipe}. */
export interface DriveOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command in a pseudo-terminal (`script` of util-linux). The shell that `script` starts makes way for the command: one that
 * stayed would take Ctrl-C too, and some then tell the signal in place of the command's own exit code.
 */
export function inTerminal(command: readonly string[], options: DriveOptions = {}): Driven {
  const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  return drive(
    spawn("script", ["-qec", `exec ${line}`, "/dev/null"], {
      cwd: root,
      // `script` asks for this shell, and some users' own starts nothing.
      env: environment({ TERM: "xterm", SHELL: "/bin/sh", ...options.env }),
    }),
  );
}

/** Runs a command with pipes, as another program does. */
export function inPipe(command: readonly string[], options: DriveOptions = {}): Driven {
  const [program, ...args] = command;
  return drive(spawn(program!, args, { cwd: root, env: environment(options.env ?? {}) }));
}

/** The machine's own environment without what would change how the command line behaves, or names a language that is not there, which shells complain of. */
function environment(more: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) =>
    !/^(TELEQUICK_.*|NO_COLOR|FORCE_COLOR|TERM|NODE_ENV|LANG|LC_.*)$/.test(name)
  );
  return { ...Object.fromEntries(kept), ...more };
}

function drive(child: ChildProcess): Driven {
  let output = "";
  let seen = 0;
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
      for (const look of waiting) look();
    });
  }
  child.stdin!.on("error", () => {});
  let isOver = false;
  const code = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => isOver = true);
    child.once("close", (code, signal) => {
      resolve(code ?? (signal === "SIGKILL" ? 137 : 128));
    });
  });
  return {
    output: () => output,
    code,
    // Not `child.kill`: Deno then reports the signal in place of the exit code.
    kill(signal) {
      if (!isOver) process.kill(child.pid!, signal);
    },
    type: (keys) => void child.stdin!.write(keys),
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const at = output.indexOf(text, seen);
          if (at < 0) return;
          seen = at + text.length;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        void code.then(() => reject(new Error(`It ended without ${text}:\n${output}`)));
        look();
      }),
  };
}

/** A gateway in a process of its own. */
export interface GatewayProcess {
  readonly env: Readonly<Record<string, string>>;
  readonly record: Readonly<Record<string, string>>;
  readonly driven: Driven;
  /** Ends it. Resolves with the exit code. */
  stop(): Promise<number>;
}

export async function startGatewayProcess(...args: readonly string[]): Promise<GatewayProcess> {
  const driven = inPipe([...telequick, "gateway", "--json", ...args]);
  await driven.until('"program"');
  await driven.until("}\n");
  const record = JSON.parse(
    driven.output().split("\n").find((line) => line.includes('"type":"gateway"'))!,
  );
  const { endpoint, certificateHash, credentials, trunkId } = record;
  return {
    record,
    driven,
    env: {
      TELEQUICK_ENDPOINT: endpoint,
      TELEQUICK_CERTIFICATE_HASH: certificateHash,
      TELEQUICK_CREDENTIALS: credentials,
      TELEQUICK_TRUNK: trunkId,
    },
    stop: () => {
      driven.kill("SIGINT");
      return driven.code;
    },
  };
}

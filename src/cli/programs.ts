/**
 * Other programs: commands that use this terminal, and programs that take audio.
 *
 * @module
 */

import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { ignore } from "../base/ignore.ts";
import { fileFault } from "./private_files.ts";
import { quotePath, UsageError } from "./usage.ts";

/** A signal that asks a program to stop. */
export type EndSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** How a command ended. */
export interface CommandEnd {
  /** Its exit code; 128 plus the signal's number when a signal ended it, as in shells. */
  readonly exitCode: number;
}

/** A running command that uses this process's terminal. */
export interface RunningCommand {
  /** Resolves when it has ended; rejects with a {@linkcode UsageError} when it could not be started. */
  readonly ended: Promise<CommandEnd>;
  /** Sends it a signal. */
  kill(signal: EndSignal): void;
}

/** A program that reads bytes from its input. */
export interface FedProgram {
  /** Hands it bytes; they are dropped when it has ended or does not keep up. */
  write(bytes: Uint8Array): void;
  /** Ends its input. Resolves when it has ended. */
  end(): Promise<void>;
}

// Audio of more than a minute.
const MOST_WAITING_BYTES = 1_048_576;

/** Starts a command with additional environment variables. */
export function runCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): RunningCommand {
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.once("error", (error) => reject(notStarted(command, error)));
    child.once("exit", (code, signal) => {
      resolve({ exitCode: code ?? 128 + (signal === null ? 0 : constants.signals[signal]) });
    });
  });
  return {
    ended,
    kill(signal) {
      // Not `child.kill`: Deno would then report the signal instead of the command's exit code.
      if (child.pid !== undefined && child.exitCode === null) process.kill(child.pid, signal);
    },
  };
}

/** Starts a program that is fed through its input; its errors go to ours. */
export function feedProgram(program: string, args: readonly string[]): FedProgram {
  const child = spawn(program, args, { stdio: ["pipe", "ignore", "inherit"] });
  const input = child.stdin!;
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  // It was closed, or has no sound card.
  input.on("error", ignore);
  return {
    write(bytes) {
      if (input.writable && input.writableLength < MOST_WAITING_BYTES) input.write(bytes);
    },
    async end() {
      input.end();
      await ended;
    },
  };
}

/** The path of a program that is on PATH; `undefined` when it is not. */
export async function findProgram(name: string): Promise<string | undefined> {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, file);
    const isThere = folder !== "" &&
      await fs.access(path, fs.constants.X_OK).then(() => true, () => false);
    if (isThere) return path;
  }
  return undefined;
}

/** Exit codes as in shells: 127 for a command that does not exist, 126 for one that cannot be executed. */
function notStarted(command: string, error: unknown): UsageError {
  const { code } = error as { readonly code?: string };
  return new UsageError(`Cannot start ${quotePath(command)}: ${fileFault(error)}`, {
    exitCode: code === "ENOENT" ? 127 : 126,
  });
}

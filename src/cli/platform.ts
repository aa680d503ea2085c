/**
 * The machine: terminal, environment, files, processes, signals, datagrams. The only file that imports the runtime's own modules,
 * which Deno, Node and Bun share; everything else in the command line takes a {@linkcode Platform}.
 *
 * @module
 */

import { createPublicKey, X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { askLocally, listenLocally, type LocalSocket } from "./local_socket.ts";
import {
  attempt,
  createFile,
  type FileToWrite,
  type GrowingFile,
  isSameFile,
  readBytes,
  writeFiles,
} from "./private_files.ts";
import {
  type EndSignal,
  type FedProgram,
  feedProgram,
  findProgram,
  runCommand,
  type RunningCommand,
} from "./programs.ts";

export type { LocalSocket } from "./local_socket.ts";
export type { GrowingFile } from "./private_files.ts";
export type { CommandEnd, EndSignal, FedProgram, RunningCommand } from "./programs.ts";
import { openUrl } from "./opener.ts";

/** An output stream. */
export interface Terminal {
  /** Whether it is a terminal rather than a file or a pipe. */
  readonly isTerminal: boolean;
  /** Columns; 80 when unknown. */
  readonly columns: number;
  /** Writes text; resolves when it has been written. */
  write(text: string): Promise<void>;
}

/** Facts about a certificate. */
export interface CertificateFacts {
  /** Such as `"ec prime256v1"` or `"rsa 2048"`. */
  readonly keyKind: string;
  /** Unix milliseconds. */
  readonly notBefore: number;
  /** Unix milliseconds. */
  readonly notAfter: number;
}

/** What the command line needs from the machine. */
export interface Platform {
  /** Name and version of the runtime, such as `"Deno 2.9.6"`. */
  readonly runtime: string;
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Whether the input is a terminal. */
  readonly stdinIsTerminal: boolean;
  /** A variable of the environment; `undefined` when it is not set, empty or not readable. */
  variable(name: string): string | undefined;
  /** The whole input. */
  readInput(): Promise<string>;
  /** A file's text. */
  readText(path: string): Promise<string>;
  /** A file's bytes; refuses one that has more than `most`. */
  readBytes(path: string, most: number): Promise<Uint8Array>;
  /** Whether a file or folder exists. */
  exists(path: string): Promise<boolean>;
  /** Writes a file completely or not at all, with these permission bits; refuses an existing file unless `replace` is set. */
  writeText(
    path: string,
    text: string,
    options: { readonly mode: number; readonly replace?: boolean },
  ): Promise<void>;
  /** Writes several files with these permission bits, all of them or none; refuses existing files unless `replace` is set. */
  writeFiles(
    files: readonly FileToWrite[],
    options: { readonly replace: boolean },
  ): Promise<void>;
  /** Creates a file that grows, for its owner alone; refuses an existing one. */
  createFile(path: string): Promise<GrowingFile>;
  /** Whether two paths lead to the same file, in any spelling. */
  isSameFile(path: string, other: string): Promise<boolean>;
  /** Removes a file, or a folder with its content. */
  remove(path: string): Promise<void>;
  /** Creates a folder with mode 700, if it does not exist. */
  makeFolder(path: string): Promise<void>;
  /** Creates such a folder in the system's temporary folder. */
  makeTemporaryFolder(): Promise<string>;
  join(...parts: string[]): string;
  /** A path from the root, as it is printed: it works in every folder. */
  absolute(path: string): string;
  /** Starts a command with additional environment variables. */
  run(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): RunningCommand;
  /** Starts a program that is fed through its input. */
  feed(program: string, args: readonly string[]): FedProgram;
  /** The path of a program that is on PATH; `undefined` when it is not. */
  findProgram(name: string): Promise<string | undefined>;
  /** Answers questions of one line each from programs of this user, at a socket in a folder that only its owner can enter. */
  listenLocally(
    folder: string,
    answer: (question: string) => Promise<string>,
  ): Promise<LocalSocket>;
  /** Asks at such a socket. Resolves with `undefined` when nothing answers there. */
  askLocally(path: string, question: string): Promise<string | undefined>;
  /** Opens a URL in the person's browser; rejects with a {@linkcode UsageError} when that is not possible. */
  openUrl(url: string): Promise<void>;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Calls `handler` for every signal that asks to stop. Returns a function that removes the handler. */
  onSignal(handler: (signal: EndSignal) => void): () => void;
  /** Processor time since the start in milliseconds, and resident memory in bytes. */
  usage(): { readonly cpuMs: number; readonly memoryBytes: number };
  /** Sends one datagram; calls `onReply` for each reply and `onError` for an error of the system. Returns a function that stops it. */
  datagram(
    to: { readonly hostname: string; readonly port: number; readonly bytes: Uint8Array },
    handlers: { onReply(bytes: Uint8Array): void; onError(code: string): void },
  ): () => void;
  /** The public half of an RSA private key in PEM; `undefined` when the text is not one. */
  publicHalf(privatePem: string): string | undefined;
  /** Reads a certificate in PEM; `undefined` when the text is not one. */
  readCertificate(pem: string): CertificateFacts | undefined;
}

/** This machine. */
export const systemPlatform: Platform = {
  runtime: runtimeName(),
  args: process.argv.slice(2),
  stdout: terminal(process.stdout),
  stderr: terminal(process.stderr),
  stdinIsTerminal: process.stdin.isTTY === true,
  variable(name) {
    try {
      return process.env[name] || undefined;
    } catch {
      return undefined;
    }
  },
  async readInput() {
    const chunks: string[] = [];
    process.stdin.setEncoding("utf8");
    for await (const chunk of process.stdin) chunks.push(chunk);
    return chunks.join("");
  },
  readBytes,
  createFile,
  readText: (path) => attempt("read", path, () => fs.readFile(path, "utf8")),
  exists: (path) => fs.stat(path).then(() => true, () => false),
  writeText: (path, text, { mode, replace = false }) =>
    writeFiles([{ path, text, mode }], { replace }),
  writeFiles,
  isSameFile,
  remove: (path) => attempt("remove", path, () => fs.rm(path, { recursive: true, force: true })),
  makeFolder: (path) =>
    attempt(
      "make folder",
      path,
      async () => void await fs.mkdir(path, { recursive: true, mode: 0o700 }),
    ),
  makeTemporaryFolder: () =>
    attempt("make folder", tmpdir(), () => fs.mkdtemp(join(tmpdir(), "telequick-gateway-"))),
  join,
  absolute: (path) => resolve(path),
  run: runCommand,
  feed: feedProgram,
  findProgram,
  listenLocally,
  askLocally,
  openUrl: (url) => openUrl(url),
  exit: (code) => process.exit(code),
  onSignal(handler) {
    const signals: readonly EndSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
    const listeners = signals.map((signal) => [signal, () => handler(signal)] as const);
    for (const [signal, listener] of listeners) process.on(signal, listener);
    return () => {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    };
  },
  usage() {
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1_000, memoryBytes: process.memoryUsage().rss };
  },
  datagram({ hostname, port, bytes }, { onReply, onError }) {
    const socket = createSocket(hostname.includes(":") ? "udp6" : "udp4");
    socket.on("message", onReply);
    socket.on("error", (error: { readonly code?: string }) => onError(error.code ?? ""));
    // Connected, so that the system reports when nothing listens at the port.
    socket.connect(port, hostname, (error?: { readonly code?: string }) => {
      if (error) onError(error.code ?? "");
      else socket.send(bytes);
    });
    return () => {
      try {
        socket.close();
      } catch {
        // It is closed already.
      }
    };
  },
  publicHalf(privatePem) {
    try {
      return createPublicKey(privatePem).export({ type: "spki", format: "pem" }).toString();
    } catch {
      // The runtime's own error is dropped: it can quote the key.
      return undefined;
    }
  },
  readCertificate(pem) {
    try {
      const { publicKey, validFrom, validTo } = new X509Certificate(pem);
      const { namedCurve, modulusLength } = publicKey.asymmetricKeyDetails ?? {};
      return {
        keyKind: `${publicKey.asymmetricKeyType} ${namedCurve ?? modulusLength ?? ""}`.trim(),
        notBefore: Date.parse(validFrom),
        notAfter: Date.parse(validTo),
      };
    } catch {
      return undefined;
    }
  },
};

/** Whether a module is the main program, for runtimes without `import.meta.main`. */
export async function isProgram(moduleUrl: string): Promise<boolean> {
  const [, program] = process.argv;
  if (program === undefined) return false;
  const { pathToFileURL } = await import("node:url");
  return pathToFileURL(await fs.realpath(program).catch(() => program)).href === moduleUrl;
}

/** Calls `report` for uncaught errors, instead of the runtime's stack trace. */
export function onUncaught(report: (error: unknown) => void): void {
  process.on("uncaughtException", report);
  process.on("unhandledRejection", report);
}

function runtimeName(): string {
  const { deno, bun, node } = process.versions as Record<string, string | undefined>;
  if (deno !== undefined) return `Deno ${deno}`;
  return bun === undefined ? `Node ${node}` : `Bun ${bun}`;
}

function terminal(stream: NodeJS.WriteStream): Terminal {
  // A closed pipe (`| head`) is reported by the write's callback; without a listener it would end the process.
  stream.on("error", () => {});
  return {
    isTerminal: stream.isTTY === true,
    get columns() {
      // Some pseudo-terminals say 0.
      return stream.columns || 80;
    },
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => error ? reject(new BrokenPipe()) : resolve());
      }),
  };
}

/** The reader of our output has closed the pipe: not an error. */
export class BrokenPipe extends Error {
  override readonly name = "BrokenPipe";
}

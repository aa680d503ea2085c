/**
 * The runtime's own modules, in the shape of Node.js, which Deno and Bun have too: the only part of the gateway that reaches for them.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";

/** What a file is. */
export interface FileStatus {
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** What is used of a file system, in the shape of `node:fs/promises`. */
export interface FileSystem {
  mkdir(
    path: string,
    options: { readonly recursive: true; readonly mode: number },
  ): Promise<unknown>;
  readFile(path: string, encoding: "utf8"): Promise<string>;
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { readonly force: true }): Promise<void>;
  /** The status of a file, and of a link itself where it is one. */
  lstat(path: string): Promise<FileStatus>;
  readdir(path: string): Promise<string[]>;
  realpath(path: string): Promise<string>;
}

/** An open file of a {@linkcode FileSystem}. */
export interface OpenFile {
  writeFile(text: string): Promise<void>;
  read(into: Uint8Array): Promise<{ readonly bytesRead: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The part of `node:fs` that does not return promises. */
export interface SyncFiles {
  mkdirSync(path: string, options: { readonly recursive: true; readonly mode: number }): unknown;
  openSync(path: string, flags: string, mode?: number): number;
  writeSync(file: number, bytes: Uint8Array, at: number, length: number, position: number): number;
  closeSync(file: number): void;
}

/** A socket of `node:net`. */
export interface Socket {
  on(event: "data", listener: (data: { toString(): string }) => void): void;
  on(event: "error", listener: (error: { readonly code?: string }) => void): void;
  on(event: "connect" | "close", listener: () => void): void;
  end(text: string): void;
  destroy(): void;
}

/** A server of `node:net`. */
export interface SocketServer {
  on(event: "error", listener: (error: unknown) => void): void;
  listen(path: string, onListening: () => void): void;
  close(onClosed: () => void): void;
  unref?(): void;
}

interface Builtins {
  readonly "node:fs": SyncFiles & { readonly promises: FileSystem };
  readonly "node:net": {
    createServer(onSocket: (socket: Socket) => void): SocketServer;
    connect(path: string): Socket;
  };
  readonly "node:os": { hostname(): string };
  readonly "node:path": { resolve(path: string): string };
  readonly "node:url": { pathToFileURL(path: string): URL };
}

interface ProcessLike {
  readonly pid?: number;
  readonly platform?: string;
  readonly versions?: Readonly<Record<string, string | undefined>>;
  getuid?(): number;
  getBuiltinModule?<N extends keyof Builtins>(name: N): Builtins[N] | undefined;
}

/** The runtime's process; every member can be missing. */
export function runtimeProcess(): ProcessLike {
  const { process = {} } = globalThis as { process?: ProcessLike };
  return process;
}

/** One of the runtime's modules. Throws `ERR_VALUE_INVALID` where it is missing. */
export function builtin<N extends keyof Builtins>(name: N): Builtins[N] {
  const found = runtimeProcess().getBuiltinModule?.(name);
  if (found !== undefined) return found;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    "Cannot keep state in a directory: this runtime has no file system (pass a storage of your own)",
  );
}

/** The error of an operation on a file, by the file system's own code. */
export function fileError(action: string, path: string, error: unknown): TeleQuickError {
  const found = codeOf(error) || "the file system refused";
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot ${action} ${path}: ${found}`, {
    cause: error,
  });
}

/** The code of an error of the file system or a socket; empty where it is missing. */
export function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}

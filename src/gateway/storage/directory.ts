/**
 * A folder as a gateway's storage: the only part of the gateway that touches a disk.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { counted } from "../../base/operations.ts";
import type { GatewayStorage } from "./archive.ts";
import type { RecordingFile } from "../call/recording.ts";

/** What is used of a file system, in the shape of `node:fs/promises`, which Deno, Node and Bun all have. */
export interface FileSystem {
  mkdir(
    path: string,
    options: { readonly recursive: true; readonly mode: number },
  ): Promise<unknown>;
  readFile(path: string, encoding: "utf8"): Promise<string>;
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
}

/** An open file of a {@linkcode FileSystem}. */
export interface OpenFile {
  writeFile(text: string): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Builtins {
  readonly "node:fs": SyncFiles & { readonly promises: FileSystem };
  readonly "node:url": { pathToFileURL(path: string): URL };
}

interface ProcessLike {
  getBuiltinModule?<N extends keyof Builtins>(name: N): Builtins[N] | undefined;
}

interface SyncFiles {
  mkdirSync(path: string, options: { readonly recursive: true; readonly mode: number }): unknown;
  rmSync(path: string, options: { readonly force: true }): void;
  openSync(path: string, flags: string, mode: number): number;
  writeSync(file: number, bytes: Uint8Array, at: number, length: number, position: number): number;
  closeSync(file: number): void;
}

interface ReadableFile extends OpenFile {
  read(into: Uint8Array): Promise<{ readonly bytesRead: number }>;
}

const CHUNK_BYTES = 64 * 1024;

/** Reads a file piece by piece. Rejects with `ERR_VALUE_INVALID` when it cannot be read. */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  let file: ReadableFile | undefined;
  try {
    file = await runtimeFiles().open(path, "r") as ReadableFile;
    while (true) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } catch (error) {
    throw failed("read", path, error);
  } finally {
    await file?.close();
  }
}

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/**
 * Keeps files in a folder, each replaced as a whole: written beside, flushed to disk, renamed over the old one, the folder flushed too.
 * Whenever the process or the machine dies, the file is the old one or the new one. One gateway at a time may use a folder.
 *
 * @param directory The folder; made, for its owner alone, when it is not there.
 * @param files The file system. Default: the runtime's.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` where the runtime has no file system.
 */
export function directoryStorage(
  directory: string,
  files: FileSystem = runtimeFiles(),
): GatewayStorage {
  return {
    async read(name) {
      try {
        return await counted(files.readFile(`${directory}/${name}`, "utf8"));
      } catch (error) {
        if (codeOf(error) === "ENOENT") return undefined;
        throw failed("read", `${directory}/${name}`, error);
      }
    },
    async write(name, text) {
      const path = `${directory}/${name}`;
      try {
        await counted(replaceFile(files, directory, path, text));
      } catch (error) {
        throw failed("write", path, error);
      }
    },
  };
}

async function replaceFile(
  files: FileSystem,
  directory: string,
  path: string,
  text: string,
): Promise<void> {
  await files.mkdir(directory, { recursive: true, mode: PRIVATE_FOLDER });
  await writeAndSync(await files.open(`${path}.new`, "w", PRIVATE_FILE), text);
  await files.rename(`${path}.new`, path);
  await syncFolder(files, directory);
}

async function writeAndSync(file: OpenFile, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is only certain when the folder is on disk too. Not every system lets a folder be opened or flushed; there it needs not be. */
async function syncFolder(files: FileSystem, directory: string): Promise<void> {
  try {
    const folder = await files.open(directory, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(codeOf(error))) throw error;
  }
}

const NO_FOLDER_SYNC: ReadonlySet<string> = new Set([
  ...["EACCES", "EBADF", "EINVAL", "EISDIR", "ENOSYS", "ENOTSUP", "EPERM"],
]);

/**
 * Makes a file for a recording; one of the same name is removed before. Written at once, not in the background: whoever learns its URL finds it
 * whole. Open only while it is written: the calls of one tenant could otherwise take every descriptor of the process.
 *
 * @param folder The folder; made, for its owner alone, when it is not there.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when it cannot be made; the file's methods throw it when it cannot be written, or is not there any more.
 */
export function recordingFile(folder: string, name: string): RecordingFile {
  const files = builtin("node:fs");
  const path = `${folder}/${name}`;
  const attempt = (action: string, act: () => void): void => {
    try {
      act();
    } catch (error) {
      throw failed(action, path, error);
    }
  };
  attempt("make", () => {
    files.mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
    // Another file's mode would stay, and a link would be followed.
    files.rmSync(path, { force: true });
    files.closeSync(files.openSync(path, "wx", PRIVATE_FILE));
  });
  let end = 0;
  const write = (bytes: Uint8Array, at: number): void =>
    attempt("write", () => {
      const file = files.openSync(path, "r+", PRIVATE_FILE);
      try {
        let done = 0;
        while (done < bytes.length) {
          done += files.writeSync(file, bytes, done, bytes.length - done, at + done);
        }
      } finally {
        files.closeSync(file);
      }
    });
  return {
    url: builtin("node:url").pathToFileURL(path).href,
    append(bytes) {
      write(bytes, end);
      end += bytes.length;
    },
    replaceStart: (bytes) => write(bytes, 0),
  };
}

function runtimeFiles(): FileSystem {
  return builtin("node:fs").promises;
}

function builtin<N extends keyof Builtins>(name: N): Builtins[N] {
  const { process } = globalThis as { process?: ProcessLike };
  const found = process?.getBuiltinModule?.(name);
  if (found !== undefined) return found;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    "Cannot keep state in a directory: this runtime has no file system (pass a storage of your own)",
  );
}

function failed(action: string, path: string, error: unknown): TeleQuickError {
  const found = codeOf(error) || "the file system refused";
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot ${action} ${path}: ${found}`, {
    cause: error,
  });
}

function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}

/**
 * A folder as a gateway's storage.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import type { RecordingFile } from "../call/recording.ts";
import type { GatewayStorage } from "./archive.ts";
import {
  builtin,
  codeOf,
  fileError,
  type FileStatus,
  type FileSystem,
  type OpenFile,
  runtimeProcess,
} from "./builtins.ts";
import { lockDirectory } from "./directory_lock.ts";

export type { FileSystem } from "./builtins.ts";

const CHUNK_BYTES = 64 * 1024;
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const WORLD_WRITABLE = 0o002;
const STICKY = 0o1000;
// A million keys have less.
const LARGEST_STATE = 512 * 1024 * 1024;

/**
 * Reads a file piece by piece, if it lies in one of the folders once every link is followed.
 *
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when it cannot be read, is not a plain file, or lies elsewhere.
 */
export async function* readChunks(
  path: string,
  folders: readonly string[],
): AsyncGenerator<Uint8Array> {
  const files = runtimeFiles();
  let file: OpenFile | undefined;
  try {
    const real = await files.realpath(path);
    const roots = await Promise.all(folders.map((folder) => files.realpath(folder).catch(ignore)));
    if (!roots.some((root) => root !== undefined && real.startsWith(withSlash(root)))) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        `Cannot read ${path}: a link leads out of the folders that can be read`,
      );
    }
    if (!(await files.lstat(real)).isFile()) {
      throw new TeleQuickError("ERR_VALUE_INVALID", `Cannot read ${path}: it is not a plain file`);
    }
    file = await files.open(real, "r");
    while (true) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } catch (error) {
    throw error instanceof TeleQuickError ? error : fileError("read", path, error);
  } finally {
    await file?.close();
  }
}

function withSlash(folder: string): string {
  return folder.endsWith("/") ? folder : `${folder}/`;
}

/**
 * Keeps files in a folder. A file is replaced as a whole: written beside it, flushed to disk, renamed over the old one, the folder flushed too.
 * Whenever the process or the machine dies, the file is the old one or the new one. One gateway at a time uses a folder: it holds a lock.
 *
 * @param directory The folder; made, for its owner alone, when it is not there.
 * @param files The file system; with one of the caller's own there is no lock. Default: the runtime's.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` where the runtime has no file system.
 */
export function directoryStorage(
  directory: string,
  files: FileSystem = runtimeFiles(),
): GatewayStorage {
  const storage: GatewayStorage = {
    async read(name) {
      const path = `${directory}/${name}`;
      const status = await statusOf(files, path);
      if (status === undefined) return undefined;
      checkFile(path, status);
      return await files.readFile(path, "utf8").catch((error) => {
        throw fileError("read", path, error);
      });
    },
    async write(name, text) {
      const path = `${directory}/${name}`;
      const half = `${path}.${crypto.randomUUID()}.new`;
      try {
        await files.mkdir(directory, { recursive: true, mode: PRIVATE_FOLDER });
        try {
          // Refuses a name that is there, also a link.
          await writeAndSync(await files.open(half, "wx", PRIVATE_FILE), text);
          await files.rename(half, path);
        } catch (error) {
          await files.rm(half, { force: true }).catch(ignore);
          throw error;
        }
        await syncFolder(files, directory);
      } catch (error) {
        throw fileError("write", path, error);
      }
    },
    async append(name, text) {
      const path = `${directory}/${name}`;
      try {
        await writeAndSync(await files.open(path, "a", PRIVATE_FILE), text);
      } catch (error) {
        throw fileError("write", path, error);
      }
    },
  };
  if (files !== runtimeFiles()) return storage;
  return {
    ...storage,
    async lock() {
      const unlock = await lockDirectory(directory);
      try {
        await checkFolder(files, directory);
        await removeHalves(files, directory);
        return unlock;
      } catch (error) {
        await unlock();
        throw error;
      }
    },
  };
}

async function statusOf(files: FileSystem, path: string): Promise<FileStatus | undefined> {
  try {
    return await files.lstat(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw fileError("read", path, error);
  }
}

/** Throws unless a file is one that a gateway of this user wrote: reading anything else can block for ever, or take in another user's keys. */
function checkFile(path: string, status: FileStatus): void {
  const refuse = (found: string): never => {
    throw new TeleQuickError("ERR_VALUE_INVALID", `Cannot read ${path}: ${found}`);
  };
  if (!status.isFile()) refuse(`it is ${kindOf(status)}, expected a plain file`);
  if (status.size > LARGEST_STATE) {
    refuse(`it has ${status.size} bytes, expected at most ${LARGEST_STATE}`);
  }
  const user = runtimeProcess().getuid?.();
  if (user === undefined) return;
  if (status.uid !== user) {
    refuse(`it belongs to user ${status.uid}, expected this process's user, ${user} (chown it)`);
  }
  if ((status.mode & WORLD_WRITABLE) !== 0) {
    refuse("every user can write it, expected mode 600 (chmod it, and check its keys)");
  }
}

function kindOf(status: FileStatus): string {
  if (status.isDirectory()) return "a folder";
  if (status.isSymbolicLink()) return "a symbolic link";
  if (status.isFIFO()) return "a FIFO";
  return status.isSocket() ? "a socket" : "a device";
}

/** Throws when every user could put another file in place of the gateway's. */
async function checkFolder(files: FileSystem, directory: string): Promise<void> {
  const { mode } = await files.lstat(await files.realpath(directory));
  if (runtimeProcess().getuid === undefined) return;
  if ((mode & WORLD_WRITABLE) === 0 || (mode & STICKY) !== 0) return;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot use ${directory}: every user can write it, expected mode 700 (chmod it, and check its files)`,
  );
}

/** Removes what a process left that died while it wrote. */
async function removeHalves(files: FileSystem, directory: string): Promise<void> {
  for (const name of await files.readdir(directory)) {
    if (!/^gateway\.(?:json|journal)(?:\.[0-9a-f-]{36})?\.new$/.test(name)) continue;
    await files.rm(`${directory}/${name}`, { force: true });
  }
}

async function writeAndSync(file: OpenFile, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is only certain when the folder is on disk too. Not every system lets a folder be opened or flushed; there it need not be. */
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

// More recordings of one call_sid than any restart makes.
const MOST_COPIES = 1_000;

/**
 * Makes a file for a recording. Where one of this name is there, it stays, and the new one gets a number: a call_sid can be dialled again after a
 * restart. Written at once, not in the background: a reader that learns its URL finds it whole. Open only while it is written: the calls of one
 * tenant could otherwise take every descriptor of the process.
 *
 * @param folder The folder; made, for its owner alone, when it is not there.
 * @param name The file's name without `.wav`.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when it cannot be made; the file's methods throw it when it cannot be written, or is not there any more.
 */
export function recordingFile(folder: string, name: string): RecordingFile {
  const files = builtin("node:fs");
  const make = (path: string): boolean => {
    try {
      // Refuses a name that is there, also a link.
      files.closeSync(files.openSync(path, "wx", PRIVATE_FILE));
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw fileError("make", path, error);
    }
  };
  let path = `${folder}/${name}.wav`;
  try {
    files.mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    throw fileError("make", path, error);
  }
  for (let copy = 2; !make(path); copy++) {
    if (copy > MOST_COPIES) throw fileError("make", path, { code: "EEXIST" });
    path = `${folder}/${name},${copy}.wav`;
  }
  let end = 0;
  const write = (bytes: Uint8Array, at: number): void => {
    try {
      const file = files.openSync(path, "r+");
      try {
        let done = 0;
        while (done < bytes.length) {
          done += files.writeSync(file, bytes, done, bytes.length - done, at + done);
        }
      } finally {
        files.closeSync(file);
      }
    } catch (error) {
      throw fileError("write", path, error);
    }
  };
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

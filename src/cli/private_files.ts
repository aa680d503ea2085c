/**
 * Writing files: several together or none, each completely or not at all. Everything that the command line writes goes through here, most of
 * all private keys.
 *
 * @module
 */

import * as fs from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { quotePath, UsageError } from "./usage.ts";

/** A file to write. */
export interface FileToWrite {
  readonly path: string;
  readonly text: string;
  /** Its permission bits. */
  readonly mode: number;
}

/** One file on its way: where it goes once every link is followed, and the names beside it. */
interface Placement extends FileToWrite {
  readonly target: string;
  /** The new file, until it is in place. */
  readonly fresh: string;
  /** The old file, until all new ones are in place. */
  readonly old: string;
}

/**
 * Writes files. With `replace` the old ones stay until all new ones are in place, and come back when one of them cannot be; without it, an
 * existing file is refused. A link is followed: its target is written.
 */
export async function writeFiles(
  files: readonly FileToWrite[],
  { replace }: { readonly replace: boolean },
): Promise<void> {
  const placements: Placement[] = [];
  for (const file of files) {
    placements.push(await attempt("write", file.path, () => placementOf(file)));
  }
  for (const [i, { path, target }] of placements.entries()) {
    for (const other of placements.slice(0, i)) {
      if (!await areSame(target, other.target)) continue;
      throw new UsageError(
        `Cannot write ${quotePath(other.path)} and ${quotePath(path)}: they are the same file`,
      );
    }
  }
  const undo: (() => Promise<unknown>)[] = [];
  try {
    for (const placement of placements) {
      const { path, fresh } = placement;
      undo.push(() => fs.rm(fresh, { force: true }));
      await attempt("write", path, () => writeFresh(placement));
    }
    for (const placement of placements) {
      await attempt("write", placement.path, () => put(placement, replace, undo));
    }
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {});
    throw error;
  }
  for (const { fresh, old } of placements) {
    await fs.rm(fresh, { force: true });
    await fs.rm(old, { force: true });
  }
}

/** A file that grows while something goes on, such as a recording. */
export interface GrowingFile {
  /** Adds bytes at its end. */
  append(bytes: Uint8Array): Promise<void>;
  /** Replaces bytes at its beginning. */
  replaceStart(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Creates a file that grows, for its owner alone. Refuses a name that exists, also a link. */
export async function createFile(path: string): Promise<GrowingFile> {
  const file = await attempt("write", path, () => fs.open(path, "wx", 0o600));
  let end = 0;
  const write = (bytes: Uint8Array, at: number): Promise<void> =>
    attempt("write", path, async () => {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
        done += bytesWritten;
      }
    });
  return {
    async append(bytes) {
      const at = end;
      end += bytes.length;
      await write(bytes, at);
    },
    replaceStart: (bytes) => write(bytes, 0),
    close: () => file.close(),
  };
}

/** A file's bytes; refuses one that has more than `most`. */
export async function readBytes(path: string, most: number): Promise<Uint8Array> {
  const { size } = await attempt("read", path, () => fs.stat(path));
  if (size > most) {
    throw new UsageError(
      `Cannot read ${quotePath(path)}: it has ${size} bytes, expected at most ${most}`,
    );
  }
  return await attempt("read", path, () => fs.readFile(path));
}

/** Whether two paths lead to the same file, in any spelling; also when it does not exist yet. */
export async function isSameFile(path: string, other: string): Promise<boolean> {
  const [one, two] = [
    await targetOf(path).catch(() => path),
    await targetOf(other).catch(() => other),
  ];
  return await areSame(one, two);
}

async function areSame(target: string, other: string): Promise<boolean> {
  if (target === other) return true;
  const [one, two] = [await statusOf(target), await statusOf(other)];
  if (one !== undefined && two !== undefined) return one.dev === two.dev && one.ino === two.ino;
  // Where letters of both cases are one, two names that are not there yet can still be one file.
  return one === undefined && two === undefined && target.toLowerCase() === other.toLowerCase();
}

function statusOf(path: string) {
  return fs.lstat(path).catch(() => undefined);
}

async function placementOf(file: FileToWrite): Promise<Placement> {
  const target = await targetOf(file.path);
  const status = await statusOf(target);
  if (status?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  if (status !== undefined && !status.isFile()) {
    throw Object.assign(new Error(), { code: "NOT_PLAIN" });
  }
  const beside = `${target}.${crypto.randomUUID()}`;
  return { ...file, target, fresh: `${beside}.new`, old: `${beside}.old` };
}

const MOST_LINKS = 40;

/** Where a path leads once every link is followed; the last part need not exist. */
async function targetOf(path: string): Promise<string> {
  let at = resolve(path);
  for (let i = 0; i < MOST_LINKS; i++) {
    at = join(await fs.realpath(dirname(at)), basename(at));
    const status = await statusOf(at);
    if (!status?.isSymbolicLink()) return at;
    at = resolve(dirname(at), await fs.readlink(at));
  }
  throw Object.assign(new Error(), { code: "ELOOP" });
}

async function writeFresh({ fresh, text, mode }: Placement): Promise<void> {
  // Refuses a name that exists, also a link.
  const file = await fs.open(fresh, "wx", mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Puts a new file in place. `undo` gets what takes it back. */
async function put(
  { target, fresh, old }: Placement,
  replace: boolean,
  undo: (() => Promise<unknown>)[],
): Promise<void> {
  if (!replace) {
    await linkOrCopy(fresh, target);
    undo.push(() => fs.rm(target, { force: true }));
    return;
  }
  const exists = await statusOf(target) !== undefined;
  if (exists) {
    undo.push(() => fs.rm(old, { force: true }));
    await linkOrCopy(target, old);
  }
  await fs.rename(fresh, target);
  undo.push(() => exists ? fs.rename(old, target) : fs.rm(target, { force: true }));
}

/** Gives a file a second name, which must not exist; copies it where the file system has no second names. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await fs.link(from, to);
  } catch (error) {
    const { code = "" } = error as { readonly code?: string };
    if (code === "EEXIST") throw error;
    await fs.copyFile(from, to, fs.constants.COPYFILE_EXCL);
  }
}

/** Does something with a file. Throws a {@linkcode UsageError} that says what is wrong. */
export async function attempt<T>(
  action: string,
  path: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new UsageError(`Cannot ${action} ${quotePath(path)}: ${fileFault(error)}`);
  }
}

const FILE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is not a folder",
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "the file system is read-only",
  EEXIST: "it exists already",
  EISDIR: "it is a folder",
  ENOSPC: "the disk is full",
  ELOOP: "it is a link that leads back to itself",
  NOT_PLAIN: "it is not a plain file",
  EXDEV: "it is on another file system",
};

/** What is wrong with a file, in words. */
export function fileFault(error: unknown): string {
  const { code = "", name = "" } = error as { readonly code?: string; readonly name?: string };
  if (name === "NotCapable") return "a permission of Deno is missing (start deno with -A)";
  return FILE_FAULTS[code] ?? (code || name || "it failed");
}

/**
 * Reads a service-account file: the only reader of disk and environment in the core.
 *
 * @module
 */

import { counted } from "../base/operations.ts";
import { concatBytes } from "../base/bytes.ts";
import { TeleQuickError } from "../base/errors.ts";
import { MAX_FILE_SIZE, parseServiceAccount, type ServiceAccount } from "./service_account.ts";

const VARIABLE = "TELEQUICK_CREDENTIALS";
/** A longer text is no path: it could be the file's own content, base64 included, and is never repeated. */
const MAX_PATH = 1024;

/** Options of {@linkcode loadServiceAccount}. */
export interface LoadServiceAccountOptions {
  /** Told, once per path and function, when other users of the machine can read the file (POSIX only). Default: nobody is told. */
  readonly onWarning?: (message: string) => void;
  /** Refuse a file that other users can read instead of warning. Default: `false`. */
  readonly requirePrivateMode?: boolean;
}

/** An open file, as the runtimes' own interfaces agree on it. */
interface OpenFile {
  /** Permission bits; `undefined` where the system has none. */
  mode(): Promise<number | undefined>;
  /** Reads at most `into.length` bytes; 0 at the end. */
  read(into: Uint8Array): Promise<number>;
  close(): Promise<void> | void;
}

interface FileHost {
  variable(name: string): string | undefined;
  open(path: string): Promise<OpenFile>;
}

interface DenoLike {
  readonly env: { get(name: string): string | undefined };
  open(path: string): Promise<{
    stat(): Promise<{ readonly mode: number | null }>;
    read(into: Uint8Array): Promise<number | null>;
    close(): void;
  }>;
}

interface NodeFiles {
  readonly promises: {
    open(path: string, flags: string): Promise<{
      stat(): Promise<{ readonly mode: number }>;
      read(into: Uint8Array): Promise<{ readonly bytesRead: number }>;
      close(): Promise<void>;
    }>;
  };
}

interface ProcessLike {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(name: "node:fs"): NodeFiles;
}

function denoHost(deno: DenoLike): FileHost {
  return {
    variable: (name) => deno.env.get(name),
    async open(path) {
      const file = await deno.open(path);
      return {
        mode: async () => (await file.stat()).mode ?? undefined,
        read: async (into) => await file.read(into) ?? 0,
        close: () => file.close(),
      };
    },
  };
}

function nodeHost(process: ProcessLike, files: NodeFiles): FileHost {
  return {
    variable: (name) => process.env[name],
    async open(path) {
      const file = await files.promises.open(path, "r");
      return {
        mode: async () => process.platform === "win32" ? undefined : (await file.stat()).mode,
        read: async (into) => (await file.read(into)).bytesRead,
        close: () => file.close(),
      };
    },
  };
}

function findHost(): FileHost {
  // Deno's `process` is not looked at: making it takes longer than all the rest up to the first token.
  const { Deno } = globalThis as { Deno?: DenoLike };
  if (Deno?.open !== undefined) return denoHost(Deno);
  const { process } = globalThis as { process?: ProcessLike };
  // Importing node:fs would break bundles for the edge.
  const files = process?.getBuiltinModule?.("node:fs");
  if (process === undefined || files === undefined) {
    throw notFound("this runtime has no file system (pass the file's text to parseServiceAccount)");
  }
  return nodeHost(process, files);
}

/**
 * Reads and parses a service-account file.
 *
 * @param path Where the file is. Default: what the environment variable `TELEQUICK_CREDENTIALS` says.
 * @param options What to do about a file that others can read.
 * @returns The account.
 * @throws `ERR_CREDENTIALS_NOT_FOUND` when there is no path, no file, or no permission to read it; `ERR_CREDENTIALS_INVALID` as
 * `parseServiceAccount`, or when the file is larger than 64 KiB.
 */
export async function loadServiceAccount(
  path?: string,
  options: LoadServiceAccountOptions = {},
): Promise<ServiceAccount> {
  if (path !== undefined && typeof path !== "string") {
    throw new TypeError(
      `Cannot load service account: path is of type ${typeof path}, expected string`,
    );
  }
  const host = findHost();
  const source = path ?? readVariable(host);
  const place = path === undefined ? VARIABLE : "path";
  if (source.length > MAX_PATH || /[\n{]|PRIVATE KEY/.test(source)) {
    throw notFound(
      `${place} holds the file's content, expected where the file is (pass content to parseServiceAccount)`,
    );
  }
  if (/^eyJ[\w-]+\.[\w-]+\./.test(source)) {
    throw notFound(`${place} is a token, expected the path of a service-account file`);
  }
  const bytes = await counted(readFile(host, source, options));
  try {
    return parseServiceAccount(bytes);
  } catch (error) {
    const { code, message } = error as TeleQuickError;
    throw new TeleQuickError(code, `${message} (in ${JSON.stringify(source)})`);
  }
}

function readVariable(host: FileHost): string {
  let value: string | undefined;
  try {
    value = host.variable(VARIABLE);
  } catch {
    throw notFound(`environment is closed to this program (run with: --allow-env=${VARIABLE})`);
  }
  if (value === undefined || value.trim() === "") {
    throw notFound(`${VARIABLE} is not set, expected the path of a service-account file`);
  }
  return value;
}

async function readFile(
  host: FileHost,
  path: string,
  options: LoadServiceAccountOptions,
): Promise<Uint8Array> {
  let file: OpenFile | undefined;
  try {
    file = await host.open(path);
    const mode = await file.mode();
    const chunks: Uint8Array[] = [];
    let size = 0;
    while (size <= MAX_FILE_SIZE) {
      const chunk = new Uint8Array(MAX_FILE_SIZE + 1 - size);
      const count = await file.read(chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      size += count;
    }
    if (mode !== undefined && (mode & 0o077) !== 0) reportMode(path, mode, options);
    return concatBytes(chunks);
  } catch (error) {
    throw error instanceof TeleQuickError ? error : unreadable(path, error);
  } finally {
    await file?.close();
  }
}

function unreadable(path: string, error: unknown): TeleQuickError {
  const { name = "", code = "" } = error as { name?: string; code?: string };
  const file = JSON.stringify(path);
  if (name === "NotFound" || code === "ENOENT" || code === "ENOTDIR") {
    return notFound(`there is no file at ${file}`);
  }
  if (name === "NotCapable") {
    return notFound(
      `reading ${file} is not allowed to this program (run with: --allow-read=${file})`,
    );
  }
  // The code of the system's error is a word such as EACCES; its message is left out.
  return notFound(`${file} cannot be read: ${/^E[A-Z]+$/.test(code) ? code : name}`);
}

const warned: WeakMap<(message: string) => void, Set<string>> = new WeakMap();

function reportMode(path: string, mode: number, options: LoadServiceAccountOptions): void {
  const file = JSON.stringify(path);
  const message = `other users have access to ${file}: mode is ${(mode & 0o777).toString(8)}, ` +
    `expected 600 (chmod 600 ${file})`;
  const { onWarning, requirePrivateMode } = options;
  if (requirePrivateMode === true) {
    throw new TeleQuickError("ERR_CREDENTIALS_INVALID", `Cannot load service account: ${message}`);
  }
  if (onWarning === undefined) return;
  const paths = warned.get(onWarning) ?? new Set();
  if (paths.has(path)) return;
  warned.set(onWarning, paths.add(path));
  onWarning(`Service account is exposed: ${message}`);
}

function notFound(found: string): TeleQuickError {
  return new TeleQuickError("ERR_CREDENTIALS_NOT_FOUND", `Cannot load service account: ${found}`);
}

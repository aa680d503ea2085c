/**
 * Reads a service-account file: the only reader of disk and environment in the core.
 *
 * @module
 */

import { counted } from "../base/operations.ts";
import { concatBytes } from "../base/bytes.ts";
import { checkString } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import { MAX_FILE_SIZE } from "./account_text.ts";
import { parseServiceAccount, type ServiceAccount } from "./service_account.ts";

const VARIABLE = "TELEQUICK_CREDENTIALS";
/** A longer text is not a path: it can be the file's content, base64 included, and is never repeated. */
const MAX_PATH = 1024;

/** Options of {@linkcode loadServiceAccount}. */
export interface LoadServiceAccountOptions {
  /** Called once per path and function when other users of the machine can read the file (POSIX only). Default: no warning. */
  readonly onWarning?: (message: string) => void;
  /** Refuse a file that other users can read instead of warning. Default: `false`. */
  readonly requirePrivateMode?: boolean;
}

/** An open file, as the runtimes' own interfaces agree on it. */
interface OpenFile {
  /** Permission bits; `undefined` on systems without them. */
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
  readonly versions?: { readonly node?: string };
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
  // Deno's `process` is not touched: making it takes longer than everything else up to the first token.
  const { Deno } = globalThis as { Deno?: DenoLike };
  if (Deno?.open !== undefined) return denoHost(Deno);
  const { process } = globalThis as { process?: ProcessLike };
  // Importing node:fs would break bundles for the edge.
  const files = process?.getBuiltinModule?.("node:fs");
  if (process !== undefined && files !== undefined) return nodeHost(process, files);
  const { node } = process?.versions ?? {};
  throw notFound(
    node === undefined
      ? "this runtime has no file system (pass the file's text to parseServiceAccount)"
      : `Node.js ${node} has no process.getBuiltinModule (use Node.js 20.16, 22.3 or later, or pass the file's text to parseServiceAccount)`,
  );
}

/**
 * Reads and parses a service-account file.
 *
 * @param path Where the file is. Default: the value of the environment variable `TELEQUICK_CREDENTIALS`.
 * @param options What to do about a file that others can read.
 * @returns The account.
 * @throws `ERR_CREDENTIALS_NOT_FOUND` when there is no path, no file, or no permission to read it; `ERR_CREDENTIALS_INVALID` as
 * `parseServiceAccount`, or when the file is larger than 64 KiB; `ERR_LIMIT`, retryable, when the process has too many files open.
 */
export async function loadServiceAccount(
  path?: string,
  options: LoadServiceAccountOptions = {},
): Promise<ServiceAccount> {
  if (path !== undefined) checkString("load service account", "path", path);
  const host = findHost();
  const source = path ?? readVariable(host);
  checkPath(source, path === undefined ? VARIABLE : "path");
  const bytes = await counted(readFile(host, source, options));
  try {
    return parseServiceAccount(bytes);
  } catch (error) {
    const { code, message } = error as TeleQuickError;
    throw new TeleQuickError(code, `${message} (in ${JSON.stringify(source)})`);
  }
}

/** Refuses what cannot be a path, and quotes nothing of it: it can be the secret itself. */
function checkPath(source: string, place: string): void {
  const path = source.trim();
  if (path === "") throw notFound(`${place} is empty, expected the path of a service-account file`);
  if (path.length > MAX_PATH || /[\r\n{]|PRIVATE KEY/.test(path)) {
    throw notFound(
      `${place} holds the file's content, expected its path (pass content to parseServiceAccount)`,
    );
  }
  if (/^eyJ[\w-]+\.[\w-]+\./.test(path)) {
    throw notFound(`${place} is a token, expected the path of a service-account file`);
  }
  if (path === "undefined" || path === "null") {
    throw notFound(
      `${place} is the text "${path}", expected the path of a service-account file (is the variable set?)`,
    );
  }
  if (/^file:/.test(path)) {
    throw notFound(
      `${place} is a file: URL, expected a path (fileURLToPath of node:url makes one)`,
    );
  }
  if (/[\r\n]/.test(source)) {
    throw notFound(`${place} begins or ends with a line break, expected the path alone (trim it)`);
  }
}

function readVariable(host: FileHost): string {
  let value: string | undefined;
  try {
    value = host.variable(VARIABLE);
  } catch {
    throw notFound(
      `this program is not allowed to read the environment (run with: --allow-env=${VARIABLE})`,
    );
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

// The folder of a local gateway that keeps nothing: `telequick gateway` removes it when it stops.
const TEMPORARY_GATEWAY = /[\\/]telequick-gateway-[^\\/]+[\\/]service-account\.json$/;

function unreadable(path: string, error: unknown): TeleQuickError {
  const { name = "", code = "" } = error as { name?: string; code?: string };
  const file = JSON.stringify(path);
  if (name === "NotFound" || code === "ENOENT" || code === "ENOTDIR") {
    const hint = path !== path.trim()
      ? " (the path begins or ends with white space)"
      : TEMPORARY_GATEWAY.test(path)
      ? " (the gateway that made this file has stopped: take its exports again)"
      : "";
    return notFound(`there is no file at ${file}${hint}`);
  }
  if (name === "NotCapable") {
    return notFound(
      `this program is not allowed to read ${file} (run with: --allow-read=${file})`,
    );
  }
  if (code === "EMFILE" || code === "ENFILE") {
    return new TeleQuickError(
      "ERR_LIMIT",
      `Cannot load service account: too many files are open (${code}), expected a free descriptor (raise the limit: ulimit -n)`,
      { retryable: true },
    );
  }
  if (code === "EACCES" || code === "EPERM") {
    return notFound(`this user is not allowed to read ${file} (${code})`);
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

/**
 * Takes a directory for one gateway, by a listening socket in it.
 *
 * The kernel ends a socket with its process, however that dies, so no lock outlives its holder. Node.js has no file locks; a listening socket is
 * what Node.js, Deno and Bun all have: a Unix socket in the directory, on Windows a named pipe with the directory's name.
 *
 * The file of a Unix socket stays behind when its process is killed, and nothing can replace such a file in one step. So each gateway binds a name of
 * its own and listens before it looks at the others, once: of two that come at once, the one that looks last sees the other. Each socket says
 * whether its gateway has the directory or only tries to get it. One that tries steps back for one with a smaller name, and waits until those with
 * larger names that it saw have stepped back or have the directory: they can have looked before this one listened. So there are never two holders,
 * and the smallest name never steps back for one that gets nothing.
 *
 * Sockets at which nothing listens are removed by the gateway that has the directory, before anything else, and by no other: one that has just been
 * bound does not listen either. It would be a lock that none can see, if it was removed after its gateway had looked for it for the last time.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import { systemClock } from "../../base/signal.ts";
import {
  builtin,
  codeOf,
  fileError,
  runtimeProcess,
  type Socket,
  type SocketServer,
} from "./builtins.ts";

const NAME = /^\.lock-[0-9a-f]{12}$/;
const PRIVATE_FOLDER = 0o700;
// The smallest `sun_path` of the systems that there are holds 104 bytes, with a NUL at the end.
const LONGEST_SOCKET_PATH = 103;
const ANSWER_MS = 500;
const RETRY_MS = 50;
const ASK_AGAIN_MS = 10;
// For one that neither gets the directory nor steps back: a process that is stopped or too busy to answer.
const GIVE_UP_MS = 3_000;
// What a socket says before the name of its process.
const HOLDS = "holds: ";
const TRIES = "tries: ";

/**
 * Takes a directory. Resolves to what frees it.
 *
 * @throws {TeleQuickError} `ERR_UNAVAILABLE`, retryable, when another gateway has it; the message says which process.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const files = builtin("node:fs").promises;
  const path = builtin("node:path").resolve(directory);
  await files.mkdir(path, { recursive: true, mode: PRIVATE_FOLDER }).catch((error) => {
    throw fileError("make", path, error);
  });
  if (runtimeProcess().platform === "win32") return await lockByPipe(path);
  const deadline = systemClock.monotonic() + GIVE_UP_MS;
  for (;;) {
    const unlock = await tryLock(path, deadline);
    if (unlock !== undefined) return unlock;
    if (systemClock.monotonic() > deadline) throw taken(directory, UNKNOWN.process);
    await pause(Math.random() * RETRY_MS);
  }
}

/** Takes the directory, or returns `undefined` when another one tries the same and comes first. */
async function tryLock(
  directory: string,
  deadline: number,
): Promise<(() => Promise<void>) | undefined> {
  const files = builtin("node:fs").promises;
  const name = `.lock-${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
  const sockets = await SocketFolder.open(directory);
  let isHeld = false;
  try {
    const server = await listen(sockets.path(name), () => isHeld);
    try {
      const dead: string[] = [];
      for (const other of await files.readdir(directory)) {
        if (other === name || !NAME.test(other)) continue;
        if (!await outlast(sockets.path(other), name > other, deadline, directory)) {
          return undefined;
        }
        dead.push(other);
      }
      // A gateway that had the directory in between can have removed this socket before it listened.
      isHeld = (await files.readdir(directory)).includes(name);
      if (!isHeld) return undefined;
      for (const other of dead) {
        await files.rm(`${directory}/${other}`, { force: true }).catch(ignore);
      }
      return async () => {
        await close(server);
        // The folder can be gone.
        await files.rm(`${directory}/${name}`, { force: true }).catch(ignore);
        sockets.close();
      };
    } finally {
      if (!isHeld) {
        await close(server);
        await files.rm(`${directory}/${name}`, { force: true });
      }
    }
  } finally {
    if (!isHeld) sockets.close();
  }
}

/**
 * Waits until nothing listens at another gateway's socket.
 *
 * @returns Whether it is so; `false` at once for one that tries to get the directory too and comes first.
 * @throws {TeleQuickError} `ERR_UNAVAILABLE` when that gateway has the directory.
 */
async function outlast(
  path: string,
  comesFirst: boolean,
  deadline: number,
  directory: string,
): Promise<boolean> {
  for (;;) {
    const other = await ask(path);
    if (other === undefined) return true;
    if (other.isHolder) throw taken(directory, other.process);
    if (comesFirst) return false;
    if (systemClock.monotonic() > deadline) throw taken(directory, other.process);
    await pause(ASK_AGAIN_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => systemClock.schedule(ms, resolve));
}

/** Names sockets in a folder whose path is too long for a socket's: on Linux by the folder's descriptor. */
class SocketFolder {
  readonly #prefix: string;
  readonly #descriptor: number | undefined;

  private constructor(prefix: string, descriptor?: number) {
    this.#prefix = prefix;
    this.#descriptor = descriptor;
  }

  static async open(directory: string): Promise<SocketFolder> {
    const longest = new TextEncoder().encode(`${directory}/.lock-0123456789ab`).length;
    if (longest <= LONGEST_SOCKET_PATH) return new SocketFolder(directory);
    const files = builtin("node:fs");
    const descriptors = "/proc/self/fd";
    if (await files.promises.lstat(descriptors).then(() => false, () => true)) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        `Cannot lock ${directory}: its path has ${longest - 19} bytes, expected at most ${
          LONGEST_SOCKET_PATH - 19
        } (use a shorter one)`,
      );
    }
    const descriptor = files.openSync(directory, "r");
    return new SocketFolder(`${descriptors}/${descriptor}`, descriptor);
  }

  path(name: string): string {
    return `${this.#prefix}/${name}`;
  }

  close(): void {
    if (this.#descriptor !== undefined) builtin("node:fs").closeSync(this.#descriptor);
  }
}

async function lockByPipe(directory: string): Promise<() => Promise<void>> {
  const name = directory.toLowerCase().replace(/[^a-z0-9]/g, "-").slice(-200);
  const path = `\\\\.\\pipe\\telequick-gateway-${name}`;
  try {
    const server = await listen(path, () => true);
    return () => close(server);
  } catch {
    throw taken(directory, (await ask(path) ?? UNKNOWN).process);
  }
}

/** Listens, and says to everyone who connects which process this is and whether it has the directory. */
function listen(path: string, isHolder: () => boolean): Promise<SocketServer> {
  const { pid = 0, versions = {} } = runtimeProcess();
  const { deno, bun, node } = versions;
  const runtime = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node.js ${node}`;
  const since = new Date(systemClock.now()).toISOString();
  const self = `process ${pid} on ${builtin("node:os").hostname()}, ${runtime}, since ${since}`;
  return new Promise((resolve, reject) => {
    const server = builtin("node:net").createServer((socket) => {
      socket.on("error", ignore);
      socket.end(`${isHolder() ? HOLDS : TRIES}${self}`);
    });
    server.on("error", (error) => reject(fileError("lock", path, error)));
    server.listen(path, () => {
      // The lock alone keeps no process running.
      server.unref?.();
      resolve(server);
    });
  });
}

function close(server: SocketServer): Promise<void> {
  return new Promise((resolve) => server.close(resolve));
}

interface OtherGateway {
  readonly isHolder: boolean;
  readonly process: string;
}

const UNKNOWN: OtherGateway = { isHolder: false, process: "another process" };

/** What the process at a socket says; `undefined` when no process listens. One that is too busy to answer listens. */
function ask(path: string): Promise<OtherGateway | undefined> {
  return new Promise((resolve) => {
    let socket: Socket | undefined;
    let text = "";
    const cancel = systemClock.schedule(ANSWER_MS, () => finish(UNKNOWN));
    const finish = (answer: OtherGateway | undefined): void => {
      cancel();
      socket?.destroy();
      resolve(answer);
    };
    try {
      socket = builtin("node:net").connect(path);
    } catch {
      return finish(UNKNOWN);
    }
    socket.on("data", (data) => void (text += data.toString().slice(0, 512 - text.length)));
    socket.on("close", () => finish(otherGateway(text)));
    socket.on("error", (error) => finish(DEAD.has(codeOf(error)) ? undefined : UNKNOWN));
  });
}

function otherGateway(text: string): OtherGateway {
  const isHolder = text.startsWith(HOLDS);
  if (!/^[ -~]{1,512}$/.test(text) || (!isHolder && !text.startsWith(TRIES))) return UNKNOWN;
  return { isHolder, process: text.slice(HOLDS.length) };
}

// Nothing listens; or the file has gone meanwhile; or it is not a socket.
const DEAD: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT", "ENOTSOCK"]);

function taken(directory: string, holder: string): TeleQuickError {
  return new TeleQuickError(
    "ERR_UNAVAILABLE",
    `Cannot use ${directory}: another gateway has it (${holder}); stop that one, or use another directory`,
    { retryable: true },
  );
}

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import postgres from "postgres";
import type { Clock } from "../../../src/base/signal.ts";
import { type PostgresStore, postgresStore } from "../../../src/postgres/mod.ts";

const run = promisify(execFile);
const START_MS = 60_000;

/** Writes what was measured, for a report. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A connection pool of the package `postgres`. */
export type Sql = postgres.Sql;

/** A store with a pool of its own, as a process has it. */
export interface OpenStore extends AsyncDisposable {
  readonly store: PostgresStore;
  readonly sql: () => Sql;
}

/** Options of {@linkcode openStore}. */
export interface OpenStoreOptions {
  readonly listens?: boolean;
  readonly timeoutMs?: number;
  readonly schema?: string;
  readonly user?: string;
  readonly connections?: number;
  /** What the store's waits run on. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Watches each statement. Default: nothing does. */
  readonly watch?: (statement: Promise<unknown>) => void;
}

/** Opens a store on a port of 127.0.0.1. */
export function openStore(port: number, options: OpenStoreOptions = {}): OpenStore {
  const { listens = true, user = "postgres", connections = 10, watch, ...rest } = options;
  const make = (): Sql =>
    postgres({
      ...{ host: "127.0.0.1", port, user, database: "postgres", max: connections },
      ...{ connect_timeout: 2, backoff: () => 0.1, fetch_types: false, onnotice: () => {} },
    });
  let sql = make();
  const store = postgresStore({
    ...rest,
    query(text, values) {
      const statement = sql.unsafe(text, values).then((rows) => rows);
      watch?.(statement);
      return statement;
    },
    ...(listens && {
      listen: (channel: string, listener: () => void) => sql.listen(channel, listener),
    }),
    reconnect() {
      const before = sql;
      sql = make();
      before.end({ timeout: 0 }).catch(() => {});
    },
  });
  return {
    store,
    sql: () => sql,
    [Symbol.asyncDispose]: () => sql.end({ timeout: 0 }),
  };
}

/** PostgreSQL in a process of its own, on a free port of 127.0.0.1, with its data in a temporary folder. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #bin: string;
  readonly #user: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string, bin: string, user: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#bin = bin;
    this.#user = user;
  }

  /** Makes a cluster and starts it. */
  static async start(): Promise<PostgresServer> {
    const bin = await findBinaries();
    const folder = await mkdtemp(join(tmpdir(), "telequick-postgres-"));
    // It refuses to run as root.
    const ids = process.getuid?.() === 0 ? await unprivileged() : undefined;
    const user = ids === undefined
      ? []
      : ["setpriv", `--reuid=${ids.uid}`, `--regid=${ids.gid}`, "--clear-groups"];
    const data = join(folder, "data");
    await mkdir(data);
    if (ids !== undefined) {
      await chmod(folder, 0o755);
      await chown(data, ids.uid, ids.gid);
    }
    const server = new PostgresServer(await freeTcpPort(), folder, bin, user);
    const [command, ...args] = [
      ...[...user, join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust"],
      ...["--no-sync", "--encoding=UTF8", "--locale=C"],
    ] as [string, ...string[]];
    await run(command, args, { cwd: "/" });
    await server.restart();
    return server;
  }

  /** Starts it, and resolves when it answers. */
  async restart(): Promise<void> {
    const [command, ...args] = [
      ...[...this.#user, join(this.#bin, "postgres"), "-D", join(this.#folder, "data")],
      ...["-p", String(this.port), "-c", "listen_addresses=127.0.0.1"],
      ...["-c", "unix_socket_directories=", "-c", "shared_buffers=32MB"],
      ...["-c", "max_connections=200", "-c", "log_min_messages=panic"],
    ] as [string, ...string[]];
    const end = Date.now() + START_MS;
    while (true) {
      const child = spawn(command, args, { cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      child.stderr!.on("data", (chunk) => said += chunk);
      const exited = once(child, "exit").then(() => true);
      while (Date.now() < end && child.exitCode === null) {
        if (await this.#answers()) {
          this.#child = child;
          return;
        }
        await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      // After a kill the shared memory of its last backend can be there for a moment longer.
      if (Date.now() >= end) throw new Error(`PostgreSQL does not start:\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Ends it and all its backends at once, as a machine that loses power. What it has written to the disk is there. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exited = once(child, "exit");
    const backends = await childrenOf(child.pid!);
    process.kill(child.pid!, "SIGKILL");
    for (const pid of backends) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    await exited;
  }

  /** Ends one client's backend, as an administrator does; the other connections stay. */
  async endBackend(sql: Sql): Promise<void> {
    const ended = sql`select pg_terminate_backend(pid) from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 1`;
    // It can have been another one's choice meanwhile.
    await ended.catch(() => {});
  }

  /** A backup of a schema, as SQL. */
  async dump(schema: string): Promise<string> {
    const { stdout } = await run(join(this.#bin, "pg_dump"), [...this.#address, "-n", schema]);
    return stdout;
  }

  /** Puts a backup of a schema in its place. */
  async restore(schema: string, backup: string): Promise<void> {
    const file = join(this.#folder, "backup.sql");
    await writeFile(file, `drop schema ${schema} cascade;\n${backup}`);
    await run(join(this.#bin, "psql"), [
      ...[...this.#address, "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-f", file],
    ]);
  }

  get #address(): readonly string[] {
    return ["-h", "127.0.0.1", "-p", String(this.port), "-U", "postgres", "-d", "postgres"];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    const sql = postgres({
      ...{ host: "127.0.0.1", port: this.port, user: "postgres", database: "postgres" },
      ...{ max: 1, connect_timeout: 1, fetch_types: false, onnotice: () => {} },
    });
    try {
      await sql`select 1`;
      return true;
    } catch {
      return false;
    } finally {
      await sql.end({ timeout: 0 }).catch(() => {});
    }
  }
}

/** Debian keeps its programs out of the path. */
async function findBinaries(): Promise<string> {
  const folder = "/usr/lib/postgresql";
  const versions = await readdir(folder).catch(() => []);
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  if (newest !== undefined) return join(folder, String(newest), "bin");
  const { stdout } = await run("sh", ["-c", "command -v initdb"]).catch(() => ({ stdout: "" }));
  if (stdout.trim() !== "") return join(stdout.trim(), "..");
  throw new Error("Found no initdb, expected PostgreSQL (apt-get install postgresql)");
}

async function unprivileged(): Promise<{ readonly uid: number; readonly gid: number }> {
  for (const name of ["postgres", "daemon"]) {
    try {
      const [uid, gid] = await Promise.all(
        ["-u", "-g"].map(async (flag) => Number((await run("id", [flag, name])).stdout)),
      );
      return { uid: uid!, gid: gid! };
    } catch {
      // There is no such user.
    }
  }
  throw new Error("Found no user to run PostgreSQL as, expected postgres or daemon");
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter((word) => word !== "").map(Number);
}

/** A TCP port of 127.0.0.1 that is free. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A TCP relay that can go black: bytes vanish, and connections stay open. */
export interface TcpRelay extends AsyncDisposable {
  readonly port: number;
  /** Which way nothing passes from now on. */
  black: "up" | "down" | "both" | undefined;
}

/** Starts a relay to a port of 127.0.0.1. */
export async function startTcpRelay(target: number): Promise<TcpRelay> {
  const sockets = new Set<{ destroy(): void }>();
  const relay = { black: undefined as TcpRelay["black"] };
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (bytes) => {
      if (relay.black !== "up" && relay.black !== "both") upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (relay.black !== "down" && relay.black !== "both") client.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return Object.assign(relay, {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

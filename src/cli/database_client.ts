/**
 * PostgreSQL through the client that the user has installed, `postgres` or `pg`: this package depends on neither.
 *
 * @module
 */

import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { PostgresStoreOptions } from "../postgres/mod.ts";
import { UsageError } from "./usage.ts";

/** A connection pool, as a store takes it. */
export interface DatabaseClient
  extends Pick<PostgresStoreOptions, "query" | "listen" | "reconnect"> {
  /** The package that it is made with. */
  readonly name: string;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** What is used of the package `postgres`. */
interface Postgres {
  (url: string, options: object): {
    unsafe(text: string, values: string[]): PromiseLike<readonly Record<string, unknown>[]>;
    listen(channel: string, listener: () => void): Promise<unknown>;
    end(options: { readonly timeout: number }): Promise<void>;
  };
}

/** What is used of the package `pg`. */
interface Pg {
  readonly Pool: new (options: object) => {
    query(text: string, values: string[]): Promise<{ readonly rows: Record<string, unknown>[] }>;
    on(event: "error", listener: () => void): unknown;
    end(): Promise<void>;
  };
  readonly Client: new (options: object) => PgClient;
}

interface PgClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  on(event: "notification" | "error" | "end", listener: () => void): unknown;
  end(): Promise<void>;
}

const CONNECT_SECONDS = 5;

/**
 * Opens a pool.
 *
 * @param url Where the database is. It can hold a password, so it is in no message.
 * @throws {UsageError} when the URL is malformed, or neither package is installed.
 */
export function openDatabase(url: string): DatabaseClient {
  if (!/^postgres(?:ql)?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new UsageError(
      "Option --cluster is malformed, expected a URL such as postgres://user@host/database (the password in PGPASSWORD)",
    );
  }
  const postgres = find<Postgres>("postgres");
  if (postgres !== undefined) return withPostgres(postgres, url);
  const pg = find<Pg>("pg");
  if (pg !== undefined) return withPg(pg, url);
  throw new UsageError(
    "Cannot reach PostgreSQL: found neither the package postgres nor pg (install one where you start the gateway: npm install postgres)",
  );
}

function withPostgres(postgres: Postgres, url: string): DatabaseClient {
  const make = () =>
    postgres(url, {
      connect_timeout: CONNECT_SECONDS,
      // Its own query for types rejects where nothing catches it when the connection is lost at that moment.
      fetch_types: false,
      onnotice() {},
    });
  let sql = make();
  return {
    name: "postgres",
    query: (text, values) => sql.unsafe(text, values),
    listen: (channel, listener) => sql.listen(channel, listener),
    reconnect() {
      const before = sql;
      sql = make();
      before.end({ timeout: 0 }).catch(() => {});
    },
    close: () => sql.end({ timeout: 1 }),
  };
}

/** A pool of the package `pg`, and a connection that listens. */
export function withPg({ Pool, Client }: Pg, url: string): DatabaseClient {
  const options = {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_SECONDS * 1_000,
    // A connection that listens is silent for long: without it a router on the way can forget it.
    keepAlive: true,
  };
  const make = () => {
    const pool = new Pool(options);
    // A connection that is lost while nothing uses it: the next statement opens another one.
    pool.on("error", () => {});
    return pool;
  };
  let pool = make();
  let listening: PgClient | undefined;
  // Not awaited: it can wait for a dead connection.
  const endListening = (): void => void listening?.end().catch(() => {});
  return {
    name: "pg",
    query: (text, values) => pool.query(text, values),
    async listen(channel, listener, onLost) {
      endListening();
      const client = new Client(options);
      listening = client;
      client.on("notification", listener);
      client.on("error", onLost);
      client.on("end", onLost);
      await client.connect();
      await client.query(`listen "${channel}"`);
    },
    reconnect() {
      const before = pool;
      pool = make();
      before.end().catch(() => {});
    },
    async close() {
      endListening();
      await pool.end();
    },
  };
}

/** A package as the program's folder sees it, else as this package does. */
function find<T>(name: string): T | undefined {
  for (const from of [pathToFileURL(join(process.cwd(), "program.js")).href, import.meta.url]) {
    const require = createRequire(from);
    try {
      require.resolve(name);
    } catch {
      // Not installed there.
      continue;
    }
    const module = require(name) as { readonly default?: T };
    return module.default ?? module as T;
  }
  return undefined;
}

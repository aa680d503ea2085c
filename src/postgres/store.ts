/**
 * A shared store in PostgreSQL, over the user's own connection.
 *
 * @module
 */

import { checkNumber, kindOf } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import { report } from "../base/handled.ts";
import { ignore } from "../base/ignore.ts";
import { bounded, type Clock, systemClock } from "../base/signal.ts";
import type {
  SharedPage,
  SharedQuery,
  SharedStore,
  SharedWrite,
} from "../base/store/shared_store.ts";
import { type Claim, ClaimQueue } from "./claim_queue.ts";
import { failed, noAnswer, statementFailed } from "./failed.ts";
import { checkSchema, migration, quoteName } from "./schema.ts";

/** Rows of a result: themselves (`postgres`), or in `rows` (`pg`). */
export type QueryResult =
  | readonly Readonly<Record<string, unknown>>[]
  | { readonly rows: readonly Readonly<Record<string, unknown>>[] };

/** Options of {@linkcode postgresStore}. */
export interface PostgresStoreOptions {
  /**
   * Runs one statement with parameters `$1`, `$2` and so on, each in a transaction of its own: `(text, values) => sql.unsafe(text, values)` with
   * `postgres`, `(text, values) => pool.query(text, values)` with `pg`. Always on the primary.
   */
  readonly query: (text: string, values: string[]) => PromiseLike<QueryResult>;
  /**
   * Calls `listener` for each notification of a channel: `(channel, listener) => sql.listen(channel, listener)` with `postgres`, which connects
   * again by itself. What does not, such as a `Client` of `pg`, calls `onLost` when its connection has ended. Then, and when the promise that it
   * returned rejects, it is called again after a statement that succeeds; after `reconnect` it is called again too. Default: none; changes are
   * then noticed at the next read, 250 ms later at most.
   */
  readonly listen?: (channel: string, listener: () => void, onLost: () => void) => unknown;
  /**
   * Drops all connections, so that the next statement opens a new one. Called when a statement has taken longer than `timeoutMs`: after a
   * network failure TCP can hold on to a dead connection for many minutes. It is not awaited, and its failure is ignored. Default: nothing is
   * dropped.
   */
  readonly reconnect?: () => unknown;
  /** The schema: 1 to 48 of `a-z`, `0-9` and `_`. Default: `telequick`. */
  readonly schema?: string;
  /** How long a statement can take, in milliseconds. Default: 5000. */
  readonly timeoutMs?: number;
  /** The source of time. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** A shared store in PostgreSQL. */
export interface PostgresStore extends SharedStore {
  /**
   * Makes the schema, or brings it to the version of this package. Can be repeated, and by several at once. Needs a role that can create a
   * schema, and owns it; the other methods need `usage` on the schema and `execute` on its functions.
   *
   * @throws {TeleQuickError} `ERR_UNAVAILABLE` with the server's error as `cause`, also when the schema is of a newer version.
   */
  migrate(): Promise<void>;
}

// Statements that were sent and not answered: after this many the next one fails at once, so that none of them pile up in the user's queue.
const MOST_PENDING = 256;
// Claims whose time is over are deleted by and by: after so many claims, so many at most.
const PURGE_EVERY = 500;
const PURGE_ROWS = 1_000;
// When listening has failed or was lost, statements that succeed begin it again, at most this often.
const LISTEN_AGAIN_MS = 1_000;

/**
 * Makes a store in PostgreSQL 14 or later. It opens no connection and closes none.
 *
 * @throws `TypeError` for an option of the wrong type, `ERR_VALUE_INVALID` for a malformed schema or a time out of range.
 *
 * @example With the package `postgres`
 * ```ts no-check: it needs a PostgreSQL server and the package
 * import postgres from "postgres";
 * import { postgresStore } from "@telequick/sdk/postgres";
 *
 * const sql = postgres("postgres://gateway@db.internal.example/telequick", { fetch_types: false });
 * const store = postgresStore({
 *   query: (text, values) => sql.unsafe(text, values),
 *   listen: (channel, listener) => sql.listen(channel, listener),
 * });
 * await store.migrate();
 * ```
 *
 * @example With the package `pg`: a client of its own listens, and says when it is lost
 * ```ts no-check: it needs a PostgreSQL server and the package
 * import pg from "pg";
 * import { postgresStore } from "@telequick/sdk/postgres";
 *
 * const connectionString = "postgres://gateway@db.internal.example/telequick";
 * const pool = new pg.Pool({ connectionString });
 * pool.on("error", () => {}); // the next statement opens another connection
 * const store = postgresStore({
 *   query: (text, values) => pool.query(text, values),
 *   listen: async (channel, listener, onLost) => {
 *     const client = new pg.Client({ connectionString, keepAlive: true });
 *     client.on("notification", listener).on("error", onLost).on("end", onLost);
 *     await client.connect();
 *     await client.query(`listen "${channel}"`);
 *   },
 * });
 * ```
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  const action = "make store";
  if (typeof options?.query !== "function") {
    throw new TypeError(
      `Cannot ${action}: query is ${
        kindOf(options?.query)
      }, expected a function that runs a statement`,
    );
  }
  const { timeoutMs = 5_000, clock = systemClock, listen, reconnect } = options;
  const schema = checkSchema(options.schema ?? "telequick");
  checkNumber(action, "timeoutMs", timeoutMs, {
    min: 1,
    expected: "a number of milliseconds, 1 or more",
  });
  const name = quoteName(schema);
  const hints = listen && new Hints(schema, listen, clock);
  let pending = 0;
  let claims = 0;
  let reconnectedAt = -Infinity;

  /** Runs a statement that returns one text. */
  const run = async (text: string, values: string[]): Promise<string | undefined> => {
    if (pending >= MOST_PENDING) {
      throw failed(`${MOST_PENDING} statements wait for an answer, expected fewer`);
    }
    pending++;
    const startedAt = clock.monotonic();
    const running = Promise.resolve().then(() => options.query(text, values))
      .finally(() => pending--);
    let result: QueryResult;
    try {
      result = await bounded(() => running, {
        clock,
        timeoutMs,
        onTimeout: () => noAnswer(timeoutMs),
      });
    } catch (error) {
      if (!(error instanceof TeleQuickError)) throw statementFailed(error);
      running.catch(ignore);
      // Once for all statements that were lost together.
      if (startedAt >= reconnectedAt) {
        reconnectedAt = clock.monotonic();
        if (reconnect !== undefined) {
          // Not awaited: it can wait for the dead connection itself.
          Promise.resolve().then(reconnect).catch(ignore);
          hints?.renew();
        }
      }
      throw error;
    }
    hints?.renewIfLost();
    const rows = "rows" in result ? result.rows : result;
    const value = rows?.[0] === undefined ? undefined : Object.values(rows[0])[0];
    return value === null || value === undefined ? undefined : String(value);
  };

  const sendClaims = async (claims: readonly Claim[]): Promise<readonly string[]> => {
    const holders = await run(`select ${name}.claim_all($1)`, [JSON.stringify(claims)]);
    if (holders === undefined) throw failed("claims had no answer");
    return JSON.parse(holders);
  };
  const queue = new ClaimQueue(sendClaims, clock, timeoutMs);

  return {
    async migrate() {
      await run(migration(schema), []);
    },

    async commit(writes: readonly SharedWrite[]) {
      const revision = await run(`select ${name}.commit_entries($1)`, [JSON.stringify(writes)]);
      return revision === undefined ? undefined : Number(revision);
    },

    async read({ kind, after = 0, key, limit = 1_000, mark }: SharedQuery): Promise<SharedPage> {
      const values = [kind, String(after), String(limit)];
      // A parameter of its own for what there is: a client can pass texts, and no null.
      const optional = (value: string | undefined): string =>
        value === undefined ? "null" : `$${values.push(value)}`;
      const reply = await run(
        `select ${name}.read_entries($1, ${optional(key)}, $2::bigint, $3::int, ${optional(mark)})`,
        values,
      );
      const { newest, entries: rows, mark: newestMark, ...history } = JSON.parse(reply ?? "") as {
        readonly newest: number;
        readonly entries: readonly (readonly [string, string, number, boolean])[];
        readonly mark: string | null;
        readonly isSetBack: boolean;
        readonly isMarkForgotten: boolean;
      };
      const entries = rows.map(([key, value, revision, isFinal]) => ({
        ...{ key, value, revision, isFinal },
      }));
      const hasMore = key === undefined && entries.length >= limit;
      return {
        ...{ entries, hasMore, revision: hasMore ? entries.at(-1)!.revision : newest },
        ...{ mark: newestMark ?? undefined, ...history },
      };
    },

    claim(kind, key, owner, ttlMs) {
      if (++claims % PURGE_EVERY === 0) {
        run(`select ${name}.purge_claims($1::int)`, [String(PURGE_ROWS)]).catch(ignore);
      }
      return queue.claim({ kind, key, owner, ttlMs });
    },

    ...(hints !== undefined && { onHint: (listener: () => void) => hints.add(listener) }),
  };
}

/**
 * Listens once for all listeners, and again when the connections were dropped or listening failed: a user's `listen` may not know how to
 * stop.
 */
class Hints {
  readonly #listen: (onLost: () => void) => unknown;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => unknown>();
  // The last attempt, until it fails or its connection is lost.
  #listening: Promise<unknown> | undefined;
  #renewedAt = -Infinity;

  constructor(
    channel: string,
    listen: NonNullable<PostgresStoreOptions["listen"]>,
    clock: Clock,
  ) {
    const call = (): void => this.#listeners.forEach((listener) => report(listener));
    this.#listen = (onLost) => listen(channel, call, onLost);
    this.#clock = clock;
  }

  add(listener: () => void): () => void {
    const call = (): unknown => listener();
    this.#listeners.add(call);
    if (this.#listening === undefined) this.renew();
    return () => void this.#listeners.delete(call);
  }

  /** Without hints everything works, a little later. */
  renew(): void {
    this.#listening = undefined;
    if (this.#listeners.size === 0) return;
    this.#renewedAt = this.#clock.monotonic();
    // An attempt that another one has replaced has nothing to say.
    const lose = (): void => {
      if (this.#listening === listening) this.#listening = undefined;
    };
    const listening = Promise.resolve().then(() => this.#listen(lose));
    this.#listening = listening;
    listening.catch(lose);
  }

  /** The database answers: what failed or was lost before can succeed now. */
  renewIfLost(): void {
    if (this.#listening !== undefined) return;
    if (this.#clock.monotonic() >= this.#renewedAt + LISTEN_AGAIN_MS) this.renew();
  }
}

/**
 * Keys, revocations, used tokens and trunks for several gateways and services, in PostgreSQL.
 *
 * It imports no client: pass it the functions of the connection that the program has. [README](./README.md) says when it is needed, what
 * happens when the database is away, and which rights it needs.
 *
 * @module
 */

export { postgresStore } from "./store.ts";
export type { PostgresStore, PostgresStoreOptions, QueryResult } from "./store.ts";
export type {
  SharedEntry,
  SharedPage,
  SharedQuery,
  SharedStore,
  SharedWrite,
} from "../base/store/shared_store.ts";
export { TeleQuickError } from "../base/errors.ts";
export type { RefusalReason, TeleQuickErrorCode, TeleQuickErrorOptions } from "../base/errors.ts";
export type { Clock } from "../base/signal.ts";

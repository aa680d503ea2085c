/**
 * A gateway of the command line among others, on one PostgreSQL.
 *
 * @module
 */

import type { ClusterOptions } from "../../gateway/mod.ts";
import { postgresStore } from "../../postgres/mod.ts";
import { type DatabaseClient, openDatabase } from "../database_client.ts";
import type { OptionSpecs } from "../terminal/args.ts";
import { UsageError } from "../usage.ts";

/** The options of it. */
export const CLUSTER_OPTIONS = {
  "cluster": {
    type: "text",
    value: "URL",
    help:
      "Share keys, trunks and call ids with other gateways in this PostgreSQL: postgres://user@host/database, the password in PGPASSWORD",
    byDefault: "this gateway is alone",
  },
  "gateway-id": {
    type: "text",
    value: "ID",
    help: "With --cluster: this gateway's name, unique among them and the same after a restart",
  },
  "health-port": {
    type: "number",
    value: "PORT",
    help: "Answer HTTP on this TCP port: 200 while sessions are admitted, else 503",
    max: 65_535,
    byDefault: "no port",
  },
  "health-hostname": {
    type: "text",
    value: "ADDRESS",
    help: "Address to bind for --health-port",
    byDefault: "127.0.0.1",
  },
} as const satisfies OptionSpecs;

/** A gateway's part in a group, and its connection. */
export interface OpenCluster {
  readonly cluster: ClusterOptions;
  /** Closes the connections. */
  close(): Promise<void>;
}

// PostgreSQL's own code for a role that lacks a right.
const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Connects to the database, and makes the schema where the role can.
 *
 * @throws {UsageError} when something is wrong with the options or the database; the URL's password is in no message.
 */
export async function openCluster(
  url: string,
  gatewayId: string | undefined,
): Promise<OpenCluster> {
  if (gatewayId === undefined) {
    throw new UsageError(
      "Option --cluster needs --gateway-id, expected a name for this gateway that no other one has",
    );
  }
  const client = openDatabase(url);
  const store = postgresStore(client);
  try {
    await store.migrate().catch((error) => {
      // A role with no more rights than a gateway needs: an administrator has made the schema.
      if (codeOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    });
    await store.read({ kind: "key", limit: 1 });
  } catch (error) {
    await close(client);
    throw new UsageError(`Cannot use PostgreSQL: ${reasonOf(error, url)}`);
  }
  return { cluster: { store, gatewayId }, close: () => close(client) };
}

async function close(client: DatabaseClient): Promise<void> {
  await client.close().catch(() => {});
}

function causeOf(error: unknown): unknown {
  return (error as { readonly cause?: unknown }).cause ?? error;
}

function codeOf(error: unknown): unknown {
  return (causeOf(error) as { readonly code?: unknown }).code;
}

/** What the client said, without the password, should it quote the URL. */
function reasonOf(error: unknown, url: string): string {
  const cause = causeOf(error) as { readonly message?: string; readonly code?: string };
  const text = cause.message || cause.code || "it does not answer";
  const { password } = new URL(url);
  return [password, decodeURIComponent(password)]
    .filter((secret) => secret !== "")
    .reduce((found, secret) => found.replaceAll(secret, "***"), text);
}

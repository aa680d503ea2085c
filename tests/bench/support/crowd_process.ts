/**
 * Many sessions in a process of their own: they are idle, or mean no good and send requests as fast as they can, and come back when
 * they are cut. Its one argument is JSON; it prints a line when all are connected and ends with its standard input.
 *
 * @module
 */

import process from "node:process";
import { TeleQuickClient } from "../../../mod.ts";
import { repeat } from "./scenario.ts";

/** Its instructions. */
export interface CrowdOptions {
  readonly endpoint: string;
  /** Base64 of the hash, or the certificate's PEM. */
  readonly certificateHash: string;
  readonly token: string;
  readonly sessions: number;
  /** Requests that each has in flight; 0 leaves them idle. */
  readonly width: number;
}

const options = JSON.parse(process.argv[2] ?? "{}") as CrowdOptions;
const { endpoint, certificateHash, token, sessions, width } = options;

async function flood(client: TeleQuickClient): Promise<void> {
  await Promise.all(Array.from({ length: width }, async () => {
    try {
      while (true) await client.barge("none").catch(onlyRefused);
    } catch {
      // Cut.
    }
  }));
  await client.close();
}

function onlyRefused(error: { readonly code?: string }): void {
  if (error.code !== "ERR_RPC_REJECTED") throw error;
}

async function connect(): Promise<TeleQuickClient> {
  const client = new TeleQuickClient(endpoint, () => token, true, {
    serverCertificateHash: certificateHash,
    reconnect: false,
  });
  await client.connect();
  return client;
}

process.stdin.on("data", () => {});
process.stdin.on("end", () => process.exit(0));
// A few at a time: the gateway has a bound on sessions without a token.
const crowd: TeleQuickClient[] = [];
await repeat(sessions, 4, async () => void crowd.push(await connect()));
process.stdout.write("connected\n");
if (width > 0) {
  await Promise.all(crowd.map(async (client) => {
    for (let next: TeleQuickClient | undefined = client;;) {
      if (next !== undefined) await flood(next);
      next = await connect().catch(() => undefined);
    }
  }));
}

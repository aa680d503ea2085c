/**
 * One tenant that works its gateway as hard as its limits allow, in a process of its own. Its one argument is JSON; it prints a line when it has begun
 * and ends with its standard input.
 *
 * @module
 */

import process from "node:process";
import { parseServiceAccount, TeleQuickClient } from "../../../mod.ts";

/** Its instructions. */
export interface NoisyOptions {
  /** `lists`: 6 sessions ask for a list of 645 KB; `rows`: one session posts campaigns of 31,000 rows; `flood`: 6 sessions open streams without a
   * pause; `burn`: nothing but this processor's time. */
  readonly mode: "calls" | "lists" | "rows" | "flood" | "burn";
  readonly endpoint: string;
  readonly certificateHash: string;
  /** A service account as JSON. */
  readonly account: string;
}

/** As many calls as a tenant may have, each with an id as long as ids may be. */
const CALLS = 5_000;
const SESSIONS = 6;
// 31,000 rows of two characters: as many as a request holds. None can be dialled, so that no call follows.
const ROWS = `data:,${["to", ...Array.from({ length: 31_000 }, () => "1")].join("\n")}`;

const options = JSON.parse(process.argv[2] ?? "{}") as NoisyOptions;
process.stdin.on("data", () => {});
process.stdin.on("end", () => process.exit(0));

async function connect(): Promise<TeleQuickClient> {
  const client = new TeleQuickClient(
    options.endpoint,
    parseServiceAccount(options.account),
    false,
    {
      serverCertificateHash: options.certificateHash,
      reconnect: false,
    },
  );
  await client.connect();
  return client;
}

/** Does something again and again, at so many places at once; a session that is cut is replaced. */
async function forever(
  width: number,
  act: (client: TeleQuickClient) => Promise<unknown>,
): Promise<void> {
  process.stdout.write("begun\n");
  for (let client: TeleQuickClient | undefined;;) {
    client ??= await connect().catch(() => undefined);
    if (client === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    const current = client;
    let isCut = false;
    await Promise.all(Array.from({ length: width }, async () => {
      while (!isCut) {
        await act(current).catch((error: { readonly code?: string }) => {
          if (error.code !== "ERR_RPC_REJECTED") isCut = true;
        });
      }
    }));
    await current.close().catch(() => {});
    client = undefined;
  }
}

switch (options.mode) {
  case "calls": {
    const ids = Array.from({ length: CALLS }, (_, i) => `${i}-`.padEnd(128, "x"));
    // Below the rate of a session.
    await Promise.all(Array.from({ length: 8 }, async () => {
      const client = await connect();
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
        await client.dial({ trunkId: "main", to: "+15550100", callSid: id });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }));
    process.stdout.write("begun\n");
    break;
  }
  case "lists":
    await Promise.all(
      Array.from({ length: SESSIONS }, () => forever(2, (it) => it.getBucketCalls("parked"))),
    );
    break;
  case "rows": {
    let n = 0;
    await forever(2, (client) =>
      client.originateBulk({
        ...{ campaignId: `k${n++}`, csvUrl: ROWS, trunkId: "main", callsPerSecond: 1 },
      }));
    break;
  }
  case "flood":
    await Promise.all(
      Array.from({ length: SESSIONS }, () => forever(32, (it) => it.barge("other"))),
    );
    break;
  case "burn":
    process.stdout.write("begun\n");
    for (let i = 0;; i++) {
      for (let j = 0; j < 1e6; j++) Math.sqrt(j);
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
}

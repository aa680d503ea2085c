/**
 * What holds between the client and a server that another implementation is: aioquic, in `server.py` beside this file.
 *
 * @module
 */

import { type ClientStatus, TeleQuickClient } from "../../../mod.ts";
import { type Check, equal, ok } from "../../conformance/check.ts";

/** Where the server is. */
export interface AioquicServer {
  readonly endpoint: string;
  readonly certificateHash: string;
}

// Without the close capsule the end would be noticed by silence alone, after 15 s and more.
const NOTICED_MS = 5_000;

/** The checks, one after another. */
export function aioquicChecks({ endpoint, certificateHash }: AioquicServer): readonly Check[] {
  const connect = (): TeleQuickClient =>
    new TeleQuickClient(endpoint, () => TOKEN, false, certificateHash);
  return [
    {
      title: "a client signs in and 1,000 RPCs pass on one session",
      async run() {
        await using client = connect();
        for (let sent = 0; sent < 500; sent++) await client.getActiveBuckets();
        await Promise.all(Array.from({ length: 20 }, async () => {
          for (let sent = 0; sent < 25; sent++) await client.getActiveBuckets();
        }));
        equal(client.stats().session.opened, 1, "sessions");
      },
      timeoutMs: 120_000,
    },
    {
      title: "a session that ends by the close capsule and a FIN alone is noticed, and replaced",
      async run() {
        await using client = connect();
        await client.connect();
        const reason = firstReason(client);
        const start = performance.now();
        await client.terminate("call-1");
        ok((await reason).includes("the gateway goes down"), `the reason is ${await reason}`);
        const took = performance.now() - start;
        ok(took < NOTICED_MS, `noticed after ${took} ms`);
        await client.getActiveBuckets();
        equal(client.stats().session.opened, 2, "sessions");
      },
      timeoutMs: 60_000,
    },
  ];
}

/** Why the client reconnects. */
async function firstReason(client: TeleQuickClient): Promise<string> {
  for await (const status of client.status() as AsyncIterable<ClientStatus>) {
    if (status.type === "reconnecting") return String(status.cause ?? JSON.stringify(status));
  }
  throw new Error("The client never reconnected");
}

// A token in form alone: the server looks at none.
const part = (value: unknown): string =>
  btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
const TOKEN = [
  part({ alg: "RS256", typ: "JWT", kid: "first" }),
  part({ iss: "acme", exp: 4_102_444_800 }),
  part("signature"),
].join(".");

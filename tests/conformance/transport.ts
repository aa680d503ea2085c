import { signToken, TeleQuickClient } from "@telequick/sdk";
import { type Check, equal, ok, refused } from "./check.ts";
import { goldenSigner } from "./token.ts";

/** What the error advises on a runtime without WebTransport. */
function advice(): RegExp {
  if ("Deno" in globalThis) return /--unstable-net/;
  if ("Bun" in globalThis) return /expected a package that has: bun add @[\w-]+\/[\w-]+ /;
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  const isNode = process?.versions?.node !== undefined && !("WebSocketPair" in globalThis);
  return isNode
    ? /expected a package that has: npm install @[\w-]+\/[\w-]+ /
    : /\(mint the token here, connect from/;
}

/** Hides the runtime's own WebTransport while something runs. */
async function withoutWebTransport(work: () => Promise<void>): Promise<void> {
  const own = Object.getOwnPropertyDescriptor(globalThis, "WebTransport");
  if (own !== undefined) {
    Object.defineProperty(globalThis, "WebTransport", { value: undefined, configurable: true });
  }
  try {
    await work();
  } finally {
    if (own !== undefined) Object.defineProperty(globalThis, "WebTransport", own);
  }
}

export const transportChecks: readonly Check[] = [
  {
    title: "connect() without a WebTransport says the one thing to do on this runtime",
    async run() {
      const token = await signToken(await goldenSigner());
      const client = new TeleQuickClient("https://gateway.test:9090", token, true);
      await withoutWebTransport(async () => {
        await refused(client.connect(), { code: "ERR_TRANSPORT_UNAVAILABLE", message: advice() });
      });
      await client.close();
    },
  },
  {
    title: "an invalid endpoint is refused before anything is sent",
    async run() {
      for (
        const endpoint of [
          "http://gateway.test",
          "wss://gateway.test",
          "gateway.test",
          "https://u:p@g.test",
        ]
      ) {
        await refused(() => new TeleQuickClient(endpoint, () => "", true), {
          code: "ERR_ENDPOINT_INVALID",
        });
      }
    },
  },
  {
    title: "a wrong argument is a TypeError",
    run() {
      let error: unknown;
      try {
        new TeleQuickClient("https://gateway.test", 5 as unknown as string, true);
      } catch (thrown) {
        error = thrown;
      }
      ok(error instanceof TypeError, "it is a TypeError");
      equal((error as { code?: unknown }).code, undefined, "code");
    },
  },
];

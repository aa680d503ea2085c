import { type ClientOptions, TeleQuickClient, TeleQuickError } from "../../mod.ts";
import type { GatewayOptions } from "../../src/gateway/mod.ts";
import { settle } from "./fake_clock.ts";
import { TestHouse } from "./tenant_kit.ts";

/** A client of tenant `acme` and the gateway in memory that it talks to, on one fake clock. */
export interface ClientHouse extends AsyncDisposable {
  readonly house: TestHouse;
  readonly client: TeleQuickClient;
}

/** Makes a gateway with the tenants acme and globex, one trunk `main` each, and a client of acme. */
export async function clientHouse(
  options: { readonly gateway?: Omit<GatewayOptions, "clock">; readonly client?: ClientOptions } =
    {},
): Promise<ClientHouse> {
  const house = new TestHouse(options.gateway);
  const { account } = await house.addTenant("acme");
  await house.addTenant("globex", { trunkId: "globex-main" });
  const client = new TeleQuickClient("https://gateway.test:9090", account, false, {
    webTransport: house.gateway.webTransport,
    clock: house.clock,
    ...options.client,
  });
  await client.connect();
  return {
    house,
    client,
    async [Symbol.asyncDispose]() {
      const closing = client.close();
      await house.clock.advance(10_000);
      await closing;
      await house[Symbol.asyncDispose]();
      await settle();
    },
  };
}

/** Tells whether an error is ours and has a code; for `assert.rejects`. */
export function hasCode(code: TeleQuickError["code"], rpcCode?: number): (error: unknown) => true {
  return (error) => {
    if (!(error instanceof TeleQuickError)) throw error;
    if (error.code !== code || error.rpcCode !== rpcCode && rpcCode !== undefined) throw error;
    return true;
  };
}

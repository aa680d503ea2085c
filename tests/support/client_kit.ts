import { type ClientOptions, TeleQuickClient, TeleQuickError } from "../../mod.ts";
import type { GatewayOptions } from "../../src/gateway/mod.ts";
import { settle } from "../../src/testing/mod.ts";
import { TestGateway } from "./tenant_kit.ts";

/** A client of tenant `acme` and the gateway in memory that it talks to, on one fake clock. */
export interface ClientSetup extends AsyncDisposable {
  readonly setup: TestGateway;
  readonly client: TeleQuickClient;
}

/** Makes a gateway with the tenants acme and globex, one trunk `main` each, and a client of acme. */
export async function clientSetup(
  options: { readonly gateway?: Omit<GatewayOptions, "clock">; readonly client?: ClientOptions } =
    {},
): Promise<ClientSetup> {
  const setup = new TestGateway(options.gateway);
  const { account } = await setup.addTenant("acme");
  await setup.addTenant("globex", { trunkId: "globex-main" });
  const client = new TeleQuickClient("https://gateway.test:9090", account, false, {
    webTransport: setup.gateway.webTransport,
    clock: setup.clock,
    ...options.client,
  });
  await client.connect();
  return {
    setup,
    client,
    async [Symbol.asyncDispose]() {
      const closing = client.close();
      await setup.clock.advance(10_000);
      await closing;
      await setup[Symbol.asyncDispose]();
      await settle();
    },
  };
}

/** Accepts an error of the SDK with this code; for `assert.rejects`. */
export function hasCode(code: TeleQuickError["code"], rpcCode?: number): (error: unknown) => true {
  return (error) => {
    if (!(error instanceof TeleQuickError)) throw error;
    if (error.code !== code || error.rpcCode !== rpcCode && rpcCode !== undefined) throw error;
    return true;
  };
}

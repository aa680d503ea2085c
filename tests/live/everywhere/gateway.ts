/**
 * The local gateway as a process of its own, on any runtime. Its argument is JSON; it prints one line of JSON when
 * it listens, and one for each line of JSON that it receives. It does not outlive the process that started it.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import {
  type AddTrunkOptions,
  createGateway,
  type GatewayListenOptions,
  type PublishServiceAccountOptions,
} from "@telequick/sdk/gateway";

/** What the process is started with. */
export interface GatewayStart {
  readonly accounts: readonly PublishServiceAccountOptions[];
  readonly trunks: readonly AddTrunkOptions[];
  readonly listen: GatewayListenOptions;
}

/** The commands that it takes. */
export type GatewayOrder =
  | { readonly order: "stats" }
  | { readonly order: "revoke"; readonly tenantId: string; readonly privateKeyId: string }
  | { readonly order: "close" };

const { accounts, trunks, listen } = JSON.parse(process.argv.at(-1) ?? "") as GatewayStart;
const gateway = createGateway({
  limits: { rpcsPerSecond: 100_000, rpcsPerSecondPerTenant: 100_000 },
});
for (const account of accounts) await gateway.publishServiceAccount(account);
for (const trunk of trunks) await gateway.addTrunk(trunk);

async function carryOut(order: GatewayOrder): Promise<unknown> {
  if (order.order === "stats") return gateway.stats();
  if (order.order === "revoke") return await gateway.revokeServiceAccount(order);
  await gateway.close();
  return "closed";
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value ?? "done")}\n`);
}

const { endpoint, certificateHash } = await gateway.listen(listen);
say({ endpoint, certificateHash });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as GatewayOrder;
  say(await carryOut(order));
  if (order.order === "close") break;
}
process.exit(0);

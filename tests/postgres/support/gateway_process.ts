/**
 * A gateway of a group, in a process of its own. Its one argument is JSON; it prints its endpoint when it listens, then an answer for each line of
 * JSON on its standard input. It does not outlive the process that started it.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { createGateway } from "../../../src/gateway/mod.ts";
import type { ClusterGatewayOptions, GatewayRequest } from "./gateway_host.ts";
import { openStore } from "./server.ts";

const options = JSON.parse(process.argv[2]!) as ClusterGatewayOptions;
const { store } = openStore(options.databasePort, {
  listens: options.listens ?? true,
  ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
});
const gateway = createGateway({
  cluster: { store, gatewayId: options.gatewayId, ...options.times },
  sessionExpiry: "connection",
  limits: { rpcsPerSecond: 1_000_000, rpcsPerSecondPerTenant: 1_000_000, keysPerTenant: 1_000 },
});
await gateway.ready;
const listener = await gateway.listen({ port: 0 });
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
say({ endpoint: listener.endpoint, certificateHash: listener.certificateHash });

async function answer(request: GatewayRequest): Promise<unknown> {
  switch (request.do) {
    case "publish":
      return await gateway.publishServiceAccount(request.key);
    case "revoke":
      return await gateway.revokeServiceAccount(request.key);
    case "trunk":
      return await gateway.addTrunk(request.trunk);
    case "stats":
      return { ...gateway.stats(), isReady: gateway.isReady };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...request } = JSON.parse(line) as GatewayRequest & { readonly id: number };
  answer(request as GatewayRequest).then(
    (result) => say({ id, result }),
    ({ code, message, retryable }) => say({ id, error: { code, message, retryable } }),
  );
}
process.exit(0);

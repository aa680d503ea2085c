/**
 * A gateway in a process of its own, for tests that kill, stop and restart it. Its one argument is JSON; it prints its endpoint
 * when it listens, and shuts down at the first byte on its standard input. It does not outlive the process that started it.
 *
 * @module
 */

import process from "node:process";
import { createGateway } from "../../src/gateway/mod.ts";
import type { GatewayProcessOptions } from "./gateway_host.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as GatewayProcessOptions;
const gateway = createGateway({ limits: options.limits });
for (const account of options.accounts) await gateway.publishServiceAccount(account);
for (const trunk of options.trunks) await gateway.addTrunk(trunk);
const { endpoint } = await gateway.listen({ port: options.port, certificate: options.certificate });
process.stdout.write(`${endpoint}\n`);
process.stdin.on("data", () => void gateway.close().then(() => process.exit(0)));
process.stdin.on("end", () => setTimeout(() => process.exit(1), 1_000));

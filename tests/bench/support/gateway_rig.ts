/**
 * A gateway and a bare peer in this process, and calls that talk to both in another.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { generateServiceAccount, importSigner, signToken } from "../../../mod.ts";
import { createCertificate, createGateway } from "../../../src/gateway/mod.ts";
import { listenQuic } from "../../../src/transport/listen.ts";
import { certificateHash } from "../../../src/transport/mod.ts";
import { echoBytes } from "./bare_echo.ts";
import { manyCalls, MAX_STREAMS, type Streams } from "./echo_calls.ts";
import type { TalkOrder, TalkReport } from "./talk_process.ts";

const SCRIPT = fileURLToPath(new URL("./talk_process.ts", import.meta.url));

/** The calls, and whom they talk to. */
export interface GatewayRig extends AsyncDisposable {
  /** Lets the calls talk to the gateway, or the bytes alone go to the bare peer. */
  talk(to: "gateway" | "bytes", seconds: number): Promise<TalkReport>;
}

/** Starts all three; resolves when the calls are up. */
export async function startGatewayRig(calls: number, streams: Streams): Promise<GatewayRig> {
  const certificate = await createCertificate();
  const gateway = createGateway({
    limits: { ...manyCalls, rpcsPerSecond: 1e6, rpcsPerSecondPerTenant: 1e6 },
  });
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
  const { tenantId, privateKeyId } = account;
  await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId, trunkId: "main", channelLimit: 2 * calls });
  const { endpoint } = await gateway.listen({ certificate });
  const bare = await listenQuic({ ...certificate, maxStreams: MAX_STREAMS });
  void (async () => {
    for await (const { session } of bare.accept()) {
      session.closed.catch(() => {});
      echoBytes(session, 1);
    }
  })();
  const { value: hash } = await certificateHash(certificate.certificatePem);
  const order: TalkOrder = {
    endpoint,
    bareEndpoint: `https://127.0.0.1:${bare.port}`,
    certificateHash: btoa(String.fromCharCode(...hash)),
    token: await signToken(await importSigner(account)),
    calls,
    streams,
  };
  const child = spawn(
    process.execPath,
    ["run", "-A", "--quiet", "--no-check", "--unstable-net", SCRIPT, JSON.stringify(order)],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    async talk(to, seconds) {
      child.stdin.write(`${to} ${seconds}\n`);
      const { value = "" } = await lines.next();
      return JSON.parse(value) as TalkReport;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.stdin.end();
      await exited;
      await bare.close();
      await gateway.close();
    },
  };
}

// deno-lint-ignore-file no-console
/** A gateway and a client on real QUIC in one process, under limits that its parent has set. Prints what the client's user sees, line by line. */

import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { generateServiceAccount, TeleQuickClient, TeleQuickError } from "../../mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";

const [, , mode] = process.argv;
const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
const limits = { rpcsPerSecond: 100_000, rpcsPerSecondPerTenant: 100_000 };
const gateway = createGateway({ limits });
const { tenantId, privateKeyId } = account;
await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
await gateway.addTrunk({ tenantId, trunkId: "main" });
const listener = await gateway.listen({ hostname: "127.0.0.1", port: 0 });

function dialler(): TeleQuickClient {
  return new TeleQuickClient(listener.endpoint, account, false, {
    serverCertificateHash: listener.certificateHash,
    connectTimeoutMs: 5_000,
  });
}

/** Uses up every file descriptor that the process may have. */
function openAll(): number[] {
  const files: number[] = [];
  while (true) {
    try {
      files.push(openSync("/dev/null", "r"));
    } catch {
      return files;
    }
  }
}

if (mode === "descriptors") {
  const files = openAll();
  const client = dialler();
  const outcome = await client.connect().then(() => "open", (error) => error);
  console.log(outcome instanceof TeleQuickError ? outcome.code : `${outcome}`);
  for (const file of files) closeSync(file);
  await client.connect();
  console.log(client.stats().session.status);
  await client.close();
} else {
  const client = dialler();
  const call = await client.dial({ to: "+15550100", trunkId: "main" });
  await call.answered();
  const link = call.audio({ codec: "PCM16" });
  const writer = link.writable.getWriter();
  // Frames of 640 bytes, three to a datagram as far as it holds them.
  for (let n = 0; n < 25; n++) await writer.write(new Uint8Array(640).fill(n));
  let heard = 0;
  for await (const { payload } of link.readable) {
    if (payload.length > 0 && ++heard === 25) break;
  }
  console.log(`heard ${heard}`);
  const rpcs = mode === "memory" ? 3_000 : 50;
  for (let n = 0; n < rpcs; n += 50) {
    await Promise.all(Array.from({ length: 50 }, () => client.streamEvents(client.clientId)));
  }
  console.log(`answered ${rpcs}`);
  await call.hangUp();
  await client.close();
}
await listener.close();
await gateway.close();

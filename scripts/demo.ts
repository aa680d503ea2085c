// deno-lint-ignore-file no-console
/**
 * The main job, in one command: `deno task demo`. Starts the local gateway on a free port, writes two service accounts, and
 * lets a process of its own sign in, call, speak, listen, be refused and hang up (`demo_caller.ts`).
 *
 * Exits with 0 when everything was as expected, with 1 otherwise.
 */

import { generateServiceAccount } from "@telequick/sdk";
import { createGateway } from "@telequick/sdk/gateway";

const folder = await Deno.makeTempDir({ prefix: "telequick-demo-" });
let exitCode = 1;
{
  await using gateway = createGateway();
  for (const tenantId of ["acme", "globex"]) {
    const { account, json, publicKeyPem } = await generateServiceAccount({ tenantId });
    await Deno.writeTextFile(`${folder}/${tenantId}.json`, json, { mode: 0o600 });
    await gateway.publishServiceAccount({
      tenantId,
      privateKeyId: account.privateKeyId,
      publicKeyPem,
    });
    await gateway.addTrunk({ tenantId, trunkId: `${tenantId}-trunk` });
  }
  const { endpoint, certificateHash } = await gateway.listen({ port: 0 });
  console.log(`Gateway on ${endpoint}, tenants acme and globex, one trunk each`);

  const caller = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("./demo_caller.ts", import.meta.url).href],
    env: {
      TELEQUICK_CREDENTIALS: `${folder}/acme.json`,
      TELEQUICK_ENDPOINT: endpoint,
      TELEQUICK_CERTIFICATE_HASH: certificateHash,
    },
  }).spawn();
  const watchdog = setTimeout(() => caller.kill("SIGKILL"), 14_000);
  exitCode = (await caller.status).code;
  clearTimeout(watchdog);
}
await Deno.remove(folder, { recursive: true });
console.log(exitCode === 0 ? "Demo passed" : `Demo failed: the caller exited with ${exitCode}`);
Deno.exit(exitCode);

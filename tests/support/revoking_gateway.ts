// deno-lint-ignore-file no-console
/** A gateway that revokes one key after another and prints each when it is acknowledged, until it is killed. Takes its folder as its argument. */

import { access, mkdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { generateServiceAccount } from "../../src/credentials/mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";

const directory = process.argv[2]!;
const path = `${directory}/gateway.json`;
const tenantId = "acme";
const keyIds = Array.from({ length: 200 }, (_, i) => `key-${i}`);

if (!await access(path).then(() => true, () => false)) {
  // One key pair will do: what is tested is what becomes of the registry on disk.
  const { publicKeyPem } = await generateServiceAccount({ tenantId });
  const keys = keyIds.map((keyId) => ({
    ...{ tenantId, keyId, publicKeyPem, role: "sdk", expiresAtMs: 0, isRevoked: false },
  }));
  const state = {
    format: "telequick-gateway",
    version: 1,
    keys,
    trunks: [],
    isBootstrapped: false,
  };
  await mkdir(directory, { recursive: true });
  await writeFile(path, JSON.stringify(state));
}
const gateway = createGateway({ directory });
await gateway.ready;
// The order is a new one each time, so that later runs have keys left.
for (const privateKeyId of keyIds.sort(() => Math.random() - 0.5)) {
  await gateway.revokeServiceAccount({ tenantId, privateKeyId });
  console.log(privateKeyId);
}

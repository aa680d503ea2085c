/**
 * A gateway and its panel in a process of its own. Its one argument is the folder of the page's files; it prints what a program and a
 * browser need, and ends with its standard input.
 *
 * @module
 */

import process from "node:process";
import { generateServiceAccount, importSigner, signToken } from "../../../mod.ts";
import { createGateway } from "../../../src/gateway/mod.ts";
import { startPanel } from "../../../src/panel/mod.ts";

/** What it prints. */
export interface PanelProcess {
  readonly url: string;
  readonly endpoint: string;
  readonly certificateHash: string;
  /** The program's. */
  readonly token: string;
}

/** The number of the panel's phone. */
export const PANEL_NUMBER = "+15550120";

if (import.meta.main) {
  const tenantId = "acme";
  const trunkId = "main";
  const gateway = createGateway({ phones: [PANEL_NUMBER] });
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId });
  const { privateKeyId } = account;
  await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId, trunkId });
  const { endpoint, certificateHash } = await gateway.listen({ hostname: "127.0.0.1" });
  const panel = await startPanel({
    ...{ gateway, endpoint, certificateHashes: [certificateHash], tenantId, trunkId },
    program: "",
    folder: new URL(process.argv[2]!),
  });
  const token = await signToken(await importSigner(account));
  const told: PanelProcess = { url: panel!.url, endpoint, certificateHash, token };
  process.stdout.write(`${JSON.stringify(told)}\n`);
  process.stdin.on("end", () => process.exit(0));
  process.stdin.resume();
}

import { generateServiceAccount, TeleQuickClient } from "@telequick/sdk";
import { createGateway } from "@telequick/sdk/gateway";
import { importSigner, mintBrowserToken } from "@telequick/sdk/token";

/** Mints a token and makes a call in memory. Returns a line that says so. */
export async function program() {
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
  const token = await mintBrowserToken(await importSigner(account), { scope: "call.dial" });
  const gateway = createGateway();
  await gateway.addTrunk({ tenantId: "acme", trunkId: "trunk" });
  await gateway.publishServiceAccount({
    tenantId: "acme",
    privateKeyId: account.privateKeyId,
    publicKeyPem,
  });
  const client = new TeleQuickClient("https://gateway.test:9090", account, false, {
    webTransport: gateway.webTransport,
  });
  try {
    const call = await client.dial({ to: "+15550100", trunkId: "trunk" });
    await call.answered();
    await call.hangUp();
    return `consumer: a token of ${token.split(".").length} segments, a call that was answered`;
  } finally {
    await client.close();
    await gateway.close();
  }
}

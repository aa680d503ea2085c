import { generateServiceAccount } from "../../src/credentials/mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";

/** A gateway on a free port of 127.0.0.1, with one tenant that can place calls. */
export interface LocalGateway {
  /** Where it listens, as an `https:` URL. */
  readonly endpoint: string;
  /**
   * Environment of a program that connects: `TELEQUICK_ENDPOINT`, `TELEQUICK_CERTIFICATE_HASH`, `TELEQUICK_CREDENTIALS`,
   * `TELEQUICK_TRUNK`.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it and every session. */
  close(): Promise<void>;
}

/**
 * Starts a gateway for tenant `acme` with trunk `acme-trunk`.
 *
 * @param folder Where its `service-account.json` is written.
 */
export async function startGateway(folder: string): Promise<LocalGateway> {
  const tenantId = "acme";
  const { account, json, publicKeyPem } = await generateServiceAccount({ tenantId });
  const credentials = `${folder}/service-account.json`;
  await Deno.writeTextFile(credentials, json, { mode: 0o600 });
  const gateway = createGateway();
  await gateway.publishServiceAccount({
    tenantId,
    privateKeyId: account.privateKeyId,
    publicKeyPem,
  });
  await gateway.addTrunk({ tenantId, trunkId: "acme-trunk" });
  const { endpoint, certificateHash } = await gateway.listen({ hostname: "127.0.0.1", port: 0 });
  return {
    endpoint,
    env: {
      TELEQUICK_ENDPOINT: endpoint,
      TELEQUICK_CERTIFICATE_HASH: certificateHash,
      TELEQUICK_CREDENTIALS: credentials,
      TELEQUICK_TRUNK: "acme-trunk",
    },
    close: () => gateway.close(),
  };
}
